"""The state of a view: events folded in, each at constant cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

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
    StepEnded,
    StepStarted,
    Stopping,
    Throttled,
)
from cloudcraft_onboard.model import Command, Outcome, Result
from cloudcraft_onboard.show import causes, text

_WRITTEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.REMOVED, Outcome.FAILED)
_STUCK = 60.0  # seconds without progress from which on the rate so far says nothing more
_TELLING = 3  # accounts through AWS from which on their rate says something


@dataclass(slots=True)
class Work:
    """An account being worked on, since when, and the wait before a retry."""

    step: str
    since: float
    retry_at: float = 0.0
    retry_reason: str = ""


@dataclass(slots=True)
class RunState:
    """The run so far. Times are those of the clock that `fold` is given.

    `results` has one result for each finished account, the last word on it; `unverified` are those
    whose result waits for the verifying read. `queued` says when an account may be registered;
    `through` are all that AWS is done with, the last of them at `through_at`; `operations` are by
    stack set.
    """

    command: Command = Command.RUN
    manifest: str = ""
    dry_run: bool = False
    total: int = 0
    started: float | None = None
    work_started: float | None = None
    results: dict[str, Result] = field(default_factory=dict)
    unverified: set[str] = field(default_factory=set)
    numbers: Counter[Outcome] = field(default_factory=Counter)
    failures: dict[causes.Key, dict[str, Result]] = field(default_factory=dict)
    grouped: dict[causes.Key, causes.CauseGroup] = field(default_factory=dict)
    working: dict[str, Work] = field(default_factory=dict)
    most_working: int = 0
    widest_name: int = 0
    queued: dict[str, float] = field(default_factory=dict)
    through: set[str] = field(default_factory=set)
    through_at: float = 0.0
    operations: dict[str, OperationAwaited] = field(default_factory=dict)
    limit: int = 0
    window: float = 0.0
    pace_end: float | None = None
    forecasts: int = 0
    forecast: int = 0
    forecast_at: int = 0
    slots_at: float = 0.0
    slots: int = 0
    throttled_until: float = 0.0
    request_retry: str = ""
    request_retry_at: float = 0.0
    stopping: str = ""

    @property
    def done(self) -> int:
        """How many accounts have a result, each counted once; not those that are left out."""
        return len(self.results) - self.numbers[Outcome.SKIPPED]

    @property
    def planned(self) -> bool:
        """Whether results are only what would be."""
        return self.dry_run or self.command is Command.PLAN

    def counts(self) -> tuple[tuple[Outcome, int], ...]:
        """How many accounts there are of each outcome."""
        return tuple((outcome, self.numbers[outcome]) for outcome in Outcome)

    def causes(self) -> Iterator[causes.CauseGroup]:
        """The failures by cause, oldest first; each is put together when it is asked for."""
        for key, some in self.failures.items():
            if key not in self.grouped:
                self.grouped[key] = causes.group(some.values())
            yield self.grouped[key]

    def elapsed(self, now: float) -> float:
        """Seconds since the run started."""
        return now - self.started if self.started is not None else 0.0

    def time_left(self, now: float) -> float | None:
        """About how many seconds are left; None while nothing tells.

        The slower of two: AWS at the rate seen so far, Cloudcraft at its pace. Where accounts wait
        for an operation on a stack set only AWS's rate tells, and only while it goes on.
        """
        awaited = next(self.awaited(), None)
        if awaited and (len(self.through) < _TELLING or now - self.through_at >= _STUCK):
            return None
        estimates = []
        if self.pace_end is not None:
            estimates.append(max(self.pace_end - now, self._backlog(now)))
        remaining = self.total - len(self.through)
        if remaining and len(self.through) >= _TELLING and self.work_started is not None:
            spent = now - self.work_started
            estimates.append(spent / len(self.through) * remaining)
        return max(estimates, default=None)

    def awaited(self) -> Iterator[OperationAwaited]:
        """The operations on stack sets that accounts wait for."""
        for each in self.operations.values():
            if any(name in self.working for name in each.names):
                yield each

    def _backlog(self, now: float) -> float:
        """Seconds that the pace needs at least for what waits for it, retries included."""
        again = [work.retry_at for name, work in self.working.items() if name in self.through]
        # While no wait was announced, a whole window is still there to be used.
        more = max(len(self.queued) + len(again) - (self.slots or self.limit), 0)
        windows = math.ceil(more / self.limit) if self.limit else 0
        asked = max(self.slots_at, self.request_retry_at)
        ready = max([asked, *again, min(self.queued.values(), default=0.0)])
        return max(ready - now, 0.0) + windows * self.window

    def fold(self, event: Event, now: float) -> None:
        """Take in what happened."""
        match event:
            case RunStarted():
                self.command, self.manifest = event.command, event.manifest
                self.dry_run, self.total = event.dry_run, event.total - event.skipped
                self.started = now
            case Forecast():
                self.forecasts += 1
                self.limit, self.window = event.limit, event.window
                self.pace_end = now + event.seconds if event.requests else None
                self.forecast, self.forecast_at = event.requests, self._written
            case RateLimitKnown():
                self._fold_limit(event, now)
            case PaceWaited() | Throttled() | RequestRetried():
                self._fold_wait(event, now)
            case Stopping():
                self.stopping = event.reason
            case OperationAwaited():
                self.operations[event.stack_set] = event
            case Said() | RequestPutOff() | RunFinished():
                pass
            case StepEnded():
                self.working.pop(event.name, None)
            case StepStarted() | AccountQueued() | AccountRetried() | AccountFinished():
                self._fold_account(event, now)

    def _fold_account(
        self, event: StepStarted | AccountQueued | AccountRetried | AccountFinished, now: float
    ) -> None:
        match event:
            case StepStarted():
                self._fold_step(event, now)
            case AccountQueued():
                self.working.pop(event.name, None)
                self.queued[event.name] = now + event.ready_in
                self._is_through(event.name, now)
            case AccountRetried():
                work = self.working.setdefault(event.name, Work(step="retrying", since=now))
                work.retry_at, work.retry_reason = now + event.wait, event.reason
            case AccountFinished():
                self._fold_result(event, now)

    def _fold_step(self, event: StepStarted, now: float) -> None:
        if self.work_started is None:
            self.work_started = now
        self.queued.pop(event.name, None)
        before = self.working.get(event.name)
        since = before.since if before else now
        self.working[event.name] = Work(step=event.step, since=since)
        self.most_working = max(self.most_working, len(self.working))
        self.widest_name = max(self.widest_name, text.width_of(text.clean(event.name)))

    def _fold_result(self, event: AccountFinished, now: float) -> None:
        result = event.result
        name = result.name
        self.working.pop(name, None)
        self.queued.pop(name, None)
        if result.outcome is not Outcome.SKIPPED:
            self._is_through(name, now)
        if event.provisional:
            self.unverified.add(name)
        else:
            self.unverified.discard(name)
        before = self.results.get(name)
        if before is not None:
            self.numbers[before.outcome] -= 1
            self._forget_failure(before)
        self.results[name] = result
        self.numbers[result.outcome] += 1
        if result.outcome is Outcome.FAILED and result.error is not None:
            key = causes.key(result)
            self.failures.setdefault(key, {})[name] = result
            self.grouped.pop(key, None)

    def _is_through(self, name: str, now: float) -> None:
        if name not in self.through:
            self.through.add(name)
            self.through_at = now

    def _forget_failure(self, result: Result) -> None:
        if result.outcome is not Outcome.FAILED or result.error is None:
            return
        general = causes.key(result)
        self.failures[general].pop(result.name)
        self.grouped.pop(general, None)
        if not self.failures[general]:
            del self.failures[general]

    @property
    def requests_left(self) -> int:
        """About how many requests are still to be sent to Cloudcraft."""
        left = self.forecast - (self._written - self.forecast_at)
        return max(left, len(self.queued), 0)

    @property
    def _written(self) -> int:
        """How many accounts cost a request: about, for an estimate."""
        return sum(self.numbers[outcome] for outcome in _WRITTEN)

    def _fold_limit(self, event: RateLimitKnown, now: float) -> None:
        """What is left takes as long as the limit that was found out says."""
        self.limit, self.window = event.limit, event.window
        left = self.forecast - (self._written - self.forecast_at)
        if self.pace_end is not None and left > 0:
            windows = math.ceil(left / event.limit) - 1
            self.pace_end = max(now, self.throttled_until) + windows * event.window

    def _fold_wait(self, event: PaceWaited | Throttled | RequestRetried, now: float) -> None:
        match event:
            case PaceWaited():
                self.slots_at, self.slots = now + event.seconds, event.slots
                more = max(event.waiting - event.slots, 0)
                windows = math.ceil(more / self.limit) if self.limit else 0
                soonest = now + event.seconds + windows * self.window
                self.pace_end = max(self.pace_end or soonest, soonest)
            case Throttled():
                self.throttled_until = now + event.seconds
                if self.pace_end is not None:
                    self.pace_end = max(self.pace_end, now) + event.seconds
            case RequestRetried():
                self.request_retry = f"{event.request}: {event.reason}"
                self.request_retry_at = now + event.wait
