"""What AWS would deny a run, asked in a plan, once an account (IAM, SimulatePrincipalPolicy).

The simulator judges the identity's policies, its permissions boundary and service control policies
without conditions. What depends on a value that nobody knows beforehand is not called denied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.role import Caller
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import MANAGED_BY, DesiredRole, Identity, ObservedRole
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.changes import (
    AttachPolicy,
    CreateRole,
    PutPolicy,
    RoleChange,
    TagRole,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.model.role_notes import DenialsUnknown, Denier, Unasked, WouldBeDenied

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def denials(
    call: Caller,
    identity: Identity,
    changes: Sequence[RoleChange],
    desired: DesiredRole,
    observed: ObservedRole | None,
    *,
    entry: str | None,
) -> tuple[WouldBeDenied | DenialsUnknown, ...]:
    """What of these changes AWS would deny the identity. `entry` is the role entered by, if known.

    Never fails: that AWS cannot be asked is a note, too.
    """
    try:
        principal = _principal(call, identity, entry)
        if principal is None:
            return (DenialsUnknown(why=Unasked.IDENTITY),)
        answer = call(
            Call.SIMULATE,
            PolicySourceArn=principal,
            ActionNames=sorted({a for each in changes for a in _actions(each, desired)}),
            ResourceArns=[_resource(identity, desired, observed)],
            ContextEntries=list(_context(changes, desired, observed)),
        )
        found = _found(answer["EvaluationResults"])
    except (AccountError, ClientError) as error:
        why = Unasked.DENIED if _code(error) in _DENIED else Unasked.FAILED
        return (DenialsUnknown(why=why),)
    except (LookupError, TypeError, ValueError, AttributeError):
        return (DenialsUnknown(why=Unasked.FAILED),)
    shown = principal.rpartition(":")[2]
    return tuple(
        WouldBeDenied(actions=tuple(actions), denier=denier, identity=shown)
        for denier, actions in found.items()
    )


def _principal(call: Caller, identity: Identity, entry: str | None) -> str | None:
    """The ARN by which AWS knows the identity's policies, None for one that it cannot simulate."""
    arn = Arn.parse(identity.arn)
    kind, _, name = (arn.resource if arn else "").partition("/")
    if kind == "user":
        return identity.arn
    if kind != "assumed-role":
        return None
    role_name = name.partition("/")[0]
    if entry is not None and (known := Arn.parse(entry)) and known.name == role_name:
        return entry
    return str(call(Call.GET_ROLE, RoleName=role_name)["Role"]["Arn"])  # it may have a path


def _actions(change: RoleChange, desired: DesiredRole) -> Iterator[str]:
    """The actions that a change takes, as `role.apply` makes it."""
    match change:
        case CreateRole():
            yield from Call.CREATE_ROLE.actions
            if desired.permissions_boundary:
                yield from Call.PUT_BOUNDARY.actions
        case UpdateTrust():
            yield from Call.UPDATE_TRUST.actions
        case UpdateRole():
            if change.max_session_duration:
                yield from Call.UPDATE_ROLE.actions
            if change.permissions_boundary:
                yield from Call.PUT_BOUNDARY.actions
        case TagRole():
            yield from Call.TAG_ROLE.actions
        case AttachPolicy():
            yield from Call.ATTACH.actions
        case PutPolicy():
            yield from Call.PUT_INLINE.actions


def _resource(identity: Identity, desired: DesiredRole, observed: ObservedRole | None) -> str:
    if observed is not None:
        return observed.arn
    partition, account_id = identity.partition, identity.account_id
    return str(Arn.role(partition, account_id, desired.name, path=desired.path))


def _context(
    changes: Sequence[RoleChange], desired: DesiredRole, observed: ObservedRole | None
) -> Iterator[dict[str, Any]]:
    """The condition keys whose values are known (Service Authorization Reference, IAM)."""
    policies = {each.policy.arns[0] for each in changes if isinstance(each, AttachPolicy)}
    if len(policies) == 1:  # of several, each request has another
        yield _entry("iam:PolicyARN", *policies)
    boundary = desired.permissions_boundary
    if boundary:
        yield _entry("iam:PermissionsBoundary", boundary.arns[0])
    elif observed and observed.permissions_boundary:
        yield _entry("iam:PermissionsBoundary", observed.permissions_boundary)
    tags = dict(desired.tags)
    if observed is None:
        tags |= dict([MANAGED_BY])
    for key, value in tags.items():
        yield _entry(f"aws:RequestTag/{key}", value)
    if tags:
        yield _entry("aws:TagKeys", *tags, kind="stringList")
    for key, value in (observed.tags if observed else {}).items():
        yield _entry(f"aws:ResourceTag/{key}", value)
        yield _entry(f"iam:ResourceTag/{key}", value)
    yield _entry("aws:SecureTransport", "true", kind="boolean")


def _entry(name: str, *values: str, kind: str = "string") -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def _found(results: Sequence[Mapping[str, Any]]) -> dict[Denier, list[str]]:
    """What is denied for sure, by what denies it."""
    found: dict[Denier, list[str]] = defaultdict(list)
    for result in results:
        denier = _denier(result)
        if denier is not None and not _depends(result):
            found[denier].append(str(result["EvalActionName"]))
    return found


def _denier(result: Mapping[str, Any]) -> Denier | None:
    organization = result.get("OrganizationsDecisionDetail") or {}
    boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
    if organization.get("AllowedByOrganizations") is False:
        return Denier.ORGANIZATION
    if boundary.get("AllowedByPermissionsBoundary") is False:
        return Denier.BOUNDARY
    return {"explicitDeny": Denier.STATEMENT, "implicitDeny": Denier.NOTHING}.get(
        result["EvalDecision"]
    )


def _depends(result: Mapping[str, Any]) -> bool:
    """Whether it hangs on a value that is not known."""
    parts = [result, *(result.get("ResourceSpecificResults") or ())]
    return any(part.get("MissingContextValues") for part in parts)


def _code(error: AccountError | ClientError) -> str:
    if isinstance(error, AccountError):
        return error.code
    return str(error.response["Error"].get("Code"))
