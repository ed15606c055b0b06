"""Threads that wait for their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from cloudcraft_onboard.cloudcraft.pace import PaceKeeper
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.events import Event, PaceWaited, RateLimitKnown, Throttled
from cloudcraft_onboard.model import RateLimit, Slot
from tests.support.process import HANG


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Events(list[Event]):
    def __call__(self, event: Event) -> None:
        self.append(event)


def keeper(limit: int, window: float, clock: Callable[[], float] = time.monotonic) -> PaceKeeper:
    return PaceKeeper([RateLimit(limit, window)], emit=Events(), clock=clock)


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def waiting(pace: PaceKeeper) -> int:
    return len(pace._queue)


def test_all_slots_of_a_window_go_out_together_and_the_next_after_the_answers() -> None:
    pace = keeper(3, 0.3)
    sent: list[float] = []
    # Together: the first of each window is answered only after the last has left.
    all_sent = threading.Barrier(3, timeout=HANG)

    def request() -> float:
        slot = pace.acquire()
        sent.append(time.monotonic())
        all_sent.wait()
        answered = time.monotonic()
        slot.answered()
        return answered

    with ThreadPoolExecutor(9) as pool:
        answered = sorted(future.result() for future in [pool.submit(request) for _ in range(9)])
    sent.sort()
    for answer, later in zip(answered, sent[3:], strict=False):
        assert later - answer >= 0.3


def test_an_unused_slot_is_free_again_at_once() -> None:
    pace = keeper(1, 1000)
    for _ in range(5):
        pace.acquire(deadline=0).unused()
    pace.acquire(deadline=0).answered()
    with pytest.raises(PaceClosed):
        pace.acquire(deadline=time.monotonic() + 500)


def test_a_slot_is_given_back_once() -> None:
    clock = Clock()
    pace = keeper(1, 60, clock)
    slot = pace.acquire()
    slot.answered()
    slot.unused()
    slot.answered()
    assert pace.next_in() == pytest.approx(60, rel=0.01)
    assert pace.free_by(clock.now + 61) == 1


def test_who_came_first_goes_first() -> None:
    pace = keeper(1, 0.001)
    held = pace.acquire()
    order: list[int] = []

    def request(number: int) -> None:
        slot = pace.acquire()
        order.append(number)
        slot.answered()

    threads = []
    for number in range(5):
        thread = threading.Thread(target=request, args=(number,))
        thread.start()
        threads.append(thread)
        wait_until(lambda: waiting(pace) == len(threads))
    held.answered()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_slot_that_would_come_after_the_deadline_is_refused_at_once() -> None:
    clock = Clock()
    pace = keeper(2, 60, clock)
    pace.acquire(deadline=clock.now - 1).answered()  # one that is free now is given in any case
    pace.acquire().answered()
    with pytest.raises(PaceClosed, match="time budget"):
        pace.acquire(deadline=clock.now + 60)
    clock.now += 61
    pace.acquire(deadline=clock.now).answered()


def test_a_deadline_counts_those_who_wait_in_front() -> None:
    pace = keeper(1, 1000)
    pace.acquire().answered()
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(pace.acquire, None, cancel)
        wait_until(lambda: waiting(pace) == 1)
        with pytest.raises(PaceClosed):
            pace.acquire(deadline=time.monotonic() + 1500)
        cancel.set()
        pace.wake()
        with pytest.raises(PaceClosed, match="stopping"):
            first.result()


def test_a_pause_beyond_the_deadline_refuses_those_who_wait() -> None:
    pace = keeper(1, 100)
    held = pace.acquire()
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(pace.acquire, time.monotonic() + 200)
        wait_until(lambda: waiting(pace) == 1)
        held.throttled(500)
        with pytest.raises(PaceClosed):
            waits.result()


@pytest.mark.parametrize("all_in_flight", [True, False], ids=["in flight", "at rest"])
def test_cancelling_wakes_everyone_who_waits(*, all_in_flight: bool) -> None:
    pace = keeper(1, 1000)
    held = pace.acquire()
    if not all_in_flight:
        held.answered()
    cancel = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        waits: list[Future[Slot]] = [pool.submit(pace.acquire, None, cancel) for _ in range(4)]
        wait_until(lambda: waiting(pace) == 4)
        cancel.set()
        pace.wake()
        for future in waits:
            with pytest.raises(PaceClosed, match="stopping"):
                future.result()
    assert waiting(pace) == 0


def test_after_a_429_everybody_waits_and_the_burst_counts_as_one_pause() -> None:
    clock, events = Clock(), Events()
    pace = PaceKeeper([RateLimit(20, 60)], emit=events, clock=clock)
    burst = [pace.acquire() for _ in range(5)]
    pauses = []
    for slot in burst:
        pauses.append(slot.throttled(7))
        clock.now += 0.1
    assert pauses == [1] * 5
    assert events == [Throttled(seconds=7)]
    assert 6 <= pace.next_in() <= 7
    clock.now += 7
    assert pace.next_in() == 0
    assert pace.free_by(clock.now) == 20


def test_a_429_that_proves_the_slower_limit_is_said() -> None:
    clock, events = Clock(), Events()
    pace = PaceKeeper([RateLimit(20, 10), RateLimit(20, 60)], emit=events, clock=clock)
    assert (pace.limit, pace.window) == (20, 10)
    pace.acquire().throttled(50)
    assert (pace.limit, pace.window) == (20, 60)
    assert pace.limits == (RateLimit(20, 60),)
    assert events == [Throttled(seconds=50), RateLimitKnown(limit=20, window=60)]


def raise_after(step: Callable[[], None]) -> None:
    step()
    raise RuntimeError


def test_a_slot_is_given_back_whatever_happens() -> None:
    clock = Clock()
    pace = keeper(1, 60, clock)
    with pytest.raises(RuntimeError), pace.acquire():
        raise_after(lambda: None)
    assert pace.next_in() == 0  # nothing was sent
    with pytest.raises(RuntimeError), pace.acquire() as slot:
        raise_after(slot.sent)
    assert pace.next_in() > 60  # it may have been counted


def test_a_slot_rests_from_its_arrival() -> None:
    clock = Clock()
    pace = keeper(1, 60, clock)
    slot = pace.acquire()
    slot.sent()
    slot.arrived(clock.now + 1)
    clock.now += 30  # no answer yet
    assert pace.next_in() == pytest.approx(31, abs=1)  # not sixty from now
    clock.now += 32
    pace.acquire(deadline=clock.now).unused()
    slot.answered()
    assert pace.next_in() == 0


def test_without_a_word_from_the_server_the_pause_is_one_window() -> None:
    clock = Clock()
    pace = keeper(20, 60, clock)
    pace.acquire().throttled(None)
    assert 60 <= pace.next_in() <= 61


def test_pauses_in_a_row_grow_up_to_a_window_until_something_is_accepted() -> None:
    clock, events = Clock(), Events()
    pace = PaceKeeper([RateLimit(1, 60)], emit=events, clock=clock)
    for expected in range(1, 9):
        assert pace.acquire().throttled(5) == expected
        clock.now += 100
    lengths = [event.seconds for event in events if isinstance(event, Throttled)]
    assert lengths[:4] == [5, 10, 20, 40]
    assert max(lengths) == pytest.approx(60, rel=0.01)
    pace.acquire().answered()
    clock.now += 100
    assert pace.acquire().throttled(5) == 1


def test_a_wait_is_announced_once() -> None:
    events = Events()
    pace = PaceKeeper([RateLimit(2, 0.8)], emit=events)
    for _ in range(2):
        pace.acquire().answered()
    for _ in range(2):
        pace.acquire().answered()
    assert [type(event) for event in events] == [PaceWaited]
    (wait,) = events
    assert isinstance(wait, PaceWaited)
    assert wait.slots == 2
