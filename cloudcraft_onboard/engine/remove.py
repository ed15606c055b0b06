"""The way back in two stages: registrations at Cloudcraft's pace, then each account's role in AWS.

The registration goes first: a role that Cloudcraft still reads is never taken away, and an account
that was left half way is finished by the next run, which finds its role without a registration.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloudcraft_onboard.engine.account import Claims
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.dispatch import Dispatcher
from cloudcraft_onboard.engine.patience import time_left
from cloudcraft_onboard.engine.pipeline import (
    Tools,
    Tuning,
    board_of,
    crew_of,
    forecast,
    note,
    stepping,
    wait_out,
)
from cloudcraft_onboard.engine.removal import Removal, Scope, look_at, remove_role
from cloudcraft_onboard.engine.unregister import Track, Unregistrar
from cloudcraft_onboard.model import Account, Change, Outcome, Result
from cloudcraft_onboard.plan.registration import Listing


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovalPlan:
    """Every account's result as it would be, and what is to be done to those that change."""

    results: tuple[Result, ...]
    removals: tuple[Removal, ...]

    @property
    def registrations(self) -> int:
        """How many registrations are to be deleted."""
        return sum(len(removal.registrations) for removal in self.removals)

    @property
    def roles(self) -> int:
        """How many roles are to be deleted."""
        return sum(bool(removal.role_changes) for removal in self.removals)


def plan_removals(
    accounts: Sequence[Account], listing: Listing, tools: Tools, tuning: Tuning, scope: Scope
) -> RemovalPlan:
    """What a removal would do with each account, in the accounts' order; writes nothing."""
    board = board_of(accounts, tools)
    enabled = [account for account in accounts if account.enabled]
    claims = Claims(enabled)
    found: dict[str, Removal] = {}

    def look(account: Account, _written: list[Change]) -> Removal:
        return look_at(account, listing, tools.aws, claims, scope, emit=stepping(tools))

    def planned(removal: Removal) -> None:
        found[removal.account.name] = removal
        board.finish(removal.result(removal.changes))

    crew = crew_of(
        enabled,
        look,
        planned,
        board=board,
        tools=tools,
        size=min(tuning.concurrency, len(enabled)),
    )
    crew.start()
    wait_out(crew, tools.control)
    removals = [found[account.name] for account in enabled if account.name in found]
    return RemovalPlan(
        results=board.results(note(tools.control)),
        removals=tuple(removal for removal in removals if removal.changes),
    )


def remove_accounts(
    removals: Sequence[Removal], tools: Tools, tuning: Tuning, scope: Scope
) -> tuple[Result, ...]:
    """Delete what a plan found; the results in the plan's order."""
    control = tools.control
    board = Board([removal.account for removal in removals], control, tools.emit)
    dispatcher = Dispatcher(tools.pace, control)
    roles: queue.SimpleQueue[Account | None] = queue.SimpleQueue()

    def unregistered(track: Track) -> None:
        if track.removal.role_changes:
            roles.put(track.removal.account)
        else:
            board.finish(track.result())

    unregistrar = Unregistrar(
        tools.cloudcraft,
        dispatcher,
        board,
        control,
        tools.emit,
        retries=tuning.retries,
        then=unregistered,
    )

    def take_role(account: Account, written: list[Change]) -> Result:
        track = unregistrar.track(account.name)
        started = control.clock()
        notes = remove_role(track.removal, tools.aws, scope, done=written, emit=stepping(tools))
        track.done += written
        track.notes = notes
        track.seconds += control.clock() - started
        return track.result()

    crew = crew_of(
        iter(roles.get, None),
        take_role,
        board.finish,
        board=board,
        tools=tools,
        size=min(tuning.concurrency, sum(bool(removal.role_changes) for removal in removals)),
        so_far=lambda account: unregistrar.track(account.name).result(Outcome.PENDING),
    )
    # Who waits for another role must see that there will be none.
    control.on_stop(lambda: roles.put(None))
    tools.emit(forecast(sum(len(each.registrations) for each in removals), 0, tools.pace))
    crew.start()
    for removal in removals:
        unregistrar.submit(removal)
    while True:
        dispatcher.run(lambda: True)
        if control.stopped.is_set() or not unregistrar.resolve_doubts():
            break
    dispatcher.wait_in_flight(time_left(control))
    roles.put(None)
    wait_out(crew, control)
    unregistrar.leave_pending()
    return board.results(note(control))


def put_off(results: Sequence[Result], why: str) -> tuple[Result, ...]:
    """A plan's results when nothing of it is done: what was to be removed is pending."""
    return tuple(_put_off(result, why) for result in results)


def _put_off(result: Result, why: str) -> Result:
    if not result.changes:
        return result
    return replace(
        result, outcome=Outcome.PENDING, changes=(), notes=(*result.notes, why), seconds=0.0
    )
