"""Which of two limits holds is found out, whatever window the server counts by: in virtual time."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cloudcraft.ledger import Ledger, Use, span
from cloudcraft_onboard.model import RateLimit
from cloudcraft_onboard.sandbox.limits import FixedWindow, Limiter, SlidingLog, TokenBucket
from tests.support.examples import examples

FAST, SLOW = RateLimit(20, 10), RateLimit(20, 60)
MOST_THROTTLED = 5
Drawn = TypeVar("Drawn")


class ClockWindow(FixedWindow):
    """Windows that begin at whole multiples of their length, here shifted by `edge`."""

    edge = 0.0

    def _take(self, now: float) -> None:
        if now >= self._closes:
            passed = math.floor((now - self.edge) / self.seconds)
            self._closes, self._count = self.edge + (passed + 1) * self.seconds, 0
        self._count += 1


KINDS: list[type[Limiter]] = [SlidingLog, FixedWindow, ClockWindow, TokenBucket]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@dataclass
class World:
    """A server with its limit, and how long things take; times are seconds.

    `ways` are what each request takes there and back, `trip` seconds each if not given; twice the
    `trip` after it was sent a request is said to have arrived, if the wire `tells`.
    """

    server: Limiter
    answer: Callable[[int], float]
    trip: float = 0.05
    ways: Callable[[int], tuple[float, float]] | None = None
    tells: bool = True
    retry_after: bool = True
    others: list[tuple[float, int]] = field(default_factory=list)


@dataclass
class Story:
    """What came of it: when each request was counted, when the last was sent, the 429s."""

    counted: list[float] = field(default_factory=list)
    throttled: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    pauses: int = 0

    @property
    def last_sent(self) -> float:
        return self.sent[-1]


class Teller:
    """Sends requests in virtual time, each as early as the ledger allows, until let through."""

    def __init__(self, ledger: Ledger, world: World, starts: list[float]) -> None:
        self.story = Story()
        self._ledger, self._world = ledger, world
        self._waiting = deque(sorted(starts))
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._under_way = 0
        for at, count in world.others:
            self._later(at, partial(self._burst, count))

    def tell(self) -> Story:
        now = 0.0
        while self._waiting or self._under_way:
            while self._events and self._events[0][0] <= now:
                at, _, happen = heapq.heappop(self._events)
                happen(at)
            if self._waiting and self._waiting[0] <= now and self._ledger.ready(now):
                self._waiting.popleft()
                self._send(now)
            else:
                now = min(self._moments(now), default=now)
        return self.story

    def _moments(self, now: float) -> Iterator[float]:
        if self._events:
            yield self._events[0][0]
        if self._waiting:
            first = self._waiting[0]
            yield first if first > now else self._ledger.next_at(now)

    def _later(self, at: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at, next(self._order), happen))

    def _burst(self, count: int, now: float) -> None:
        for _ in range(count):
            self._world.server.admit(now)

    def _send(self, now: float) -> None:
        use = self._ledger.take(now)
        number = len(self.story.sent)
        self.story.sent.append(now)
        self._under_way += 1
        world = self._world
        there, back = world.ways(number) if world.ways else (world.trip, world.trip)
        self._later(now + there, lambda at: self._count(at, use, number, back))
        if world.tells:
            self._later(now + 2 * world.trip, lambda at: self._ledger.arrived(use, at))

    def _count(self, now: float, use: Use, number: int, back: float) -> None:
        server = self._world.server
        if server.admit(now):
            self.story.counted.append(now)
            answered = now + self._world.answer(number) + back
            self._later(answered, lambda at: self._answered(at, use))
        else:
            wait = float(math.ceil(server.reset_in(now))) or 1.0
            told = wait if self._world.retry_after else None
            self._later(now + back, lambda at: self._throttled(at, use, told))

    def _answered(self, now: float, use: Use) -> None:
        self._under_way -= 1
        self._ledger.answered(use, now)

    def _throttled(self, now: float, use: Use, told: float | None) -> None:
        self._under_way -= 1
        self.story.throttled.append(now)
        self.story.pauses += self._ledger.throttled(use, told, now).seconds is not None
        self._waiting.appendleft(now)


def tell(ledger: Ledger, world: World, starts: list[float]) -> Story:
    """What comes of requests that want to be sent at `starts`."""
    return Teller(ledger, world, starts).tell()


def steady(seconds: float) -> Callable[[int], float]:
    return lambda _: seconds


def both() -> Ledger:
    return Ledger([FAST, SLOW])


def floor(requests: int, limit: RateLimit) -> float:
    """When the last of so many requests may be sent, the first at 0."""
    return (math.ceil(requests / limit.requests) - 1) * limit.seconds


@kinds
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5], ids=lambda share: f"answers of {share}")
def test_where_the_fast_limit_holds_it_is_used_without_a_429(
    kind: type[Limiter], share: float
) -> None:
    ledger = both()
    world = World(kind(20, 10), steady(share * 10))
    story = tell(ledger, world, [0.0] * 400)
    assert not story.throttled
    assert ledger.limits == (FAST,)
    assert story.last_sent <= 1.05 * floor(400, FAST)


@kinds
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5], ids=lambda share: f"answers of {share}")
@pytest.mark.parametrize("retry_after", [True, False], ids=["told", "not told"])
def test_where_the_slow_limit_holds_that_costs_a_pause_and_a_handful_of_429s(
    kind: type[Limiter], share: float, *, retry_after: bool
) -> None:
    ledger = both()
    world = World(kind(20, 60), steady(share * 60), retry_after=retry_after)
    story = tell(ledger, world, [0.0] * 400)
    assert 1 <= len(story.throttled) <= MOST_THROTTLED
    assert ledger.limits == (SLOW,)
    assert story.last_sent <= 1.05 * floor(400, SLOW) + 60


@kinds
@pytest.mark.parametrize("when", [5.0, 12.0, 22.0, 47.0])
def test_another_clients_burst_on_the_fast_limit_costs_one_pause(
    kind: type[Limiter], when: float
) -> None:
    ledger = both()
    world = World(kind(20, 10), steady(3), others=[(when, 10)])
    story = tell(ledger, world, [0.0] * 400)
    assert ledger.limit == FAST
    assert story.last_sent <= 1.05 * floor(400, FAST) + 10.1


starts = st.lists(st.floats(0, 90) | st.just(0.0), min_size=1, max_size=150)
answers = st.lists(st.floats(0, 70) | st.floats(0, 2), min_size=1, max_size=7)
edges = st.floats(0, 60)


def drawn(kind: type[Limiter], limit: RateLimit, edge: float) -> Limiter:
    server = kind(limit.requests, limit.seconds)
    if isinstance(server, ClockWindow):
        server.edge = edge - limit.seconds
    return server


def in_turn(drawn: list[Drawn]) -> Callable[[int], Drawn]:
    return lambda number: drawn[number % len(drawn)]


@kinds
@examples(60)
@given(starts=starts, answers=answers, edge=edges)
def test_whatever_the_latencies_the_fast_limit_is_kept(
    kind: type[Limiter], starts: list[float], answers: list[float], edge: float
) -> None:
    ledger = both()
    story = tell(ledger, World(drawn(kind, FAST, edge), in_turn(answers)), starts)
    assert not story.throttled
    assert ledger.limit == FAST
    kept(story.counted, FAST)


@kinds
@examples(60)
@given(starts=starts, answers=answers, edge=edges, retry_after=st.booleans())
def test_whatever_the_latencies_the_slow_limit_costs_a_pause_and_a_handful_of_429s(
    kind: type[Limiter],
    starts: list[float],
    answers: list[float],
    edge: float,
    *,
    retry_after: bool,
) -> None:
    ledger = both()
    world = World(drawn(kind, SLOW, edge), in_turn(answers), retry_after=retry_after)
    story = tell(ledger, world, starts)
    assert len(story.throttled) <= MOST_THROTTLED
    kept(story.counted, FAST)
    pinned = World(drawn(kind, SLOW, edge), in_turn(answers))
    slow = tell(Ledger([SLOW]), pinned, starts)
    assert not slow.throttled
    assert story.last_sent <= slow.last_sent + span(SLOW) + 1


@kinds
@examples(60)
@given(
    limits=st.sampled_from([(FAST, SLOW), (RateLimit(5, 2), RateLimit(5, 10))]),
    trip=st.sampled_from([0.05, 0.75, 3.0]),
    shares=st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=7),
    answers=answers,
    edge=edges,
    tells=st.booleans(),
    retry_after=st.booleans(),
)
def test_however_unsteady_the_ways_the_slow_limit_costs_a_handful_of_429s(  # noqa: PLR0917 - drawn
    kind: type[Limiter],
    limits: tuple[RateLimit, RateLimit],
    trip: float,
    shares: list[tuple[float, float]],
    answers: list[float],
    edge: float,
    tells: bool,  # noqa: FBT001 - drawn
    retry_after: bool,  # noqa: FBT001 - drawn
) -> None:
    slow = limits[1]
    world = World(
        drawn(kind, slow, edge % slow.seconds),
        in_turn(answers),
        trip=trip,
        ways=in_turn([(trip * there, trip * back) for there, back in shares]),
        tells=tells,
        retry_after=retry_after,
    )
    story = tell(Ledger(limits), world, [0.0] * (6 * slow.requests))
    rare = max(0, story.pauses - 2)  # more than a slow window apart
    assert len(story.throttled) <= MOST_THROTTLED + 2 * rare


def test_a_429_whose_way_back_takes_as_long_as_its_way_there_is_waited_for() -> None:
    world = World(SlidingLog(20, 60), steady(5), trip=1.0, ways=lambda _: (2.0, 2.0))
    story = tell(both(), world, [0.0] * 60)
    assert len(story.throttled) == 1


def test_a_request_without_an_answer_is_no_evidence_of_the_fast_limit() -> None:
    ledger = after_the_first_requests(FAST, SLOW)
    now = 0.1
    for _ in range(60):
        now = ledger.next_at(now)
        assert ledger.in_flight == 0
        ledger.unanswered(ledger.take(now), now + 1)
        now += 1
    assert ledger.limits == (FAST, SLOW)


def kept(counted: list[float], limit: RateLimit) -> None:
    """No window of the limit's length holds more than it allows."""
    moments = sorted(counted)
    for first, too_many in zip(moments, moments[limit.requests :], strict=False):
        assert too_many - first >= limit.seconds


