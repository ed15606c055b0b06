"""Finds an account's registration and compares it with the desired one. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.blame.row import Row
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import (
    NOTHING,
    CloudcraftParameters,
    ListReading,
    Problem,
    Registration,
    RegistrationSpec,
    Stage,
    Team,
)
from cloudcraft_onboard.model.arn import Arn, role_arn
from cloudcraft_onboard.model.changes import RegisterAccount, UpdateRegistration
from cloudcraft_onboard.model.differences import Differs
from cloudcraft_onboard.model.notes import BroughtIn, StillBroughtIn

EVERYONE = "everyone"
"""The manifest's word for all users of the customer."""

_TEAM_PREFIX = "team/"
_CUSTOMER_PREFIX = "customer/"
_SHOWN = 3
# The documentation's own examples are no hexadecimal UUIDs ("us46e9aa-5806-..."), only alike.
_TEAM_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)


class Listing:
    """What `GET /aws/account` answered, by AWS account ID.

    Registrations with another `source`, usually Datadog's, are kept apart: no
    command changes or deletes one, or an account's role because of one. `asked_at` is when the
    list was asked for, by `time.monotonic`; minus infinity if that is not known.
    """

    def __init__(
        self, registrations: Iterable[Registration], *, asked_at: float = -math.inf
    ) -> None:
        self.asked_at = asked_at
        self._by_account: dict[str, list[Registration]] = {}
        self._foreign: dict[str, Registration] = {}
        self._unplaced: list[Registration] = []
        for registration in registrations:
            if registration.is_direct:
                self._by_account.setdefault(registration.account_id, []).append(registration)
                continue
            accounts = _accounts_of(registration)
            for account_id in accounts:
                self._foreign.setdefault(account_id, registration)
            if not accounts:
                self._unplaced.append(registration)
        for doubles in self._by_account.values():
            doubles.sort(key=seniority)

    @classmethod
    def of_reading(cls, reading: ListReading) -> Self:
        """The listing that was read."""
        return cls(reading.registrations, asked_at=reading.asked_at)

    def of(self, account_id: str) -> tuple[Registration, ...]:
        """The account's own registrations, the oldest in front; more than one is a duplicate."""
        return tuple(self._by_account.get(account_id, ()))

    def oldest(self, account_id: str) -> Registration | None:
        """The registration that counts for this account: the one that stays of duplicates."""
        found = self.of(account_id)
        return found[0] if found else None

    def foreign(self, account_id: str | None) -> Registration | None:
        """Another source's registration of an account that has none of its own."""
        if account_id is None or account_id in self._by_account:
            return None
        return self._foreign.get(account_id)

    def besides(self, account_id: str) -> tuple[StillBroughtIn, ...]:
        """A note for when the account's own registrations are deleted and another is kept."""
        other = self._foreign.get(account_id) if account_id in self._by_account else None
        return () if other is None else (StillBroughtIn(source=other.source),)

    def foreign_accounts(self) -> Mapping[str, Registration]:
        """Another source's registrations of accounts that have none of their own, by account ID."""
        return {
            account_id: registration
            for account_id, registration in self._foreign.items()
            if account_id not in self._by_account
        }

    def all(self) -> tuple[Registration, ...]:
        """Every registration but other sources', duplicates beside each other."""
        return tuple(r for doubles in self._by_account.values() for r in doubles)

    def remarks(self) -> tuple[str, ...]:
        """Remarks on the list as a whole: registrations that belong to no known account."""
        count = len(self._unplaced)
        if not count:
            return ()
        told = sorted({repr(each.source) for each in self._unplaced})
        sources = ", ".join(told[:_SHOWN]) + (", ..." if len(told) > _SHOWN else "")
        are = "1 registration is" if count == 1 else f"{count:,} registrations are"
        remark = f"{are} left alone: from {sources}, with no AWS account ID to match an account by."
        return (remark,)


