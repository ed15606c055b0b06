"""Roles by a stack set, from the manifest to the registration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudcraft_onboard.accounts import stackset
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import plain
from tests.support.onboarding import plan, rewrite, run
from tests.support.organization import MANAGEMENT
from tests.support.process import time_budget
from tests.support.removing import remove
from tests.support.world import MakeWorld

if TYPE_CHECKING:
    from tests.support.stacksets import Company

OTHERS = "e8f3a3c4-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stackset, "POLL_SECONDS", 0.01)


def manifest(accounts: dict[str, str], *, role: str = "", stack_set: str = "") -> str:
    """A manifest of accounts by name, the stack set's keys and the role's as JSON's insides."""
    entries = [f'  - {{name: "{name}", account_id: "{i}"}}' for name, i in accounts.items()]
    settings = ", ".join(filter(None, ["via: stackset", role, f"stackset: {{{stack_set}}}"]))
    head = ["version: 1", "defaults:", f"  role: {{{settings}}}", "accounts:"]
    return "\n".join([*head, *entries, ""])


def members(company: Company, count: int, unit: str = "") -> dict[str, str]:
    return {f"A{n}": company.member(f"A{n}", unit) for n in range(count)}


def test_a_run_makes_the_stack_set_and_registers_every_account(company: Company) -> None:
    accounts = members(company, 3)
    stranger = company.member("Stranger")
    world = company.world(manifest(accounts))
    planned = plan(world)
    assert company.aws.writes == []
    assert [set(each) for each in planned.actions] == [{"create-role", "register"}] * 3
    notes = planned.account("A0")["notes"]
    home = "us-east-1, account 123456789012"
    assert notes[0] == f"Rolled out by the stack set cloudcraft-onboard ({home})."
    assert "join the organization later" in notes[1]
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"] * 3)
    assert ended.actions == planned.actions
    assert world.registered == sorted(accounts.values())
    assert company.role(stranger) is None
    assert company.aws.writes == ["create_stack_set", "create_stack_instances"]


def test_a_second_run_writes_nothing(company: Company) -> None:
    world = company.world(manifest(members(company, 2)))
    run(world)
    company.aws.asked.clear()
    again = run(world)
    assert (again.code, again.outcomes, again.actions) == (0, ["unchanged"] * 2, [[], []])
    assert company.aws.writes == []
    assert again.requests == 2


def test_a_change_of_the_role_is_one_update_of_the_stack_set(company: Company) -> None:
    accounts = members(company, 2)
    world = company.world(manifest(accounts))
    run(world)
    company.aws.asked.clear()
    rewrite(world, manifest(accounts, role="max_session_duration: 7200"))
    planned, ended = plan(world), run(world)
    assert planned.actions == ended.actions == [["update-role"]] * 2
    assert ended.outcomes == ["updated"] * 2
    assert company.aws.writes == ["update_stack_set"]
    for account_id in accounts.values():
        role = company.role(account_id)
        assert role is not None
        assert int(str(role.max_session_duration)) == 7200


def test_only_what_is_missing_is_made(company: Company) -> None:
    accounts = members(company, 3)
    first = dict(list(accounts.items())[:2])
    world = company.world(manifest(first))
    run(world)
    company.aws.asked.clear()
    rewrite(world, manifest(accounts))
    ended = run(world)
    assert ended.outcomes == ["unchanged", "unchanged", "created"]
    ((name, given),) = [each for each in company.aws.asked if each[0] in company.aws.writes]
    assert name == "create_stack_instances"
    assert given["DeploymentTargets"] == {
        "OrganizationalUnitIds": [company.root],
        "AccountFilterType": "INTERSECTION",
        "Accounts": [accounts["A2"]],
    }


def test_organizational_units_are_meant_as_a_whole(company: Company) -> None:
    unit = company.unit("Workloads")
    below = company.unit("Prod", parent=unit)
    accounts = {"In": company.member("In", unit), "Below": company.member("Below", below)}
    unlisted = company.member("Unlisted", below)
    accounts["Outside"] = company.member("Outside")
    world = company.world(manifest(accounts, stack_set=f"organizational_units: [{unit}]"))
    ended = run(world)
    assert ended.outcomes == ["created", "created", "failed"]
    assert ended.account("Outside")["error"]["code"] == "NoStackInstance"
    assert unit in ended.account("Outside")["error"]["hint"]
    assert company.role(unlisted) is not None
    assert company.role(accounts["Outside"]) is None


