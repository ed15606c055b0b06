"""The local Cloudcraft's rate limit, in each window semantics."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.sandbox.limits import (
    WINDOWS,
    FixedWindow,
    Limiter,
    SlidingLog,
    TokenBucket,
)

GAPS = st.lists(st.floats(0, 30), min_size=1, max_size=100)


def admitted(limiter: Limiter, times: list[float]) -> list[float]:
    return [now for now in times if limiter.admit(now)]


@given(GAPS)
def test_a_sliding_log_never_holds_more_than_the_limit(gaps: list[float]) -> None:
    passed = admitted(SlidingLog(5, 60), list(itertools.accumulate(gaps)))

    for first, sixth in zip(passed, passed[5:], strict=False):
        assert sixth - first >= 60


@given(GAPS)
def test_a_bucket_admits_a_burst_and_then_its_rate(gaps: list[float]) -> None:
    times = list(itertools.accumulate(gaps))
    passed = admitted(TokenBucket(5, 60), times)

    for (n, start), (m, end) in itertools.combinations(enumerate(passed), 2):
        assert m - n + 1 <= 5 + (end - start) * 5 / 60 + 1e-6


def test_a_fixed_window_opens_with_a_request_and_closes_by_itself() -> None:
    limiter = FixedWindow(2, 60)

    assert admitted(limiter, [10, 69, 69.5, 70, 71, 129.9]) == [10, 69, 70, 71]


def test_a_sliding_log_frees_each_place_by_itself() -> None:
    assert admitted(SlidingLog(2, 60), [0, 30, 59, 60, 61, 90]) == [0, 30, 60, 90]


def test_a_bucket_refills_evenly() -> None:
    assert admitted(TokenBucket(2, 60), [0, 0, 29, 30, 31, 60]) == [0, 0, 30, 60]


@pytest.mark.parametrize("name", WINDOWS)
def test_after_the_time_told_there_is_room(name: str) -> None:
    limiter = WINDOWS[name](3, 60)
    while limiter.admit(7.0):
        pass
    wait = limiter.reset_in(7.0)

    assert 0 < wait <= 60
    assert limiter.remaining(7.0 + wait + 1e-6) >= 1


@pytest.mark.parametrize("name", WINDOWS)
def test_a_pause_of_one_window_is_always_enough(name: str) -> None:
    limiter = WINDOWS[name](3, 60)
    while limiter.admit(7.0):
        pass

    assert limiter.remaining(67.0 + 1e-6) == 3
