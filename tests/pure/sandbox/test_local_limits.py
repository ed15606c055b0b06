"""The local Cloudcraft's rate limit, in each window semantics."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
from tests.support import faults
from tests.support.world import MakeWorld

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


@pytest.mark.parametrize("name", WINDOWS)
def test_over_http_the_limit_counts_every_call(make_world: MakeWorld, name: str) -> None:
    world = make_world(rate_limit="3/60", window=name)
    paths = ["/aws/account", "/team", "/aws/account/iamParameters", "/user/me"]

    assert [world.call("GET", path).status_code for path in paths] == [200, 200, 200, 429]
    assert [request.processed for request in world.requests()] == [True, True, True, False]


def test_another_client_uses_the_same_quota(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="3/60")
    world.consume(2)

    assert [world.call("GET", "/team").status_code for _ in range(2)] == [200, 429]
    assert (len(world.log), len(world.requests())) == (4, 2)


def test_another_client_comes_later(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="3/60")
    world.consume(3, delay=3)

    assert world.call("GET", "/team").status_code == 200
    while len(world.log) < 4:
        time.sleep(0.05)
    assert world.call("GET", "/team").status_code == 429


def test_a_burst_of_another_client_comes_just_before_a_request(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="3/60")
    world.fault(faults.burst(2, skip=1))

    assert [world.call("GET", "/team").status_code for _ in range(3)] == [200, 429, 429]


def test_a_429_says_how_long_to_wait_by_default(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="1/60")
    world.call("GET", "/team")
    assert 1 <= int(world.call("GET", "/team").headers["Retry-After"]) <= 60


def test_no_header_where_none_is_asked_for(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="1/60", headers=())
    answers = [world.call("GET", "/team") for _ in range(2)]

    for answer in answers:
        assert not [name for name in answer.headers if "limit" in name or "retry" in name]


def test_headers_tell_what_is_left(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="2/60", headers=("ratelimit", "x-ratelimit", "retry-after"))
    first, _, third = [world.call("GET", "/team") for _ in range(3)]

    assert first.headers["RateLimit-Limit"] == first.headers["X-RateLimit-Limit"] == "2"
    assert first.headers["RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"] == "1"
    assert first.headers["RateLimit-Policy"] == "2;w=60"
    assert 0 < int(first.headers["RateLimit-Reset"]) <= 60
    assert 0 < int(first.headers["X-RateLimit-Reset"]) - first_second(world.log[0].at) <= 62
    assert "Retry-After" not in first.headers
    assert third.status_code == 429
    assert third.headers["RateLimit-Remaining"] == "0"
    assert 0 < int(third.headers["Retry-After"]) <= 60


def test_a_date_tells_when_to_come_back(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="1/60", headers=("retry-after-date",))
    before = datetime.now(UTC)
    answer = [world.call("GET", "/team") for _ in range(2)][1]

    assert 58 < (parsedate_to_datetime(answer.headers["Retry-After"]) - before).total_seconds() < 70


def first_second(at: float) -> int:
    return int(at)
