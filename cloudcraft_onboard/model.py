"""The program's vocabulary: what is wanted, found, changed, and what came of it.

Frozen, keyword-only dataclasses and enums; standard library only. Everything past the manifest
loader speaks in these, never in dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

MANAGED_BY = ("ManagedBy", "cloudcraft-onboard")
"""The tag, key and value, on roles made here; `remove` deletes no role without it."""

DIRECT_SOURCE = "aws"
"""The `source` of a registration made by hand or through the API, if it has one."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Stage(StrEnum):
    """Where an account's problem arose (README, The JSON report: `error.stage`)."""

    REACH = "reach"
    ROLE = "role"
    REGISTER = "register"
    VERIFY = "verify"


class Outcome(Enum):
    """What came of one account: its word in reports, its symbol on screens."""

    CREATED = ("created", "+")
    UPDATED = ("updated", "~")
    UNCHANGED = ("unchanged", "=")
    REMOVED = ("removed", "-")
    FAILED = ("failed", "x")
    PENDING = ("pending", "?")
    SKIPPED = ("skipped", "/")

    def __init__(self, word: str, symbol: str) -> None:
        self.word = word
        self.symbol = symbol

    @classmethod
    def of(cls, word: str) -> Outcome:
        """The outcome that a report calls `word`; `ValueError` for another word."""
        for outcome in cls:
            if outcome.word == word:
                return outcome
        raise ValueError(f"{word!r} is not an outcome")


class Action(Enum):
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

    def __init__(self, word: str, symbol: str) -> None:
        self.word = word
        self.symbol = symbol

    @classmethod
    def of(cls, word: str) -> Action:
        """The action that a report calls `word`; `ValueError` for another word."""
        for action in cls:
            if action.word == word:
                return action
        raise ValueError(f"{word!r} is not an action")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One write that is planned or was made.

    `subject` names what is written where the action alone doesn't: a policy's ARN or inline name.
    `reason` is a clause for people: "external ID differs". `before` and `after` hold what there is
    to show of it as plain data that JSON can hold, part by part, never a secret.
    """

    action: Action
    reason: str
    subject: str = ""
    before: Mapping[str, Any] | None = field(default=None, hash=False)
    after: Mapping[str, Any] | None = field(default=None, hash=False)


# --- what a manifest asks for -------------------------------------------------------------------


class Via(StrEnum):
    """Who makes the role: this program, a CloudFormation StackSet, or somebody else."""

    ASSUME = "assume"
    STACKSET = "stackset"
    EXISTING = "existing"


@dataclass(frozen=True, kw_only=True, slots=True)
class StackSetSpec:
    """The stack set that rolls the role out (`role.stackset`).

    `profile` and `region` are the defaults': whose account administers it, and where it is kept.
    """

    name: str = "cloudcraft-onboard"
    organizational_units: tuple[str, ...] = ()
    admin: str = "self"
    max_concurrent_percentage: int = 100
    failure_tolerance_percentage: int = 10
    profile: str | None = None
    region: str = "us-east-1"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleSpec:
    """The role that the manifest asks for (`role`); durations in seconds."""

    name: str = "cloudcraft"
    path: str = "/"
    policies: tuple[str, ...] = ("ReadOnlyAccess",)
    permissions_boundary: str | None = None
    max_session_duration: int = 3600
    tags: Mapping[str, str] = field(default_factory=dict)
    adopt: bool = False
    via: Via = Via.ASSUME
    partition: str = "aws"
    stackset: StackSetSpec = StackSetSpec()


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One entry of the manifest, defaults merged in.

    `profile` is the one to use (own or default), None for the SDK's default chain.
    `assume_role` is a role name or ARN, None where the profile is used as it is; an account
    without `account_id` never has one. `read_access` and `write_access` are None where the manifest
    says nothing, so that what was set in Cloudcraft stays. `line` counts from 1.
    """

    name: str
    account_id: str | None = None
    profile: str | None = None
    assume_role: str | None = None
    region: str = "us-east-1"
    role: RoleSpec = RoleSpec()
    read_access: tuple[str, ...] | None = None
    write_access: tuple[str, ...] | None = None
    enabled: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    line: int = 1

    @property
    def expected_role_arn(self) -> str | None:
        """The role's ARN as far as the manifest alone tells it; None without an account ID."""
        if self.account_id is None:
            return None
        role = self.role
        return f"arn:{role.partition}:iam::{self.account_id}:role{role.path}{role.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A valid manifest. `path` is as the user gave it; accounts are in file order.

    `profile` is the defaults'.
    """

    path: str
    accounts: tuple[Account, ...]
    profile: str | None = None


# --- what is found ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whose credentials these are, from `sts:GetCallerIdentity` or `sts:AssumeRole`."""

    account_id: str
    partition: str
    arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudcraftParameters:
    """`GET /aws/account/iamParameters`: whom a role must trust."""

    account_id: str
    external_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """A Cloudcraft team; `id` as in `readAccess` lists without the `team/` prefix.

    `customer_id` is whose team it is, empty where Cloudcraft doesn't say.
    """

    id: str
    name: str
    customer_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """One AWS account as Cloudcraft lists it.

    Access lists are team IDs and `customer/ID`, None where not given; `listed_access` has them as
    Cloudcraft wrote them, so that a list which is not to change is sent back as it came. `source`
    says who brought it into Cloudcraft, None where Cloudcraft doesn't say. `mentioned`
    are the AWS account IDs in its other fields, for one that names no role.
    """

    id: str
    name: str
    role_arn: str
    external_id: str | None = None
    read_access: tuple[str, ...] | None = None
    write_access: tuple[str, ...] | None = None
    created_at: str | None = None
    source: str | None = None
    mentioned: tuple[str, ...] = ()
    listed_access: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def account_id(self) -> str:
        """The AWS account ID in `role_arn`; empty where the ARN isn't one."""
        parts = self.role_arn.split(":")
        return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - arn:P:iam::ACCOUNT:role/NAME

    @property
    def is_direct(self) -> bool:
        """Whether it was made by hand or by the API; any other is as a rule Datadog's."""
        return self.source in (None, DIRECT_SOURCE)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrationSpec:
    """The desired registration.

    Access lists are team IDs and `customer/ID`, None: leave what is there.
    """

    account_id: str
    name: str
    role_arn: str
    region: str
    read_access: tuple[str, ...] | None = None
    write_access: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """Whom the role must trust: Cloudcraft's account in the role's partition, by external ID."""

    account_id: str
    external_id: str
    partition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyRef:
    """A policy that is to be attached.

    `arns` are the ARNs that satisfy the manifest's word, the one to try first in front: a plain
    name is AWS's own policy, or else the account's.
    """

    name: str
    arns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredRole:
    """The desired role in one account, with every name resolved for its partition."""

    name: str
    path: str
    description: str
    max_session_duration: int
    permissions_boundary: PolicyRef | None
    tags: Mapping[str, str]
    trust: Trust
    policies: tuple[PolicyRef, ...]
    inline: Mapping[str, Mapping[str, Any]]
    adopt: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedRole:
    """The role as IAM shows it; `trust` and the inline documents parsed from their JSON."""

    arn: str
    path: str
    description: str
    max_session_duration: int
    permissions_boundary: str | None
    tags: Mapping[str, str]
    trust: Mapping[str, Any]
    attached: tuple[str, ...]
    inline: Mapping[str, Mapping[str, Any]]
    created_at: datetime | None = None