some_limits = st.builds(RateLimit, st.integers(1, 25), st.floats(0.5, 60))


@kinds
@examples(60)
@given(
    limits=st.lists(some_limits, min_size=1, max_size=3),
    truth=some_limits,
    count=st.integers(1, 60),
    answers=answers,
    burst=st.lists(st.tuples(st.floats(0, 60), st.integers(1, 25)), max_size=3),
    retry_after=st.booleans(),
)
def test_whatever_limit_holds_every_request_gets_through_in_the_end(  # noqa: PLR0917 - drawn
    kind: type[Limiter],
    limits: list[RateLimit],
    truth: RateLimit,
    count: int,
    answers: list[float],
    burst: list[tuple[float, int]],
    retry_after: bool,  # noqa: FBT001 - drawn
) -> None:
    fastest_first = sorted(limits, key=lambda limit: limit.seconds / limit.requests)
    ledger = Ledger(fastest_first)
    world = World(
        drawn(kind, truth, 0), in_turn(answers), retry_after=retry_after, others=sorted(burst)
    )
    story = tell(ledger, world, [0.0] * count)
    assert len(story.counted) == count
    assert ledger.limit in limits
    most = max(limit.requests for limit in limits)
    kept(story.counted, RateLimit(most, min(limit.seconds for limit in limits)))


def after_the_first_requests(*limits: RateLimit) -> Ledger:
    """All requests of the first window are answered."""
    ledger = Ledger(limits)
    for use in [ledger.take(0.0) for _ in range(20)]:
        ledger.answered(use, 0.1)
    return ledger


def test_a_trial_that_is_on_its_way_is_no_reason_to_announce_a_slow_window() -> None:
    ledger = after_the_first_requests(FAST, SLOW)
    now = ledger.opening(0.1)
    ledger.take(now)
    assert ledger.next_at(now) > now + 40  # nothing tells yet; its arrival will
    assert ledger.opening(now) < now + 1


def test_a_server_that_counted_later_than_thought_is_given_more_time() -> None:
    patient, thrown = after_the_first_requests(FAST), after_the_first_requests(FAST)
    now = patient.opening(0.1)
    for again in (0.0, 20.0):
        thrown.throttled(thrown.take(now + again), 1, now + again + 0.1)
    now += 40
    for ledger in (patient, thrown):
        use = ledger.take(now)
        ledger.arrived(use, now)
        for other in [ledger.take(now) for _ in range(19)]:
            ledger.answered(other, now + 1)
    assert thrown.opening(now + 1) > patient.opening(now + 1)
