"""What is said of an account's role besides what is done to it: one class for each kind of note."""

from __future__ import annotations

from enum import Enum, auto

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.differences import ForeignTrust
from cloudcraft_onboard.model.problems import Problem

# --- of a run, or a plan ------------------------------------------------------------------------


@frozen
class RoleNotMoved:
    """The role is at another path than the manifest's, and IAM moves none."""

    path: str
    wanted: str


@frozen
class BoundaryKept:
    """The role has a permissions boundary (its ARN), and the manifest names none."""

    boundary: str


@frozen
class PoliciesKept:
    """The role has policies that the manifest does not list: ARNs, and names of inline ones."""

    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()


@frozen
class FormerRole:
    """The registration names another role than the manifest: one that a run leaves behind.

    `entered`: `remove` enters the account, and so can take it along.
    """

    arn: str
    entered: bool


@frozen
class RolledOut:
    """The role comes with a stack set, kept in this region and account."""

    stack_set: str
    region: str
    account_id: str


@frozen
class StackSetBusy:
    """Another operation on the stack set is in progress."""


@frozen
class JoinersCovered:
    """Accounts that join later get the role, too: those of the manifest's OUs, or all."""

    organizational_units: bool


@frozen
class StackSetStays:
    """The stack set is in OUs that the manifest does not name, and stays there."""

    stack_set: str
    units: tuple[str, ...]


@frozen
class InChina:
    """The account is in the partition `aws-cn`, which Cloudcraft does not support."""


@frozen
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


@frozen
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


@frozen
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


@frozen
class NotMadeHere:
    """The role has no tag of this program."""


@frozen
class RoleKept:
    """`remove` keeps the role with this ARN, and why; `--force` counts but for the first."""

    arn: str
    why: NotMadeHere | PoliciesKept | ForeignTrust


@frozen
class ExistingRoleKept:
    """`remove` keeps a role that somebody else made (`role.via: existing`)."""


@frozen
class RolesKept:
    """`remove --keep-roles` looks at no role."""


@frozen
class RoleOfStackSetKept:
    """The stack set that the role came with is left alone because of `problem`."""

    problem: Problem


@frozen
class FormerRoleRemoved:
    """`remove` takes the role along that the registration names instead of the manifest's."""

    arn: str


@frozen
class FormerRoleUnread:
    """`remove` keeps that role, because it could not be read; `why`."""

    arn: str
    why: str


@frozen
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
