"""Registrations: found among Cloudcraft's, compared with what should be. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import (
    Action,
    Change,
    Registration,
    RegistrationSpec,
    Stage,
    Team,
)

_TEAM_PREFIX = "team/"
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+")
# The documentation's own examples are no hexadecimal UUIDs ("us46e9aa-5806-..."), only alike.
_TEAM_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)


class Listing:
    """What `GET /aws/account` answered, by AWS account ID."""

    def __init__(self, registrations: Iterable[Registration]) -> None:
        self._by_account: dict[str, list[Registration]] = {}
        for registration in registrations:
            self._by_account.setdefault(registration.account_id, []).append(registration)
        for doubles in self._by_account.values():
            doubles.sort(key=seniority)

    def of(self, account_id: str) -> tuple[Registration, ...]:
        """The account's registrations, the oldest in front; more than one is a duplicate."""
        return tuple(self._by_account.get(account_id, ()))

    def oldest(self, account_id: str) -> Registration | None:
        """The registration that counts for this account: the one that stays of duplicates."""
        found = self.of(account_id)
        return found[0] if found else None

    def all(self) -> tuple[Registration, ...]:
        """Every registration, duplicates beside each other."""
        return tuple(r for doubles in self._by_account.values() for r in doubles)


def unlisted(listing: Listing, known: Collection[str]) -> tuple[tuple[Registration, ...], ...]:
    """Registrations of AWS accounts whose ID is not `known`, those of one account together.

    One whose ARN doesn't tell its account surely is none of them: it may be a known account's.
    """
    strangers: dict[str, tuple[Registration, ...]] = {}
    for registration in listing.all():
        account_id = registration.account_id
        if account_id not in known and _ROLE_ARN.fullmatch(registration.role_arn):
            strangers[account_id] = listing.of(account_id)
    return tuple(strangers.values())


def seniority(registration: Registration) -> tuple[datetime, str]:
    """Sort key, oldest first: earlier `createdAt`, then smaller ID (contract §5, Verify).

    A time that cannot be read counts as the latest, so that it never wins over a known one.
    """
    latest = datetime.max.replace(tzinfo=UTC)
    try:
        created = datetime.fromisoformat(registration.created_at or "")
    except ValueError:
        return latest, registration.id
    return created if created.tzinfo else created.replace(tzinfo=UTC), registration.id


def plan_registration(spec: RegistrationSpec, found: Registration | None) -> tuple[Change, ...]:
    """The one change that makes the registration as it should be, or none.

    The region is not compared: Cloudcraft doesn't give it back.
    """
    if found is None:
        made = {
            "name": spec.name,
            "region": spec.region,
            **({} if spec.read_access is None else {"read_access": list(spec.read_access)}),
            **({} if spec.write_access is None else {"write_access": list(spec.write_access)}),
        }
        return (Change(action=Action.REGISTER, reason="not in Cloudcraft yet", after=made),)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if found.name != spec.name:
        before["name"], after["name"] = found.name, spec.name
    if found.role_arn != spec.role_arn:
        before["role_arn"], after["role_arn"] = found.role_arn, spec.role_arn
    for what, wanted, there in (
        ("read_access", spec.read_access, found.read_access),
        ("write_access", spec.write_access, found.write_access),
    ):
        if wanted is not None and set(wanted) != set(there or ()):
            before[what], after[what] = sorted(there or ()), sorted(wanted)
    if not after:
        return ()
    differ = "differs" if len(after) == 1 else "differ"
    reason = f"{', '.join(after).replace('_', ' ')} {differ}"
    return (Change(action=Action.UPDATE_REGISTRATION, reason=reason, before=before, after=after),)


def is_team_id(word: str) -> bool:
    """Whether a manifest's word for a team is its ID already, so that no request is needed."""
    return word.startswith(_TEAM_PREFIX) or _TEAM_ID.fullmatch(word) is not None


def team_ids(words: Sequence[str] | None, teams: Sequence[Team]) -> tuple[str, ...] | None:
    """The IDs of teams that a manifest gives by name or ID; None stays None.

    Raises:
        AccountError: a name that no team has, or more than one.
    """
    if words is None:
        return None
    return tuple(_team_id(word, teams) for word in words)


def _team_id(word: str, teams: Sequence[Team]) -> str:
    if is_team_id(word):
        return word.removeprefix(_TEAM_PREFIX)
    found = [team.id for team in teams if team.name == word]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted({team.name for team in teams})) or "none"
    raise AccountError(
        Stage.REGISTER,
        "UnknownTeam" if not found else "AmbiguousTeam",
        f"Cloudcraft has {'no team' if not found else f'{len(found)} teams'} named {word!r}",
        hint=f"write one of its teams ({known}) in read_access/write_access, or a team's ID",
    )
