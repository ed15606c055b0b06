"""What is done to an account: one class for each kind of change, with what it changes.

A change holds facts; what a report has of it (subject, reason, before, after) is made where it is
shown (`show/saved.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.differences import (
    Differs,
    ForeignTrust,
    OwnTrust,
    StackSetDifference,
)
from cloudcraft_onboard.model.wanted import PolicyRef, Trust
from cloudcraft_onboard.model.worded import Worded


class Action(Worded):
    """One kind of write, with its word (README, The JSON report) and the symbol of a plan."""

    CREATE_ROLE = ("create-role", "+")
    UPDATE_TRUST = ("update-trust", "~")
    ATTACH_POLICY = ("attach-policy", "+")
    PUT_POLICY = ("put-policy", "~")
    UPDATE_ROLE = ("update-role", "~")
    TAG_ROLE = ("tag-role", "~")
    REGISTER = ("register", "+")
    UPDATE_REGISTRATION = ("update-registration", "~")
    DELETE_REGISTRATION = ("delete-registration", "-")
    DETACH_POLICY = ("detach-policy", "-")
    DELETE_ROLE = ("delete-role", "-")


# --- the role -----------------------------------------------------------------------------------


@frozen
class NewRole:
    """What a new role will be like; `permissions_boundary` is the manifest's word."""

    trust: Trust
    path: str
    max_session_duration: int
    permissions_boundary: str | None
    tags: Mapping[str, str] = field(hash=False)


@frozen
class CreateRole:
    """Make the role; its policies are changes of their own."""

    action: ClassVar = Action.CREATE_ROLE
    role: NewRole


@frozen
class TrustParts:
    """What a trust policy says, sorted; `statements` is their number."""

    principals: tuple[str, ...]
    external_ids: tuple[str, ...]
    actions: tuple[str, ...]
    effects: tuple[str, ...]
    conditions: tuple[str, ...]
    elements: tuple[str, ...]
    statements: int


@frozen
class UpdateTrust:
    """Make the trust policy the wanted one; `adopted`: it names somebody else."""

    action: ClassVar = Action.UPDATE_TRUST
    differences: tuple[ForeignTrust | OwnTrust, ...]
    before: TrustParts
    after: TrustParts
    adopted: bool = False


@frozen
class UpdateRole:
    """Change the role's settings, those that differ; the boundary by its ARN, or None."""

    action: ClassVar = Action.UPDATE_ROLE
    max_session_duration: Differs[int] | None = None
    permissions_boundary: Differs[str | None] | None = None


@frozen
class TagRole:
    """Give the role the tags that it lacks, or has with another value."""

    action: ClassVar = Action.TAG_ROLE
    before: Mapping[str, str | None] = field(hash=False)
    after: Mapping[str, str] = field(hash=False)


@frozen
class AttachPolicy:
    """Attach a managed policy."""

    action: ClassVar = Action.ATTACH_POLICY
    policy: PolicyRef


@frozen
class PolicyParts:
    """What an inline policy says, sorted; `statements` is their number."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effects: tuple[str, ...]
    conditions: tuple[str, ...]
    elements: tuple[str, ...]
    statements: int


@frozen
class PutPolicy:
    """Write an inline policy; `before` is None where there is none yet."""

    action: ClassVar = Action.PUT_POLICY
    name: str
    before: PolicyParts | None
    after: PolicyParts


@frozen
class DetachPolicy:
    """Take a managed policy (its ARN) off a role that is to be deleted, or delete an inline one."""

    action: ClassVar = Action.DETACH_POLICY
    policy: str
    inline: bool


@frozen
class DeleteRole:
    """Delete the role, which holds no policy any more; `arn` where it is not the manifest's."""

    action: ClassVar = Action.DELETE_ROLE
    arn: str = ""


RoleChange = (
    CreateRole
    | UpdateTrust
    | UpdateRole
    | TagRole
    | AttachPolicy
    | PutPolicy
    | DetachPolicy
    | DeleteRole
)
"""What is done to a role directly."""


# --- the role, by a stack set -------------------------------------------------------------------


@frozen
class CreateByStackSet:
    """Make the role with an instance of the stack set, which is `new` or there already."""

    action: ClassVar = Action.CREATE_ROLE
    stack_set: str
    new: bool
    role: NewRole
    policies: tuple[str, ...]


@frozen
class UpdateByStackSet:
    """Update the stack set, and its instance in the account."""

    action: ClassVar = Action.UPDATE_ROLE
    stack_set: str
    differences: tuple[StackSetDifference, ...]


@frozen
class UpdateInstance:
    """Bring the account's instance up to date; `status` is CloudFormation's word for it."""

    action: ClassVar = Action.UPDATE_ROLE
    stack_set: str
    status: str


@frozen
class DeleteByStackSet:
    """Delete the account's instance of the stack set, and the role with it."""

    action: ClassVar = Action.DELETE_ROLE
    stack_set: str


StackSetChange = CreateByStackSet | UpdateByStackSet | UpdateInstance | DeleteByStackSet


# --- the registration ---------------------------------------------------------------------------


@frozen
class RegisterAccount:
    """Register the account; who has access by the words that the manifest would use."""

    action: ClassVar = Action.REGISTER
    name: str
    region: str
    read_access: tuple[str, ...] | None = None
    write_access: tuple[str, ...] | None = None


@frozen
class UpdateRegistration:
    """Change what differs of the registration; who has access as in `RegisterAccount`, sorted."""

    action: ClassVar = Action.UPDATE_REGISTRATION
    name: Differs[str] | None = None
    role_arn: Differs[str] | None = None
    read_access: Differs[tuple[str, ...]] | None = None
    write_access: Differs[tuple[str, ...]] | None = None


@frozen
class DeleteRegistration:
    """Delete a registration; `name` is the one in Cloudcraft."""

    action: ClassVar = Action.DELETE_REGISTRATION
    id: str
    name: str


RegistrationChange = RegisterAccount | UpdateRegistration | DeleteRegistration


# --- both, read back ----------------------------------------------------------------------------


@frozen
class SavedChange:
    """A change as a report has it.

    `subject` names what is written where the action alone doesn't: a policy's ARN or inline name.
    `reason` is a clause for people: "external ID differs". `before` and `after` hold what there is
    to show of it as plain data that JSON can hold, part by part, never a secret.
    """

    action: Action
    reason: str = ""
    subject: str = ""
    before: Mapping[str, Any] | None = field(default=None, hash=False)
    after: Mapping[str, Any] | None = field(default=None, hash=False)


Change = RoleChange | StackSetChange | RegistrationChange | SavedChange
