"""A refusal says what Cloudcraft says; only what a young role explains is tried again.

And an outage that says how long it takes is waited for.
"""

from __future__ import annotations

import pytest

from cloudcraft_onboard.errors import CannotStart
from tests.support import faults
from tests.support.faults import LISTING, REGISTERING
from tests.support.onboarding import existing, hub, run
from tests.support.world import MakeWorld

WRONG_WAYS = ("service control policy", "read-write key", "CLOUDCRAFT_API_KEY")


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (400, "Name is too long (maximum is 100 characters)", "entry"),
        (402, "Payment required", "plan"),
        (403, "You have reached the maximum number of accounts for your plan", "plan"),
        (409, "The account is being deleted", "entry"),
        (413, "Payload too large", "entry"),
        (422, "region is not supported", "entry"),
    ],
)
def test_a_refusal_that_no_young_role_explains_is_final_and_told_as_it_is(
    make_world: MakeWorld, status: int, words: str, hint: str
) -> None:
    world = make_world(hub(2))
    refused = faults.error(status, words, processed=False, account="300000000001", times=-1)
    world.fault({**refused, **REGISTERING})
    ended = run(world, settle=0.0)
    assert (ended.code, ended.outcomes) == (1, ["failed", "created"])
    problem = ended.account("A000")["error"]
    assert problem["code"] == f"HTTP{status}"
    assert words in problem["message"]
    assert hint in problem["hint"]
    assert not [wrong for wrong in WRONG_WAYS if wrong in problem["hint"]]
    assert len([r for r in world.requests("POST") if r.account == "300000000001"]) == 1


@pytest.mark.parametrize("words", ["Unable to verify AWS account", "Bad Request"])
def test_what_a_young_role_explains_is_tried_again(make_world: MakeWorld, words: str) -> None:
    world = make_world(hub(1))
    world.fault(faults.error(400, words, processed=False, **REGISTERING))
    ended = run(world, settle=0.0)
    assert (ended.code, ended.outcomes) == (0, ["created"])
    assert ended.account("A000")["attempts"] == 2


def test_a_503_that_says_how_long_it_takes_is_waited_for_and_told(
    make_world: MakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(existing(1))
    world.fault(faults.unavailable(5, **LISTING))
    ended = run(world, verbosity=0)
    assert (ended.code, ended.report["cloudcraft"]["retried"]) == (0, 1)
    first, second = world.requests("GET", "/aws/account")[:2]
    assert second.at - first.at >= 5.0
    assert "503" in capsys.readouterr().err


def test_a_503_that_stays_names_no_network(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault(faults.unavailable(1, times=-1, **LISTING))
    with pytest.raises(CannotStart, match="503") as raised:
        run(world, retries=1)
    assert "in trouble" in raised.value.hint
    assert "network" not in raised.value.hint
