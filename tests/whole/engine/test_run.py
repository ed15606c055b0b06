"""A manifest from start to end: what is written, what is sent, what is reported."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.onboarding import existing, hub, plan, rewrite, run
from tests.support.world import MakeWorld

WRITES = {"POST", "PUT", "DELETE"}
EVERYTHING = """
version: 1
defaults:
  profile: org-admin
  assume_role: OrganizationAccountAccessRole
accounts:
  - {name: Management, account_id: "100000000001", tags: {sandbox: management}}
  - {name: Direct, profile: direct}
  - {name: Hub, account_id: "100000000003", role: {tags: {team: core}}}
  - {name: Onboarded, account_id: "100000000004", tags: {sandbox: onboarded}}
  - {name: Drifted, account_id: "100000000005", tags: {sandbox: drifted}}
  - {name: Foreign, account_id: "100000000006", tags: {sandbox: foreign-trust}}
  - {name: Shared, account_id: "100000000007", tags: {sandbox: shared-trust}}
  - {name: Adopted, account_id: "100000000008", role: {adopt: true}, tags: {sandbox: foreign-trust}}
  - {name: Role only, account_id: "100000000009", tags: {sandbox: role}}
  - {name: Denied, account_id: "100000000010", tags: {sandbox: denied}}
  - {name: Unreachable, account_id: "100000000011", tags: {sandbox: unreachable}}
  - {name: Existing, account_id: "100000000012", role: {via: existing}}
  - {name: Doubled, account_id: "100000000013", tags: {sandbox: doubled}}
  - {name: Minimal, account_id: "100000000014", role: {policies: ["cloudcraft:custom"]}}
  - {name: Disabled, account_id: "100000000015", enabled: false}
"""


def test_plan_predicts_exactly_what_the_run_then_reports_and_writes_nothing(
    make_world: MakeWorld,
) -> None:
    world = make_world(EVERYTHING)
    planned = plan(world)
    assert {request.method for request in world.requests()} == {"GET"}
    ended = run(world)
    assert (planned.outcomes, planned.actions) == (ended.outcomes, ended.actions)
    assert [a["error"] for a in planned.report["accounts"]] == [
        a["error"] for a in ended.report["accounts"]
    ]
    assert ended.outcomes == [
        *["created"] * 3,
        "unchanged",
        "updated",
        *["failed"] * 2,
        *["created"] * 2,
        *["failed"] * 2,
        "created",
        "unchanged",
        "created",
        "skipped",
    ]
    assert (planned.code, ended.code) == (1, 1)


def test_a_second_run_writes_nothing_and_sends_two_requests(
    make_world: MakeWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(hub(5, more="  - {name: Direct, profile: direct, region: eu-west-1}"))
    first = run(world, verbosity=0)
    assert (first.code, set(first.outcomes), first.requests) == (0, {"created"}, 2 + 6 + 1)
    roles = [world.iam(f"30000000000{n}").get_role(RoleName="cloudcraft")["Role"] for n in (1, 5)]
    assert "up to 6 registrations: less than a minute\n" in capsys.readouterr().err
    second = run(world, verbosity=0)
    assert (second.code, set(second.outcomes), second.requests) == (0, {"unchanged"}, 2)
    assert "registration" not in capsys.readouterr().err, "no guess at what is to be done"
    assert second.actions == [[]] * 6
    assert roles == [
        world.iam(f"30000000000{n}").get_role(RoleName="cloudcraft")["Role"] for n in (1, 5)
    ]


def test_plan_with_changes_can_be_told_to_exit_1(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    assert plan(world).code == 0
    assert plan(world, exit_code=True).code == 1
    assert run(world).code == 0
    assert plan(world, exit_code=True).code == 0


def test_renamed_accounts_are_updated_in_place(make_world: MakeWorld) -> None:
    world = make_world(existing(2))
    assert run(world).code == 0
    ids = [account["id"] for account in world.accounts]
    rewrite(world, existing(2).replace('"A001"', '"Renamed"'))
    ended = run(world)
    assert ended.outcomes == ["unchanged", "updated"]
    assert ended.actions == [[], ["update-registration"]]
    assert ended.requests == 3
    assert [account["id"] for account in world.accounts] == ids
    assert {account["name"] for account in world.accounts} == {"A000", "Renamed"}


def test_team_names_cost_one_request_and_are_sent_as_ids(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    team = world.state["teams"][0]
    rewrite(world, existing(1).replace('01"}', f'01", read_access: ["{team["name"]}"]}}'))
    ended = run(world)
    assert (ended.code, ended.requests) == (0, 2 + 1 + 1 + 1)
    assert world.accounts[0]["readAccess"] == [f"team/{team['id']}"]
    again = run(world)
    assert (again.outcomes, again.requests) == (["unchanged"], 3)


def test_access_that_the_manifest_leaves_out_stays_as_it_is(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    team = world.state["teams"][0]
    assert run(world).code == 0
    world.accounts = [{**world.accounts[0], "readAccess": [f"team/{team['id']}"]}]
    assert run(world).outcomes == ["unchanged"]
    rewrite(world, existing(1).replace("A000", "Renamed"))
    assert run(world).outcomes == ["updated"]
    assert world.accounts[0]["readAccess"] == [f"team/{team['id']}"]


def test_an_unknown_team_fails_its_account_before_anything_is_written(
    make_world: MakeWorld,
) -> None:
    world = make_world(hub(2))
    rewrite(world, hub(1, more='  - {name: T, account_id: "300000000002", read_access: [Nobody]}'))
    ended = run(world)
    assert ended.outcomes == ["created", "failed"]
    assert ended.account("T")["error"]["code"] == "UnknownTeam"
    with pytest.raises(Exception, match="NoSuchEntity"):
        world.iam("300000000002").get_role(RoleName="cloudcraft")


def test_two_profiles_of_one_account_are_an_error_for_the_second(make_world: MakeWorld) -> None:
    world = make_world(
        "version: 1\naccounts:\n"
        '  - {name: One, profile: one, account_id: "400000000001"}\n'
        "  - {name: Two, profile: two}\n"
    )
    credentials = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    profiles = configparser.ConfigParser()
    profiles.read(credentials)
    profiles["two"] = dict(profiles["one"])
    with credentials.open("w", encoding="utf-8") as file:
        profiles.write(file)
    ended = run(world)
    assert ended.outcomes == ["created", "failed"]
    assert ended.account("Two")["error"]["code"] == "SameAccount"


def test_results_keep_the_manifests_order(make_world: MakeWorld) -> None:
    world = make_world(existing(40), latency=0.05)
    ended = run(world)
    assert [a["name"] for a in ended.report["accounts"]] == [f"A{n:03d}" for n in range(40)]


def test_the_first_reads_are_made_at_once(make_world: MakeWorld) -> None:
    world = make_world(existing(1))
    world.fault(faults.slow(2.0, method="GET", times=-1))
    rewrite(world, existing(1).replace("accounts:", "  read_access: [Platform]\naccounts:"))
    plan(world)
    first, *others = world.requests("GET")
    assert len(others) == 2  # parameters, list, teams
    assert first.answered_at is not None
    assert all(other.at < first.answered_at for other in others)