def test_a_unit_that_is_new_in_the_manifest_gets_the_role(company: Company) -> None:
    one, two = company.unit("One"), company.unit("Two")
    accounts = members(company, 1, one)
    unlisted = company.member("Unlisted", two)
    world = company.world(manifest(accounts, stack_set=f"organizational_units: [{one}]"))
    run(world)
    rewrite(world, manifest(accounts, stack_set=f"organizational_units: [{one}, {two}]"))
    assert company.role(unlisted) is None
    assert run(world).outcomes == ["unchanged"]
    assert company.role(unlisted) is not None
    company.aws.asked.clear()
    run(world)
    assert company.aws.writes == []


def test_the_management_account_goes_the_direct_way(company: Company) -> None:
    accounts = {"Management": MANAGEMENT, **members(company, 1)}
    world = company.world(manifest(accounts))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created", "created"])
    assert ended.account("Management")["actions"] == ["create-role", "attach-policy", "register"]
    assert ended.account("A0")["actions"] == ["create-role", "register"]
    assert run(world).outcomes == ["unchanged", "unchanged"]


def test_what_stops_the_management_account_stops_nobody_else(company: Company) -> None:
    world = company.world(manifest({"Management": MANAGEMENT, **members(company, 2)}))
    somebody = {"AWS": "arn:aws:iam::999999999999:root"}
    trust = {"Effect": "Allow", "Principal": somebody, "Action": "sts:AssumeRole"}
    company.make_role(MANAGEMENT, trust)
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed", "created", "created"])
    assert ended.account("Management")["error"]["stage"] == "role"


def test_the_management_account_alone_goes_the_direct_way(company: Company) -> None:
    ended = run(company.world(manifest({"Management": MANAGEMENT})))
    assert (ended.code, ended.outcomes) == (0, ["created"])


def test_accounts_whose_instance_fails_fail_with_cloudformations_reason(company: Company) -> None:
    accounts = members(company, 3)
    company.aws.refusals[accounts["A1"]] = (
        "User: arn:aws:sts::1:assumed-role/stacksets-exec-1/x is not authorized to perform: "
        "iam:CreateRole with an explicit deny in a service control policy"
    )
    world = company.world(manifest(accounts, stack_set="failure_tolerance_percentage: 50"))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["created", "failed", "created"])
    error = ended.account("A1")["error"]
    assert (error["stage"], error["code"]) == ("role", "StackInstanceFailed")
    assert "explicit deny in a service control policy" in error["message"]
    assert "stacksets-exec-*" in error["hint"]
    company.aws.refusals.clear()
    assert plan(world).actions[1] == ["update-role", "register"]
    again = run(world)
    assert (again.code, again.outcomes) == (0, ["unchanged", "created", "unchanged"])


def test_a_role_that_is_there_already_is_not_taken_over(company: Company) -> None:
    accounts = members(company, 1)
    company.make_role(accounts["A0"])
    ended = run(company.world(manifest(accounts)))
    error = ended.account("A0")["error"]
    assert "already exists" in error["message"]
    assert "role.via: assume" in error["hint"]


def test_accounts_that_cloudformation_did_not_come_to_are_pending(company: Company) -> None:
    accounts = members(company, 3)
    company.aws.refusals[accounts["A0"]] = "Internal failure"
    world = company.world(manifest(accounts, stack_set="failure_tolerance_percentage: 0"))
    ended = run(world)
    assert (ended.code, ended.outcomes) == (1, ["failed", "pending", "pending"])
    assert "failure_tolerance_percentage" in ended.account("A2")["notes"][0]
    company.aws.refusals.clear()
    assert run(world).outcomes == ["created"] * 3


def test_accounts_are_registered_while_the_operation_still_runs(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stackset, "POLL_SECONDS", 0.3)
    world = company.world(manifest(members(company, 4)))
    assert run(world).code == 0
    (operation,) = company.aws.kept["cloudcraft-onboard"].operations
    assert operation.ended_at is not None
    assert world.requests("POST")[0].at < operation.ended_at.timestamp()


