"""The simulation finds bugs: each of these is caught within 500 worlds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from cloudcraft_onboard.engine.messages import GiveBack, Message, Order
from cloudcraft_onboard.engine.register import Register, Registering
from cloudcraft_onboard.engine.requests import Requests
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.model import Outcome
from cloudcraft_onboard.plan.registration import Listing
from tests.simulation.story import Parts, attempt

WORLDS = 500


class Blind(Requests):
    """Sends a doubtful request again without looking."""

    def _doubt(self, track: Track, why: str) -> None:
        track.rounds += 1
        if track.rounds > 2:
            super()._doubt(track, why)
        else:
            self._put(track, 0.0)


class Unverified(Requests):
    """Takes an answered request for done."""

    def _go_on(self, track: Track, now: float) -> None:
        super()._go_on(track, now)
        if self._unverified.pop(track.name, None):
            self._finish(self._policy.result(track, Outcome.CREATED), now)


class Greedy(Register):
    """Deletes the other run's duplicate, too."""

    def judge(self, track: Registering, listing: Listing) -> Judgment | None:
        judgment = super().judge(track, listing)
        newer = listing.of(track.ready.spec.account_id)[1:]
        return judgment and replace(judgment, duplicates=newer)


class Careless(Register):
    """Leaves its own duplicate where it is."""

    def judge(self, track: Registering, listing: Listing) -> Judgment | None:
        judgment = super().judge(track, listing)
        return judgment and replace(judgment, duplicates=())


class Hoarder(Requests):
    """Keeps a slot that nobody is ready for."""

    def step(self, message: Message, now: float) -> list[Order]:
        return [each for each in super().step(message, now) if not isinstance(each, GiveBack)]


class Sleeper(Requests):
    """Forgets when to wake."""

    def _wake(self, at: float) -> None:
        pass


class Drowsy(Requests):
    """Remembers the last moment to wake at, not the first."""

    def _wake(self, at: float) -> None:
        if at != math.inf:
            self.wake_at = at


class Stubborn(Requests):
    """Waits for what is in flight, however long it takes."""

    def _patience_ends(self, *, last: bool = False) -> float:
        del last
        return math.inf


class Deaf(Requests):
    """Goes on after --max-failures."""

    def __init__(self, *args: Any, limits: Any, **options: Any) -> None:
        super().__init__(*args, limits=replace(limits, max_failures=None), **options)


class Optimist(Requests):
    """Takes a doubtful request for done where the list cannot be read."""

    def _look_up(self, track: Track, error: BaseException | None, now: float) -> None:
        if error is not None:
            self._policy.accepted(track, None)
            self._go_on(track, now)
        else:
            super()._look_up(track, error, now)


CORES: list[type[Requests]] = [
    Blind,
    Unverified,
    Hoarder,
    Sleeper,
    Drowsy,
    Stubborn,
    Deaf,
    Optimist,
]
POLICIES: list[type[Register]] = [Greedy, Careless]


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.__name__)
def test_a_core_with_a_bug_is_caught(core: type[Requests]) -> None:
    assert _caught(Parts(core=core)), core.__doc__


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_policy_with_a_bug_is_caught(policy: type[Register]) -> None:
    assert _caught(Parts(register=policy)), policy.__doc__


def _caught(parts: Parts) -> bool:
    return any(attempt(seed, parts).wrong for seed in range(WORLDS))
