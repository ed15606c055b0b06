"""Who sees an account in Cloudcraft, and registrations that another user made."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.sandbox.options import CUSTOMER, EXTERNAL_ID
from cloudcraft_onboard.sandbox.seed import OTHER_EXTERNAL_ID
from tests.support.onboarding import existing, hub, plan, rewrite, run
from tests.support.removing import remove
from tests.support.world import MakeWorld, SandboxWorld

EVERYONE = f"customer/{CUSTOMER}"
ONE = "300000000001"


def shared(count: int, access: str) -> str:
    return existing(count).replace("defaults:", f"defaults:\n  read_access: [{access}]")


def read_access(world: SandboxWorld) -> list[Any]:
    return [account["readAccess"] for account in world.accounts]


def test_everyone_is_the_customer_that_the_teams_show(make_world: MakeWorld) -> None:
    world = make_world(existing(2))
    rewrite(world, shared(2, "everyone"))
    ended = run(world)
    assert ended.outcomes == ["created", "created"]
    assert read_access(world) == [[EVERYONE]] * 2
    again = run(world)
    assert (again.outcomes, again.requests) == (["unchanged"] * 2, 3)


def test_an_account_that_is_registered_is_shared_later(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    run(world)
    assert read_access(world) == [None]
    team = world.state["teams"][0]["id"]
    rewrite(world, shared(1, f"everyone, Security, team/{team}"))
    ended = run(world)
    assert ended.actions == [["update-registration"]]
    (change,) = ended.account("A000")["changes"]
    assert change["before"] == {"read_access": []}
    assert change["after"] == {"read_access": ["Platform", "Security", "everyone"]}
    assert read_access(world)[0][0] == EVERYONE
    assert f"team/{team}" in read_access(world)[0]
    assert run(world).outcomes == ["unchanged"]
    rewrite(world, shared(1, ""))
    assert run(world).actions == [["update-registration"]]
    assert read_access(world) == [[]]


def test_ids_need_no_list_of_teams(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    rewrite(world, shared(1, f"customer/{CUSTOMER}, team/{world.state['teams'][0]['id']}"))
    assert run(world).outcomes == ["created"]
    assert world.requests("GET", "/team") == []


def test_without_a_team_nobody_knows_who_everyone_is(make_world: MakeWorld) -> None:
    world = make_world(existing(1), customer_id="")
    rewrite(world, shared(1, "everyone"))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"])
    error = ended.account("A000")["error"]
    assert (error["stage"], error["code"]) == ("register", "UnknownCustomer")
    assert "customer/ID" in error["hint"]
    assert world.registered == []


def test_kinds_of_access_that_are_not_known_survive_an_update(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    run(world)
    listed = [EVERYONE, "team/t1", {"kind": "group", "id": 7}]
    world.accounts = [{**world.accounts[0], "name": "Old", "readAccess": listed}]
    assert run(world).actions == [["update-registration"]]
    assert world.accounts[0]["name"] == "A000"
    assert read_access(world) == [listed]


# --- another user's registration ------------------------------------------------------------------


def of_another_user(make_world: MakeWorld, via: str = "assume", **options: Any) -> SandboxWorld:
    """A1 was registered by another user, and is to be renamed."""
    role = f"role: {{via: {via}}}"
    entry = f'  - {{name: A1, account_id: "{ONE}", {role}, tags: {{sandbox: other-user}}}}'
    world = make_world(hub(0, more=entry), verify_updates=True, **options)
    world.accounts = [{**world.accounts[0], "name": "Old"}]
    return world


def external_id(world: SandboxWorld) -> str:
    (statement,) = world.role(ONE)["AssumeRolePolicyDocument"]["Statement"]
    return str(statement["Condition"]["StringEquals"]["sts:ExternalId"])


def test_another_users_registration_keeps_its_external_id(make_world: MakeWorld) -> None:
    world = of_another_user(make_world, verified_by="registration")
    ended = run(world)
    assert (ended.code, ended.actions) == (0, [["update-registration"]])
    assert external_id(world) == OTHER_EXTERNAL_ID


@pytest.mark.parametrize("status", [400, 403, 422])
def test_an_update_that_wants_the_keys_own_id_says_both_ways_out(
    make_world: MakeWorld, status: int
) -> None:
    # A role whose age nobody knows, so that its refusal is not taken for IAM's delay.
    world = of_another_user(make_world, "existing", verified_by="key", refusal_status=status)
    assert plan(world).outcomes == ["updated"]
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"])
    error = ended.account("A1")["error"]
    assert (error["stage"], error["code"]) == ("register", f"HTTP{status}")
    assert "Another Cloudcraft user registered it" in error["message"]
    assert "that user's API key, or take the account out with `onboard remove`" in error["hint"]
    assert external_id(world) == OTHER_EXTERNAL_ID


def test_the_second_way_out_leads_out(make_world: MakeWorld) -> None:
    world = of_another_user(make_world, verified_by="key")
    assert remove(world).outcomes == ["removed"]
    assert run(world).outcomes == ["created"]
    assert external_id(world) == EXTERNAL_ID
