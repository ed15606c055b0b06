"""The accounts of an AWS organization, each with its path of OUs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
)

from cloudcraft_onboard.aws.crew import WORKERS, each, spread
from cloudcraft_onboard.aws.data import shorten
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.lasting import tell_at_once
from cloudcraft_onboard.aws.origin import origin
from cloudcraft_onboard.aws.signing import UnexpectedAnswer, as_fault
from cloudcraft_onboard.aws.tls import read_bundle_once
from cloudcraft_onboard.errors import CannotStart, UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Member, Stage

ACTIVE = "ACTIVE"

_CONFIG = Config(
    # Organizations throttles per organization, whoever asks: go as fast as it lets us.
    retries={"mode": "adaptive", "max_attempts": 20},
    max_pool_connections=WORKERS + 1,
    connect_timeout=10,
    read_timeout=30,
)
_UNKNOWN_UNIT = frozenset({"ParentNotFoundException", "OrganizationalUnitNotFoundException"})
_NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException"})
_CONNECTING = 4  # tries; throttling is met with more patience
_LONG = 5  # seconds without an answer that are worth a word


@frozen
class _Unit:
    """A root or an OU: names and IDs of all from the root down to it, itself included."""

    names: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.ids[-1]

    def below(self, unit: Mapping[str, Any]) -> _Unit:
        """One of its children."""
        return _Unit(names=(*self.names, unit["Name"]), ids=(*self.ids, unit["Id"]))

    def __str__(self) -> str:
        return f"the organizational unit {'/'.join(self.names)} ({self.id})"


@dataclass(frozen=True, slots=True)
class _Rest:
    """The pages of ListAccounts behind the first; one after the other, as each names the next."""

    token: str


@dataclass(frozen=True, slots=True)
class _AccountsOf:
    """The accounts of a unit to be read."""

    unit: _Unit


@dataclass(frozen=True, slots=True)
class _UnitsOf:
    """The units below one to be read."""

    unit: _Unit


_Task = _Rest | _AccountsOf | _UnitsOf


class Progress:
    """What was found until now, for whoever waits; written by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: set[str] = set()
        self._units = 0
        self._answered_at = time.monotonic()

    def heard(self, accounts: Iterable[str] = (), units: int = 0) -> None:
        """Note an answer."""
        with self._lock:
            self._accounts.update(accounts)
            self._units += units
            self._answered_at = time.monotonic()

    def __str__(self) -> str:
        with self._lock:
            waiting = round(time.monotonic() - self._answered_at)
            found = f"{len(self._accounts):,} accounts and {self._units:,} OUs so far"
        return f"{found}, waiting for AWS since {waiting} s" if waiting >= _LONG else found


@frozen
class _Asked:
    """Who asks: the profile, the command whose options hints may name.

    Any account may ask for its organization's management account, so that is usually known
    when the rest is refused.
    """

    profile: str | None
    command: str
    management: str = ""


def connect(profile: str | None, command: str = "init") -> Any:
    """An Organizations client with the credentials of a profile. Raises `CannotStart`."""
    try:
        with as_fault(CredentialRetrievalError, provider=_source(profile)):
            core = botocore.session.get_session()
            session = boto3.Session(profile_name=profile, botocore_session=core)
            shorten(core)
            tell_at_once(session.events, connecting=_CONNECTING)
            region = session.region_name or "us-east-1"
            client = session.client("organizations", region_name=region, config=_CONFIG)
            read_bundle_once(client)
            return client
    except BotoCoreError as error:
        raise _explained(error, _Asked(profile=profile, command=command)) from error


def members(
    client: Any,
    units: Sequence[str] = (),
    profile: str | None = None,
    *,
    command: str = "init",
    outside: bool = True,
    progress: Progress | None = None,
) -> list[Member]:
    """The accounts of the organization: management account, then by path and name.

    `units` are OUs or roots: only accounts below them, however deep, have a path; those `outside`
    of them need not be listed. Which accounts there are, ListAccounts says. An account that moves
    while the units are read may be in none of them then: it has no path. `profile` and
    `command` are named in errors.

    Raises:
        CannotStart: AWS refuses.
        UsageError: there is no such unit.
    """
    asked = _Asked(profile=profile, command=command)
    return _Reading(client, asked, progress or Progress()).members(units, outside=outside)


