"""Requests on their way: which account waits for its turn, and whose request has no answer yet."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic

from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.messages import Method, ReadList, Send, T, WaitForSlot, Write
from cloudcraft_onboard.engine.settling import Settling
from cloudcraft_onboard.engine.tracks import Track
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.model import Action, Slot

_MOST_IN_FLIGHT = 64  # more would only queue up at the server
_STEPS = {
    Method.POST: Action.REGISTER.word,
    Method.PUT: Action.UPDATE_REGISTRATION.word,
    Method.DELETE: Action.DELETE_REGISTRATION.word,
}


class Outgoing(Generic[T]):
    """The queue, one wait for a slot at a time, and what is in flight.

    `reading` is the number of the list that is being read. `read`: nothing was sent since.
    """

    def __init__(self, agenda: Agenda[T], settle: float | None) -> None:
        self.settling = Settling(settle)
        self.in_flight: dict[int, Track] = {}
        self.reading: int | None = None
        self.waiting = False
        self.read = False
        self._agenda = agenda
        self._queue: list[tuple[float, int, Track]] = []
        self._numbers = itertools.count(1)
        self._most = _MOST_IN_FLIGHT

    def __len__(self) -> int:
        return len(self._queue) + len(self.settling)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing is under way."""
        return not (len(self) or self.under_way)

    @property
    def under_way(self) -> bool:
        """Whether an answer is to come."""
        return bool(self.in_flight or self.reading)

    @property
    def first_at(self) -> float | None:
        """When the first of the queue may be sent."""
        new = self.settling.first_at
        if not self._queue:
            return new
        first = self._queue[0][0]
        return first if new is None else min(first, new)

    @property
    def full(self) -> bool:
        """Whether no more may be in flight."""
        return len(self.in_flight) >= self._most

    def number(self) -> int:
        """A number that no request has yet."""
        return next(self._numbers)

    def put(self, track: Track, now: float, wait: float = 0.0) -> None:
        """The account's next request may be sent after so many seconds.

        If its role is new, that is up to `settling`.
        """
        if self.settling.is_new(track, now + wait):
            self.settling.put(track)
        else:
            heapq.heappush(self._queue, (now + wait, self.number(), track))

    def pop(self, now: float) -> Track | None:
        """The account whose turn it is, if there is one."""
        if not self._queue or self._queue[0][0] > now:
            return self.settling.pop(now)
        return heapq.heappop(self._queue)[2]

    def wait_for_slot(self) -> None:
        """Have the pace asked, once."""
        self.waiting = True
        self._agenda.order(WaitForSlot())

    def send(self, request: Write, track: Track, slot: Slot) -> None:
        """The account's request goes out."""
        self.read = False
        self.in_flight[request.number] = track
        self._agenda.tell(StepStarted(name=track.name, step=_STEPS[request.method]))
        self._agenda.order(Send(request=request, slot=slot))

    def read_list(self) -> None:
        """Read the list of all registrations."""
        self.reading = self.number()
        self.read = True
        self._agenda.order(Send(request=ReadList(number=self.reading)))

    def leave_list(self) -> None:
        """Nobody waits any more for the list that is being read: none is the last one, then."""
        self.reading = None
        self.read = False

    def abandon(self) -> list[Track]:
        """Nobody waits any more for the answers to these accounts' requests."""
        tracks = list(self.in_flight.values())
        self.in_flight.clear()
        return tracks

    def fewer(self) -> None:
        """The system gives fewer threads than the pace allows: so many it is, then."""
        self._most = max(1, len(self.in_flight) - 1)
