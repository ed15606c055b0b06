"""What AWS and Cloudcraft say there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.arn import Arn

DIRECT_SOURCE = "aws"
"""The `source` of a registration made by hand or through the API, if it has one."""


@frozen
class Identity:
    """Whose credentials these are, from `sts:GetCallerIdentity` or `sts:AssumeRole`."""

    account_id: str
    partition: str
    arn: str


@frozen
class CloudcraftParameters:
    """`GET /aws/account/iamParameters`: whom a role must trust."""

    account_id: str
    external_id: str


@frozen
class Team:
    """A Cloudcraft team; `id` as in `readAccess` lists without the `team/` prefix.

    `customer_id` is whose team it is, empty where Cloudcraft doesn't say.
    """

    id: str
    name: str
    customer_id: str = ""


@frozen
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
        arn = Arn.parse(self.role_arn)
        return arn.account_id if arn else ""

    @property
    def is_direct(self) -> bool:
        """Whether it was made by hand or through the API; any other is usually Datadog's."""
        return self.source in (None, DIRECT_SOURCE)


@frozen
class ListReading:
    """The list of all registrations; it shows what was there at `asked_at`, or later.

    By `time.monotonic`, when the request was sent that was answered: earlier ones don't count.
    """

    registrations: tuple[Registration, ...]
    asked_at: float


@frozen
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


@frozen
class Organization:
    """The AWS organization: its management account, and its root."""

    management: str
    root: str


@frozen
class StackInstance:
    """The role's stack in one account. `status` is CURRENT, OUTDATED or INOPERABLE."""

    account_id: str
    status: str
    reason: str = ""
    unit: str = ""


@frozen
class ObservedStackSet:
    """The stack set as CloudFormation shows it.

    `template` is None where it is not JSON. `busy` is the action of the operation in progress, such
    as CREATE, empty without one, `busy_id` its ID and `busy_since` when it was asked for;
    `changed_at` is when the last operation ended.
    """

    template: Mapping[str, Any] | None
    parameters: Mapping[str, str]
    permission_model: str
    auto_deployment: bool
    tags: Mapping[str, str]
    units: tuple[str, ...]
    instances: tuple[StackInstance, ...]
    busy: str = ""
    busy_id: str = ""
    busy_since: datetime | None = None
    changed_at: datetime | None = None


@frozen
class StackOperation:
    """How far an operation has come: statuses and reasons are CloudFormation's, by account ID.

    `since` is when it was asked for.
    """

    status: str
    reason: str
    results: Mapping[str, tuple[str, str]]
    since: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")


@frozen
class Member:
    """One account of the organization.

    `state` is Organizations' word, such as ACTIVE, SUSPENDED or CLOSED. `path` are the names of
    root and OUs down to it, `unit_ids` their IDs; None and empty where it is outside of the OUs
    that were asked for, or where its OU is not known.
    """

    account_id: str
    name: str
    email: str
    state: str
    is_management: bool
    path: tuple[str, ...] | None
    unit_ids: tuple[str, ...] = ()