def tags(client: Any, accounts: Sequence[str], profile: str | None = None) -> list[dict[str, str]]:
    """The tags of each account in AWS Organizations. Raises `CannotStart`."""
    reading = _Reading(client, _Asked(profile=profile, command="init"), Progress())

    def one(account_id: str) -> dict[str, str]:
        with reading.explained(f"the tags of account {account_id}"):
            pages = reading.pages("list_tags_for_resource", "Tags", ResourceId=account_id)
            return {tag["Key"]: tag["Value"] for tag in pages}

    return each(one, accounts)


class _Reading:
    """One look at an organization."""

    def __init__(self, client: Any, asked: _Asked, progress: Progress) -> None:
        self._client = client
        self._asked = asked
        self._progress = progress

    def members(self, units: Sequence[str], *, outside: bool) -> list[Member]:
        """See `members`."""
        first: list[Any] = []
        tasks: list[_Task] = []
        with self.explained():
            organization = self._client.describe_organization()["Organization"]
            self._asked = replace(self._asked, management=organization["MasterAccountId"])
            starts = self._starts(units)
            whole = outside or not units
            if whole:
                first, token = self._page(None)
                tasks += [_Rest(token)] if token else []
        # Where AWS tells each account's path, the units' names are all that is left to ask for.
        told = bool(first) and all(account.get("Paths") for account in first)
        tasks += [kind(unit) for unit in starts for kind in _kinds(told=told)]
        found = spread(lambda task: self._do(task, told=told), tasks, WORKERS + 1)
        with self.explained():
            listed = {account["Id"]: account for account in first}
            placed: dict[str, _Unit] = {}
            for unit, accounts in found:
                if unit is None or not whole:
                    listed.update((account["Id"], account) for account in accounts)
                if unit is not None:
                    placed.update((account["Id"], unit) for account in accounts)
            if told:
                placed = _by_path(listed, [unit for unit, _ in found if unit])
            result = [self._member(account, placed) for account in listed.values()]
        return sorted(
            result, key=lambda m: (not m.is_management, m.path or (), m.name, m.account_id)
        )

    def _do(self, task: _Task, *, told: bool) -> tuple[tuple[_Unit | None, list[Any]], list[_Task]]:
        """One task: the accounts that it found and in which unit, and what follows from it."""
        match task:
            case _Rest():
                accounts: list[Any] = []
                token: str | None = task.token
                while token:
                    with self.explained():
                        page, token = self._page(token)
                    accounts += page
                return (None, accounts), []
            case _AccountsOf(unit=unit):
                with self.explained(str(unit)):
                    operation = "list_accounts_for_parent"
                    accounts = self.pages(operation, "Accounts", ParentId=unit.id)
                return (unit, accounts), []
            case _UnitsOf(unit=unit):
                with self.explained(str(unit)):
                    operation = "list_organizational_units_for_parent"
                    found = self.pages(operation, "OrganizationalUnits", ParentId=unit.id)
                    below = [unit.below(child) for child in found]
                self._progress.heard(units=len(below))
                return (unit, []), [kind(child) for child in below for kind in _kinds(told=told)]

    def _page(self, token: str | None) -> tuple[list[Any], str | None]:
        """A page of ListAccounts, and the token of the next one."""
        answer = self._client.list_accounts(**({"NextToken": token} if token else {}))
        accounts = answer["Accounts"]
        self._progress.heard(account["Id"] for account in accounts)
        return accounts, answer.get("NextToken")

    def pages(self, operation: str, key: str, **parameters: str) -> list[Any]:
        """All pages of a list, one after the other."""
        found = []
        for page in self._client.get_paginator(operation).paginate(**parameters):
            found += page[key]
            self._progress.heard(a["Id"] for a in page[key] if key == "Accounts")
        return found

    def _starts(self, units: Sequence[str]) -> list[_Unit]:
        """The units to begin with; one that is below another one of them comes with that."""
        roots = {root["Id"]: root["Name"] for root in self.pages("list_roots", "Roots")}
        starts = [self._unit(unit, roots) for unit in dict.fromkeys(units or roots)]
        return [unit for unit in starts if not {start.id for start in starts} & {*unit.ids[:-1]}]

    def _unit(self, unit: str, roots: Mapping[str, str]) -> _Unit:
        """A unit with all above it. `UsageError` if there is none."""
        names: list[str] = []
        ids: list[str] = []
        here = unit
        try:
            while here not in roots:
                found = self._client.describe_organizational_unit(OrganizationalUnitId=here)
                names.insert(0, found["OrganizationalUnit"]["Name"])
                ids.insert(0, here)
                here = self._client.list_parents(ChildId=here)["Parents"][0]["Id"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNKNOWN_UNIT:
                raise
            raise UsageError(
                f"--ou {unit}: the organization has no such organizational unit.",
                hint="`aws organizations list-organizational-units-for-parent --parent-id "
                f"{next(iter(roots), 'ROOT')}` lists those at the top.",
            ) from None
        return _Unit(names=(roots[here], *names), ids=(here, *ids))

    def _member(self, account: Mapping[str, Any], placed: Mapping[str, _Unit]) -> Member:
        unit = placed.get(account["Id"])
        return Member(
            account_id=account["Id"],
            name=account.get("Name", ""),
            email=account.get("Email", ""),
            # Organizations is replacing Status by State.
            state=account.get("State") or account.get("Status") or "",
            is_management=account["Id"] == self._asked.management,
            path=unit.names if unit else None,
            unit_ids=unit.ids if unit else (),
        )

    @contextmanager
    def explained(self, what: str = "") -> Iterator[None]:
        """Turn what goes wrong inside into `CannotStart`; `what` was to be read."""
        try:
            with as_fault(UnexpectedAnswer):
                yield
        except (ClientError, BotoCoreError) as error:
            raise _explained(error, self._asked, what) from error


def _kinds(*, told: bool) -> tuple[type[_UnitsOf | _AccountsOf], ...]:
    """What is to be read of a unit; its accounts are known where AWS told each one's path."""
    return (_UnitsOf,) if told else (_UnitsOf, _AccountsOf)


def _by_path(accounts: Mapping[str, Any], units: Iterable[_Unit]) -> dict[str, _Unit]:
    """Each account's unit by `Paths`: `o-ORGANIZATION/r-ROOT/ou-ONE/ou-TWO/ACCOUNT/`."""
    known = {unit.id: unit for unit in units}
    placed = {}
    for account_id, account in accounts.items():
        parts = (account.get("Paths") or [""])[0].split("/")
        inside = [part for part in parts if part.startswith(("r-", "ou-"))]
        if inside and inside[-1] in known:
            placed[account_id] = known[inside[-1]]
    return placed


def _source(profile: str | None) -> str:
    return f"profile {profile}" if profile else "these credentials"


def _explained(error: Exception, asked: _Asked, what: str = "") -> CannotStart:
    """What went wrong, and what to do about it; `what` was to be read."""
    session = botocore.session.Session(profile=asked.profile)
    known: Mapping[str, Any] = {}
    with suppress(BotoCoreError):  # what cannot be read is usually the error to explain
        known = session.full_config["profiles"]
    where = Where(
        stage=Stage.REACH,
        profile=asked.profile,
        service="organizations",
        command=asked.command,
        management=asked.management,
        origin=origin(known, asked.profile),
        profiles=tuple(known),
    )
    problem = explain(error, where)
    cannot = f"Cannot read {what or 'AWS Organizations'}"
    code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
    if code == "AWSOrganizationsNotInUseException":
        message = "The account of these credentials is not in an AWS organization."
    elif isinstance(error, ClientError) and code in _NOT_ALLOWED:
        message = (
            f"{cannot}: {_source(asked.profile)} may not call"
            f" organizations:{error.operation_name}: {problem.message}"
        )
    elif isinstance(error, ConfigParseError):
        message = problem.message
    else:
        message = f"{cannot}: {problem.message}"
    return CannotStart(message, hint=problem.hint)