def test_an_operation_of_somebody_else_is_waited_for(company: Company) -> None:
    accounts = members(company, 3)
    first = dict(list(accounts.items())[:1])
    world = company.world(manifest(first))
    run(world)
    rewrite(world, manifest(accounts))
    company.aws.elsewhere("cloudcraft-onboard", [accounts["A1"]])
    company.aws.asked.clear()
    ended = run(world)
    assert ended.outcomes == ["unchanged", "created", "created"]
    assert ended.actions == [[], ["register"], ["create-role", "register"]]
    assert company.aws.writes == ["create_stack_instances"]


def test_an_operation_that_starts_in_between_is_waited_for(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = members(company, 2)
    world = company.world(manifest({"A0": accounts["A0"]}))
    run(world)
    rewrite(world, manifest(accounts))
    made = company.aws.create_stack_instances
    refused: list[str] = []

    def once_busy(*given: Any) -> Any:
        if not refused:
            refused.append("busy")
            company.aws.elsewhere("cloudcraft-onboard", [accounts["A0"]])
        return made(*given)

    monkeypatch.setattr(company.aws, "create_stack_instances", once_busy)
    assert run(world).outcomes == ["unchanged", "created"]
    assert company.aws.writes[-2:] == ["create_stack_instances"] * 2


BUDGETS = (4, 20, 60)
"""Seconds until an operation is awaited; on a busy machine the first may be used up before."""


def test_a_run_that_stops_leaves_the_operation_to_the_next_one(company: Company) -> None:
    world = company.world(manifest(members(company, 2)))
    company.aws.pace = 0
    assert world.manifest is not None
    for seconds in BUDGETS:
        ended = run(world, time_budget=time_budget(world.manifest.path, seconds))
        assert (ended.code, ended.outcomes) == (1, ["pending", "pending"])
        if "operation" in ended.account("A0")["notes"][0]:
            break
    note = ended.account("A0")["notes"][0]
    (operation,) = company.aws.kept["cloudcraft-onboard"].operations
    assert operation.id in note
    company.aws.pace = 1
    company.aws.asked.clear()
    assert run(world).outcomes == ["created", "created"]
    assert company.aws.writes == []


def test_an_operation_that_does_not_end_is_named_again_and_again(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plain, "_HEARTBEAT", 0.2)
    world = company.world(manifest(members(company, 2)))
    company.aws.pace = 0
    assert world.manifest is not None
    for seconds in BUDGETS:
        run(world, time_budget=time_budget(world.manifest.path, seconds), verbosity=0)
        told = capsys.readouterr().err.splitlines()
        named = [line for line in told if "waiting for operation" in line]
        if len(named) > 1:
            break
    assert len(named) > 1
    (operation,) = company.aws.kept["cloudcraft-onboard"].operations
    which = f"waiting for operation {operation.id} on the stack set cloudcraft-onboard"
    since = f"in progress since {operation.begun_at:%Y-%m-%d %H:%M} UTC"
    assert all(which in line for line in named)
    assert all(since in line and "left" not in line for line in named)


def test_an_account_with_another_external_id_is_left_alone(company: Company) -> None:
    accounts = members(company, 2)
    world = company.world(manifest(accounts))
    theirs = {
        "id": OTHERS,
        "name": "A0",
        "roleArn": f"arn:aws:iam::{accounts['A0']}:role/cloudcraft",
        "externalId": "another",
        "createdAt": "2026-01-01T00:00:00.000Z",
    }
    world.accounts = [theirs]
    planned, ended = plan(world), run(world)
    assert planned.outcomes == ended.outcomes == ["failed", "created"]
    error = ended.account("A0")["error"]
    assert error["code"] == "ExternalIdDiffers"
    assert OTHERS in error["hint"]
    assert "that user's API key, or take the account out with `onboard remove`" in error["hint"]
    assert company.role(accounts["A0"]) is None


def test_an_account_that_datadog_brought_in_gets_no_instance(company: Company) -> None:
    accounts = members(company, 2)
    world = company.world(manifest(accounts))
    theirs = {"id": OTHERS, "name": "x", "accountId": accounts["A0"], "source": "datadog"}
    world.accounts = [theirs]
    planned, ended = plan(world), run(world)
    assert planned.outcomes == ended.outcomes == ["unchanged", "created"]
    assert "'datadog'" in ended.account("A0")["notes"][0]
    assert company.role(accounts["A0"]) is None
    removed = remove(world)
    assert removed.outcomes == ["unchanged", "removed"]
    assert world.accounts == [theirs]


def test_a_stack_set_of_somebody_else_is_left_alone(company: Company) -> None:
    world = company.world(manifest(members(company, 1)))
    company.client("cloudformation").create_stack_set(
        StackSetName="cloudcraft-onboard", TemplateBody="{}", PermissionModel="SERVICE_MANAGED"
    )
    company.aws.asked.clear()
    ended = run(world)
    assert ended.account("A0")["error"]["code"] == "StackSetConflict"
    assert "role.stackset.name" in ended.account("A0")["error"]["hint"]
    assert company.aws.writes == []


@pytest.mark.parametrize(
    ("trusted", "stack_set", "hint"),
    [
        (False, "admin: self", "activate-organizations-access"),
        (True, "admin: delegated", "register-delegated-administrator --account-id 123456789012"),
    ],
    ids=["trusted access", "delegation"],
)
def test_what_the_organization_lacks_is_said(
    company: Company, *, trusted: bool, stack_set: str, hint: str
) -> None:
    company.aws.trusted = trusted
    ended = run(company.world(manifest(members(company, 2), stack_set=stack_set)))
    assert (ended.code, ended.outcomes) == (1, ["failed", "failed"])
    assert hint in ended.account("A1")["error"]["hint"]


def test_remove_deletes_the_instances_of_the_selected_accounts(company: Company) -> None:
    accounts = members(company, 3)
    world = company.world(manifest(accounts))
    run(world)
    company.aws.asked.clear()
    ended = remove(world, "A1")
    assert (ended.code, ended.outcomes) == (0, ["removed"])
    assert ended.actions == [["delete-registration", "delete-role"]]
    assert company.role(accounts["A1"]) is None
    assert company.role(accounts["A0"]) is not None
    assert world.registered == sorted([accounts["A0"], accounts["A2"]])
    assert company.aws.writes == ["delete_stack_instances"]


def test_the_stack_set_goes_with_its_last_instance(company: Company) -> None:
    accounts = {"Management": "123456789012", **members(company, 2)}
    world = company.world(manifest(accounts))
    run(world)
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (0, ["removed"] * 3)
    assert company.aws.kept == {}
    assert world.registered == []
    assert [company.role(account_id) for account_id in accounts.values()] == [None] * 3
    company.aws.asked.clear()
    assert remove(world).outcomes == ["unchanged"] * 3
    assert company.aws.writes == []


def test_an_instance_that_cannot_be_deleted_fails_its_account(company: Company) -> None:
    accounts = members(company, 2)
    world = company.world(manifest(accounts, stack_set="failure_tolerance_percentage: 50"))
    run(world)
    company.aws.refusals[accounts["A0"]] = "Cannot delete entity, must detach all policies first."
    ended = remove(world)
    assert ended.outcomes == ["failed", "removed"]
    error = ended.account("A0")["error"]
    assert "must detach all policies" in error["message"]
    assert ended.account("A0")["actions"] == ["delete-registration"]
    assert "cloudcraft-onboard" in company.aws.kept


def test_remove_leaves_a_stack_set_of_somebody_else(company: Company) -> None:
    accounts = members(company, 1)
    world = company.world(manifest(accounts))
    run(world)
    stack_set = company.client("cloudformation")
    stack_set.update_stack_set(
        StackSetName="cloudcraft-onboard",
        UsePreviousTemplate=True,
        AutoDeployment={"Enabled": True},
        Tags=[{"Key": "team", "Value": "core"}],
    )
    ended = remove(world)
    assert ended.actions == [["delete-registration"]]
    assert "ManagedBy" in ended.account("A0")["notes"][0]
    assert company.role(accounts["A0"]) is not None


def test_the_defaults_profile_administers_the_stack_set(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = members(company, 1)
    text = manifest(accounts).replace("defaults:", "defaults:\n  profile: admin")
    world = company.world(text.replace('"A0", ', '"A0", profile: nowhere, '))
    config = tmp_path / "config"
    config.write_text("[profile admin]\naws_access_key_id=a\naws_secret_access_key=b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert run(world).outcomes == ["created"]


def test_the_sandbox_says_that_it_has_no_stack_sets(make_world: MakeWorld) -> None:
    world = make_world(manifest({"A": "300000000001", "B": "300000000002"}))
    with pytest.raises(UsageError, match="no CloudFormation StackSets, which 'A'"):
        run(world, sandbox=True)
    ended = run(world, retries=0)
    assert "AWS_ENDPOINT_URL" in ended.account("B")["error"]["hint"]
