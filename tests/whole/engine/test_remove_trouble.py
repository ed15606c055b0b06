"""A removal in trouble: requests without an answer, a key that may not, time that runs out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloudcraft_onboard.errors import CannotStart
from tests.support import faults
from tests.support.aws_proxy import SCP, THROTTLING, AwsProxy
from tests.support.onboarding import hub, run
from tests.support.removing import meanwhile, remove, roles
from tests.support.world import MakeWorld, SandboxWorld

REMOVING: faults.Fault = {"method": "DELETE", "path": "^/aws/account/"}
IDS = ["300000000001", "300000000002", "300000000003"]


def onboarded(make_world: MakeWorld, count: int = 3, **options: object) -> SandboxWorld:
    """Accounts with everything, as a run leaves them."""
    more = "\n".join(
        f'  - {{name: A{n}, account_id: "{300000000000 + n}", tags: {{sandbox: onboarded}}}}'
        for n in range(1, count + 1)
    )
    return make_world(hub(0, more=more), **options)


def with_role(world: SandboxWorld) -> list[str]:
    return [account_id for account_id in IDS if "cloudcraft" in roles(world, account_id)]


# --- deletions without a clear answer -------------------------------------------------------------

FAULTS = (
    faults.error(500, processed=True),
    faults.error(503, processed=False),
    faults.reset(processed=True),
    faults.reset(processed=False),
    faults.html(502, processed=False),
    faults.html(200, processed=True),
    faults.late(0.3),
)


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(FAULTS, id="all kinds"),
        pytest.param([faults.hang(60, processed=True)], id="a hang"),
    ],
)
def test_what_is_in_doubt_is_looked_up_once_for_all(
    make_world: MakeWorld, kinds: Sequence[faults.Fault]
) -> None:
    """One account for each kind of fault, and one that is spared."""
    count = len(kinds) + 1
    world = onboarded(make_world, count)
    world.fault(
        *(
            {**fault, **REMOVING, "account": f"{300000000001 + number}"}
            for number, fault in enumerate(kinds)
        )
    )
    ended = remove(world, timeout=max(map(faults.patience, kinds)), retries=3)
    assert (ended.code, set(ended.outcomes)) == (0, {"removed"})
    assert (world.registered, with_role(world)) == ([], [])
    methods = [request.method for request in world.requests()]
    unprocessed = sum(not r.processed and r.method == "DELETE" for r in world.requests())
    # The plan's two, one for all doubtful ones, and the last one, if something was sent after that.
    assert methods.count("GET") in (3, 4)
    assert methods[-1] == "GET"
    assert methods.count("DELETE") <= count + unprocessed + (faults.late(0.3) in kinds)


def test_nothing_is_deleted_twice_that_is_gone(make_world: MakeWorld) -> None:
    world = onboarded(make_world)
    world.fault(faults.reset(processed=True, times=3, **REMOVING))
    assert remove(world).code == 0
    assert [r.method for r in world.requests()] == ["GET", "GET", *["DELETE"] * 3, "GET"]


def test_what_never_gets_an_answer_stays_pending_with_its_role_and_goes_next_time(
    make_world: MakeWorld,
) -> None:
    world = onboarded(make_world)
    world.fault(faults.error(503, processed=False, times=-1, account=IDS[1], **REMOVING))
    ended = remove(world, retries=1)
    assert (ended.code, ended.outcomes) == (1, ["removed", "pending", "removed"])
    assert ended.account("A2")["notes"] == [
        "Cloudcraft never answered its deletion, and still lists it."
    ]
    assert ended.account("A2")["attempts"] == 2
    assert (world.registered, with_role(world)) == ([IDS[1]], [IDS[1]])
    world.calm()
    again = remove(world)
    assert (again.code, again.outcomes) == (0, ["unchanged", "removed", "unchanged"])
    assert (world.registered, with_role(world)) == ([], [])


def test_where_the_list_cannot_be_read_either_it_stays_pending(make_world: MakeWorld) -> None:
    world = onboarded(make_world, 1)
    world.fault(
        faults.reset(processed=True, **REMOVING),
        faults.error(500, processed=False, times=-1, skip=1, **faults.LISTING),
    )
    ended = remove(world, retries=0)
    assert ended.outcomes == ["pending"]
    assert "Could not check" in ended.account("A1")["notes"][0]
    world.calm()
    assert remove(world).outcomes == ["removed"]  # its role
    assert with_role(world) == []


# --- refusals ---------------------------------------------------------------------------------


def test_a_read_only_key_stops_the_removal_and_no_role_is_touched(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = onboarded(make_world, 30, rate_limit="5/1")
    monkeypatch.setenv("CLOUDCRAFT_API_KEY", world.read_only_key)
    ended = remove(world)
    assert ended.code == 1
    failed = ended.outcomes.count("failed")
    assert 3 <= failed <= 5
    assert ended.outcomes.count("pending") == 30 - failed
    assert ended.requests <= 2 + 5
    assert with_role(world) == IDS
    assert len(world.registered) == 30
    problem = next(a["error"] for a in ended.report["accounts"] if a["error"])
    assert (problem["stage"], problem["code"]) == ("register", "HTTP403")
    assert "read-write API key" in problem["hint"]


def test_a_key_that_is_revoked_in_the_middle_stops_it_at_once(make_world: MakeWorld) -> None:
    world = onboarded(make_world, rate_limit="1/1")  # one after the other
    world.fault(faults.error(401, "Unauthorized", processed=False, times=-1, skip=1, **REMOVING))
    ended = remove(world)
    assert ended.code == 1
    assert ended.outcomes == ["removed", "failed", "pending"]
    assert with_role(world) == world.registered == IDS[1:]


def test_a_refused_registration_keeps_its_role_and_the_others_go(make_world: MakeWorld) -> None:
    world = onboarded(make_world)
    world.fault(faults.error(403, "Not yours", processed=False, account=IDS[0], **REMOVING))
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (1, ["failed", "removed", "removed"])
    assert "Not yours" in ended.account("A1")["error"]["message"]
    assert with_role(world) == world.registered == IDS[:1]


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (faults.error(401, "Unauthorized", processed=False, **faults.LISTING), "refused"),
        (
            faults.error(500, processed=False, times=-1, **faults.LISTING),
            "answered GET /aws/account with 500",
        ),
    ],
    ids=["401", "500"],
)
def test_without_the_first_list_nothing_starts(
    make_world: MakeWorld, fault: faults.Fault, match: str
) -> None:
    world = onboarded(make_world)
    world.fault(fault)
    with pytest.raises(CannotStart, match=match):
        remove(world, retries=0)
    assert with_role(world) == world.registered == IDS


# --- AWS --------------------------------------------------------------------------------------


def test_a_role_that_must_not_be_deleted_fails_and_a_later_removal_ends_it(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = onboarded(make_world)
    aws_proxy.deny("DeleteRole", SCP, times=1)
    ended = remove(world)
    assert (ended.code, sorted(ended.outcomes)) == (1, ["failed", "removed", "removed"])
    (failed,) = [a for a in ended.report["accounts"] if a["outcome"] == "failed"]
    assert failed["error"]["stage"] == "role"
    assert failed["actions"] == ["delete-registration", "detach-policy"]
    assert world.registered == []
    assert with_role(world) == [failed["account_id"]]
    again = remove(world)
    assert (again.code, again.account(failed["name"])["actions"]) == (0, ["delete-role"])
    assert with_role(world) == []


def test_throttled_and_lost_calls_are_made_again(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = onboarded(make_world)
    aws_proxy.trouble("DetachRolePolicy", kind="lost", times=1)
    aws_proxy.trouble("DeleteRole", kind="lost", times=1)
    aws_proxy.trouble("DeleteRole", times=1, **THROTTLING)
    assert remove(world).outcomes == ["removed"] * 3
    assert with_role(world) == []


def test_a_policy_that_comes_while_the_role_is_emptied_is_seen(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = onboarded(make_world, 1)
    message = "Cannot delete entity, must detach all policies first."
    aws_proxy.trouble("DeleteRole", status=409, code="DeleteConflict", message=message, times=1)
    ended = remove(world)
    assert ended.outcomes == ["removed"]
    assert (aws_proxy.calls["GetRole"], aws_proxy.calls["DeleteRole"]) == (3, 2)
    assert with_role(world) == []


def test_a_role_in_an_instance_profile_fails_with_the_way_out(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = onboarded(make_world, 1)
    message = "Cannot delete entity, must remove roles from instance profile first."
    aws_proxy.trouble("DeleteRole", status=409, code="DeleteConflict", message=message)
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (1, ["failed"])
    assert "instance profile" in ended.account("A1")["error"]["hint"]


def test_no_role_is_touched_where_a_profile_leads_elsewhere_since_the_plan(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world("version: 1\naccounts:\n  - {name: Direct, profile: direct}\n")
    keys = tmp_path / "keys.json"

    def become(account_id: str) -> None:
        told = {"Version": 1, "AccessKeyId": account_id, "SecretAccessKey": world.root_secret}
        keys.write_text(json.dumps(told), encoding="utf-8")

    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text("", encoding="utf-8")
    config = f"[profile direct]\nregion = us-east-1\ncredential_process = cat {keys}\n"
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(config, encoding="utf-8")
    for account_id in (IDS[0], IDS[1]):
        become(account_id)
        assert run(world).code == 0
    become(IDS[0])
    world.fault(faults.slow(2.0, **REMOVING))
    with meanwhile(lambda: bool(world.requests("DELETE")), lambda: become(IDS[1])):
        ended = remove(world)
    assert ended.account("Direct")["error"]["code"] == "WrongAccount"
    assert (world.registered, with_role(world)) == ([IDS[1]], IDS[:2])


# --- stops ------------------------------------------------------------------------------------


def test_too_many_failures_in_the_plan_change_nothing(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = onboarded(make_world)
    aws_proxy.deny("GetRole", SCP, times=1)
    ended = remove(world, max_failures=1, concurrency=1)
    assert (ended.code, ended.outcomes) == (1, ["failed", "pending", "pending"])
    assert with_role(world) == world.registered == IDS


def test_too_many_failures_stop_the_removal(make_world: MakeWorld, aws_proxy: AwsProxy) -> None:
    world = onboarded(make_world, rate_limit="3/120")  # two reads, one deletion
    aws_proxy.deny("DetachRolePolicy", SCP)
    ended = remove(world, max_failures=1)
    assert (ended.code, ended.outcomes) == (1, ["failed", "pending", "pending"])
    assert world.registered == IDS[1:]
    assert with_role(world) == IDS


def test_a_time_budget_ends_it_in_time_and_what_is_begun_is_finished(make_world: MakeWorld) -> None:
    world = onboarded(make_world, rate_limit="3/120")
    ended = remove(world, time_budget=110.0)  # nothing to wait for
    assert (ended.code, ended.outcomes) == (1, ["removed", "pending", "pending"])
    assert with_role(world) == world.registered == IDS[1:]
    assert all(a["notes"] for a in ended.report["accounts"] if a["outcome"] == "pending")


def test_deletions_keep_cloudcrafts_pace(make_world: MakeWorld) -> None:
    world = onboarded(make_world, 12, rate_limit="5/1")
    ended = remove(world)
    assert ended.code == 0
    assert ended.requests == 2 + 12 + 1 + world.throttled
    assert world.throttled <= 1  # a busy machine may count one late
    assert world.kept_to(5, 1.0)
