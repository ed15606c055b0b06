"""What others do in Cloudcraft while a run is on is neither destroyed nor hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudcraft_onboard.engine import lists
from tests.support import faults
from tests.support.faults import REGISTERING
from tests.support.onboarding import existing, hub, run
from tests.support.removing import meanwhile, remove
from tests.support.world import MakeWorld, SandboxWorld

ID = "200000000001"
TEAM = "team/e8f3a3c4-0000-4000-8000-000000000000"


def by_hand(world: SandboxWorld, **fields: Any) -> Callable[[], None]:
    """Somebody registers the account in the web page, with a role of their own."""
    account = {
        "id": "0b000000-0000-4000-8000-000000000000",
        "name": "A000",
        "roleArn": f"arn:aws:iam::{ID}:role/by-hand",
        "externalId": "another",
        "createdAt": "2999-01-01T00:00:00.000Z",
        **fields,
    }

    def register() -> None:
        world.accounts = [*world.accounts, account]

    return register


def registered(world: SandboxWorld) -> Callable[[], bool]:
    """Whether a POST has been processed, its answer sent or not."""
    return lambda: bool(world.registered)


def test_what_a_colleague_registers_by_hand_is_not_deleted(make_world: MakeWorld) -> None:
    """The first POST is lost before it is processed, and sent again."""
    world = make_world(existing(1))
    world.fault(faults.reset(processed=False, **REGISTERING))
    world.fault(faults.slow(2.0, **REGISTERING))  # the colleague's is there before the last list
    with meanwhile(registered(world), by_hand(world)):
        ended = run(world)
    assert not world.requests("DELETE")
    assert {a["roleArn"] for a in world.accounts} >= {f"arn:aws:iam::{ID}:role/by-hand"}
    assert any("by hand" in note for note in ended.account("A000")["notes"])


def test_a_double_whose_answer_came_is_deleted_though_the_list_lags(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault(faults.reset(processed=True, **REGISTERING))
    world.fault(faults.lag(60, skip=1), faults.lag(1.0, skip=0, times=-1))
    ended = run(world)
    assert (ended.code, ended.outcomes, world.registered) == (0, ["created"], [ID])
    (kept,) = world.accounts
    account = ended.account("A000")
    assert account["cloudcraft_id"] == kept["id"]
    assert len(world.requests("DELETE")) == 1
    assert any("answer to its first registration was lost" in each for each in account["notes"])


@pytest.mark.parametrize("update", ["accepted", "refused"])
def test_what_is_kept_is_brought_to_the_manifest_or_pending(
    make_world: MakeWorld, update: str
) -> None:
    """A colleague was first: this run's newer registration goes."""
    world = make_world(existing(1))
    older = by_hand(world, createdAt="2020-01-01T00:00:00.000Z", name="By hand")
    world.fault(faults.slow(1.0, **REGISTERING))
    if update == "refused":
        world.fault(faults.error(409, "busy", processed=False, method="PUT"))
    with meanwhile(registered(world), older):
        ended = run(world)
    account = ended.account("A000")
    (kept,) = world.accounts
    if update == "accepted":
        assert (ended.code, account["outcome"]) == (0, "created")
        assert (kept["name"], kept["roleArn"].split("/")[-1]) == ("A000", "cloudcraft")
    else:
        assert (ended.code, account["outcome"], kept["name"]) == (1, "pending", "By hand")
        assert any("differs from the manifest" in note for note in account["notes"])


def test_an_update_is_decided_on_a_list_that_is_not_old(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FRESH_SECONDS", 1.0)
    world = make_world(existing(4, first=int(ID)), rate_limit="2/2")
    world.accounts = [
        {
            "id": f"0b000000-0000-4000-8000-00000000000{n}",
            "name": f"Old {n}",
            "roleArn": f"arn:aws:iam::{int(ID) + n}:role/cloudcraft",
            "createdAt": "2020-01-01T00:00:00.000Z",
        }
        for n in range(4)
    ]

    def share() -> None:
        world.accounts = [{**each, "readAccess": [TEAM]} for each in world.accounts]

    with meanwhile(lambda: bool(world.requests("GET", "/aws/account")), share):
        ended = run(world)
    assert (ended.code, set(ended.outcomes)) == (0, {"updated"})
    assert [a["readAccess"] for a in world.accounts] == [[TEAM]] * 4
    assert [a["name"] for a in world.accounts] == [f"A00{n}" for n in range(4)]


def test_an_account_that_is_registered_anew_is_not_removed(make_world: MakeWorld) -> None:
    more = f'  - {{name: A1, account_id: "{ID}", tags: {{sandbox: onboarded}}}}'
    world = make_world(hub(0, more=more))
    with meanwhile(lambda: not world.accounts, by_hand(world)):
        ended = remove(world)
    assert (ended.code, ended.outcomes, world.registered) == (1, ["pending"], [ID])
    assert "registered again" in ended.account("A1")["notes"][0]
    assert remove(world).outcomes == ["removed"]
    assert world.registered == []
