"""The local Cloudcraft's rate limit, over HTTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from cloudcraft_onboard.sandbox.limits import WINDOWS
from tests.support import faults
from tests.support.world import MakeWorld


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


def test_a_date_tells_when_to_come_back(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="1/60", headers=("retry-after-date",))
    before = datetime.now(UTC)
    answer = [world.call("GET", "/team") for _ in range(2)][1]

    assert 58 < (parsedate_to_datetime(answer.headers["Retry-After"]) - before).total_seconds() < 70
