"""The pace's rule as properties, against every kind of window that a server may use."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cloudcraft.ledger import Ledger, Use, lag, span
from cloudcraft_onboard.model import RateLimit
from tests.support.examples import examples


@dataclass(frozen=True)
class Wish:
    """A request to come: `gap` seconds after the last one, on its way and back so many seconds.

    `told`: so long after it was counted the ledger is told that it has arrived; None for never.
    The ledger adds the lag that a server may have.
    """

    gap: float
    there: float
    back: float
    used: bool
    told: float | None = None


@dataclass(frozen=True)
class Sent:
    arrived: float
    sent: float
    counted: float
    answered: float
    used: bool
    rested_from: float


@dataclass(frozen=True)
class Pause:
    at: float
    until: float


def pinned(limit: int, window: float) -> Ledger:
    return Ledger([RateLimit(limit, window)])


def run(ledger: Ledger, wishes: list[Wish], pauses: list[Pause]) -> list[Sent]:
    """Send every wish, first come, first served, each as early as the ledger allows."""
    now = 0.0
    waiting = deque[tuple[float, Wish]]()
    arrival = 0.0
    for wish in wishes:
        arrival += wish.gap
        waiting.append((arrival, wish))
    in_flight: list[tuple[float, int, Use, Wish]] = []
    arrivals: list[tuple[float, int, Use]] = []
    to_come = deque(sorted(pauses, key=lambda pause: pause.at))
    done: list[Sent] = []
    while waiting:
        while to_come and to_come[0].at <= now:
            ledger.pause(to_come.popleft().until)
        while arrivals and arrivals[0][0] <= now:
            moment, _, use = heapq.heappop(arrivals)
            ledger.arrived(use, moment)
        while in_flight and in_flight[0][0] <= now:
            moment, _, use, wish = heapq.heappop(in_flight)
            if wish.used:
                ledger.answered(use, moment)
            else:
                ledger.unused(use)
        arrived, wish = waiting[0]
        if arrived <= now and ledger.ready(now):
            waiting.popleft()
            use = ledger.take(now)
            counted = now + wish.there
            answered = counted + wish.back
            heapq.heappush(in_flight, (answered, len(done), use, wish))
            if wish.told is not None and wish.told < wish.back:
                heapq.heappush(arrivals, (counted + wish.told, len(done), use))
            rests = answered
            if wish.told is not None and wish.told < wish.back:
                rests = min(answered, counted + wish.told + lag(ledger.limit))
            done.append(Sent(arrived, now, counted, answered, wish.used, rests))
            continue
        moments = [to_come[0].at] if to_come else []
        moments += [some[0][0] for some in (in_flight, arrivals) if some]
        now = min(*moments, arrived if arrived > now else ledger.next_at(now), math.inf)
    return done


limits = st.integers(1, 6)
windows = st.floats(0.5, 100)
seconds = st.one_of(st.just(0.0), st.floats(0, 200))
wishes = st.lists(
    st.builds(
        Wish,
        gap=seconds,
        there=seconds,
        back=seconds,
        used=st.booleans(),
        told=st.none() | seconds,
    ),
    max_size=25,
)
pauses = st.lists(
    st.builds(lambda at, length: Pause(at, at + length), st.floats(0, 500), st.floats(0, 100)),
    max_size=3,
)


@given(limits, windows, wishes, pauses)
def test_no_window_ever_holds_more_than_the_limit(
    limit: int, window: float, planned: list[Wish], stops: list[Pause]
) -> None:
    sent = run(pinned(limit, window), planned, stops)
    assert len(sent) == len(planned)
    counted = sorted(request.counted for request in sent if request.used)
    for first, too_many in zip(counted, counted[limit:], strict=False):
        assert too_many - first >= window


@given(limits, windows, wishes, pauses)
def test_nothing_is_sent_during_a_pause(
    limit: int, window: float, planned: list[Wish], stops: list[Pause]
) -> None:
    for request in run(pinned(limit, window), planned, stops):
        assert not any(pause.at <= request.sent < pause.until for pause in stops)


@given(limits, windows, wishes, pauses)
def test_nothing_waits_longer_than_the_rule_demands(
    limit: int, window: float, planned: list[Wish], stops: list[Pause]
) -> None:
    ledger = pinned(limit, window)
    sent = run(ledger, planned, stops)
    for number, request in enumerate(sent):
        before = sent[:number]
        turn = max([request.arrived, *(other.sent for other in before)])
        if request.sent == turn:
            continue
        # It waited: a moment before it went, a pause was on or every token was out or at rest.
        just_before = math.nextafter(request.sent, 0)
        paused = any(pause.at <= just_before < pause.until for pause in stops)
        busy = [
            other
            for other in before
            if just_before < other.rested_from
            or (not other.used and just_before < other.answered)
            or (other.used and just_before < other.rested_from + span(ledger.limit))
        ]
        assert paused or len(busy) >= limit


# --- servers -------------------------------------------------------------------------------------

Server = Callable[[float], bool]
"""Takes the time of a request; whether it is let through."""


def fixed_window_from_the_first(limit: int, window: float) -> Server:
    began, count = -math.inf, 0

    def let_through(now: float) -> bool:
        nonlocal began, count
        if now >= began + window:
            began, count = now, 0
        count += 1
        return count <= limit

    return let_through


def fixed_window_of_the_clock(limit: int, window: float) -> Server:
    counts: dict[float, int] = {}

    def let_through(now: float) -> bool:
        number = now // window
        counts[number] = counts.get(number, 0) + 1
        return counts[number] <= limit

    return let_through


def sliding_log(limit: int, window: float) -> Server:
    log: deque[float] = deque()

    def let_through(now: float) -> bool:
        while log and log[0] <= now - window:
            log.popleft()
        log.append(now)  # also those that are turned away: the harshest kind
        return len(log) <= limit

    return let_through


def sliding_log_of_whole_milliseconds(limit: int, window: float) -> Server:
    inner = sliding_log(limit, math.floor(window * 1000) / 1000)
    return lambda now: inner(math.floor(now * 1000) / 1000)


def token_bucket(limit: int, window: float) -> Server:
    level, last = float(limit), 0.0

    def let_through(now: float) -> bool:
        nonlocal level, last
        level = min(limit, level + (now - last) * limit / window)
        last = now
        level -= 1
        return level >= 0

    return let_through


SERVERS = [
    fixed_window_from_the_first,
    fixed_window_of_the_clock,
    sliding_log,
    sliding_log_of_whole_milliseconds,
    token_bucket,
]


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
@examples(60)
@given(
    limit=limits,
    window=windows,
    planned=wishes,
    stops=pauses,
    drift=st.floats(-0.001, 0.001),
)
def test_no_server_answers_429_even_if_its_clock_runs_faster_or_slower(  # noqa: PLR0917 - drawn
    kind: Callable[[int, float], Server],
    limit: int,
    window: float,
    planned: list[Wish],
    stops: list[Pause],
    drift: float,
) -> None:
    server = kind(limit, window)
    sent = run(pinned(limit, window), planned, stops)
    for counted in sorted(request.counted for request in sent if request.used):
        assert server(counted * (1 + drift))


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
def test_the_simulated_servers_do_turn_away_what_is_too_much(
    kind: Callable[[int, float], Server],
) -> None:
    server = kind(20, 60)
    assert [server(120 + i / 100) for i in range(21)] == [True] * 20 + [False]


def test_a_thousand_requests_take_the_floor_and_hardly_more() -> None:
    ledger = pinned(20, 60)
    sent = run(ledger, [Wish(0, 1, 1, used=True)] * 1000, [])
    floor = 49 * (60 + 2)
    assert floor <= sent[-1].sent <= floor * 1.002


# --- what the server declares --------------------------------------------------------------------


def free(ledger: Ledger, now: float) -> int:
    return ledger.free_by(now, now)


def answer_all(ledger: Ledger, count: int, now: float) -> None:
    for use in [ledger.take(now) for _ in range(count)]:
        ledger.answered(use, now)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20))
def test_a_slower_limit_counts_what_was_sent_already(taken: int, answered: int, slow: int) -> None:
    ledger = Ledger([RateLimit(20, 1), RateLimit(slow, 60)])
    uses: list[Use] = []
    while len(uses) < taken and ledger.ready(0):
        uses.append(ledger.take(0))
    proof = ledger.take(0) if ledger.ready(0) else None
    answered = min(answered, len(uses))
    for use in uses[:answered]:
        ledger.answered(use, 0)
    if proof is None:
        return
    ledger.throttled(proof, 60, 0)
    assert ledger.limits == (RateLimit(slow, 60),)
    for use in uses[answered:]:
        ledger.answered(use, 70)
    assert free(ledger, 70) == max(0, slow - len(uses[answered:]))
    assert free(ledger, 70 + span(ledger.limit)) == slow


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    ledger = pinned(1, 10)
    ledger.pause(30)
    ledger.pause(20)
    assert ledger.opening(0) == 30


# --- what is asked for the display and the time budget ------------------------------------------


def test_free_by_counts_every_window_until_then() -> None:
    ledger = pinned(2, 10)
    use = ledger.take(0)
    assert ledger.free_by(0, -1) == 0
    assert ledger.free_by(0, 0) == 1
    assert ledger.free_by(0, span(ledger.limit)) == 2
    ledger.answered(use, 0)
    assert ledger.free_by(0, span(ledger.limit)) == 3


@examples(50)
@given(limits, windows, st.integers(0, 30))
def test_the_opening_told_to_whoever_waits_is_when_their_turn_comes(
    limit: int, window: float, position: int
) -> None:
    ledger = pinned(limit, window)
    told = ledger.opening(0, position)
    sent = run(pinned(limit, window), [Wish(0, 0, 0, used=True)] * (position + 1), [])
    assert told == pytest.approx(sent[-1].sent)
