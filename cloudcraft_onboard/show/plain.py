"""The views without a live display: one line per finished account, or failures alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from cloudcraft_onboard.console import prose
from cloudcraft_onboard.events import (
    AccountFinished,
    AccountRetried,
    Event,
    Forecast,
    OperationAwaited,
    PaceWaited,
    RateLimitKnown,
    RequestRetried,
    RunFinished,
    RunStarted,
    Said,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Command, Outcome, Problem, Result
from cloudcraft_onboard.show import causes, text
from cloudcraft_onboard.show.screen import expected, limit_known, operations, waiting
from cloudcraft_onboard.show.state import State

_HEARTBEAT = 60.0  # seconds of silence; CI systems kill jobs that say nothing for some minutes


class PlainView:
    """Lines for logs and CI: no ANSI codes, nothing drawn twice.

    `verbosity` below 0 leaves failures and what ends a run early; above 0 adds retries and waits.
    """

    def __init__(
        self, stream: TextIO, verbosity: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._clock = clock
        self._state = State()
        self._last_line: float | None = None
        self._awaited = 0.0  # since when an operation is awaited, or was named last
        self._told: dict[str, Outcome] = {}
        self._causes: set[Problem] = set()
        self._forecast = False

    def handle(self, event: Event) -> None:
        """Take in an event and print its line, if it has one."""
        now = self._clock()
        self._state.fold(event, now)
        match event:
            case RunStarted():
                self._last_line = now
                if self._verbosity >= 0:
                    self._say(self._opening(event), now)
            case Forecast() if not self._forecast:
                self._forecast = True
                if self._verbosity >= 0 and (said := expected(self._state, event)):
                    self._say(said, now)
            case AccountFinished():
                self._finished(event.result, now, provisional=event.provisional)
            case RateLimitKnown() if self._verbosity >= 0:
                self._say(limit_known(self._state, now), now)
            case Said():
                self._say(text.clean(event.text), now)
            case Stopping():
                self._say(f"stopping: {text.clean(event.reason)}", now)
            case RunFinished():
                self._last_line = None
                self._sum_up(now)
            case _:
                self._tell(event, now)

    def tick(self, now: float) -> None:
        """Print a sign of life after about a minute of silence.

        An operation on a stack set may be stuck: it is named every minute, silent or not.
        """
        if self._verbosity < 0 or self._last_line is None:
            return
        stuck = now - self._awaited >= _HEARTBEAT and any(self._state.awaited())
        if stuck or now - self._last_line >= _HEARTBEAT:
            self._awaited = now
            self._say(heartbeat(self._state, now), now)

    def close(self) -> None:
        """Nothing is left to do: lines are written at once."""
        self._last_line = None

    @staticmethod
    def _opening(event: RunStarted) -> str:
        called = f"{text.called(event.command, dry_run=event.dry_run)} {text.clean(event.manifest)}"
        if not event.total:
            return called
        aside = f" ({text.number(event.skipped)} disabled)" if event.skipped else ""
        return f"{called}: {text.counted(event.total, 'account')}{aside}"

    def _finished(self, result: Result, now: float, *, provisional: bool) -> None:
        # The verifying read finishes accounts again; only another outcome is worth another line.
        if self._told.get(result.name) is result.outcome:
            return
        self._told[result.name] = result.outcome
        # `status` tells where accounts stand in its own words, at its end.
        quiet = self._verbosity < (1 if self._state.command is Command.STATUS else 0)
        known = result.error is not None and causes.key(result) in self._causes
        if quiet and (known or result.outcome is not Outcome.FAILED):
            return
        for line in self._lines(result, provisional=provisional):
            self._say(line, now)

    def _lines(self, result: Result, *, provisional: bool) -> list[str]:
        total = text.number(self._state.total)
        done = text.number(self._state.done).rjust(len(total))
        told = text.outcome_word(result.outcome, planned=self._state.planned)
        word = f"{result.outcome.symbol} {told}"
        parts = [f"[{done}/{total}] {word.ljust(11)} {text.title(result)}"]
        hint = ""
        if result.error is not None:
            told, hint = self._told_of(result, result.error)
            parts.append(told)
        elif result.changes:
            parts.append(text.actions(result))
        if result.seconds:
            parts.append(text.seconds(result.seconds))
        if provisional:
            parts.append("to be verified at the end")
        lines = ["  ".join(parts)]
        return [*lines, f"    → {hint}"] if hint else lines

    def _told_of(self, result: Result, problem: Problem) -> tuple[str, str]:
        """What failed, and what to do: of a cause that was told before, its headline alone."""
        key, headline = causes.key(result), causes.headline(problem)
        first = key not in self._causes
        self._causes.add(key)
        if not first and self._verbosity <= 0:
            return f"{headline}, as above", ""
        return f"{headline}: {text.clean(problem.message)}", text.clean(problem.hint) * first

    def _sum_up(self, now: float) -> None:
        """How many accounts a cause has that was told once: the quiet see no table."""
        for cause in self._state.causes() if self._verbosity < 0 else ():
            if len(cause.results) > 1:
                many = text.counted(len(cause.results), "account")
                self._say(f"x {causes.headline(cause.problem)}: {many} in all", now)

    def _tell(self, event: Event, now: float) -> None:
        # Before the first account nothing else would tell that anything goes on.
        first_reads = not self._forecast and self._verbosity >= 0
        match event:
            case OperationAwaited():
                self._awaited = now
            case RequestRetried() if first_reads:
                self._say(waiting(self._state, now), now)
            case _ if self._verbosity <= 0:
                pass
            case AccountRetried():
                wait = text.countdown(event.wait)
                why = text.clean(event.reason)
                self._say(f"{text.clean(event.name)}: trying again in {wait}: {why}", now)
            case RequestRetried() | Throttled() | PaceWaited():
                self._say(waiting(self._state, now), now)
            case _:
                pass

    def _say(self, line: str, now: float) -> None:
        self._stream.write(prose.told(line, self._stream, indent="    ") + "\n")
        self._stream.flush()
        self._last_line = now


def heartbeat(state: State, now: float) -> str:
    """One line about where the run is: `still working: 412 of 1,000 done, 2 failed, ...`."""
    parts = [f"{text.number(state.done)} of {text.number(state.total)} done"]
    failed = state.numbers[Outcome.FAILED]
    if failed:
        parts.append(f"{text.number(failed)} failed")
    if state.working:
        parts.append(f"{text.number(len(state.working))} being worked on")
    told = [f"still working: {', '.join(parts)}", *operations(state)]
    waits = waiting(state, now)
    if waits:
        told.append(waits)
    left = state.time_left(now)
    if left is not None and state.done < state.total:
        told.append(f"about {text.about(left)} left")
    return " · ".join(told)