def _accounts_of(registration: Registration) -> tuple[str, ...]:
    """The AWS accounts that another source's registration is for, as far as it tells."""
    if role_arn(registration.role_arn):
        return (registration.account_id,)
    return registration.mentioned


def foreign_note(foreign: Registration) -> BroughtIn:
    """Why an account that another source brought into Cloudcraft is left alone."""
    return BroughtIn(source=foreign.source)


def is_another_users(registration: Registration, parameters: CloudcraftParameters) -> bool:
    """Whether the registration has another external ID than the API key's user."""
    return registration.external_id not in (None, parameters.external_id)


def unverified_update(status: int, said: str) -> str:
    """What is told of a refused update of a registration with another user's external ID."""
    return (
        f"Cloudcraft could not verify the account for its update ({status}): {sentence(said)}"
        " Another Cloudcraft user registered it, and its role trusts that user's external ID, not"
        " that of this API key's user."
    )


def unlike_stack_set(registration: Registration, stack_set: str) -> Problem:
    """Why an account that has another user's external ID cannot have a stack set's role."""
    account_id = registration.account_id
    message = (
        f"Another Cloudcraft user registered the account {account_id}, and the stack"
        f" set {stack_set} gives every role the external ID of this API key's user. Nothing was"
        " changed."
    )
    facts = Facts(account=account_id, stack=stack_set, registration=registration.id)
    cause = Cause(row=ours.ANOTHER_USERS_STACK_SET, facts=facts)
    return Problem.of(Stage.ROLE, "ExternalIdDiffers", message, cause)


def former_roles(registrations: Iterable[Registration], role_name: str) -> tuple[Arn, ...]:
    """The roles that an account's registrations name instead of the manifest's, each once.

    An account has one role of a name, whatever its path and case.
    """
    found = (role_arn(registration.role_arn) for registration in registrations)
    return tuple(
        dict.fromkeys(arn for arn in found if arn and arn.name.lower() != role_name.lower())
    )


def unlisted(listing: Listing, known: Collection[str]) -> tuple[tuple[Registration, ...], ...]:
    """Registrations of AWS accounts whose ID is not `known`, those of one account together.

    Those whose ARN names no account are left out, since they may be a known account's, and so are
    those with another `source`.
    """
    strangers: dict[str, tuple[Registration, ...]] = {}
    for registration in listing.all():
        account_id = registration.account_id
        if account_id not in known and role_arn(registration.role_arn):
            strangers[account_id] = listing.of(account_id)
    return tuple(strangers.values())


def seniority(registration: Registration) -> tuple[datetime, str]:
    """Sort key, oldest first: earlier `createdAt`, then smaller ID (README, What a run does).

    A time that cannot be read counts as the latest, so that it never wins over a known one.
    """
    latest = datetime.max.replace(tzinfo=UTC)
    try:
        created = datetime.fromisoformat(registration.created_at or "")
    except ValueError:
        return latest, registration.id
    return created if created.tzinfo else created.replace(tzinfo=UTC), registration.id


def plan_registration(
    spec: RegistrationSpec, found: Registration | None, names: Mapping[str, str] = NOTHING
) -> tuple[RegisterAccount | UpdateRegistration, ...]:
    """The change that makes the registration as desired, if any.

    The region is not compared: Cloudcraft doesn't give it back. Of `names` are the words by which
    the change shows who has access (`access_names`).
    """

    def words(access: Iterable[str]) -> tuple[str, ...]:
        return tuple(names.get(entry, entry) for entry in access)

    def differ(
        wanted: Iterable[str] | None, there: Iterable[str] | None
    ) -> Differs[tuple[str, ...]] | None:
        if wanted is None or set(wanted) == set(there or ()):
            return None
        return Differs(before=tuple(sorted(words(there or ()))), after=tuple(sorted(words(wanted))))

    if found is None:
        made = RegisterAccount(
            name=spec.name,
            region=spec.region,
            read_access=None if spec.read_access is None else words(spec.read_access),
            write_access=None if spec.write_access is None else words(spec.write_access),
        )
        return (made,)
    change = UpdateRegistration(
        name=_unlike(found.name, spec.name),
        role_arn=_unlike(found.role_arn, spec.role_arn),
        read_access=differ(spec.read_access, found.read_access),
        write_access=differ(spec.write_access, found.write_access),
    )
    return () if change == UpdateRegistration() else (change,)


