"""As fast as Cloudcraft's rate limit allows, and never faster.

`ledger.Ledger` is the rule and finds out which limit holds; `PaceKeeper` makes threads wait for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

from cloudcraft_onboard.cloudcraft.ledger import NEVER, Ledger, Pause, Use
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.events import Event, PaceWaited, RateLimitKnown, Throttled
from cloudcraft_onboard.model import RateLimit, Slot

ANNOUNCED_FROM = 0.5
"""Shorter waits are not worth an event."""


class PaceKeeper:
    """Makes threads wait for their turn, first come, first served. Safe to share.

    `limits` are those that may hold, fastest first.
    """

    def __init__(
        self,
        limits: Sequence[RateLimit],
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = Ledger(limits)
        self._emit = emit
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._announced_until = NEVER
        self._known = self._ledger.limits

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        """The limits that may still hold, the believed one first; one where it is known."""
        with self._changed:
            return self._ledger.limits

    @property
    def limit(self) -> int:
        """Requests allowed per window, by the limit believed at the moment."""
        return self.limits[0].requests

    @property
    def window(self) -> float:
        """That window's length in seconds."""
        return self.limits[0].seconds

    def acquire(self, deadline: float | None = None, cancel: threading.Event | None = None) -> Slot:
        """Wait for a slot. `deadline` is a time of the pace's own clock.

        A slot that is free now is given in any case. Otherwise raises `PaceClosed`: at once when
        no slot comes before the deadline, or when `cancel` is set before or while it waits.
        """
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                while True:
                    now = self._clock()
                    position = self._queue.index(me)
                    if position == 0 and self._ledger.ready(now):
                        return _Slot(self, self._ledger.take(now))
                    opening = self._ledger.opening(now, position)
                    _check_worth_waiting(opening, deadline, cancel)
                    if position:  # whoever goes first says when to look again
                        self._changed.wait()
                    else:
                        self._changed.wait(self._wait(now, opening))
            finally:
                self._queue.remove(me)
                self._changed.notify_all()

    def next_in(self) -> float:
        """Seconds until the next slot; 0 when one is free. For display."""
        with self._changed:
            now = self._clock()
            return self._ledger.opening(now) - now

    def free_by(self, when: float) -> int:
        """How many requests could be started by `when` (own clock), in-flight ones not counted."""
        with self._changed:
            return self._ledger.free_by(self._clock(), when)

    def wake(self) -> None:
        """Make those who wait look at their `cancel` now."""
        with self._changed:
            self._changed.notify_all()

    def throttled(self, use: Use, retry_after: float | None) -> Pause:
        """A request got a 429: everybody waits."""
        with self._changed:
            now = self._clock()
            pause = self._ledger.throttled(use, retry_after, now)
            if pause.seconds is not None:
                self._announced_until = now + pause.seconds
                self._emit(Throttled(seconds=pause.seconds))
            self._tell_limit()
            self._changed.notify_all()
            return pause

    def record(self, happened: Callable[[Ledger, float], None]) -> None:
        """Something happened that the ledger must know, at the time of the own clock."""
        with self._changed:
            happened(self._ledger, self._clock())
            self._tell_limit()
            self._changed.notify_all()

    def _wait(self, now: float, opening: float) -> float | None:
        """How long whoever goes first may sleep; announces the wait where nobody has yet."""
        next_at = self._ledger.next_at(now)
        if next_at == float("inf"):
            return None  # what becomes of a request wakes us, and tells the time
        wait = next_at - now
        if wait > ANNOUNCED_FROM and opening > self._announced_until + ANNOUNCED_FROM:
            self._announced_until = opening
            slots = self._ledger.free_by(now, opening + self._ledger.limit.seconds / 10)
            self._emit(PaceWaited(seconds=opening - now, slots=slots, waiting=len(self._queue)))
        return min(wait, threading.TIMEOUT_MAX)

    def _tell_limit(self) -> None:
        """Say which limit holds when it is found out."""
        limits = self._ledger.limits
        if limits != self._known and len(limits) == 1:
            self._emit(RateLimitKnown(limit=limits[0].requests, window=limits[0].seconds))
        self._known = limits


def _check_worth_waiting(
    opening: float, deadline: float | None, cancel: threading.Event | None
) -> None:
    if cancel is not None and cancel.is_set():
        raise PaceClosed("The run is stopping; nothing more is sent to Cloudcraft.")
    if deadline is not None and opening > deadline:
        raise PaceClosed("The time budget ends before Cloudcraft's rate limit allows it.")


class _Slot:
    """One request's place in the ledger, in a caller's hand."""

    def __init__(self, keeper: PaceKeeper, use: Use) -> None:
        self._keeper = keeper
        self._use = use
        self._sent = self._given_back = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._sent:
            self.unused()
        elif self._end():
            self._keeper.record(lambda ledger, now: ledger.unanswered(self._use, now))

    def sent(self) -> None:
        """From here on the server may count the request."""
        self._sent = True

    def arrived(self, at: float) -> None:
        """The server had the request `at` this time at the latest, by the pace's own clock."""
        if not self._given_back:
            self._keeper.record(lambda ledger, _: ledger.arrived(self._use, at))

    def answered(self) -> None:
        """The request was let through by the server's rate limit."""
        if self._end():
            self._keeper.record(lambda ledger, now: ledger.answered(self._use, now))

    def unused(self) -> None:
        """No request reached the server, or it was turned away uncounted."""
        if self._end():
            self._keeper.record(lambda ledger, _: ledger.unused(self._use))

    def throttled(self, retry_after: float | None) -> int:
        """The answer was a 429: everybody waits; how many pauses in a row have begun."""
        return self._keeper.throttled(self._use, retry_after).in_a_row if self._end() else 0

    def _end(self) -> bool:
        """Whether this is the first word."""
        first, self._given_back = not self._given_back, True
        return first
