"""The role in IAM: read with as few calls as possible, changed one step at a time.

Every write is idempotent: a run that was killed between two of them, or that lost the answer to
one, simply repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.model import (
    MANAGED_BY,
    NOTHING,
    DesiredRole,
    ObservedRole,
    PolicyRef,
    Stage,
)
from cloudcraft_onboard.model.changes import (
    AttachPolicy,
    CreateRole,
    DeleteRole,
    DetachPolicy,
    PutPolicy,
    RoleChange,
    TagRole,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.plan.documents import as_json
from cloudcraft_onboard.plan.trust import trust_document

_OUR_INLINE = "cloudcraft-"

_Answer = TypeVar("_Answer")


Caller = Callable[..., Mapping[str, Any]]
"""Makes one `Call` in the account; raises `ClientError` if AWS refuses."""


def observe(call: Caller, role_name: str, *, inline: bool) -> ObservedRole | None:
    """Read the role; None if there is none.

    With `inline`, the names of its inline policies are read too, and the documents of those that
    this program writes; others' documents stay empty.

    Raises:
        ConcurrentChange: it was there for the first call, and not for a later one.
        ClientError: AWS refused.
    """
    try:
        role = call(Call.GET_ROLE, RoleName=role_name)["Role"]
    except ClientError as error:
        if _code(error) == "NoSuchEntity":
            return None
        raise
    try:
        attached = tuple(
            policy["PolicyArn"]
            for page in _pages(call, Call.LIST_ATTACHED, role_name)
            for policy in page["AttachedPolicies"]
        )
        documents = dict(_inline(call, role_name)) if inline else {}
    except ClientError as error:
        if _code(error) == "NoSuchEntity":
            raise ConcurrentChange from error
        raise
    return ObservedRole(
        arn=role["Arn"],
        path=role["Path"],
        description=role.get("Description", ""),
        max_session_duration=role["MaxSessionDuration"],
        permissions_boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", ())},
        trust=dict(role["AssumeRolePolicyDocument"]),
        attached=attached,
        inline=documents,
        created_at=role["CreateDate"],
    )


def _inline(call: Caller, role_name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for page in _pages(call, Call.LIST_INLINE, role_name):
        for name in page["PolicyNames"]:
            if not name.startswith(_OUR_INLINE):
                yield name, NOTHING
                continue
            answer = call(Call.GET_INLINE, RoleName=role_name, PolicyName=name)
            yield name, answer["PolicyDocument"]


def _pages(call: Caller, listing: Call, role_name: str) -> Iterator[Mapping[str, Any]]:
    marker: dict[str, str] = {}
    while True:
        page = call(listing, RoleName=role_name, **marker)
        yield page
        if not page.get("IsTruncated"):
            return
        if marker == {"Marker": page["Marker"]}:
            raise ValueError("the same page again")
        marker = {"Marker": page["Marker"]}


def apply(
    call: Caller, change: RoleChange, desired: DesiredRole, observed: ObservedRole | None
) -> str | None:
    """Make one change; return the role's ARN if the change created it.

    Raises:
        ConcurrentChange: the role appeared or vanished since it was observed.
        AccountError: a policy that the manifest names does not exist.
        ClientError: AWS refused.
    """
    try:
        if isinstance(change, CreateRole):
            return _create_role(call, desired)
        _write(call, change, desired, observed)
    except ClientError as error:
        if _raced(error, change):
            raise ConcurrentChange from error
        raise
    return None


def _write(
    call: Caller,
    change: RoleChange,
    desired: DesiredRole,
    observed: ObservedRole | None,
) -> None:
    role = desired.name
    match change:
        case UpdateTrust():
            document = as_json(trust_document(desired.trust))
            call(Call.UPDATE_TRUST, RoleName=role, PolicyDocument=document)
        case UpdateRole():
            _update_role(call, desired, observed)
        case TagRole():
            call(Call.TAG_ROLE, RoleName=role, Tags=_tags(desired.tags))
        case AttachPolicy():
            _first_that_exists(
                change.policy, lambda arn: call(Call.ATTACH, RoleName=role, PolicyArn=arn)
            )
        case PutPolicy():
            document = as_json(desired.inline[change.name])
            call(Call.PUT_INLINE, RoleName=role, PolicyName=change.name, PolicyDocument=document)
        case DetachPolicy(inline=True):
            _unless_gone(lambda: call(Call.DELETE_INLINE, RoleName=role, PolicyName=change.policy))
        case DetachPolicy():
            _unless_gone(lambda: call(Call.DETACH, RoleName=role, PolicyArn=change.policy))
        case DeleteRole():
            _unless_gone(lambda: call(Call.DELETE_ROLE, RoleName=role))


def _unless_gone(delete: Callable[[], object]) -> None:
    """Delete something; it may be gone already."""
    try:
        delete()
    except ClientError as error:
        if _code(error) != "NoSuchEntity":
            raise


def _raced(error: ClientError, change: RoleChange) -> bool:
    code = _code(error)
    message = error.response["Error"].get("Message", "").lower()
    if isinstance(change, CreateRole):
        return code == "EntityAlreadyExists"
    if isinstance(change, DeleteRole):
        return code == "DeleteConflict" and "policies" in message
    return code == "NoSuchEntity" and _names_role(message)


def _names_role(message: str) -> bool:
    return "role with name" in message or message.startswith("role ")


def _create_role(call: Caller, desired: DesiredRole) -> str:
    tags = {**desired.tags, MANAGED_BY[0]: MANAGED_BY[1]}

    def create(**boundary: str) -> str:
        answer = call(
            Call.CREATE_ROLE,
            RoleName=desired.name,
            Path=desired.path,
            AssumeRolePolicyDocument=as_json(trust_document(desired.trust)),
            Description=desired.description,
            MaxSessionDuration=desired.max_session_duration,
            Tags=_tags(tags),
            **boundary,
        )
        arn: str = answer["Role"]["Arn"]
        return arn

    policy = desired.permissions_boundary
    if policy is None:
        return create()
    return _first_that_exists(policy, lambda arn: create(PermissionsBoundary=arn))


def _update_role(call: Caller, desired: DesiredRole, observed: ObservedRole | None) -> None:
    seconds = desired.max_session_duration
    if observed is None or seconds != observed.max_session_duration:
        call(
            Call.UPDATE_ROLE,
            RoleName=desired.name,
            # Sent as it is, as IAM doesn't say what becomes of one that is left out.
            Description=(observed or desired).description,
            MaxSessionDuration=desired.max_session_duration,
        )
    policy = desired.permissions_boundary
    if policy and (observed is None or observed.permissions_boundary not in policy.arns):
        _first_that_exists(
            policy,
            lambda arn: call(Call.PUT_BOUNDARY, RoleName=desired.name, PermissionsBoundary=arn),
        )


def _first_that_exists(policy: PolicyRef, use: Callable[[str], _Answer]) -> _Answer:
    """Use the first policy that exists: AWS's own, or the account's of that name."""
    for arn in policy.arns:
        try:
            return use(arn)
        except ClientError as error:
            missing = error.response["Error"].get("Message", "").lower()
            if _code(error) != "NoSuchEntity" or _names_role(missing):
                raise
    raise AccountError(
        Stage.ROLE,
        "NoSuchEntity",
        f"There is no policy {' or '.join(policy.arns)}, or it cannot be attached.",
        cause=Cause(row=ours.NO_SUCH_POLICY, facts=Facts(key=policy.name)),
    )


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")
