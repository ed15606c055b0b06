"""The flags by which a run is stopped: set by a signal or by the core, seen by every thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cloudcraft_onboard.engine.messages import Stop
from cloudcraft_onboard.events import Event, Stopping


class Control:
    """Whether the run is stopping, and why; `deadline` is the time, on `clock`, of its end.

    `stopped`: nothing new is started. `interrupted`: nothing takes its next step either.
    `working`: the engine has begun, which ends by itself in any case.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadline = deadline
        self.clock = clock
        self.stopped = threading.Event()
        self.interrupted = threading.Event()
        self.working = threading.Event()
        self.kind: Stop | None = None
        self.stopped_at = 0.0
        self._emit = emit
        self._listeners: list[Callable[[Stop], None]] = []

    def on_stop(self, tell: Callable[[Stop], None]) -> None:
        """Call `tell` when the run is stopped; it may be a signal's handler, so it must not block.

        Called at once where that has happened already.
        """
        self._listeners.append(tell)
        if self.kind is not None:
            tell(self.kind)

    def stop(self, kind: Stop, reason: str = "") -> None:
        """Start nothing new from here on. The first reason counts, but an interrupt outranks it."""
        if self.kind is kind or (self.kind is not None and kind is not Stop.INTERRUPTED):
            return
        self.kind = kind
        self.stopped_at = self.clock()
        self.stopped.set()
        if kind is Stop.INTERRUPTED:
            self.interrupted.set()
        self._emit(Stopping(reason=reason or kind.value))
        for tell in list(self._listeners):
            tell(kind)

    @property
    def abandoning(self) -> bool:
        """Whether work that is under way is not to take its next step either."""
        past = self.deadline is not None and self.clock() >= self.deadline
        return past or self.interrupted.is_set()
