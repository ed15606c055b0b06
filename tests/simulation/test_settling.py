"""How old a new role must be is found out: sooner than 10 s where roles are quick, never later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.seeds import AccountPlan, RunPlan, Scenario
from tests.simulation.story import World

WORLD = Scenario(
    seed=1,
    accounts=(),
    limits=((20, 10.0), (20, 60.0)),
    true_limit=(20, 10.0),
    window="sliding",
    retry_after=True,
    settle=None,
    lag=0.0,
    latency=0.1,
    timeout=60.0,
    tells_arrival=True,
    late=0.5,
    aws_latency=0.1,
    first=RunPlan(concurrency=64),
)
ROLES = 15


def seconds(*spreads: float, settle: float | None = None) -> tuple[float, int]:
    """How long a run takes, and how many refusals it gets for roles that are too young."""
    accounts = tuple(AccountPlan(spread=spread) for spread in spreads)
    world = World(plan=replace(WORLD, accounts=accounts, settle=settle))
    (run,) = world.live()
    assert {result.outcome.word for result in run.results} == {"created"}
    return run.driver.journal.ended_at or 0.0, world.server.of(run.name).too_young


def test_roles_that_spread_in_3_seconds_are_done_in_7() -> None:
    took, refused = seconds(*[2.9] * ROLES)
    assert took <= 7.0
    assert refused == 0


@pytest.mark.parametrize("spread", [4.9, 7.4, 9.9])
def test_roles_that_are_slower_cost_three_refusals_at_most_and_no_time(spread: float) -> None:
    took, refused = seconds(*[spread] * ROLES)
    today, _ = seconds(*[spread] * ROLES, settle=10.0)
    assert took <= today + 0.5
    assert refused <= 3


def test_one_slow_role_among_quick_ones_holds_up_nobody_else_for_long() -> None:
    took, refused = seconds(8.0, *[2.9] * (ROLES - 1))
    today, _ = seconds(8.0, *[2.9] * (ROLES - 1), settle=10.0)
    assert took <= today + 0.5
    assert 1 <= refused <= 3


def test_roles_that_each_take_their_own_time() -> None:
    took, refused = seconds(*[1.0 + 19.0 * n / ROLES for n in range(ROLES)])
    today, _ = seconds(*[1.0 + 19.0 * n / ROLES for n in range(ROLES)], settle=10.0)
    assert took <= today + 0.5
    assert refused <= 3


def test_a_value_pins_it() -> None:
    took, refused = seconds(*[2.9] * ROLES, settle=6.0)
    assert 6.0 <= took <= 8.0
    assert refused == 0
