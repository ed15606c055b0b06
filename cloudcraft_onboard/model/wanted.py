"""What a manifest asks for, and what that comes to in one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.ways import AssumeRole, SsoRole

MANAGED_BY = ("ManagedBy", "cloudcraft-onboard")
"""The tag, key and value, on roles made here; `remove` deletes no role without it."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


_CLOUDCRAFTS = "cloudcraft:"
"""Before the kind of a policy that Cloudcraft has the document of."""


class Via(StrEnum):
    """Who makes the role: this program, a CloudFormation StackSet, or somebody else."""

    ASSUME = "assume"
    STACKSET = "stackset"
    EXISTING = "existing"


@frozen
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


@frozen
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

    @property
    def attached(self) -> tuple[str, ...]:
        """The policies that IAM has, by name or ARN."""
        return tuple(name for name in self.policies if not name.startswith(_CLOUDCRAFTS))

    @property
    def documents(self) -> tuple[str, ...]:
        """The kinds of Cloudcraft's own policy documents: `minimal` of `cloudcraft:minimal`."""
        names = (name for name in self.policies if name.startswith(_CLOUDCRAFTS))
        return tuple(name.removeprefix(_CLOUDCRAFTS) for name in names)


@frozen
class Account:
    """One entry of the manifest, defaults merged in.

    `profile` is the one to use (own or default), None for the SDK's default chain.
    `assume_role` is None where the profile is used as it is; `sso` takes the place of both. An
    account without `account_id` has neither. `read_access` and `write_access` are None where the
    manifest says nothing, so that what was set in Cloudcraft stays. `line` counts from 1.
    """

    name: str
    account_id: str | None = None
    profile: str | None = None
    assume_role: AssumeRole | None = None
    sso: SsoRole | None = None
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
        return str(Arn.role(role.partition, self.account_id, role.name, path=role.path))


@frozen
class Manifest:
    """A valid manifest. `path` is as the user gave it; accounts are in file order.

    `profile` is the defaults'; `bare` what an entry is like that says nothing but whose it is.
    """

    path: str
    accounts: tuple[Account, ...]
    profile: str | None = None
    bare: Account = Account(name="")


@frozen
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


@frozen
class Trust:
    """Whom the role must trust: Cloudcraft's account in the role's partition, by external ID."""

    account_id: str
    external_id: str
    partition: str


@frozen
class PolicyRef:
    """A policy that is to be attached.

    `arns` are the ARNs that satisfy the manifest's word, the one to try first in front: a plain
    name is AWS's own policy, or else the account's.
    """

    name: str
    arns: tuple[str, ...]


@frozen
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


@frozen
class DesiredStackSet:
    """The desired stack set. `units` are the roots and OUs that get it."""

    spec: StackSetSpec
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    units: tuple[str, ...]
