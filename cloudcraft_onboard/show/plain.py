"""The views without a live display: one line per finished account, or failures alone."""

from __future__ import annotations

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
from cloudcraft_onboard.show.sentences import operations, waiting
from cloudcraft_onboard.show.state import RunState

_HEARTBEAT = 60.0  # seconds of silence; CI systems kill jobs that say nothing for some minutes


class Plain:
    """Lines for logs and CI: no ANSI codes, nothing drawn twice.

    `verbosity` below 0 leaves failures and what ends a run early; above 0 adds retries and waits.
    """

    def __init__(self, stream: TextIO, verbosity: int = 0) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._last_line: float | None = None
        self._awaited = 0.0  # since when an operation is awaited, or was named last
        self._told: dict[str, Outcome] = {}
        self._causes: set[causes.Key] = set()

    def show(self, event: Event, told: str, state: RunState, now: float) -> None:
        """Print the event's line, if it has one."""
        match event:
            case RunStarted():
                self._last_line = now
            case AccountFinished():
                self._finished(event, state, now)
            case OperationAwaited():
                self._awaited = now
            case RunFinished():
                self._last_line = None
                self._sum_up(state, now)
            case _:
                pass
        if told and self._wants(event, state):
            self._say(text.clean(told), now)

    def _wants(self, event: Event, state: RunState) -> bool:
        match event:
            case Said() | Stopping():
                return True
            case RunStarted() | Forecast() | RateLimitKnown():
                return self._verbosity >= 0
            case RequestRetried() if not state.forecasts:
                # Before the first account nothing else would tell that anything goes on.
                return self._verbosity >= 0
            case RequestRetried() | AccountRetried() | Throttled() | PaceWaited():
                return self._verbosity > 0
            case _:
                return False

    def tick(self, state: RunState, now: float) -> None:
        """Print a sign of life after about a minute of silence.

        An operation on a stack set may be stuck: it is named every minute, silent or not.
        """
        if self._verbosity < 0 or self._last_line is None:
            return
        stuck = now - self._awaited >= _HEARTBEAT and any(state.awaited())
        if stuck or now - self._last_line >= _HEARTBEAT:
            self._awaited = now
            self._say(heartbeat(state, now), now)

    def close(self) -> None:
        """Nothing is left to do: lines are written at once."""
        self._last_line = None

    def _finished(self, event: AccountFinished, state: RunState, now: float) -> None:
        result = event.result
        # The verifying read finishes accounts again; only another outcome is worth another line.
        if self._told.get(result.name) is result.outcome:
            return
        self._told[result.name] = result.outcome
        # `status` tells where accounts stand in its own words, at its end.
        quiet = self._verbosity < (1 if state.command is Command.STATUS else 0)
        known = result.error is not None and causes.key(result) in self._causes
        if quiet and (known or result.outcome is not Outcome.FAILED):
            return
        for line in self._lines(result, state, provisional=event.provisional):
            self._say(line, now)

    def _lines(self, result: Result, state: RunState, *, provisional: bool) -> list[str]:
        total = text.number(state.total)
        done = text.number(state.done).rjust(len(total))
        told = text.outcome_word(result.outcome, planned=state.planned)
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

    def _sum_up(self, state: RunState, now: float) -> None:
        """How many accounts a cause has that was told once: the quiet see no table."""
        for cause in state.causes() if self._verbosity < 0 else ():
            if len(cause.results) > 1:
                many = text.counted(len(cause.results), "account")
                self._say(f"x {causes.headline(cause.problem)}: {many} in all", now)

    def _say(self, line: str, now: float) -> None:
        self._stream.write(prose.told(line, self._stream, indent="    ") + "\n")
        self._stream.flush()
        self._last_line = now


def heartbeat(state: RunState, now: float) -> str:
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
