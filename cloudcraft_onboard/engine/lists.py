"""When the list of all registrations is read: once for all doubts, and as the last word.

What a list means for an account is decided in `machine` and by its track.
"""

from __future__ import annotations

import math
from typing import Generic

from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import ListRead, T
from cloudcraft_onboard.engine.outgoing import Outgoing
from cloudcraft_onboard.engine.tracks import Track
from cloudcraft_onboard.plan.registration import Listing

REREAD_SECONDS = 2.0
"""Nothing is documented about how soon a new registration is listed."""
FRESH_SECONDS = 110.0
"""A PUT is decided, and sent, on a list that is two minutes old at most when it arrives."""

_MOST_IN_VAIN = 2  # lists in a row that were old before anything was sent
_DOUBT_SECONDS = 1.0  # a doubtful request gets this long to be processed; doubled each round
_LONGEST_DOUBT_SECONDS = 30.0


class Lists(Generic[T]):
    """The doubts that wait for a list, and the last list, which is read twice at most.

    `again_at` is when the last list is read again.
    """

    def __init__(
        self, agenda: Agenda[T], outgoing: Outgoing[T], control: Control, known: Listing | None
    ) -> None:
        self.doubts: list[Track] = []
        self.again_at: float | None = None
        self.was_read_again = False
        self._agenda = agenda
        self._outgoing = outgoing
        self._control = control
        self._listing = known
        self._in_vain = 0  # so many lists in a row after which nothing was sent
        self._look_at: float | None = None

    @property
    def newest(self) -> Listing | None:
        """The last list that was read here, if nothing was sent since."""
        return self._listing if self._outgoing.read else None

    def fresh(self, now: float) -> Listing | None:
        """The last list, if it is young enough to overwrite what it shows."""
        return self._listing if now <= self.fresh_until else None

    @property
    def fresh_until(self) -> float:
        """Until when what the last list shows may be overwritten.

        A pace so slow that no list is ever young at the next request must not go round for ever:
        then a list is good for one request, the next one.
        """
        if self._listing is None:
            return -math.inf
        if self._in_vain >= _MOST_IN_VAIN and self._outgoing.read:
            return math.inf
        return self._listing.asked_at + FRESH_SECONDS

    def take(self, message: ListRead) -> None:
        """A list came, or did not."""
        self._outgoing.reading = None
        self._listing = None if message.reading is None else Listing.of_reading(message.reading)

    def take_doubts(self) -> list[Track]:
        """Those that wait for a list; they don't any more."""
        doubts, self.doubts = self.doubts, []
        return doubts

    def look(self, now: float) -> None:
        """Let doubtful requests be processed, then read the list once for all of them."""
        if self._look_at is None:
            rounds = min(track.rounds for track in self.doubts)
            wait = min(_DOUBT_SECONDS * 2**rounds, _LONGEST_DOUBT_SECONDS)
            self._look_at = min(now + wait, max(now, self._control.patience_ends()))
        if now < self._look_at:
            self._agenda.wake(self._look_at)
            return
        self._look_at = None
        self._in_vain = self._in_vain + 1 if self._outgoing.read else 0
        self._outgoing.read_list()

    def read_again(self, now: float) -> None:
        """Read the last list again, a little later."""
        self.again_at = now + REREAD_SECONDS

    def is_again_due(self, now: float) -> bool:
        """Whether it is to be read again; if so, it is read."""
        if self.again_at is None:
            return False
        if now < self.again_at:
            self._agenda.wake(self.again_at)
            return True
        self.again_at = None
        self.was_read_again = True
        self._outgoing.read_list()
        return True
