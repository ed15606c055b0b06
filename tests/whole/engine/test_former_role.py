"""`role.name` was changed: the role of before is named, and removed if it is provably ours."""

from __future__ import annotations

import json

import pytest

from tests.support.onboarding import hub, plan, rewrite, run
from tests.support.removing import OTHERS, READ_ONLY, remove, roles
from tests.support.world import MakeWorld, SandboxWorld

ONE = "300000000001"
OLD = f"arn:aws:iam::{ONE}:role/cloudcraft"
RENAMED = "role: {name: cloudcraft-reader}"
GONE = ["detach-policy", "delete-role"]
ENTRY = "OrganizationAccountAccessRole"


def renamed(make_world: MakeWorld) -> SandboxWorld:
    """One account, onboarded; then the manifest asks for a role of another name."""
    world = make_world(hub(1))
    assert run(world).code == 0
    rewrite(world, hub(1).replace("defaults:\n", f"defaults:\n  {RENAMED}\n"))
    return world


def test_a_plan_and_a_run_note_the_role_that_stays_behind(make_world: MakeWorld) -> None:
    world = renamed(make_world)
    planned, ended = plan(world), run(world)
    for each in (planned, ended):
        (note,) = each.account("A000")["notes"]
        assert f"Registered with the role {OLD}" in note
    assert set(roles(world, ONE)) == {ENTRY, "cloudcraft", "cloudcraft-reader"}
    assert plan(world).account("A000")["notes"] == [], "now it is registered with the new one"


def test_remove_takes_it_along(make_world: MakeWorld) -> None:
    world = renamed(make_world)
    planned = remove(world, yes=False, dry_run=True)
    ended = remove(world)
    for each in (planned, ended):
        assert each.actions == [["delete-registration", *GONE]]
        (note,) = each.account("A000")["notes"]
        assert OLD in note
    (deletion,) = [
        change for change in ended.account("A000")["changes"] if change["action"] == "delete-role"
    ]
    assert deletion["subject"] == OLD
    assert list(roles(world, ONE)) == [ENTRY]
    assert world.registered == []


def test_remove_takes_both_roles(make_world: MakeWorld) -> None:
    world = renamed(make_world)
    iam = world.iam(ONE)
    made = iam.get_role(RoleName="cloudcraft")["Role"]
    iam.create_role(
        RoleName="cloudcraft-reader",
        AssumeRolePolicyDocument=json.dumps(made["AssumeRolePolicyDocument"]),
        Tags=made["Tags"],
    )
    iam.attach_role_policy(RoleName="cloudcraft-reader", PolicyArn=READ_ONLY)
    ended = remove(world)
    assert ended.actions == [["delete-registration", *GONE, *GONE]]
    assert list(roles(world, ONE)) == [ENTRY]


def untagged(world: SandboxWorld) -> None:
    world.iam(ONE).untag_role(RoleName="cloudcraft", TagKeys=["ManagedBy"])


def trusted_by_others(world: SandboxWorld) -> None:
    theirs = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    world.iam(ONE).update_assume_role_policy(RoleName="cloudcraft", PolicyDocument=document)


def with_others_policy(world: SandboxWorld) -> None:
    world.iam(ONE).attach_role_policy(RoleName="cloudcraft", PolicyArn=OTHERS)


@pytest.mark.parametrize("drift", [untagged, trusted_by_others, with_others_policy])
def test_one_that_is_not_surely_ours_stays(make_world: MakeWorld, drift: object) -> None:
    world = renamed(make_world)
    assert callable(drift)
    drift(world)
    ended = remove(world)
    assert (ended.code, ended.actions) == (0, [["delete-registration"]])
    (note,) = ended.account("A000")["notes"]
    assert f"The role {OLD} is kept" in note
    assert "cloudcraft" in roles(world, ONE)


def test_it_stays_with_keep_roles(make_world: MakeWorld) -> None:
    world = renamed(make_world)
    assert remove(world, keep_roles=True).actions == [["delete-registration"]]
    assert "cloudcraft" in roles(world, ONE)
