"""Manifest, Cloudcraft and AWS Organizations joined: one row for each account, one state. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.coverage.words import Standing, State
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    Account,
    Member,
    Outcome,
    Problem,
    Registration,
    Result,
    RoleSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.model.arn import role_arn
from cloudcraft_onboard.model.notes import (
    Doubled,
    DrawnByDatadog,
    MayBe,
    NotActive,
    Note,
    NotInOrganization,
    RegisteredBefore,
    UnitUnknown,
)
from cloudcraft_onboard.plan.registration import Listing

ACTIVE = "ACTIVE"
SAME_ACCOUNT = "SameAccount"


@frozen
class Expected:
    """An account of the manifest, and what a plan says of it; None where it has no plan.

    `account_id` is the one that is known, whoever told it; `sure`: the manifest did, or AWS.
    """

    account: Account
    account_id: str | None
    result: Result | None = None
    sure: bool = True

    @property
    def is_nameless(self) -> bool:
        """Whether it may be any account; not so for the second entry of one that is known."""
        error = self.result.error if self.result else None
        return self.account_id is None and (error is None or error.code != SAME_ACCOUNT)


@frozen
class Sides:
    """What Cloudcraft and AWS Organizations know; without the latter, `members` is None."""

    listing: Listing
    members: Mapping[str, Member] | None = None


def join(entries: Sequence[Expected], sides: Sides, *, others: bool) -> tuple[Standing, ...]:
    """One row for each account, the manifest's in its order, then the others by name.

    Accounts that are in AWS Organizations alone, and not active there, concern nobody and have no
    row. Without `others` there are rows for the entries only.
    """
    rows = [_entry(entry, sides) for entry in entries]
    if not others:
        return tuple(rows)
    known = {entry.account_id for entry in entries}
    nameless = tuple(entry.account.name for entry in entries if entry.is_nameless)
    strangers = [_stranger(account_id, sides, nameless) for account_id in _others(sides, known)]
    strangers.sort(key=lambda row: (row.name.casefold(), row.name, row.account_id or ""))
    return (*rows, *strangers)


def _others(sides: Sides, known: Collection[str | None]) -> set[str]:
    """The accounts that are not in the manifest."""
    registered = {registration.account_id for registration in sides.listing.all()} - {""}
    active = {m.account_id for m in (sides.members or {}).values() if m.state == ACTIVE}
    return (registered | set(sides.listing.foreign_accounts()) | active) - set(known)


def _entry(entry: Expected, sides: Sides) -> Standing:
    account, result = entry.account, entry.result
    row = _known(entry.account_id, account.name, sides)
    state = _state_outside(entry.account_id, sides)
    if not account.enabled:
        state = State.DISABLED
    return replace(
        row,
        state=state or _state_inside(entry, row),
        in_manifest=True,
        changes=result.changes if result else (),
        notes=(*_notes(result), *row.notes, *_drawn(state), *_absent(entry, sides)),
        error=result.error if result else None,
        profile=account.profile,
        line=account.line,
        nameless=entry.is_nameless,
        sure=entry.sure,
    )


def by_name(name: str, listing: Listing, taken: Collection[str | None]) -> str | None:
    """The account that Cloudcraft calls so, if it is one alone, and no other entry's."""
    found = {it.account_id for it in listing.all() if it.name == name and it.is_direct} - {""}
    return found.pop() if len(found) == 1 and not found & set(taken) else None


def _notes(result: Result | None) -> tuple[Note, ...]:
    """The plan's notes; that an account is registered twice, the row says itself."""
    notes = result.notes if result and result.outcome is not Outcome.SKIPPED else ()
    return tuple(note for note in notes if not isinstance(note, RegisteredBefore))


def _stranger(account_id: str, sides: Sides, nameless: tuple[str, ...]) -> Standing:
    """A row for an account that is not in the manifest, unless it is a `nameless` entry's."""
    registrations = _registrations(account_id, sides)
    member = (sides.members or {}).get(account_id)
    name = (registrations[0].name if registrations else "") or (member.name if member else "")
    row = _known(account_id, name or account_id, sides)
    inside = State.UNLISTED if registrations else State.UNCOVERED
    state = _state_outside(account_id, sides) or inside
    doubt = (MayBe(names=nameless),) if nameless and state is not State.DATADOG else ()
    return replace(row, state=state, notes=(*row.notes, *_drawn(state), *doubt))


