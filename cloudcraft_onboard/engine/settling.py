"""How old a new role must be before Cloudcraft is asked to check it. Pure.

IAM is eventually consistent, "usually some 10 s". Unless an age is given, it is found out: the
oldest role is tried alone after 3 s, what Cloudcraft accepts is believed for the others, and a
refusal raises it. Tries before 10 s are refused three times a run at most: so many are out at once.
"""

from __future__ import annotations

import heapq
import itertools

from cloudcraft_onboard.engine.tracks import Track

LONGEST = 10.0
"""A role of this age is asked for like any other."""
_TRIED = (3.0, 5.0, 7.5, LONGEST)  # seconds, one after the other as they are refused


class Settling:
    """The accounts whose roles are new; `pinned` is the age that was given, None: found out."""

    def __init__(self, pinned: float | None) -> None:
        self.longest = LONGEST if pinned is None else pinned
        self._ages: tuple[float, ...] = _TRIED if pinned is None else (pinned,)
        self._refused = 0
        self._accepted = False
        self._waiting: list[tuple[float, int, Track]] = []  # by when their roles were made
        self._numbers = itertools.count()
        self._out: dict[str, float] = {}  # tries without an answer: the age at which they were made

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def age(self) -> float:
        """What is believed."""
        return self._ages[0]

    def is_new(self, track: Track, now: float) -> bool:
        """Whether the account's role is to be waited for."""
        return track.made_at is not None and now < track.made_at + self.longest

    def ready_at(self, track: Track, now: float) -> float:
        """When the account's request may be sent, as far as known."""
        return now if track.made_at is None else max(now, track.made_at + self.age)

    def put(self, track: Track) -> None:
        """An account whose role is new."""
        heapq.heappush(self._waiting, (track.made_at or 0.0, next(self._numbers), track))

    @property
    def first_at(self) -> float | None:
        """When the oldest one may be asked for, as far as known."""
        if not self._waiting:
            return None
        return self._waiting[0][0] + (self.age if self._room else self.longest)

    def pop(self, now: float) -> Track | None:
        """The oldest one, if it may be asked for now."""
        if self.first_at is None or self.first_at > now:
            return None
        made_at, _, track = heapq.heappop(self._waiting)
        if now - made_at < self.longest:
            self._out[track.name] = now - made_at
        return track

    def accepted(self, track: Track) -> None:
        """Cloudcraft could assume its role."""
        self._accepted |= self._out.pop(track.name, None) is not None

    def refused(self, track: Track) -> bool:
        """Cloudcraft could not; whether that was a try, after which the next one comes later."""
        age = self._out.pop(track.name, None)
        if age is None:
            return False
        self._refused += 1
        later = tuple(each for each in self._ages if each > age)
        self._ages = later if self._refused < len(_TRIED) - 1 else (self.longest,)
        return True

    def unheard(self, track: Track) -> None:
        """Nothing was learned by it."""
        self._out.pop(track.name, None)

    @property
    def _room(self) -> bool:
        """Whether one more may be tried: alone until one was accepted."""
        left = len(_TRIED) - 1 - self._refused
        return len(self._out) < (left if self._accepted else min(1, left)) or len(self._ages) == 1
