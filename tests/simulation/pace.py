"""The pace in virtual time: the program's own `Ledger`, and who waits for it.

What `cloudcraft.pace.PaceKeeper` does with threads; this is the one file that knows the ledger's
methods.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cloudcraft_onboard.cloudcraft.ledger import Ledger, Use
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.model import RateLimit
from tests.simulation.loop import Loop, Resume, Wait


class VirtualSlot:
    """`engine.ports.Slot`: the right to send one request now."""

    def __init__(self, pace: VirtualPace, use: Use) -> None:
        self._pace = pace
        self._use = use
        self._sent = self._given_back = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._sent:
            self.unused()
        elif self._end():
            self._pace.ledger.unanswered(self._use, self._pace.now)
            self._pace.wake()

    def sent(self) -> None:
        self._sent = True

    def arrived(self, at: float) -> None:
        if not self._given_back:
            self._pace.ledger.arrived(self._use, at)
            self._pace.wake()

    def answered(self) -> None:
        if self._end():
            self._pace.ledger.answered(self._use, self._pace.now)
            self._pace.wake()

    def unused(self) -> None:
        if self._end():
            self._pace.ledger.unused(self._use)
            self._pace.wake()

    def throttled(self, retry_after: float | None) -> int:
        if not self._end():
            return 0
        pause = self._pace.ledger.throttled(self._use, retry_after, self._pace.now)
        self._pace.pauses += pause.seconds is not None
        self._pace.wake()
        return pause.in_a_row

    def _end(self) -> bool:
        first, self._given_back = not self._given_back, True
        return first


@dataclass(frozen=True)
class _Waiter:
    deadline: float
    cancel: threading.Event
    resume: Resume


class VirtualPace:
    """`engine.ports.Pace`, for those who wait in virtual time, first come, first served."""

    def __init__(self, loop: Loop, limits: Sequence[RateLimit]) -> None:
        self.ledger = Ledger(limits)
        self.pinned = len(limits) == 1
        self.pauses = 0
        self._loop = loop
        self._queue: deque[_Waiter] = deque()
        self._timer = math.inf

    @property
    def now(self) -> float:
        return self._loop.now

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        return self.ledger.limits

    @property
    def limit(self) -> int:
        return self.ledger.limit.requests

    @property
    def window(self) -> float:
        return self.ledger.limit.seconds

    @property
    def idle(self) -> bool:
        """Whether nobody waits, and nobody holds a slot."""
        return not self._queue and not self.ledger.in_flight

    def next_in(self) -> float:
        return self.ledger.opening(self.now) - self.now

    def free_by(self, when: float) -> int:
        return self.ledger.free_by(self.now, when)

    def acquire(self, deadline: float | None, cancel: threading.Event) -> Wait:
        """Go on with a slot, or with `PaceClosed`."""
        ends = math.inf if deadline is None else deadline

        def wait(resume: Resume) -> None:
            self._queue.append(_Waiter(ends, cancel, resume))
            self._loop.after(0, self.wake)

        return wait

    def wake(self) -> None:
        """Whoever waits looks again: there may be a slot, none in time, or the run was stopped."""
        now = self.now
        while self._queue and self.ledger.ready(now):
            self._hand(self._queue.popleft(), VirtualSlot(self, self.ledger.take(now)))
        for position, waiter in enumerate(list(self._queue)):
            if waiter.cancel.is_set():
                self._refuse(waiter, "the run is stopping")
            elif self.ledger.opening(now, position) > waiter.deadline:
                self._refuse(waiter, "the time budget ends before the rate limit allows it")
        if self._queue and (when := self.ledger.next_at(now)) < math.inf:
            self._set_timer(when)

    def _refuse(self, waiter: _Waiter, why: str) -> None:
        self._queue.remove(waiter)
        self._loop.after(0, lambda: waiter.resume(PaceClosed(why)))

    def _hand(self, waiter: _Waiter, slot: VirtualSlot) -> None:
        self._loop.after(0, lambda: waiter.resume(slot))

    def _set_timer(self, when: float) -> None:
        if when < self._timer or self._timer <= self.now:
            self._timer = when
            self._loop.at(when, self._timed)

    def _timed(self) -> None:
        if self._timer <= self.now:
            self._timer = math.inf
        self.wake()
