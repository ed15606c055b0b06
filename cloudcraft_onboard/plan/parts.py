"""What policies say, part by part, for a reviewer of a change. Pure, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcraft_onboard.model.changes import PolicyParts, TrustParts
from cloudcraft_onboard.plan.documents import Statement, actions, statements
from cloudcraft_onboard.plan.trust import normal

_EXTERNAL_ID = "sts:externalid"


def trust_parts(document: Mapping[str, Any]) -> TrustParts:
    """A role's trust policy."""
    said = normal(document)
    external_ids = (
        value
        for each in said
        for _, key, values in each.conditions
        for value in values
        if key == _EXTERNAL_ID
    )
    return TrustParts(
        principals=tuple(sorted({name for each in said for _, name in each.principals})),
        external_ids=tuple(sorted(external_ids)),
        actions=tuple(sorted(actions(document).values())),
        effects=_effects(said),
        conditions=_conditions(said, but=_EXTERNAL_ID),
        elements=_elements(said),
        statements=len(said),
    )


def policy_parts(document: Mapping[str, Any]) -> PolicyParts:
    """An identity policy."""
    said = statements(document)
    return PolicyParts(
        actions=tuple(sorted(actions(document).values())),
        resources=tuple(sorted({name for each in said for name in each.resources})),
        effects=_effects(said),
        conditions=_conditions(said),
        elements=_elements(said),
        statements=len(said),
    )


def _effects(said: frozenset[Statement]) -> tuple[str, ...]:
    return tuple(sorted({each.effect for each in said}))


def _conditions(said: frozenset[Statement], *, but: str = "") -> tuple[str, ...]:
    """`but` is a key whose equality is told elsewhere."""
    told = (
        f"{operator} {key}: {', '.join(sorted(values))}"
        for each in said
        for operator, key, values in each.conditions
        if key != but or operator != "StringEquals"
    )
    return tuple(sorted(told))


def _elements(said: frozenset[Statement]) -> tuple[str, ...]:
    return tuple(sorted({f"{key}: {value}" for each in said for key, value in each.other}))
