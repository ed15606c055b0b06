"""What bounds a run, and how long what is still to come takes: the time budget as arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Generic

from cloudcraft_onboard import defaults
from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.control import CLOSING_SECONDS, MOMENT_SECONDS, Control
from cloudcraft_onboard.engine.messages import T
from cloudcraft_onboard.engine.ports import PaceView
from cloudcraft_onboard.events import Forecast
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.notes import Stop


@frozen
class Limits:
    """What bounds a run besides its time: accounts at once, retries of one request, failures."""

    concurrency: int = defaults.CONCURRENCY
    retries: int = defaults.RETRIES
    max_failures: int | None = None

    def more_at_a_time(self, more: int) -> Limits:
        """The same with more workers."""
        return replace(self, concurrency=self.concurrency + more)


class Budget(Generic[T]):
    """When something may start so that it ends in time, and until when it is waited for."""

    def __init__(self, control: Control, agenda: Agenda[T]) -> None:
        self._control = control
        self._agenda = agenda
        self._deadline = math.inf if control.deadline is None else control.deadline
        self._slowest = 0.0

    def took(self, seconds: float) -> None:
        """A request took so long; the next one may, too."""
        self._slowest = max(self._slowest, seconds)

    @property
    def latest(self) -> float:
        """When a request must be sent at the latest for its answer to come within the budget."""
        return self._deadline - self._slowest - CLOSING_SECONDS

    def is_over(self, now: float) -> bool:
        """Whether there is no time left at all."""
        return now >= self._deadline

    def check(self, now: float, *, nothing_before: float | None = None) -> None:
        """Stop the run once nothing more can be done in time.

        `nothing_before` is when there is something to do again, where nothing is under way.
        """
        if self.latest == math.inf:
            return
        if now >= self.latest or (nothing_before is not None and nothing_before > self.latest):
            self._control.stop(Stop.BUDGET)
        else:
            self._agenda.wake(self.latest)

    def allows(self, now: float, pace: PaceView, *, lists: int) -> bool:
        """Whether the next request can be sent in time, and so many lists be read after it."""
        if self.latest == math.inf:
            return True
        sent = now + pace.next_in()
        if sent > self.latest or not lists:
            return sent <= self.latest
        once = min(self.latest, now + pace.window)  # by then each slot is free at most once
        own_slot_again = sent + self._slowest + pace.window
        return pace.free_by(once) >= 1 + lists or own_slot_again <= self.latest

    def waits(self, now: float) -> bool:
        """Whether what is under way is waited for; stops the run when its time is over."""
        ends = self._control.patience_ends()
        if now >= ends:
            self._control.stop(Stop.BUDGET)
        if self._control.kind is not None:  # whoever sees the stop may say how far it came
            ends = max(ends, self._control.stopped_at + MOMENT_SECONDS)
        if now < ends:
            self._agenda.wake(ends)
        return now < ends


def forecast(writes: int, reads: int, pace: PaceView) -> Forecast:
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
