"""The rule of the pace as arithmetic: which request may be sent when, under which limit.

No clock, no threads, no I/O: every method is told the time, in seconds of any one clock that never
goes back. `pace.PaceKeeper` makes threads wait for it; tests and simulations drive it directly.

**The rule.** Under a limit of n requests per w seconds, a request is sent only while fewer than n
of the earlier ones are either still on their way or arrived less than one span ago. The span is w
and what two clocks may differ by in it.

**The proof.** Take any n + 1 requests that were counted, and of them the one that was sent last, at
t. Of the other n at least one had arrived by t - span (else it would not have been sent), and the
last one arrives at t or later. So no n + 1 requests arrive within w: no window, wherever it begins,
holds more than n, which is safe under fixed windows, sliding windows and token buckets alike.
It needs no more of a request than a moment by which it was counted: its answer is one, and its
arrival and the `lag` of a server is usually an earlier one. A server that counts later than
that costs a 429.

**Which limit.** Of several that may hold, the fastest is believed until a 429 proves the next
slower one (n' per w'). What obeys the slower one as well is sent as ever. A request beyond it is a
trial, and of trials only a few, `MOST_TRIALS`, may be out unheard: at first one, then one more for
each that was let through. A trial is heard when it is answered, or when silence tells that it was
let through: a 429 needs no work, so its way back takes no longer than the way there may have taken.
More than 2n' requests sent and let through within w' are beyond what any kind of window would let
pass under the slower limit (a bucket n' and what it refills; fixed windows n' on each side of an
edge): from there on the fast limit is sure. A request without an answer is no evidence of that.

**What that costs.** Under the slower limit only trials get 429s: the others obey it. Unheard at the
first 429 are `MOST_TRIALS` at most, and none is sent until the pause is over. After it one fewer
may be out unheard, and a second pause proves the slower limit: 3 + 2 = 5 429s in all. (Requests so
rare that the second pause comes more than w' after the first, and so on, may get 2 at each.)
"""

from __future__ import annotations

import math
import time
from bisect import bisect, bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import RateLimit

NEVER = -math.inf

SLEW = 0.001
"""Two clocks, this one and the server's, may each be slewed by NTP by at most 500 ppm."""
GRAIN = 0.005 + time.get_clock_info("monotonic").resolution
"""Clocks tick: a server's often in whole milliseconds, this one's every 15.6 ms on Windows."""

LAG, LEAST_LAG = 0.015, 0.1
"""So much of a window, and so many seconds at least, until a server counts what has arrived."""

MOST_LATENESS = 4.0
"""So many lags at most, after pauses: a server under load counts late, and that costs pauses."""

MOST_TRIALS = 3
"""So many trials out unheard at most; after a pause one fewer."""
SILENCE = 0.02
"""After so much of a window at least without a 429 a request counts as let through."""


@dataclass(eq=False, slots=True)
class Use:
    """One request in the ledger, from `take` until it is answered, unused or throttled.

    `arrived` is by when the server has counted it, None while nothing tells; `heard` is from
    when silence tells that it was let through.
    """

    taken: float
    trial: bool
    arrived: float | None = None
    heard: float = math.inf


@frozen
class Pause:
    """What a 429 led to.

    Attributes:
        seconds: how long nobody sends from now on; None where the 429 belongs to a pause that has
            begun before.
        in_a_row: how many pauses began since a request was last let through.
    """

    seconds: float | None
    in_a_row: int


