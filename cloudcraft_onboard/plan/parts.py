"""What a change shows a reviewer: `before` and `after`, part by part. Pure, never a secret.

Only parts that differ are named, on both sides, so that the two can be read beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcraft_onboard.model import MANAGED_BY, DesiredRole, ObservedRole, Trust
from cloudcraft_onboard.plan.documents import Statement, actions, statements
from cloudcraft_onboard.plan.trust import normal, trust_document

Parts = dict[str, Any]

_EXTERNAL_ID = "sts:externalid"


def made_role(desired: DesiredRole) -> Parts:
    """A role to create; its policies are changes of their own."""
    boundary = desired.permissions_boundary
    return {
        "trust": trusted(desired.trust),
        "path": desired.path,
        "max_session_duration": desired.max_session_duration,
        "permissions_boundary": boundary.name if boundary else None,
        "tags": {**desired.tags, MANAGED_BY[0]: MANAGED_BY[1]},
    }


def trusted(trust: Trust) -> Parts:
    """Whom a role trusts, and by which external ID."""
    return {"account_id": trust.account_id, "external_id": trust.external_id}


def trust_difference(trust: Trust, observed: Mapping[str, Any]) -> tuple[Parts, Parts]:
    """The parts of two trust policies that differ: as they are, and as they should be."""
    return _differing(_trust_parts(observed), _trust_parts(trust_document(trust)))


def role_difference(desired: DesiredRole, observed: ObservedRole) -> tuple[Parts, Parts]:
    """The settings of a role that differ."""
    before: Parts = {"max_session_duration": observed.max_session_duration}
    after: Parts = {"max_session_duration": desired.max_session_duration}
    boundary = desired.permissions_boundary
    if boundary and observed.permissions_boundary not in boundary.arns:
        before["permissions_boundary"] = observed.permissions_boundary
        after["permissions_boundary"] = boundary.name
    return _differing(before, after)


def tag_difference(desired: DesiredRole, observed: ObservedRole) -> tuple[Parts, Parts]:
    """The tags that differ."""
    return _differing({key: observed.tags.get(key) for key in desired.tags}, dict(desired.tags))


def policy_difference(
    document: Mapping[str, Any], observed: Mapping[str, Any] | None
) -> tuple[Parts | None, Parts]:
    """The actions that an inline policy loses and gains, or what else differs.

    All of its actions where there is no policy yet.
    """
    wanted = actions(document)
    if observed is None:
        return None, {"actions": sorted(wanted.values())}
    found = actions(observed)
    gone = sorted(found[each] for each in found.keys() - wanted.keys())
    come = sorted(wanted[each] for each in wanted.keys() - found.keys())
    if gone or come:
        return {"actions": gone}, {"actions": come}
    return _differing(_policy_parts(observed), _policy_parts(document))


def _differing(before: Parts, after: Parts) -> tuple[Parts, Parts]:
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def _trust_parts(document: Mapping[str, Any]) -> Parts:
    said = normal(document)
    return {
        "principals": sorted({name for each in said for _, name in each.principals}),
        "external_ids": sorted(
            value
            for each in said
            for _, key, values in each.conditions
            for value in values
            if key == _EXTERNAL_ID
        ),
        "actions": sorted(actions(document).values()),
        **_rest(said, but=_EXTERNAL_ID),
        "statements": len(said),
    }


def _policy_parts(document: Mapping[str, Any]) -> Parts:
    said = statements(document)
    return {
        "resources": sorted({name for each in said for name in each.resources}),
        **_rest(said),
        "statements": len(said),
    }


def _rest(said: frozenset[Statement], *, but: str = "") -> Parts:
    """What is seldom there: other effects than Allow, conditions, unusual elements."""
    return {
        "effects": sorted({each.effect for each in said}),
        "conditions": sorted(
            f"{operator} {key}: {', '.join(sorted(values))}"
            for each in said
            for operator, key, values in each.conditions
            if key != but or operator != "StringEquals"
        ),
        "elements": sorted({f"{key}: {value}" for each in said for key, value in each.other}),
    }
