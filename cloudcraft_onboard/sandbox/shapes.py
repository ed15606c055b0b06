"""What may exist in AWS and Cloudcraft before a run: users, roles, registrations, and the like."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import DIRECT_SOURCE

PolicyJson = dict[str, Any]


def allow(*actions: str) -> PolicyJson:
    """A policy that allows these actions on everything."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


def trust(
    *principals: str,
    external_id: str | None = None,
    actions: tuple[str, ...] = ("sts:AssumeRole",),
) -> PolicyJson:
    """A trust policy, one statement per principal, all with the same condition."""
    condition: PolicyJson = (
        {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
    )
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": arn},
                "Action": actions[0] if len(actions) == 1 else list(actions),
                **condition,
            }
            for arn in principals
        ],
    }


@frozen
class SeedUser:
    """An IAM user whose key stands in the AWS config as `profile`; None is the default one."""

    profile: str | None
    account_id: str
    policy: PolicyJson


@frozen
class SeedRole:
    """A role; `policies` as a manifest writes them, `inline` documents by name."""

    account_id: str
    name: str
    trust: PolicyJson
    path: str = "/"
    description: str = ""
    max_session_duration: int = 3600
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    policies: tuple[str, ...] = ()
    inline: dict[str, PolicyJson] = field(default_factory=dict)


@frozen
class SeedAssignment:
    """The permission sets that IAM Identity Center offers in an account."""

    session: str
    account_id: str
    name: str
    roles: tuple[str, ...]


@frozen
class SeedPolicies:
    """Policies that must exist in an account, as a manifest writes them."""

    account_id: str
    policies: tuple[str, ...]


@frozen
class SeedTeam:
    """A Cloudcraft team."""

    id: str
    name: str


@frozen
class SeedRegistration:
    """An account that Cloudcraft knows; access lists as the API has them.

    `external_id` is None for the one of the API key's user.
    """

    name: str
    role_arn: str
    read_access: tuple[str, ...] | None = None
    write_access: tuple[str, ...] | None = None
    external_id: str | None = None
    source: str = DIRECT_SOURCE


@frozen
class SeedMember:
    """An account of the organization; `path` are the OUs below the root that lead to it."""

    account_id: str
    name: str
    path: tuple[str, ...] = ()
    status: str = "ACTIVE"


@frozen
class Seed:
    """Everything that exists at first. `management` is the organization's own account."""

    management: str
    members: tuple[SeedMember, ...]
    users: tuple[SeedUser, ...]
    roles: tuple[SeedRole, ...]
    policies: tuple[SeedPolicies, ...]
    teams: tuple[SeedTeam, ...]
    registrations: tuple[SeedRegistration, ...]
    assignments: tuple[SeedAssignment, ...] = ()
    signed_out: tuple[str, ...] = ()