def _known(account_id: str | None, name: str, sides: Sides) -> Standing:
    """What Cloudcraft and Organizations say of an account."""
    registrations = _registrations(account_id, sides)
    member = (sides.members or {}).get(account_id) if account_id else None
    active = member is not None and member.state == ACTIVE
    return Standing(
        name=name,
        account_id=account_id,
        state=State.MISSING,
        ou=unit_of(member) if member and active else None,
        cloudcraft_ids=tuple(registration.id for registration in registrations),
        notes=_doubled(registrations) + _standing(account_id, sides),
    )


def _registrations(account_id: str | None, sides: Sides) -> tuple[Registration, ...]:
    """The account's registrations, its own in front."""
    if account_id is None:
        return ()
    own = sides.listing.of(account_id)
    return own or tuple(filter(None, [sides.listing.foreign(account_id)]))


def unit_of(member: Member) -> str:
    """The OUs down to an account, without the root: `Prod/Payments`."""
    return "/".join(name.replace("/", "-") for name in (member.path or ())[1:])


def _doubled(registrations: Sequence[Registration]) -> tuple[Note, ...]:
    ids = tuple(registration.id for registration in registrations)
    return (Doubled(ids=ids),) if len(ids) > 1 else ()


def _standing(account_id: str | None, sides: Sides) -> tuple[Note, ...]:
    """What AWS Organizations says of an account that is not simply active in an OU."""
    member = (sides.members or {}).get(account_id or "")
    if member is None:
        return ()
    if member.state != ACTIVE:
        return (NotActive(state=member.state),)
    return () if member.path else (UnitUnknown(),)


def _absent(entry: Expected, sides: Sides) -> tuple[Note, ...]:
    """An entry that works on may be for an account of another organization."""
    known = sides.members is None or entry.account_id is None or entry.account_id in sides.members
    return () if known or not entry.account.enabled else (NotInOrganization(),)


def _drawn(state: State | None) -> tuple[Note, ...]:
    return (DrawnByDatadog(),) if state is State.DATADOG else ()


def _state_outside(account_id: str | None, sides: Sides) -> State | None:
    """The states that come in front of what manifest and Cloudcraft say, if one fits."""
    if sides.listing.foreign(account_id) is not None:
        return State.DATADOG
    if sides.members is not None and account_id is not None:
        member = sides.members.get(account_id)
        if member is None or member.state != ACTIVE:
            return State.GONE
    return None


def _state_inside(entry: Expected, row: Standing) -> State:
    """The state of an entry by its plan."""
    result = entry.result
    unknown = entry.account_id is None and result is not None and result.error is not None
    if not row.cloudcraft_ids and not unknown:
        return State.MISSING
    if result is None or result.outcome in (Outcome.FAILED, Outcome.PENDING):
        return State.UNREACHABLE
    return State.DRIFTED if result.changes else State.ONBOARDED


# --- without a look at the roles -----------------------------------------------------------------


def roleless(account: Account, account_id: str, listing: Listing) -> Account:
    """The entry as if somebody else made its role, so that AWS is not asked about it.

    Partition and path come from Cloudcraft's registration, if that is for a role of this name: an
    account has only one.
    """
    role = RoleSpec(
        name=account.role.name,
        path=account.role.path,
        partition=account.role.partition,
        via=Via.EXISTING,
    )
    found = listing.oldest(account_id)
    arn = role_arn(found.role_arn) if found else None
    if arn is not None and arn.name == role.name:
        role = replace(role, partition=arn.partition, path=arn.path)
    return replace(account, account_id=account_id, role=role)


def unidentified(account: Account, owner: str | None) -> Result:
    """The result of an entry whose AWS account only AWS could tell, or which is also `owner`'s."""
    profile = f"the profile {account.profile}" if account.profile else "the default credentials"
    facts = Facts(name=account.name, profile=account.profile or "", other=owner or "")
    problem = Problem.of(
        Stage.REACH,
        "UnknownAccount",
        f"Cannot tell which AWS account {account.name!r} is: the AWS config does not name "
        f"the account of {profile}, and --no-roles does not ask AWS.",
        Cause(row=ours.UNKNOWN_ACCOUNT, facts=facts),
    )
    if owner is not None:
        problem = Problem.of(
            Stage.REACH,
            SAME_ACCOUNT,
            f"{account.name!r} and {owner!r} are the same AWS account.",
            Cause(row=ours.SAME_ACCOUNT, facts=facts),
        )
    return Result(
        name=account.name,
        account_id=None,
        profile=account.profile,
        region=account.region,
        outcome=Outcome.FAILED,
        line=account.line,
        error=problem,
    )
