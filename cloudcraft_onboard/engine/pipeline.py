"""The two stages of a run: AWS work for many accounts at a time, registration at Cloudcraft's pace.

AWS workers never wait for Cloudcraft's limit, so every AWS problem of a large run shows in its
first minutes, and the rest of the time is pure pace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.account import Claims, Look, RoleReady, work_account
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.crew import Crew
from cloudcraft_onboard.engine.dispatch import Dispatcher
from cloudcraft_onboard.engine.patience import time_left
from cloudcraft_onboard.engine.ports import Aws, Cloudcraft, Pace
from cloudcraft_onboard.engine.register import Registrar, outcome_of, track_of
from cloudcraft_onboard.engine.stackset import Roller, Rollout, Work, rollouts
from cloudcraft_onboard.engine.verify import Verifier
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.events import Event, Forecast
from cloudcraft_onboard.model import Account, Change, Problem, Result, Stage, Via
from cloudcraft_onboard.redact import redact

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What a run works with."""

    aws: Aws
    cloudcraft: Cloudcraft
    pace: Pace
    control: Control
    emit: Callable[[Event], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tuning:
    """How a run works: accounts at a time, a new role's age in seconds, retries of one request."""

    concurrency: int = 16
    settle: float = 10.0
    retries: int = 5


def plan_accounts(
    accounts: Sequence[Account], look: Look, tools: Tools, tuning: Tuning
) -> tuple[Result, ...]:
    """What a run would do with each account, in the accounts' order; writes nothing."""
    board = board_of(accounts, tools)

    def planned(ready: RoleReady) -> None:
        board.finish(track_of(ready, 0.0).result(outcome_of(ready)))

    crew = _crew(accounts, look, board, tools, tuning, apply=False, ready=planned)
    crew.start()
    wait_out(crew, tools.control)
    return board.results(note(tools.control))


def run_accounts(
    accounts: Sequence[Account], look: Look, tools: Tools, tuning: Tuning
) -> tuple[Result, ...]:
    """Bring each account to its desired state; the results in the accounts' order."""
    control = tools.control
    board = board_of(accounts, tools)
    dispatcher = Dispatcher(tools.pace, control, verified=True)
    registrar = Registrar(
        tools.cloudcraft,
        dispatcher,
        board,
        control,
        tools.emit,
        settle=tuning.settle,
        retries=tuning.retries,
    )
    control.on_stop(tools.pace.wake)
    crew = _crew(
        accounts,
        look,
        board,
        tools,
        tuning,
        apply=True,
        ready=registrar.submit,
        done=lambda: _crew_done(dispatcher, tools),
    )
    crew.start()
    while True:
        dispatcher.run(lambda: crew.finished)
        if control.stopped.is_set() or not registrar.resolve_doubts():
            break
    wait_out(crew, control)
    dispatcher.wait_in_flight(time_left(control))
    Verifier(
        tools.cloudcraft, tools.pace, registrar, board=board, control=control, emit=tools.emit
    ).verify()
    registrar.leave_pending()
    return board.results(note(control))


def forecast(writes: int, reads: int, pace: Pace) -> Forecast:
    """How long `writes` and `reads` still to come take at this pace, from now on."""
    requests = writes + reads
    windows = max(0, -(-requests // pace.limit) - 1)
    return Forecast(
        writes=writes,
        requests=requests,
        seconds=pace.next_in() + windows * pace.window,
        limit=pace.limit,
        window=pace.window,
        limits=pace.limits,
    )


# --- what every command's stages are made of ----------------------------------------------------


def board_of(accounts: Sequence[Account], tools: Tools) -> Board:
    """A board on which the disabled accounts stand already."""
    board = Board(accounts, tools.control, tools.emit)
    for account in accounts:
        if not account.enabled:
            board.finish(boards.skipped(account))
    return board


def crew_of(
    accounts: Iterable[Account],
    work: Callable[[Account, list[Change]], T],
    ready: Callable[[T], None],
    *,
    board: Board,
    tools: Tools,
    size: int,
) -> Crew[Account]:
    """Threads that work on accounts: what `work` returns goes to `ready`, its errors on `board`.

    `work` and `ready` are those of `conclude`.
    """

    def attempt(account: Account) -> None:
        conclude(account, work, ready, board=board, tools=tools)

    return Crew(accounts, attempt, size=max(1, size), control=tools.control, done=lambda: None)


def conclude(
    account: Account,
    work: Callable[[Account, list[Change]], T],
    ready: Callable[[T], None],
    *,
    board: Board,
    tools: Tools,
    so_far: Callable[[Account], Result] = boards.base,
) -> None:
    """Work on one account: what `work` returns goes to `ready`, what it raises on `board`.

    `work` adds the changes that it makes to the list that it is given, so that a failure can say
    how far it came; `so_far` is what the account's result says besides.
    """
    written: list[Change] = []
    started = tools.control.clock()
    try:
        result = work(account, written)
    except Exception as error:  # noqa: BLE001 - one account's trouble must not end the others'
        before = so_far(account)
        failed = replace(
            before,
            changes=before.changes + tuple(written),
            attempts=max(1, before.attempts),
            seconds=before.seconds + tools.control.clock() - started,
        )
        board.finish(_ended(failed, error))
    else:
        ready(result)


def raising(error: Exception) -> Callable[[Account, list[Change]], Any]:
    """The work of an account that has failed already."""

    def work(_account: Account, _written: list[Change]) -> Any:
        raise error

    return work


def wait_out(crew: Crew[Any], control: Control) -> None:
    """Wait for the accounts in AWS's hands, but no longer than a stop allows."""
    while not crew.join(0.2):
        if time_left(control) == 0:
            if not control.stopped.is_set():
                control.stop(Stop.BUDGET)
            return


def stepping(tools: Tools) -> Callable[[Event], None]:
    """`tools.emit`, but an account whose run ends at once takes no further step."""

    def emit(event: Event) -> None:
        if tools.control.abandoning:
            raise AccountPending(Stage.ROLE, "Stopped", (tools.control.kind or Stop.BUDGET).value)
        tools.emit(event)

    return emit


def note(control: Control) -> str:
    """What an account without a result waits for."""
    return (control.kind or Stop.BUDGET).note


# --- inside -------------------------------------------------------------------------------------


def _crew(
    accounts: Sequence[Account],
    look: Look,
    board: Board,
    tools: Tools,
    tuning: Tuning,
    *,
    apply: bool,
    ready: Callable[[RoleReady], None],
    done: Callable[[], None] = lambda: None,
) -> Crew[Account | Rollout]:
    enabled = [account for account in accounts if account.enabled]
    claims = Claims(enabled)
    stack_sets = rollouts(enabled)
    singles = [account for account in enabled if account.role.via is not Via.STACKSET]

    def work(account: Account, written: list[Change]) -> RoleReady:
        return work_account(
            account, look, tools.aws, claims, apply=apply, done=written, emit=stepping(tools)
        )

    def end(account: Account, how: Work) -> None:
        conclude(account, how, ready, board=board, tools=tools)

    def take(piece: Account | Rollout) -> None:
        if isinstance(piece, Account):
            end(piece, work)
            return
        roller = Roller(
            piece,
            look,
            tools.aws,
            tools.control,
            apply=apply,
            emit=stepping(tools),
            conclude=end,
            direct=work,
        )
        roller.run()

    # Stack sets come first, each with a thread of its own: CloudFormation takes its time.
    return Crew(
        (*stack_sets, *singles),
        take,
        size=max(1, len(stack_sets) + min(tuning.concurrency, len(singles))),
        control=tools.control,
        done=done,
    )


def _ended(so_far: Result, error: Exception) -> Result:
    match error:
        case AccountPending():
            return boards.noted(so_far, f"{error.message}; run the same command again")
        case AccountError():
            return boards.failed(so_far, error.problem)
        case _:
            _log.debug("%s: unexpected", so_far.name, exc_info=error)
            problem = Problem(
                stage=Stage.ROLE,
                code=type(error).__name__,
                message=redact(f"unexpected: {error}"),
                hint="this is a bug of onboard; please report it with the output of -vv",
            )
            return boards.failed(so_far, problem)


def _crew_done(dispatcher: Dispatcher, tools: Tools) -> None:
    tools.emit(forecast(dispatcher.waiting, 1, tools.pace))
    dispatcher.wake()
