"""Registrations that Cloudcraft has and the manifest lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.control import Stop
from cloudcraft_onboard.engine.pipeline import Tools, Tuning, crew_of, note, stepping, wait_out
from cloudcraft_onboard.engine.removal import Removal
from cloudcraft_onboard.engine.remove import RemovalPlan
from cloudcraft_onboard.errors import CannotStart, Interrupted
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.model import Account, Change, Registration, RoleSpec, Via
from cloudcraft_onboard.plan.registration import Listing, unlisted


def plan_unlisted(
    accounts: Sequence[Account], listing: Listing, tools: Tools, tuning: Tuning
) -> RemovalPlan:
    """What deletes the registrations of AWS accounts that none of `accounts` is; reads only.

    `accounts` are all of the manifest's, the disabled ones too.

    Raises:
        CannotStart: the ID of one of them cannot be found out.
        Interrupted: before all of them were.
    """
    found = unlisted(listing, _known(accounts, tools, tuning))
    names = Counter(registrations[0].name for registrations in found)
    removals = tuple(
        Removal(
            account=_stand_in(registrations[0], unique=names[registrations[0].name] == 1),
            account_id=registrations[0].account_id,
            registrations=registrations,
            role_arn=registrations[0].role_arn,
        )
        for registrations in found
    )
    return RemovalPlan(
        results=tuple(removal.result(removal.changes) for removal in removals), removals=removals
    )


def _known(accounts: Sequence[Account], tools: Tools, tuning: Tuning) -> frozenset[str]:
    """The AWS account IDs of all entries; those known by their profile only are reached for it."""
    known = {account.account_id for account in accounts if account.account_id}
    nameless = [account for account in accounts if not account.account_id]
    board = Board(nameless, tools.control, tools.emit)
    reached: set[str] = set()
    step = stepping(tools)

    def reach(account: Account, _written: list[Change]) -> Account:
        step(StepStarted(name=account.name, step="reaching the account"))
        known.add(tools.aws.reach(account).identity.account_id)
        return account

    crew = crew_of(
        nameless,
        reach,
        lambda account: reached.add(account.name),
        board=board,
        tools=tools,
        size=min(tuning.concurrency, len(nameless)),
    )
    crew.start()
    wait_out(crew, tools.control)
    unknown = [account.name for account in nameless if account.name not in reached]
    if unknown and tools.control.kind is Stop.INTERRUPTED:
        raise Interrupted("interrupted before it was known which registrations are unlisted")
    if unknown:
        raise _unknown(unknown, board, tools)
    return frozenset(known)


def _unknown(names: Sequence[str], board: Board, tools: Tools) -> CannotStart:
    left = [result for result in board.results(note(tools.control)) if result.name in names]
    first = next((result for result in left if result.error), left[0])
    why = first.error.message if first.error else "; ".join(first.notes)
    way_out = f"{first.error.hint} " if first.error else ""
    return CannotStart(
        f"Nothing was deleted: which AWS accounts the manifest's entries are is not known of "
        f"{', '.join(names)}, and their registrations could be taken for unlisted ones. "
        f"{first.name}: {why}",
        hint=f"{way_out}Or write `account_id` into these entries.",
    )


def _stand_in(registration: Registration, *, unique: bool) -> Account:
    """An entry such as the manifest would have for it; Cloudcraft doesn't tell its region."""
    account_id = registration.account_id
    name = registration.name if unique else f"{registration.name} ({account_id})".strip()
    return Account(
        name=name,
        account_id=account_id,
        region="",
        role=RoleSpec(via=Via.EXISTING),
        line=0,
    )