class Ledger:
    """Which request may be sent when. `limits` are those that may hold, fastest first."""

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self._limits = tuple(limits)
        self._sure = len(self._limits) == 1
        self._in_flight: list[Use] = []
        self._counted: list[float] = []  # by when each request had arrived, sorted
        self._passed = 0  # trials answered since the last 429
        most = max(limit.requests for limit in self._limits)
        self._let_through = deque[float](maxlen=2 * most + 1)  # when those answered were taken
        self._paused_until = NEVER
        self._pause_began = NEVER
        self._paused_under = self._limits[0]
        self._pauses_in_a_row = 0
        self._pauses = 0
        self._lateness = 1.0  # so many lags until a server has counted

    # --- what holds -------------------------------------------------------------------------

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        """Those that may still hold, the believed one first; one where it is known."""
        return self._limits[:1] if self._sure else self._limits

    @property
    def limit(self) -> RateLimit:
        """The limit to reckon with now."""
        return self._limits[0]

    @property
    def in_flight(self) -> int:
        """How many requests were taken and are not answered yet."""
        return len(self._in_flight)

    # --- when the next request may go -------------------------------------------------------

    def ready(self, now: float) -> bool:
        """Whether a request may be sent now."""
        return self.next_at(now) <= now

    def next_at(self, now: float) -> float:
        """When the next request may be sent; infinite while that hangs on those on their way."""
        return self._next(now, math.inf)

    def opening(self, now: float, position: int = 0) -> float:
        """When the next request may start, `position` others going first; `now` or later.

        Where that hangs on requests on their way, they are taken to have arrived now.
        """
        return self._next(now, now, position)

    def free_by(self, now: float, when: float) -> int:
        """How many requests can start in `now`..`when`, those on their way not counted."""
        limit = self.limit
        resting = max(limit.requests - self._on_their_way, 0)
        last = self._counted[-resting:] if resting else []
        firsts = [arrived + span(limit) for arrived in last]
        fresh = resting - len(last)  # never used
        count = 0
        for first, times in [(NEVER, fresh), *((first, 1) for first in firsts)]:
            start = max(first, self._paused_until, now)
            if start <= when:
                count += times * (1 + int((when - start) / span(limit)))
        return count

    # --- what becomes of a request ----------------------------------------------------------

    def take(self, now: float) -> Use:
        """A request is sent now; it is given back by exactly one of the methods below."""
        self._sure = self._certain(now)
        use = Use(taken=now, trial=self._is_trial(now))
        self._in_flight.append(use)
        return use

    def arrived(self, use: Use, at: float) -> None:
        """By then the server had it, `at` now or later: it rests from there on."""
        if use.arrived is None and use in self._in_flight:
            use.arrived = at + self._lateness * lag(self._limits[0])
            use.heard = use.arrived + max(self._silence, at - use.taken)
            insort(self._counted, use.arrived)

    def answered(self, use: Use, now: float) -> None:
        """A request was let through: it rests from now at the latest."""
        self.unanswered(use, now)
        self._passed += use.trial and use.taken >= self._pause_began
        self._let_through.append(use.taken)
        self._pauses_in_a_row = 0
        self._sure = self._certain(now)

    def unanswered(self, use: Use, now: float) -> None:
        """A request may have been counted by the server, and nothing tells any more."""
        self._in_flight.remove(use)
        if use.arrived is None or use.arrived > now:
            self._uncount(use)
            insort(self._counted, now)
        self._prune()

    def unused(self, use: Use) -> None:
        """A request never reached the server, or was turned away uncounted."""
        self._in_flight.remove(use)
        self._uncount(use)

    def throttled(self, use: Use, retry_after: float | None, now: float) -> Pause:
        """A 429: everybody waits, as long as the server asked for; None where it did not say.

        Where a slower limit may hold, it is proven by a wait that is longer than the believed
        limit's window, by none at all, and by a second pause within one window of the slower one.
        A 429 that comes during a pause was under way before and belongs to it.
        """
        self.unused(use)
        self._passed = 0
        under = self._limits[0]
        fresh = use.taken >= self._paused_until
        learned = self._learn(use, retry_after, fresh=fresh)
        seconds = None
        if fresh:
            self._pauses_in_a_row += 1
            self._pause_began, self._paused_under = now, under
            self._pauses += 1
            if self._pauses > 1:  # once, it was somebody else; again, it may count late
                self._lateness = min(2.0 * self._lateness, MOST_LATENESS)
        if fresh or learned:
            seconds = self._length(retry_after, under)
        self.pause(now + (retry_after or 0.0 if seconds is None else seconds))
        return Pause(seconds=seconds, in_a_row=self._pauses_in_a_row)

    def pause(self, until: float) -> None:
        """Nobody sends before `until`."""
        self._paused_until = max(self._paused_until, until)

    # --- what is kept to --------------------------------------------------------------------

    @property
    def _on_their_way(self) -> int:
        return sum(use.arrived is None for use in self._in_flight)

    def _next(self, now: float, unknown: float, position: int = 0) -> float:
        """When all there is lets the next one go; those on their way arrive at `unknown`."""
        trial = NEVER if position else self._trial_opening(now, unknown)
        regular = self._opening(self.limit, now, unknown, position)
        return max(now, self._paused_until, trial, regular)

    def _opening(self, limit: RateLimit, now: float, unknown: float, position: int = 0) -> float:
        """When this limit lets the next one go; see `_next`."""
        cycle, index = divmod(position, limit.requests)
        place = len(self._counted) - (limit.requests - self._on_their_way) + index
        if place >= len(self._counted):
            arrived = unknown
        else:
            arrived = self._counted[place] if place >= 0 else NEVER
        return max(arrived + span(limit), now) + cycle * span(limit)

    def _uncount(self, use: Use) -> None:
        if use.arrived is not None:
            del self._counted[bisect_left(self._counted, use.arrived)]

    def _prune(self) -> None:
        """Forget what no rule asks for any more, even if all in flight turn out uncounted."""
        kept = max(limit.requests for limit in self._limits)
        surplus = len(self._counted) - kept - len(self._in_flight)
        if surplus > 0:
            del self._counted[:surplus]

    # --- finding out ------------------------------------------------------------------------

    def _is_trial(self, now: float) -> bool:
        return not self._certain(now) and self._opening(self._limits[1], now, math.inf) > now

    @property
    def _silence(self) -> float:
        return SILENCE * self._limits[0].seconds

    def _trial_opening(self, now: float, unknown: float) -> float:
        """When the next request may go as far as trials are concerned; see `_next`."""
        if not self._is_trial(now):
            return NEVER
        trials = [use for use in self._in_flight if use.trial and use.taken >= self._pause_began]
        heard = sorted(min(use.heard, unknown + self._silence) for use in trials)
        unheard = heard[bisect(heard, now) :]
        most = MOST_TRIALS - bool(self._pauses)
        room = min(1 + self._passed + len(trials) - len(unheard), most)
        if len(unheard) < room:
            return NEVER
        regular = self._opening(self._limits[1], now, math.inf)
        return min(unheard[len(unheard) - room], regular)

    def _certain(self, now: float) -> bool:
        """Whether more was let through than the slower limit could."""
        if self._sure:
            return True
        slower = self._limits[1]
        heard = [use.taken for use in self._in_flight if use.heard <= now]
        recent = sum(taken > now - slower.seconds for taken in (*self._let_through, *heard))
        return recent > 2 * slower.requests

    def _learn(self, use: Use, retry_after: float | None, *, fresh: bool) -> bool:
        """Whether this 429 proves a slower limit, which is then believed."""
        before = self._limits
        if len(before) > 1:
            if retry_after is None:
                proven = fresh or self._paused_under == before[0]
            else:
                again = fresh and use.taken <= self._paused_until + before[1].seconds
                proven = again or _longer(retry_after, before[0])
            self._limits = before[1:] if proven else before
        while retry_after and len(self._limits) > 1 and _longer(retry_after, self._limits[0]):
            self._limits = self._limits[1:]
        if self._limits != before:
            self._sure = len(self._limits) == 1
        return self._limits != before

    def _length(self, retry_after: float | None, under: RateLimit) -> float:
        """How long a pause lasts that began `under` this limit.

        A wait that is shorter than the window may tell when one more passes, not all: while a
        slower limit may hold, where the next pause proves it, a whole window goes by.
        """
        if retry_after is None:
            return span(self._limits[-1])
        window = span(self._limits[0])
        if under != self._limits[-1] and not _longer(retry_after, under):
            return max(retry_after, window)
        # A pause that did not help is followed by one twice as long, up to a window.
        return max(retry_after, min(retry_after * 2.0 ** (self._pauses_in_a_row - 1), window))


def span(limit: RateLimit) -> float:
    """From an arrival until it is outside every window: the window and what clocks may differ."""
    return limit.seconds * (1 + SLEW) + GRAIN


def lag(limit: RateLimit) -> float:
    """How long after a request's arrival it is counted at the latest."""
    return max(LAG * limit.seconds, LEAST_LAG)


def _longer(retry_after: float, limit: RateLimit) -> bool:
    """Whether a wait is longer than the limit's window; servers round up to whole seconds."""
    return retry_after > math.ceil(limit.seconds)
