"""Many calls at a time: all of them, in any order of ending, and none after a failure."""

from __future__ import annotations

import threading

import pytest

from cloudcraft_onboard.aws.crew import each, spread
from tests.support.process import HANG


def test_results_come_in_the_items_order_however_they_end() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            assert second.wait(HANG)
        if item == 2:
            second.set()
        return item * 10

    assert each(work, [1, 2, 3]) == [10, 20, 30]
    assert each(work, []) == []


def test_what_is_found_on_the_way_is_worked_on_too() -> None:
    found = spread(lambda n: (n, [2 * n, 2 * n + 1] if n < 100 else []), [1])
    assert sorted(found) == list(range(1, 200))


def test_no_more_than_the_workers_are_at_work() -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def work(item: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both.wait(HANG)
        with lock:
            at_work -= 1
        return item

    each(work, range(10), workers=2)
    assert most == 2


def test_the_first_failure_ends_it() -> None:
    done = []

    def work(item: int) -> int:
        if item == 0:
            raise ValueError("broken")
        done.append(item)
        return item

    with pytest.raises(ValueError, match="broken"):
        each(work, range(1000), workers=1)
    assert done == []
