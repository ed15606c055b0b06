"""`-o jsonl`: what happens, as one JSON object a line on stdout (README, The stream)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from cloudcraft_onboard.console.streams import print_line
from cloudcraft_onboard.events import (
    AccountFinished,
    AccountQueued,
    AccountRetried,
    Event,
    Forecast,
    OperationAwaited,
    PaceWaited,
    RateLimitKnown,
    RequestPutOff,
    RequestRetried,
    RunFinished,
    RunStarted,
    Said,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Account, Outcome, RateLimit, Report, Result
from cloudcraft_onboard.show.report import json, lines
from cloudcraft_onboard.show.report.shape import ResultShape
from cloudcraft_onboard.show.state import RunState

_TOO_MANY = "Cloudcraft answered 429, too many requests."
_LEAST_WAIT = 1.0  # seconds of a wait for the rate limit that is worth a line


class JsonLines:
    """A view for programs. Nothing is printed until it is certain that the command can start.

    `dry_run` is the command's own: what `remove` plans before it asks is only a rehearsal, whose
    results are no accounts' results yet.
    """

    def __init__(self, *, dry_run: bool, accounts: Iterable[Account]) -> None:
        self._dry_run = dry_run
        self._ids: dict[str, str | None] = {each.name: each.account_id for each in accounts}
        self._held: list[lines.Line] = []
        self._starts = False
        self._rehearsal = False
        self._told: dict[str, ResultShape] = {}
        self._ended = False

    def show(  # noqa: C901 - one case an event
        self,
        event: Event,
        told: str,
        state: RunState,
        now: float,  # noqa: ARG002 - its lines have the time of day
    ) -> None:
        """Print the event's line, if it has one."""
        match event:
            case RunStarted():
                self._start(event)
            case Forecast() | AccountQueued():
                self._release()
            case AccountFinished(result=result):
                self._release()
                if not self._rehearsal or result.outcome is not Outcome.REMOVED:
                    self._tell_account(result)
            case AccountRetried():
                self._tell_retry(event.name, event.reason, event.wait)
            case RequestRetried(account_id=str(account_id)):
                self._tell_retry(self._name_of(account_id), event.reason, event.wait)
            case RequestPutOff(account_id=str(account_id)):
                self._tell_retry(self._name_of(account_id), _TOO_MANY, event.wait)
            case PaceWaited() | Throttled():
                self._tell_pace(event.seconds, state)
            case RequestRetried() | RateLimitKnown() | OperationAwaited() | Said() | Stopping():
                self._put(lines.NoticeLine(type="notice", at=_now(), text=told))
            case RunFinished(report=report):
                self._count(len(report.results))
                self._release()
                for result in report.results:
                    self._tell_account(result)
            case _:
                pass

    def tick(self, state: RunState, now: float) -> None:
        """Nothing happens by itself."""

    def close(self) -> None:
        """Nothing is drawn."""

    def finish(self, report: Report, error: lines.Stopped | None = None) -> None:
        """Print the last line; with `error` alone where nothing has started."""
        if self._ended:
            return
        self._ended = True
        if not self._starts and error is not None:
            self._held.clear()
        self._release()
        self._print(json.head(report, lines.FinishedLine, type="finished", at=_now(), error=error))

    def _start(self, event: RunStarted) -> None:
        self._rehearsal = event.dry_run and not self._dry_run
        if self._starts:
            return
        self._held = [line for line in self._held if not isinstance(line, lines.StartedLine)]
        started = lines.StartedLine(
            type="started",
            at=_now(),
            command=event.command.value,
            manifest=event.manifest,
            dry_run=self._dry_run,
            total=event.total,
        )
        self._held.insert(0, started)

    def _count(self, total: int) -> None:
        """How many accounts there are, which `remove --unlisted` finds out."""
        self._held = [
            replace(line, total=total) if isinstance(line, lines.StartedLine) else line
            for line in self._held
        ]

    def _tell_account(self, result: Result) -> None:
        self._ids[result.name] = result.account_id
        told = json.account(result)
        if self._told.get(result.name) != told:
            self._told[result.name] = told
            self._put(lines.AccountLine(type="account", at=_now(), account=told))

    def _tell_retry(self, name: str, reason: str, wait: float) -> None:
        account_id = self._ids.get(name)
        self._put(
            lines.RetryLine(
                type="retry",
                at=_now(),
                account_id=account_id,
                name=name,
                reason=reason,
                wait=round(wait, 2),
            )
        )

    def _tell_pace(self, wait: float, state: RunState) -> None:
        if wait < _LEAST_WAIT:
            return
        limit = str(RateLimit(state.limit, state.window)) if state.limit else None
        left = max(state.requests_left, 1)  # what waits is left, a last list as well
        self._put(
            lines.PaceLine(
                type="pace", at=_now(), wait=round(wait, 2), limit=limit, requests_left=left
            )
        )

    def _name_of(self, account_id: str) -> str:
        return next((name for name, each in self._ids.items() if each == account_id), account_id)

    def _put(self, line: lines.Line) -> None:
        if self._starts:
            self._print(line)
        else:
            self._held.append(line)

    def _release(self) -> None:
        """It has started: what was held back is printed, and nothing is from here on."""
        self._starts = True
        for line in self._held:
            self._print(line)
        self._held.clear()

    @staticmethod
    def _print(line: lines.Line) -> None:
        print_line(lines.dumped(line))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
