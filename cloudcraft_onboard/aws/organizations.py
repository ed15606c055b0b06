"""The accounts of an AWS organization, each with its path of OUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.profiles import profiles
from cloudcraft_onboard.aws.sdk import UnexpectedAnswer, as_fault
from cloudcraft_onboard.errors import CannotStart, OnboardError, UsageError
from cloudcraft_onboard.model import Member, Stage

ACTIVE = "ACTIVE"

_CONFIG = Config(
    # Organizations throttles per organization, whoever asks: go as fast as it lets us.
    retries={"mode": "adaptive", "max_attempts": 12},
    connect_timeout=10,
    read_timeout=30,
)
_UNKNOWN_UNIT = frozenset({"ParentNotFoundException", "OrganizationalUnitNotFoundException"})
_NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException"})


def connect(profile: str | None) -> Any:
    """An Organizations client with the credentials of a profile. Raises `CannotStart`."""
    try:
        with as_fault(CredentialRetrievalError, provider=_source(profile)):
            session = boto3.Session(profile_name=profile)
            region = session.region_name or "us-east-1"
            return session.client("organizations", region_name=region, config=_CONFIG)
    except BotoCoreError as error:
        raise _explained(error, profile) from error


def members(client: Any, units: Sequence[str] = (), profile: str | None = None) -> list[Member]:
    """All accounts of the organization: management account, then by path and name.

    `units` are OUs or roots: only accounts below them, however deep, have a path. `profile` is
    named in errors. Raises `CannotStart` if AWS refuses, `UsageError` for unknown units.
    """
    management = ""
    try:
        with as_fault(UnexpectedAnswer):
            management = client.describe_organization()["Organization"]["MasterAccountId"]
            paths = dict(_paths(client, units))
            listed = [
                _member(account, management, paths.get(account["Id"]))
                for account in _pages(client, "list_accounts", "Accounts")
            ]
    except (ClientError, BotoCoreError) as error:
        raise _explained(error, profile, management) from error
    return sorted(listed, key=lambda m: (not m.is_management, m.path or (), m.name, m.account_id))


def _member(account: Any, management: str, path: tuple[str, ...] | None) -> Member:
    return Member(
        account_id=account["Id"],
        name=account.get("Name", ""),
        email=account.get("Email", ""),
        # Organizations is replacing Status by State.
        state=account.get("State") or account.get("Status") or "",
        is_management=account["Id"] == management,
        path=path,
    )


def _paths(client: Any, units: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every account below the units (without any: below the roots), with its path."""
    roots = {root["Id"]: root["Name"] for root in _pages(client, "list_roots", "Roots")}
    waiting: list[tuple[str, tuple[str, ...]]] = [
        (unit, _path_of(client, unit, roots)) for unit in (units or roots)
    ]
    seen = set()
    while waiting:
        unit, path = waiting.pop()
        if unit in seen:  # asked for by itself and as part of one above it
            continue
        seen.add(unit)
        for account in _pages(client, "list_accounts_for_parent", "Accounts", ParentId=unit):
            yield account["Id"], path
        operation = "list_organizational_units_for_parent"
        below = _pages(client, operation, "OrganizationalUnits", ParentId=unit)
        waiting.extend((child["Id"], (*path, child["Name"])) for child in below)


def _path_of(client: Any, unit: str, roots: dict[str, str]) -> tuple[str, ...]:
    """The names of root and OUs down to `unit`, itself included. `UsageError` if there is none."""
    names: list[str] = []
    here = unit
    try:
        while here not in roots:
            found = client.describe_organizational_unit(OrganizationalUnitId=here)
            names.insert(0, found["OrganizationalUnit"]["Name"])
            here = client.list_parents(ChildId=here)["Parents"][0]["Id"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN_UNIT:
            raise
        raise UsageError(
            f"--ou {unit}: the organization has no such organizational unit.",
            hint="`aws organizations list-organizational-units-for-parent --parent-id "
            f"{next(iter(roots), 'ROOT')}` lists those at the top.",
        ) from None
    return (roots[here], *names)


def _pages(client: Any, operation: str, key: str, **parameters: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _source(profile: str | None) -> str:
    return f"profile {profile}" if profile else "these credentials"


def _explained(error: Exception, profile: str | None, management: str = "") -> OnboardError:
    """What went wrong, and what to do about it.

    Any account may ask for its organization's management account, so that is known as a rule when
    the rest is refused.
    """
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code == "AWSOrganizationsNotInUseException":
        return CannotStart(
            "The account of these credentials is not in an AWS organization.",
            hint="Give another --profile, or take the accounts from --profiles 'GLOB'.",
        )
    names = [known.name for known in profiles()]
    problem = explain(error, Where(stage=Stage.REACH, profile=profile, profiles=names))
    if not (isinstance(error, ClientError) and code in _NOT_ALLOWED):
        return CannotStart(f"Cannot read AWS Organizations: {problem.message}", hint=problem.hint)
    whose = _source(profile)
    where = f", which is {management}," if management else ""
    return CannotStart(
        f"Cannot read AWS Organizations: {whose} may not call organizations:{error.operation_name}:"
        f" {problem.message}",
        hint=f"Give a --profile of the management account{where} or of a delegated administrator "
        "that allows organizations:Describe* and organizations:List*.",
    )
