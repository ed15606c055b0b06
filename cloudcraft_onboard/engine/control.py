"""The stop of a run: why it ends early, and what is waited for then. It has one owner, `Control`.

Signals, the state machine and the story stop a run here; every thread sees it by a flag.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cloudcraft_onboard.events import Event, Stopping
from cloudcraft_onboard.model import Note
from cloudcraft_onboard.model.notes import Stop

GRACE_SECONDS = 2.2
"""After an interrupt, what is in flight gets this long."""
LAST_LOOK_SECONDS = 1.0
"""What comes after it: the last look. With the reports the program ends within 5 seconds."""
CLOSING_SECONDS = 1.0
"""Between the last answer and the end of a time budget: the verifying read's answer."""
MOMENT_SECONDS = 0.2
"""So long after a stop whoever sees it may say how far it came."""
NO_TIME = "No time was left to check."
NO_THREAD = "The system could not start a thread for it."


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
        self._emit = emit
        self._listeners: list[Callable[[Stop], None]] = []
        self._first: tuple[Stop, float] | None = None
        self._interrupt: tuple[Stop, float] | None = None

    @property
    def kind(self) -> Stop | None:
        """Why the run ends early: the first reason, but an interrupt outranks it."""
        told = self._interrupt or self._first
        return told[0] if told else None

    @property
    def stopped_at(self) -> float:
        """When it was stopped for that reason."""
        told = self._interrupt or self._first
        return told[1] if told else 0.0

    @property
    def note(self) -> Note:
        """What an account without a result waits for."""
        return (self.kind or Stop.BUDGET).note

    def on_stop(self, tell: Callable[[Stop], None]) -> None:
        """Call `tell` when the run is stopped; it may be a signal's handler, so it must not block.

        Called at once where that has happened already.
        """
        self._listeners.append(tell)
        if (kind := self.kind) is not None:
            tell(kind)

    def stop(self, kind: Stop, reason: str = "") -> None:
        """Start nothing new from here on. The first reason counts, but an interrupt outranks it.

        No lock: a signal may interrupt the main thread right here.
        """
        stopping = (kind, self.clock())
        if kind is Stop.INTERRUPTED:
            if self._interrupt is not None:
                return
            self._interrupt = stopping
            self.interrupted.set()
        elif self.kind is not None:
            return
        else:
            self._first = stopping
        self.stopped.set()
        self._emit(Stopping(reason=reason or kind.value))
        for tell in list(self._listeners):
            tell(kind)

    @property
    def abandoning(self) -> bool:
        """Whether work that is under way is not to take its next step either."""
        past = self.deadline is not None and self.clock() >= self.deadline
        return past or self.interrupted.is_set()

    def patience_ends(self, *, last: bool = False) -> float:
        """Until when what is in flight is waited for; `last`: nothing is waited for after it."""
        grace = GRACE_SECONDS + (LAST_LOOK_SECONDS if last else 0.0)
        interrupted = self.stopped_at + grace if self.kind is Stop.INTERRUPTED else math.inf
        if self.deadline is None:
            return interrupted
        return min(interrupted, self.deadline - (0.0 if last else CLOSING_SECONDS))
