"""A role's trust policy: the desired one, and how an existing one compares.

Compared by meaning. A policy that names only Cloudcraft is corrected; one that names somebody else,
or says anything unknown, is a conflict: people may depend on that access.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Trust
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.differences import (
    ExternalIdDiffers,
    ExternalIdMissing,
    ForeignTrust,
    NoPrincipal,
    OtherActions,
    OtherConditions,
    OtherEffect,
    OtherElements,
    OwnTrust,
    SeveralExternalIds,
    SeveralStatements,
    TrustsNobody,
    TrustsOthers,
)
from cloudcraft_onboard.plan.documents import VERSION, Statement, statements

_ACTION = "sts:AssumeRole"
_EXTERNAL_ID = "sts:ExternalId"


@frozen
class TrustFinding:
    """How an existing trust policy compares with the desired one.

    `foreign` is the most telling reason why it is not Cloudcraft's alone; without one,
    `differences` are what an update corrects.
    """

    differences: tuple[OwnTrust, ...] = ()
    foreign: ForeignTrust | None = None

    @property
    def same(self) -> bool:
        """Whether both mean the same."""
        return not self.differences and self.foreign is None


def trust_document(trust: Trust) -> dict[str, Any]:
    """The wanted trust policy, as Cloudcraft's guide has it."""
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": str(Arn.root(trust.partition, trust.account_id))},
                "Action": _ACTION,
                "Condition": {"StringEquals": {_EXTERNAL_ID: trust.external_id}},
            }
        ],
    }


def compare_trust(trust: Trust, document: Mapping[str, Any]) -> TrustFinding:
    """Compare an existing trust policy with the desired one."""
    (wanted,) = normal(trust_document(trust))
    found = normal(document)
    if found == {wanted}:
        return TrustFinding()
    if not found:
        return TrustFinding(differences=(TrustsNobody(),))
    foreign = next(_foreign(wanted, found), None)
    if foreign:
        return TrustFinding(foreign=foreign)
    (only,) = found
    return TrustFinding(differences=tuple(_differences(wanted, only)))


def normal(document: Mapping[str, Any]) -> frozenset[Statement]:
    """What a trust policy says: `statements`, the two spellings of a whole account as one."""
    return frozenset(
        replace(said, principals=frozenset(_account(*each) for each in said.principals))
        for said in statements(document)
    )


def _account(kind: str, name: str) -> tuple[str, str]:
    arn = Arn.parse(name) if kind == "AWS" else None
    if arn is not None and arn.in_account and arn == Arn.root(arn.partition, arn.account_id):
        return kind, arn.account_id
    return kind, name


def _foreign(wanted: Statement, found: frozenset[Statement]) -> Iterator[ForeignTrust]:
    """Why a trust policy is somebody else's too; the most telling reason comes first."""
    others = {name for said in found for _, name in said.principals - wanted.principals}
    if others:
        besides = any(wanted.principals <= said.principals for said in found)
        yield TrustsOthers(principals=tuple(sorted(others)), besides=besides)
    effects = sorted({said.effect for said in found} - {"Allow"})
    if effects:
        yield OtherEffect(effect=effects[0])
    nameless = [said for said in found if not said.principals]
    if nameless:
        elements = sorted(key for said in nameless for key, _ in said.other)
        yield NoPrincipal(instead=elements[0] if elements else "")
    if len(found) > 1:
        differ = len({_external_ids(said) for said in found}) > 1
        yield SeveralStatements(external_ids_differ=differ)
    if any(len(_external_ids(said)) > 1 for said in found):
        yield SeveralExternalIds()


def _external_ids(said: Statement) -> frozenset[str]:
    return frozenset(
        value
        for _, key, values in said.conditions
        for value in values
        if key == _EXTERNAL_ID.lower()
    )


def _differences(wanted: Statement, only: Statement) -> Iterator[OwnTrust]:
    """What an update corrects; at least one."""
    have, want = _external_ids(only), _external_ids(wanted)
    if not have:
        yield ExternalIdMissing()
    elif have != want:
        yield ExternalIdDiffers()
    if only.actions != wanted.actions:
        yield OtherActions(actions=tuple(sorted(only.actions)))
    stray = sorted(
        (operator, key)
        for operator, key, _ in only.conditions
        if (operator, key) != ("StringEquals", _EXTERNAL_ID.lower())
    )
    if stray:
        yield OtherConditions(conditions=tuple(stray))
    if only.other or only.resources:
        names = {key for key, _ in only.other} | ({"Resource"} if only.resources else set())
        yield OtherElements(elements=tuple(sorted(names)))
