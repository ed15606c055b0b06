"""As fast as Cloudcraft's rate limit allows, and never faster.

The rule: request n + limit is sent no earlier than one window after the *answer* to request n
arrived. The server counted request n at some moment before its answer, and counts the later one
after it is sent; so no window, wherever it begins, holds more than `limit` requests: safe under
fixed windows, sliding windows and token buckets alike. `Ledger` is that rule, without clock or
threads; `PaceKeeper` makes threads wait for it.
"""

from __future__ import annotations

import math
import threading
import time
from bisect import insort
from collections import deque
from collections.abc import Callable
from typing import Protocol

from cloudcraft_onboard.cloudcraft.headers import Declared
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.events import Event, PaceWaited, Throttled

NEVER = -math.inf

SLEW = 0.001
"""Two clocks, this one and the server's, may each be slewed by NTP by at most 500 ppm."""
GRAIN = 0.005 + time.get_clock_info("monotonic").resolution
"""Clocks tick: a server's often in whole milliseconds, this one's every 15.6 ms on Windows."""

ANNOUNCED_FROM = 0.5
"""Shorter waits are not worth an event."""


class Slot(Protocol):
    """The right to send one request now; given back exactly once (the first word counts)."""

    def answered(self) -> None:
        """The request was, or may have been, counted by the server."""

    def unused(self) -> None:
        """No request reached the server, or it was turned away uncounted."""


class Ledger:
    """The rule as arithmetic: `limit` tokens, each somewhere between its answer and its next use.

    A token in flight is nowhere. Times are seconds of any one clock that never goes back.
    """

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self.window = window
        self.in_flight = 0
        self._configured = (limit, window)
        self._distrusted = False
        self._resting = [NEVER] * limit  # when each token's last answer came, sorted
        self._paused_until = NEVER

    @property
    def span(self) -> float:
        """From an answer to the next use of its token: the window and what clocks may differ."""
        return self.window * (1 + SLEW) + GRAIN

    @property
    def all_in_flight(self) -> bool:
        """Whether no token rests, so that the next opening hangs on an answer."""
        return not self._resting

    def opening(self, now: float, position: int = 0) -> float:
        """When the next request may start, `position` others going first; `now` or later.

        Where that hangs on requests in flight, they are taken to be answered now.
        """
        resting = len(self._resting)
        cycle, index = divmod(position, resting + self.in_flight)
        answer = self._resting[index] if index < resting else now
        return max(answer + self.span, self._paused_until, now) + cycle * self.span

    def ready(self, now: float) -> bool:
        """Whether a request may start now."""
        return not self.all_in_flight and self.opening(now) <= now

    def free_by(self, now: float, when: float) -> int:
        """How many requests the tokens not in flight can start in `now`..`when`."""
        count = 0
        for answer in self._resting:
            first = max(answer + self.span, self._paused_until, now)
            if first <= when:
                count += 1 + int((when - first) / self.span)
        return count

    def take(self) -> float:
        """Take the token that rested longest; what is returned goes back to `unused`."""
        self.in_flight += 1
        return self._resting.pop(0)

    def answered(self, now: float) -> None:
        """A request was answered: its token rests for a window."""
        self._put_back(now)

    def unused(self, token: float) -> None:
        """A request was not counted: its token is what it was."""
        self._put_back(token)

    def pause(self, until: float) -> None:
        """Nobody sends before `until`."""
        self._paused_until = max(self._paused_until, until)

    def distrust(self) -> None:
        """After a 429: never again a faster pace than the configured one, whatever is declared.

        The limit that was declared may be a proxy's own, with Cloudcraft's behind it.
        """
        self._distrusted = True
        if self._faster(self.limit, self.window):
            self._resize(*self._configured)

    def follow(self, declared: Declared, now: float) -> None:
        """Do as the server says, in both directions."""
        sure = declared.remaining is not None and declared.reset is not None
        if declared.limit is not None:
            window = declared.window or self._window_of(declared)
            faster = self._faster(declared.limit, window)
            # A limit whose window is a guess raises the pace only with its `remaining` as a check.
            if not faster or (not self._distrusted and (declared.window or sure)):
                self._resize(declared.limit, window)
        if declared.remaining is not None and declared.reset is not None:
            if declared.remaining == 0:
                self.pause(now + declared.reset)
            self._keep_until(declared.remaining, now + declared.reset)

    def _put_back(self, token: float) -> None:
        self.in_flight -= 1
        insort(self._resting, token)
        self._shrink()

    def _faster(self, limit: int, window: float) -> bool:
        configured, seconds = self._configured
        return limit > configured or window < seconds

    def _window_of(self, declared: Declared) -> float:
        """The window of a limit declared without one: ours, unless its reset is further off."""
        reset = declared.reset or 0.0
        return reset if reset > self.window + 1 else self.window  # whole seconds are rounded up

    def _resize(self, limit: int, window: float) -> None:
        if limit > self.limit:
            self._resting = [NEVER] * (limit - self.limit) + self._resting
        self.limit, self.window = limit, window
        self._shrink()

    def _shrink(self) -> None:
        """Drop surplus tokens, the longest rested first: the last `limit` requests bind."""
        surplus = min(len(self._resting) + self.in_flight - self.limit, len(self._resting))
        if surplus > 0:
            del self._resting[:surplus]

    def _keep_until(self, remaining: int, until: float) -> None:
        """Let at most `remaining` tokens be used before `until`: others share the quota."""
        earliest = until - self.span
        kept, rest = self._resting[:remaining], self._resting[remaining:]
        self._resting = sorted([*kept, *(max(token, earliest) for token in rest)])