def _unlike(before: str, after: str) -> Differs[str] | None:
    return None if before == after else Differs(before=before, after=after)


def is_access_id(word: str) -> bool:
    """Whether a manifest's word for who has access is an ID already: no request is needed."""
    return word.startswith((_TEAM_PREFIX, _CUSTOMER_PREFIX)) or _TEAM_ID.fullmatch(word) is not None


def access_ids(words: Sequence[str] | None, teams: Sequence[Team]) -> tuple[str, ...] | None:
    """A manifest's access list, teams by name or ID, `everyone` or `customer/ID`, as IDs.

    None stays None.

    Raises:
        AccountError: a name that no team has, or more than one; a customer that cannot be told.
    """
    if words is None:
        return None
    return tuple(dict.fromkeys(_access_id(word, teams) for word in words))


def access_names(teams: Sequence[Team]) -> Mapping[str, str]:
    """The words of a manifest for access IDs, where there is one and it is clear."""
    counts = Counter(team.name for team in teams)
    names = {team.id: team.name for team in teams if team.name and counts[team.name] == 1}
    customers = {team.customer_id for team in teams if team.customer_id}
    if len(customers) == 1:
        names[f"{_CUSTOMER_PREFIX}{customers.pop()}"] = EVERYONE
    return names


def _access_id(word: str, teams: Sequence[Team]) -> str:
    if is_access_id(word):
        return word.removeprefix(_TEAM_PREFIX)
    if word == EVERYONE:
        return _customer(teams)
    found = [team.id for team in teams if team.name == word]
    if len(found) == 1:
        return found[0]
    if found:
        raise AccountError(
            Stage.REGISTER,
            "AmbiguousTeam",
            f"Cloudcraft has {len(found)} teams named {word!r}.",
            cause=_cause(ours.AMBIGUOUS_TEAM, word, (_TEAM_PREFIX + each for each in found)),
        )
    known = ", ".join(sorted({team.name for team in teams})) or "none"
    raise AccountError(
        Stage.REGISTER,
        "UnknownTeam",
        f"Cloudcraft has no team named {word!r}.",
        cause=_cause(ours.UNKNOWN_TEAM, word, (known,)),
    )


def _customer(teams: Sequence[Team]) -> str:
    """Everybody of the customer whose teams these are."""
    customers = sorted({team.customer_id for team in teams if team.customer_id})
    if len(customers) == 1:
        return f"{_CUSTOMER_PREFIX}{customers[0]}"
    if customers:
        raise AccountError(
            Stage.REGISTER,
            "AmbiguousCustomer",
            f"`{EVERYONE}` is ambiguous: Cloudcraft shows teams of {len(customers)} customers.",
            cause=_cause(
                ours.AMBIGUOUS_CUSTOMER, EVERYONE, (_CUSTOMER_PREFIX + each for each in customers)
            ),
        )
    raise AccountError(
        Stage.REGISTER,
        "UnknownCustomer",
        f"Cannot tell who `{EVERYONE}` is: Cloudcraft shows no team with a customerId.",
        cause=_cause(ours.UNKNOWN_CUSTOMER, EVERYONE),
    )


def _cause(row: Row, word: str, offered: Iterable[str] = ()) -> Cause:
    """Why a manifest's word for who has access means nobody, or too many."""
    return Cause(row=row, facts=Facts(value=word, offered=" or ".join(offered)))
