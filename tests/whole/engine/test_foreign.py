"""Registrations that Datadog brought in: no command touches them, nor the accounts' roles."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.errors import CannotStart
from cloudcraft_onboard.sandbox.seed import invented_id
from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import Ended, existing, hub, plan, rewrite, run
from tests.support.removing import remove, roles
from tests.support.world import MakeWorld, SandboxWorld

DIRECT = "  - {name: Direct, profile: direct}"
ONE = "300000000001"


def datadog(account_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"dd-{account_id}",
        "name": "From Datadog",
        "roleArn": f"arn:aws:iam::{account_id}:role/DatadogIntegrationRole",
        "externalId": "datadogs-own",
        "createdAt": "2020-01-01T00:00:00Z",
        "source": "datadog",
        **fields,
    }


def untouched(ended: Ended, name: str) -> None:
    """This account is left as it is, and the report says why."""
    account = ended.account(name)
    assert (account["outcome"], account["actions"]) == ("unchanged", [])
    assert "'datadog'" in account["notes"][0]
    assert account["error"] is None


def writes(world: SandboxWorld) -> list[str]:
    return [request.method for request in world.requests() if request.method != "GET"]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"roleArn": None, "accountId": ONE},
        {"roleArn": "none", "name": f"prod ({ONE})"},
    ],
    ids=["with a role", "with an account ID", "with the ID in its name"],
)
def test_a_run_leaves_them_and_their_accounts_alone(
    make_world: MakeWorld, aws_proxy: AwsProxy, shape: dict[str, Any]
) -> None:
    world = make_world(hub(2))
    world.accounts = [datadog(ONE, **shape)]
    planned = plan(world)
    untouched(planned, "A000")
    aws_proxy.calm()
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["unchanged", "created"])
    untouched(ended, "A000")
    assert ended.account("A000")["cloudcraft_id"] == f"dd-{ONE}"
    assert writes(world) == ["POST"]
    assert list(roles(world, ONE)) == ["OrganizationAccountAccessRole"]
    assert aws_proxy.calls["AssumeRole"] == 1


def test_an_account_known_by_its_profile_is_left_alone_once_it_is_reached(
    make_world: MakeWorld,
) -> None:
    world = make_world(hub(0, more=DIRECT))
    world.accounts = [datadog(invented_id("Direct"))]
    for ended in (plan(world), run(world), remove(world)):
        untouched(ended, "Direct")
    assert writes(world) == []
    assert "cloudcraft" not in roles(world, invented_id("Direct"))


def test_an_unknown_team_is_no_matter_of_an_account_that_is_left_alone(
    make_world: MakeWorld,
) -> None:
    world = make_world(existing(1).replace("defaults:", "defaults:\n  read_access: [Nobody]"))
    world.accounts = [datadog("200000000001")]
    assert run(world).outcomes == ["unchanged"]


def test_remove_leaves_registration_and_role(make_world: MakeWorld) -> None:
    world = make_world(hub(2))
    run(world)
    world.accounts = [datadog(ONE), *(a for a in world.accounts if ONE not in a["roleArn"])]
    before = roles(world, ONE)
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (0, ["unchanged", "removed"])
    untouched(ended, "A000")
    assert (world.registered, roles(world, ONE)) == ([ONE], before)


def test_the_direct_one_of_two_is_ours_and_no_duplicate(make_world: MakeWorld) -> None:
    world = make_world(hub(1))
    run(world)
    (ours,) = world.accounts
    world.accounts = [datadog(ONE), {**ours, "name": "Renamed"}]
    ended = run(world)
    assert (ended.outcomes, ended.actions) == (["updated"], [["update-registration"]])
    assert ended.account("A000")["notes"] == []
    assert ended.account("A000")["cloudcraft_id"] == ours["id"]
    planned, removed = remove(world, dry_run=True), remove(world)
    assert planned.outcomes == removed.outcomes == ["removed"]
    notes = planned.account("A000")["notes"], removed.account("A000")["notes"]
    assert (
        notes[0]
        == notes[1]
        == ["Its registration from 'datadog' is kept: Cloudcraft still has the account."]
    )
    assert [account["id"] for account in world.accounts] == [f"dd-{ONE}"]


def test_datadog_adds_the_account_while_it_is_registered(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault({**faults.LISTING, "answer": {"status": 200, "body": {}}})
    world.accounts = [datadog("200000000001")]
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"])
    assert ended.account("A000")["notes"] == []
    assert writes(world) == ["POST"]


def test_unlisted_offers_only_direct_ones(make_world: MakeWorld) -> None:
    world = make_world(existing(3))
    run(world)
    ours = [a for a in world.accounts if "200000000001" not in a["roleArn"]]
    world.accounts = [datadog("200000000001"), datadog("200000000002"), *ours]
    rewrite(world, existing(1, first=200000000009))
    ended = remove(world, unlisted=True)
    assert (ended.code, ended.outcomes) == (0, ["removed", "removed"])
    assert [a["id"] for a in world.accounts] == ["dd-200000000001", "dd-200000000002"]


def test_one_whose_account_cannot_be_told_is_left_alone_and_said(
    make_world: MakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(existing(1))
    world.accounts = [datadog("x", roleArn=None)]
    assert run(world, verbosity=0).outcomes == ["created"]
    assert "1 registration is left alone: from 'datadog'" in capsys.readouterr().err
    assert remove(world).outcomes == ["removed"]
    assert [account["id"] for account in world.accounts] == ["dd-x"]


# --- lists that cannot be understood --------------------------------------------------------------

BROKEN: faults.Fault = {
    **faults.LISTING,
    "times": -1,
    "answer": {"status": 200, "body": {"accounts": [{"accountName": "Production"}]}},
}


@pytest.mark.parametrize("command", [run, plan, remove], ids=["run", "plan", "remove"])
def test_a_list_that_cannot_be_understood_starts_nothing(
    make_world: MakeWorld, command: Any
) -> None:
    world = make_world(hub(1))
    world.fault(BROKEN)
    with pytest.raises(CannotStart, match=r"^Cloudcraft's answer to GET .*no usable id"):
        command(world)
    assert writes(world) == []
    assert "cloudcraft" not in roles(world, ONE)


def test_a_last_list_that_cannot_be_understood_leaves_accounts_pending(
    make_world: MakeWorld,
) -> None:
    world = make_world(existing(1))
    world.fault({**BROKEN, "skip": 1})
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["pending"])
    assert "no usable id" in ended.account("A000")["notes"][0]


@pytest.mark.parametrize(
    ("command", "method"), [(run, "POST"), (remove, "DELETE")], ids=["run", "remove"]
)
def test_a_doubt_is_not_settled_by_a_list_that_cannot_be_understood(
    make_world: MakeWorld, command: Any, method: str
) -> None:
    world = make_world(existing(1))
    if method == "DELETE":
        run(world)
    sent = len(writes(world))
    world.fault({**BROKEN, "skip": 1}, faults.reset(processed=False, method=method))
    ended = command(world)
    assert (ended.code, ended.outcomes) == (1, ["pending"])
    assert "no usable id" in ended.account("A000")["notes"][-1]
    assert writes(world)[sent:] == [method]