class PaceKeeper:
    """Makes threads wait for their turn, first come, first served. Safe to share."""

    def __init__(
        self,
        limit: int,
        window: float,
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = Ledger(limit, window)
        self._emit = emit
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._announced_until = NEVER
        self._pause_ends = NEVER
        self._pauses_in_a_row = 0

    @property
    def limit(self) -> int:
        """Requests allowed per window, as configured or as the server declared."""
        return self._ledger.limit

    @property
    def window(self) -> float:
        """The window's length in seconds."""
        return self._ledger.window

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
                        return _Slot(self, self._ledger.take())
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

    def pause(self, seconds: float | None) -> int:
        """A request got a 429: everybody waits.

        `seconds` is what the server asked for, None for nothing: one window. Returns how many
        pauses in a row have begun since a request was last answered otherwise; a 429 that comes
        during a pause was under way before and belongs to it.
        """
        with self._changed:
            now = self._clock()
            self._ledger.distrust()
            if now >= self._pause_ends:
                self._pauses_in_a_row += 1
                seconds = self._grown(seconds)
                self._announced_until = now + seconds
                self._emit(Throttled(seconds=seconds))
            elif seconds is None:
                seconds = 0.0
            self._pause_ends = max(self._pause_ends, now + seconds)
            self._ledger.pause(self._pause_ends)
            self._changed.notify_all()
            return self._pauses_in_a_row

    def follow(self, declared: Declared) -> None:
        """Do as the server says about its limit."""
        with self._changed:
            self._ledger.follow(declared, self._clock())
            self._changed.notify_all()

    def give_back(self, token: float | None) -> None:
        """A slot's end: its token where it was not used, None where it was."""
        with self._changed:
            if token is None:
                self._pauses_in_a_row = 0
                self._ledger.answered(self._clock())
            else:
                self._ledger.unused(token)
            self._changed.notify_all()

    def _wait(self, now: float, opening: float) -> float | None:
        """How long whoever goes first may sleep; announces the wait where nobody has yet."""
        if self._ledger.all_in_flight:
            return None  # an answer wakes us, and tells the time
        wait = opening - now
        if wait > ANNOUNCED_FROM and opening > self._announced_until + ANNOUNCED_FROM:
            self._announced_until = opening
            slots = self._ledger.free_by(now, opening + self._ledger.window / 10)
            self._emit(PaceWaited(seconds=wait, slots=slots, waiting=len(self._queue)))
        return wait

    def _grown(self, seconds: float | None) -> float:
        """A pause that did not help is followed by one twice as long, up to a window."""
        window = self._ledger.span
        if seconds is None:
            return window
        return max(seconds, min(seconds * 2.0 ** (self._pauses_in_a_row - 1), window))


def _check_worth_waiting(
    opening: float, deadline: float | None, cancel: threading.Event | None
) -> None:
    if cancel is not None and cancel.is_set():
        raise PaceClosed("the run is stopping; nothing more is sent to Cloudcraft")
    if deadline is not None and opening > deadline:
        raise PaceClosed("the time budget ends before Cloudcraft's rate limit allows it")


class _Slot:
    """One token in a caller's hand."""

    def __init__(self, keeper: PaceKeeper, token: float) -> None:
        self._keeper = keeper
        self._token = token
        self._given_back = False

    def answered(self) -> None:
        """The request was, or may have been, counted by the server."""
        self._end(None)

    def unused(self) -> None:
        """No request reached the server, or it was turned away uncounted."""
        self._end(self._token)

    def _end(self, token: float | None) -> None:
        if not self._given_back:
            self._given_back = True
            self._keeper.give_back(token)
