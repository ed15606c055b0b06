"""Which limit holds, found out over HTTP from the local Cloudcraft; windows scaled down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudcraft_onboard.events import RateLimitKnown
from cloudcraft_onboard.model import RateLimit, RegistrationSpec
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.cloudcraft.conftest import Client, MakeClient

FAST, SLOW = RateLimit(10, 1.0), RateLimit(10, 3.0)


def register(client: Client, count: int) -> None:
    """So many accounts, all at once as far as the pace lets them."""

    def one(number: int) -> None:
        account_id = str(200000000000 + number)
        arn = f"arn:aws:iam::{account_id}:role/cloudcraft"
        client.register(
            RegistrationSpec(
                account_id=account_id, name=f"A{number}", role_arn=arn, region="us-east-1"
            )
        )

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(one, range(count)))


def known(client: Client) -> list[RateLimit]:
    """What was said about which limit holds."""
    found = [event for event in client.events if isinstance(event, RateLimitKnown)]
    return [RateLimit(event.limit, event.window) for event in found]


def world_of(make_world: MakeWorld, count: int, **options: object) -> SandboxWorld:
    lines = [f'  - {{name: A{n}, account_id: "{200000000000 + n}"}}' for n in range(count)]
    head = ["version: 1", "defaults:", "  role: {via: existing}", "accounts:"]
    return make_world("\n".join([*head, *lines, ""]), **options)


@pytest.mark.parametrize(("window", "latency"), [("fixed", 0.0), ("sliding", 0.5), ("bucket", 0.3)])
def test_where_the_fast_limit_holds(
    make_world: MakeWorld, make_client: MakeClient, window: str, latency: float
) -> None:
    world = world_of(make_world, 40, rate_limit=str(FAST), window=window, latency=latency)
    client = make_client(world.cloudcraft_url, world.api_key, limits=[FAST, SLOW])
    register(client, 40)
    assert len(world.registered) == 40
    assert world.kept_to(FAST.requests, FAST.seconds)
    # A busy machine may cost a pause; nothing else may tell it from the slow limit.
    if not world.throttled:
        assert known(client) == [FAST]
        assert client.usage.rate_limit == "10/1"
        assert world.busiest(SLOW.seconds) > SLOW.requests


@pytest.mark.parametrize(
    ("window", "told"),
    [("fixed", ()), ("sliding", ("retry-after",)), ("bucket", ("retry-after",))],
    ids=str,
)
def test_where_the_slow_limit_holds(
    make_world: MakeWorld, make_client: MakeClient, window: str, told: tuple[str, ...]
) -> None:
    world = world_of(make_world, 25, rate_limit=str(SLOW), window=window, headers=told)
    client = make_client(world.cloudcraft_url, world.api_key, limits=[FAST, SLOW])
    register(client, 25)
    assert len(world.registered) == 25
    assert 1 <= world.throttled <= 6
    assert known(client) == [SLOW]
    assert client.usage.rate_limit == "10/3"
    assert client.usage.requests == 25 + world.throttled


def test_slow_answers_cost_no_pace(make_world: MakeWorld, make_client: MakeClient) -> None:
    world = world_of(make_world, 40, rate_limit=str(FAST), latency=2.5)
    client = make_client(world.cloudcraft_url, world.api_key, limit=10, window=1.0)
    register(client, 40)
    sent = sorted(request.at for request in world.requests("POST"))
    # From answer to answer each ten would take a window and the answer: 3.5 s.
    assert sent[30] - sent[0] < 2 * 3.5
    assert world.kept_to(10, 1.0)
