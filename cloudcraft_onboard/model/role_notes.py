"""What is said of an account's role besides what is done to it: one class for each kind of note."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from cloudcraft_onboard.model.differences import ForeignTrust
from cloudcraft_onboard.model.problems import Problem

# --- of a run, or a plan ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleNotMoved:
    """The role is at another path than the manifest's, and IAM moves none."""

    path: str
    wanted: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundaryKept:
    """The role has a permissions boundary (its ARN), and the manifest names none."""

    boundary: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PoliciesKept:
    """The role has policies that the manifest does not list: ARNs, and names of inline ones."""

    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerRole:
    """The registration names another role than the manifest: one that a run leaves behind.

    `entered`: `remove` enters the account, and so can take it along.
    """

    arn: str
    entered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RolledOut:
    """The role comes with a stack set, kept in this region and account."""

    stack_set: str
    region: str
    account_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StackSetBusy:
    """Another operation on the stack set is in progress."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinersCovered:
    """Accounts that join later get the role, too: those of the manifest's OUs, or all."""

    organizational_units: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StackSetStays:
    """The stack set is in OUs that the manifest does not name, and stays there."""

    stack_set: str
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InChina:
    """The account is in the partition `aws-cn`, which Cloudcraft does not support."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InGovCloud:
    """The account is in the partition `aws-us-gov`, for which Cloudcraft has another service."""


class Denier(Enum):
    """What of AWS says no to an action."""

    STATEMENT = auto()
    """A Deny in a policy of the identity."""
    NOTHING = auto()
    """No policy of the identity allows it."""
    BOUNDARY = auto()
    ORGANIZATION = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class WouldBeDenied:
    """AWS says that it would deny a run these actions; `identity` as in `role/Admin`."""

    actions: tuple[str, ...]
    denier: Denier
    identity: str


class Unasked(Enum):
    """Why AWS was not asked what it would deny."""

    DENIED = auto()
    """The identity may not ask."""
    IDENTITY = auto()
    """It is none that can be simulated: an account's root, a federated user."""
    FAILED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class DenialsUnknown:
    """AWS did not tell what it would deny a run."""

    why: Unasked


RoleNote = (
    WouldBeDenied
    | DenialsUnknown
    | RoleNotMoved
    | BoundaryKept
    | PoliciesKept
    | FormerRole
    | RolledOut
    | StackSetBusy
    | JoinersCovered
    | StackSetStays
    | InChina
    | InGovCloud
)


# --- of a removal -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class NotMadeHere:
    """The role has no tag of this program."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleKept:
    """`remove` keeps the role with this ARN, and why; `--force` counts but for the first."""

    arn: str
    why: NotMadeHere | PoliciesKept | ForeignTrust


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingRoleKept:
    """`remove` keeps a role that somebody else made (`role.via: existing`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RolesKept:
    """`remove --keep-roles` looks at no role."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleOfStackSetKept:
    """The stack set that the role came with is left alone because of `problem`."""

    problem: Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerRoleRemoved:
    """`remove` takes the role along that the registration names instead of the manifest's."""

    arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerRoleUnread:
    """`remove` keeps that role, because it could not be read; `why`."""

    arn: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerRoleOutside:
    """`remove` keeps that role: the account's role comes with a stack set, and nobody enters it."""

    arn: str


RemovalNote = (
    RoleKept
    | ExistingRoleKept
    | RolesKept
    | RoleOfStackSetKept
    | FormerRoleRemoved
    | FormerRoleUnread
    | FormerRoleOutside
)