# --- stack sets ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """The AWS organization: its management account, and its root."""

    management: str
    root: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredStackSet:
    """The desired stack set. `units` are the roots and OUs that get it."""

    spec: StackSetSpec
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StackInstance:
    """The role's stack in one account. `status` is CURRENT, OUTDATED or INOPERABLE."""

    account_id: str
    status: str
    reason: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedStackSet:
    """The stack set as CloudFormation shows it.

    `template` is None where it is not JSON. `busy` is the action of the operation in progress, such
    as CREATE, empty without one; `changed_at` is when the last operation ended.
    """

    template: Mapping[str, Any] | None
    parameters: Mapping[str, str]
    permission_model: str
    auto_deployment: bool
    tags: Mapping[str, str]
    units: tuple[str, ...]
    instances: tuple[StackInstance, ...]
    busy: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StackOperation:
    """How far an operation has come: statuses and reasons are CloudFormation's, by account ID."""

    status: str
    reason: str
    results: Mapping[str, tuple[str, str]]

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One account of the organization.

    `state` is Organizations' word, such as ACTIVE, SUSPENDED or CLOSED. `path` are the names of
    root and OUs down to it, None where it is outside of the OUs that were asked for.
    """

    account_id: str
    name: str
    email: str
    state: str
    is_management: bool
    path: tuple[str, ...] | None


# --- what came of it ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why an account failed, for people to read: what happened and what to do next."""

    stage: Stage
    code: str
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What came of one account. `seconds` is time worked on it, without waiting in a queue."""

    name: str
    account_id: str | None
    profile: str | None
    region: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    role_arn: str | None = None
    cloudcraft_id: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: Problem | None = None
    line: int = 1

    @classmethod
    def of(cls, account: Account) -> Result:
        """What is known of an account before anything was found out; counts as pending."""
        return cls(
            name=account.name,
            account_id=account.account_id,
            profile=None if account.role.via is Via.EXISTING else account.profile,
            region=account.region,
            outcome=Outcome.PENDING,
            line=account.line,
        )

    def failed(self, problem: Problem) -> Result:
        """The result as a failure; keeps what had been done until then."""
        return replace(self, outcome=Outcome.FAILED, error=problem)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests inside any window of so many seconds."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds:g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudcraftUsage:
    """Requests sent to Cloudcraft, those answered 429, and those that were sent again.

    `rate_limit` is the one that was believed in the end, such as `20/10`; empty if none was.
    """

    requests: int = 0
    throttled: int = 0
    retried: int = 0
    rate_limit: str = ""


class Command(StrEnum):
    """The commands that leave a report."""

    RUN = "run"
    PLAN = "plan"
    REMOVE = "remove"
    STATUS = "status"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything a view or a file says about a run (README, The JSON report). Times are in UTC."""

    command: Command
    manifest: str
    dry_run: bool
    started_at: datetime
    finished_at: datetime
    cloudcraft: CloudcraftUsage
    results: tuple[Result, ...]

    def count(self, outcome: Outcome) -> int:
        """How many accounts have this outcome."""
        return sum(result.outcome is outcome for result in self.results)
