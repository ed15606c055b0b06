"""The way back in two stages: registrations at Cloudcraft's pace, then each account's role in AWS.

The registration goes first: a role that Cloudcraft still reads is never taken away, and an account
that was left half way is finished by the next run, which finds its role without a registration.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloudcraft_onboard.engine.account import Claims
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.crew import Crew
from cloudcraft_onboard.engine.dispatch import Dispatcher
from cloudcraft_onboard.engine.patience import time_left
from cloudcraft_onboard.engine.pipeline import (
    Tools,
    Tuning,
    board_of,
    conclude,
    crew_of,
    forecast,
    note,
    raising,
    stepping,
    wait_out,
)
from cloudcraft_onboard.engine.removal import Removal, Scope, look_at, remove_role
from cloudcraft_onboard.engine.takedown import Standings, TakeDown, take_downs
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
    standings = Standings(tools.aws)
    found: dict[str, Removal] = {}

    def look(account: Account, _written: list[Change]) -> Removal:
        return look_at(
            account,
            listing,
            tools.aws,
            claims,
            scope,
            standings=standings,
            emit=stepping(tools),
        )

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
    dispatcher = Dispatcher(tools.pace, control, verified=False)
    stage = _RoleStage(tools, scope, board)
    unregistrar = Unregistrar(
        tools.cloudcraft,
        dispatcher,
        board,
        control,
        tools.emit,
        retries=tuning.retries,
        then=stage.submit,
    )
    crew = Crew(
        stage.pieces,
        stage.take,
        size=max(1, min(tuning.concurrency, sum(bool(each.role_changes) for each in removals))),
        control=control,
        done=lambda: None,
        may_start=lambda: not control.abandoning,
    )
    tools.emit(forecast(sum(len(each.registrations) for each in removals), 0, tools.pace))
    crew.start()
    for removal in removals:
        unregistrar.submit(removal)
    while True:
        dispatcher.run(lambda: True)
        if control.stopped.is_set() or not unregistrar.resolve_doubts():
            break
    dispatcher.wait_in_flight(time_left(control))
    stage.take_stack_sets_down()
    stage.close()
    wait_out(crew, control)
    unregistrar.leave_pending()
    return board.results(note(control))


class _RoleStage:
    """The second stage: roles one by one, and at its end those of a stack set together."""

    def __init__(self, tools: Tools, scope: Scope, board: Board) -> None:
        self._tools = tools
        self._scope = scope
        self._board = board
        self._tracks: dict[str, Track] = {}
        self._rolled_out: list[Account] = []
        self._queue: queue.SimpleQueue[Account | TakeDown | None] = queue.SimpleQueue()

    @property
    def pieces(self) -> Iterator[Account | TakeDown]:
        """What there is to do, until `close`."""
        return iter(self._queue.get, None)

    def submit(self, track: Track) -> None:
        """An account that is not registered any more."""
        account = track.removal.account
        self._tracks[track.name] = track
        if not track.removal.role_changes:
            self._board.finish(track.result())
        elif track.removal.by_stack_set:
            self._rolled_out.append(account)
        else:
            self._queue.put(account)

    def take_stack_sets_down(self) -> None:
        """No more accounts come: one operation for all that have their role by a stack set."""
        for take_down in take_downs(self._rolled_out):
            self._queue.put(take_down)

    def close(self) -> None:
        """There is no more to do after what was submitted."""
        self._queue.put(None)

    def take(self, piece: Account | TakeDown) -> None:
        """Take one role away, or all roles of one stack set.

        After a stop only the role of an account that is half removed, while there is time.
        """
        stopped = not self._tools.control.may_start()
        if isinstance(piece, Account):
            if self._tracks[piece.name].done or not stopped:
                self._end(piece, self._remove)
            return
        if stopped:
            return
        piece.run(
            self._tools.aws,
            self._tools.control,
            emit=stepping(self._tools),
            gone=lambda account: self._end(account, self._removed),
            failed=lambda account, error: self._end(account, raising(error)),
        )

    def _end(self, account: Account, work: Callable[[Account, list[Change]], Result]) -> None:
        conclude(
            account,
            work,
            self._board.finish,
            board=self._board,
            tools=self._tools,
            so_far=lambda account: self._tracks[account.name].result(Outcome.PENDING),
        )

    def _remove(self, account: Account, written: list[Change]) -> Result:
        track = self._tracks[account.name]
        tools = self._tools
        started = tools.control.clock()
        emit = stepping(tools)
        notes = remove_role(track.removal, tools.aws, self._scope, done=written, emit=emit)
        track.done += written
        track.notes = notes
        track.seconds += tools.control.clock() - started
        return track.result()

    def _removed(self, account: Account, _written: list[Change]) -> Result:
        track = self._tracks[account.name]
        track.done += track.removal.role_changes
        return track.result()


def put_off(results: Sequence[Result], why: str) -> tuple[Result, ...]:
    """A plan's results when nothing of it is done: what was to be removed is pending."""
    return tuple(_put_off(result, why) for result in results)


def _put_off(result: Result, why: str) -> Result:
    if not result.changes:
        return result
    return replace(
        result, outcome=Outcome.PENDING, changes=(), notes=(*result.notes, why), seconds=0.0
    )
