"""What every part of the core knows: accounts, requests, results, the stop, and the time."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from cloudcraft_onboard.engine.messages import End, Method, Order, Request, Send, Stop, Tell
from cloudcraft_onboard.engine.ports import PaceView
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.tracks import Policy, Track
from cloudcraft_onboard.errors import Refused
from cloudcraft_onboard.events import AccountFinished, Event
from cloudcraft_onboard.model import Note, Outcome, Result
from cloudcraft_onboard.plan.registration import Listing

GRACE_SECONDS = 2.2
"""After an interrupt, what is in flight gets this long."""
LAST_LOOK_SECONDS = 1.0
"""What comes after it: the last look. With the reports the program ends within 5 seconds."""
CLOSING_SECONDS = 1.0
"""Between the last answer and the end of a time budget: the verifying read's answer."""
NO_TIME = "No time was left to check."
"""Why a list was not read."""

_MOST_IN_FLIGHT = 64  # more would only queue up at the server


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What bounds a run: accounts at a time, retries of one request, failures, the time.

    `deadline` is when nothing may be in flight any more, None for never.
    """

    concurrency: int = 64
    retries: int = 5
    max_failures: int | None = None
    deadline: float | None = None

    def more_at_a_time(self, more: int) -> Limits:
        """The same with more workers."""
        return replace(self, concurrency=self.concurrency + more)


class Phase(Enum):
    """Where a run is."""

    WORKING = 1
    VERIFYING = 2
    DONE = 3


class Core:
    """The state of a run and its elementary steps; only `Requests` is of use by itself.

    `orders` of a step are gathered until it ends. Whoever ends an account does it here.
    """

    def __init__(
        self, policy: Policy[Any], results: Results, *, pace: PaceView, limits: Limits
    ) -> None:
        self.stop: Stop | None = None
        self.wake_at: float | None = None
        self.results = results
        self._policy = policy
        self._pace = pace
        self._limits = limits
        self._deadline = math.inf if limits.deadline is None else limits.deadline
        self._orders: list[Order] = []
        self._phase = Phase.WORKING
        self._stopped_at = 0.0
        self._tracks: dict[str, Track] = {}
        self._queue: list[tuple[float, int, Track]] = []
        self._numbers = itertools.count(1)
        self._in_flight: dict[int, Track] = {}
        self._doubtful: list[Track] = []
        self._look_at: float | None = None
        self._reading: int | None = None
        self._listing: Listing | None = None
        self._waiting_for_slot = False
        self._most_in_flight = _MOST_IN_FLIGHT
        self._slowest = 0.0
        self._accepted = 0
        self._forbidden: list[tuple[Track, Refused]] = []
        self._unverified: dict[str, Track] = {}
        self._reread_at: float | None = None
        self._was_reread = False
        self._healing: dict[int, tuple[Track, str]] = {}
        self._forecast_told = False

    @property
    def done(self) -> bool:
        """Whether every account has its result and nothing is to come."""
        return self._phase is Phase.DONE

    @property
    def note(self) -> Note:
        """What an account without a result waits for."""
        return (self.stop or Stop.BUDGET).note

    # --- stops and time ---------------------------------------------------------------------------

    def _note_stop(self, kind: Stop, now: float) -> bool:
        """The first reason counts, but an interrupt outranks it."""
        if self.stop is kind or (self.stop is not None and kind is not Stop.INTERRUPTED):
            return False
        self.stop = kind
        self._stopped_at = now
        return True

    def _end(self, kind: Stop, now: float, reason: str = "") -> None:
        if self._note_stop(kind, now):
            self._orders.append(End(kind=kind, reason=reason or kind.value))

    @property
    def _latest(self) -> float:
        """When a request must be sent at the latest for its answer to come within the budget."""
        return self._deadline - self._slowest - CLOSING_SECONDS

    def _patience_ends(self, *, last: bool = False) -> float:
        """Until when what is in flight is waited for; `last`: nothing is waited for after it."""
        grace = GRACE_SECONDS + (LAST_LOOK_SECONDS if last else 0.0)
        interrupted = self._stopped_at + grace if self.stop is Stop.INTERRUPTED else math.inf
        return min(interrupted, self._deadline - (0.0 if last else CLOSING_SECONDS))

    def _wake(self, at: float) -> None:
        if at != math.inf:
            self.wake_at = at if self.wake_at is None else min(self.wake_at, at)

    # --- an account's next request, and its end ---------------------------------------------------

    def _put(self, track: Track, when: float) -> None:
        heapq.heappush(self._queue, (when, next(self._numbers), track))

    def _send_list(self) -> None:
        request = Request(number=next(self._numbers), method=Method.GET)
        self._reading = request.number
        self._orders.append(Send(request=request))

    def _finish(self, result: Result, now: float) -> None:
        if not self.results.finish(result):
            return
        self._tell(AccountFinished(result=result))
        most, failures = self._limits.max_failures, self.results.failures
        if result.outcome is Outcome.FAILED and most is not None and failures >= most:
            self._end(Stop.FAILURES, now, f"{failures} accounts failed (--max-failures)")

    def _fail(self, track: Track, error: Refused, now: float) -> None:
        problem = self._policy.problem(track, error)
        self._finish(self._policy.result(track, Outcome.FAILED).failed(problem), now)

    def _pend(self, track: Track, note: Note, now: float) -> None:
        self._finish(self._policy.result(track, Outcome.PENDING, note), now)

    def _note(self, track: Track) -> None:
        self.results.note(self._policy.result(track, Outcome.PENDING, track.waits_for))

    def _tell(self, event: Event) -> None:
        self._orders.append(Tell(event=event))
