"""When a run must stop starting work, and why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

from cloudcraft_onboard.events import Event, Stopping


class Stop(Enum):
    """Why a run ends early; the value is what its pending accounts wait for."""

    INTERRUPTED = "the run was interrupted"
    FAILURES = "the run stopped after --max-failures"
    BUDGET = "the time budget was used up"
    KEY = "Cloudcraft refused the API key"

    @property
    def note(self) -> str:
        """A pending account's note."""
        return f"not finished: {self.value}; run the same command again to go on"


class Control:
    """The one place that knows whether new work may start; thread-safe.

    `deadline` is the time, on `clock`, at which nothing may be in flight any more.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        max_failures: int | None = None,
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadline = deadline
        self.clock = clock
        self.stopped = threading.Event()
        self.interrupted = threading.Event()
        self.kind: Stop | None = None
        self.stopped_at = 0.0
        self._emit = emit
        self._max_failures = max_failures
        self._failures = 0
        self._wakers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def on_stop(self, wake: Callable[[], None]) -> None:
        """Call `wake` once when the run is stopped; it must not block."""
        self._wakers.append(wake)

    def stop(self, kind: Stop, reason: str = "") -> None:
        """Start nothing new from here on. The first reason counts, but an interrupt outranks it."""
        with self._lock:
            if self.kind is kind or (self.kind is not None and kind is not Stop.INTERRUPTED):
                return
            self.kind = kind
            self.stopped_at = self.clock()
            self.stopped.set()
            if kind is Stop.INTERRUPTED:
                self.interrupted.set()
        self._emit(Stopping(reason=reason or kind.value))
        for wake in self._wakers:
            wake()

    def count_failure(self) -> None:
        """One more account failed, in whichever stage."""
        with self._lock:
            self._failures += 1
            enough = self._max_failures is not None and self._failures >= self._max_failures
        if enough:
            self.stop(Stop.FAILURES, f"{self._failures} accounts failed (--max-failures)")

    def may_start(self) -> bool:
        """Whether another piece of work may start now; past the deadline it stops the run."""
        if self.deadline is not None and self.clock() >= self.deadline:
            self.stop(Stop.BUDGET)
        return not self.stopped.is_set()

    @property
    def abandoning(self) -> bool:
        """Whether work that is under way is not to take its next step either."""
        past = self.deadline is not None and self.clock() >= self.deadline
        return past or self.interrupted.is_set()

    def patience(self, grace: float, *, reserve: float = 0.0) -> float | None:
        """How long to wait for what is in flight, in seconds; None: until it ends by itself.

        An interrupt gives `grace` seconds from its moment on, a time budget until `reserve`
        seconds before the deadline; whichever ends first.
        """
        ends = []
        if self.interrupted.is_set():
            ends.append(self.stopped_at + grace)
        if self.deadline is not None:
            ends.append(self.deadline - reserve)
        return max(0.0, min(ends) - self.clock()) if ends else None
