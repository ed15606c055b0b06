"""The way back: what is taken away, what is kept, and what is left after trouble."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from cloudcraft_onboard.errors import CannotStart
from cloudcraft_onboard.sandbox.shapes import allow
from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import hub, rewrite, run
from tests.support.removing import OTHERS, READ_ONLY, meanwhile, remove, roles
from tests.support.world import MakeWorld, SandboxWorld

ONE = "300000000001"
EVERYTHING = """
version: 1
defaults:
  profile: org-admin
  assume_role: OrganizationAccountAccessRole
accounts:
  - {name: Management, account_id: "100000000001", tags: {sandbox: management}}
  - {name: Direct, profile: direct}
  - name: Hub
    account_id: "100000000003"
    role:
      path: /team/
      tags: {team: core}
      permissions_boundary: ReadOnlyAccess
      policies: [ReadOnlyAccess, "cloudcraft:custom"]
  - {name: Minimal, account_id: "100000000014", role: {policies: ["cloudcraft:minimal"]}}
  - {name: Existing, account_id: "100000000012", role: {via: existing}}
  - {name: Adopted, account_id: "100000000008", role: {adopt: true}, tags: {sandbox: foreign-trust}}
  - {name: Disabled, account_id: "100000000015", enabled: false, tags: {sandbox: onboarded}}
"""
EVERYWHERE = [f"1000000000{number}" for number in ("01", "03", "14", "12", "08", "15")]
REMOVED_AT_ONCE = ["delete-registration", "detach-policy", "delete-role"]
REMOVING = {"method": "DELETE", "path": "^/aws/account/"}


def everywhere(world: SandboxWorld) -> dict[str, dict[str, list[str]]]:
    return {account_id: roles(world, account_id) for account_id in EVERYWHERE}


def test_there_and_back_again_everything_is_as_it_was(make_world: MakeWorld) -> None:
    world = make_world(EVERYTHING)
    before = everywhere(world)
    assert world.registered == ["100000000015"]
    assert run(world).code == 0
    ended = remove(world)
    assert ended.code == 0
    assert ended.outcomes == [*["removed"] * 6, "skipped"]
    assert ended.actions == [
        REMOVED_AT_ONCE,
        REMOVED_AT_ONCE,
        ["delete-registration", "detach-policy", "detach-policy", "delete-role"],
        REMOVED_AT_ONCE,
        ["delete-registration"],
        ["delete-registration"],
        [],
    ]
    assert world.registered == ["100000000015"]
    assert everywhere(world) == before
    assert ended.report["command"] == "remove"
    assert ended.report["dry_run"] is False
    assert ended.report["summary"]["removed"] == 6
    assert "tag ManagedBy=cloudcraft-onboard" in ended.account("Adopted")["notes"][0]
    assert "role.via: existing" in ended.account("Existing")["notes"][0]


def test_a_dry_run_predicts_it_and_writes_nothing(make_world: MakeWorld) -> None:
    world = make_world(EVERYTHING)
    run(world)
    before, registered, sent = everywhere(world), world.registered, len(world.requests())
    planned = remove(world, yes=False, dry_run=True)
    assert [request.method for request in world.requests()[sent:]] == ["GET", "GET"]
    assert (everywhere(world), world.registered) == (before, registered)
    assert (planned.code, planned.report["dry_run"]) == (0, True)
    ended = remove(world)
    assert (planned.outcomes, planned.actions) == (ended.outcomes, ended.actions)
    same = ("account_id", "role_arn", "cloudcraft_id", "notes")
    assert [[account[key] for key in same] for account in planned.report["accounts"]] == [
        [account[key] for key in same] for account in ended.report["accounts"]
    ]


def test_a_second_removal_writes_nothing_and_sends_the_reads_alone(make_world: MakeWorld) -> None:
    world = make_world(hub(5))
    run(world)
    assert remove(world).requests == 2 + 5 + 1  # the last list
    again = remove(world)
    assert (again.code, set(again.outcomes), again.requests) == (0, {"unchanged"}, 2)
    assert again.actions == [[]] * 5
    assert again.account("A000")["notes"] == []


def test_only_the_selected_accounts_are_touched(make_world: MakeWorld) -> None:
    world = make_world(hub(3))
    run(world)
    assert remove(world, "A001").outcomes == ["removed"]
    assert world.registered == ["300000000001", "300000000003"]
    assert [bool("cloudcraft" in roles(world, f"30000000000{n}")) for n in (1, 2, 3)] == [
        True,
        False,
        True,
    ]


# --- what is kept ---------------------------------------------------------------------------------


def another_policy(world: SandboxWorld) -> None:
    world.iam(ONE).attach_role_policy(RoleName="cloudcraft", PolicyArn=OTHERS)


def another_inline_policy(world: SandboxWorld) -> None:
    world.iam(ONE).put_role_policy(
        RoleName="cloudcraft",
        PolicyName="theirs",
        PolicyDocument=json.dumps(allow("s3:ListAllMyBuckets")),
    )


def no_tag(world: SandboxWorld) -> None:
    world.iam(ONE).untag_role(RoleName="cloudcraft", TagKeys=["ManagedBy"])


def another_tag(world: SandboxWorld) -> None:
    tags = [{"Key": "ManagedBy", "Value": "terraform"}]
    world.iam(ONE).tag_role(RoleName="cloudcraft", Tags=tags)  # type: ignore[arg-type]


def trusts(principal: str, *, besides: bool) -> Callable[[SandboxWorld], None]:
    """Somebody lets `principal` assume the role, besides Cloudcraft or instead of it."""

    def drift(world: SandboxWorld) -> None:
        iam = world.iam(ONE)
        document = iam.get_role(RoleName="cloudcraft")["Role"]["AssumeRolePolicyDocument"]
        trust = document if isinstance(document, dict) else json.loads(unquote(document))
        theirs: Any = {
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
        }
        trust["Statement"] = [*(trust["Statement"] if besides else ()), theirs]
        iam.update_assume_role_policy(RoleName="cloudcraft", PolicyDocument=json.dumps(trust))

    return drift


STRANGER = "arn:aws:iam::999999999999:root"


@pytest.mark.parametrize(
    ("drift", "force", "why"),
    [
        pytest.param(
            trusts(STRANGER, besides=True),
            False,
            "it also trusts account 999999999999",
            id="somebody besides Cloudcraft",
        ),
        pytest.param(
            trusts(STRANGER, besides=False),
            False,
            "it trusts account 999999999999",
            id="somebody else",
        ),
        pytest.param(trusts("*", besides=True), False, "it also trusts *", id="anybody"),
        pytest.param(another_policy, False, OTHERS, id="a policy"),
        pytest.param(another_inline_policy, False, "theirs (inline)", id="an inline policy"),
        pytest.param(no_tag, True, "no tag ManagedBy", id="no tag, even with --force"),
        pytest.param(another_tag, True, "no tag ManagedBy", id="another tag, even with --force"),
    ],
)
def test_the_role_is_kept_as_it_is_and_the_registration_goes(
    make_world: MakeWorld, drift: Callable[[SandboxWorld], None], *, force: bool, why: str
) -> None:
    world = make_world(hub(1))
    run(world)
    drift(world)
    before = roles(world, ONE)
    ended = remove(world, force=force)
    assert (ended.code, ended.outcomes, ended.actions) == (
        0,
        ["removed"],
        [["delete-registration"]],
    )
    assert roles(world, ONE) == before
    assert world.registered == []
    (note,) = ended.account("A000")["notes"]
    assert why in note


@pytest.mark.parametrize(
    "drift", [another_policy, another_inline_policy, trusts(STRANGER, besides=True)]
)
def test_force_takes_a_role_that_others_use_too(
    make_world: MakeWorld, drift: Callable[[SandboxWorld], None]
) -> None:
    world = make_world(hub(1))
    run(world)
    drift(world)
    assert remove(world, force=True).code == 0
    assert list(roles(world, ONE)) == ["OrganizationAccountAccessRole"]


def test_keep_roles_deletes_registrations_without_a_call_to_aws(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = make_world(hub(2))
    run(world)
    before = roles(world, ONE)
    aws_proxy.calm()
    ended = remove(world, keep_roles=True)
    assert ended.actions == [["delete-registration"]] * 2
    assert (world.registered, roles(world, ONE)) == ([], before)
    assert not aws_proxy.calls
    assert "--keep-roles" in ended.account("A000")["notes"][0]


def test_keep_roles_reaches_an_account_whose_id_is_not_known(make_world: MakeWorld) -> None:
    world = make_world("version: 1\naccounts:\n  - {name: Direct, profile: direct}\n")
    run(world)
    (account_id,) = world.registered
    assert remove(world, keep_roles=True).actions == [["delete-registration"]]
    assert (world.registered, list(roles(world, account_id))) == ([], ["cloudcraft"])


def test_a_role_that_gets_a_policy_after_the_plan_is_kept(make_world: MakeWorld) -> None:
    world = make_world(hub(1))
    run(world)
    world.fault(faults.slow(2.0, **REMOVING))
    with meanwhile(lambda: bool(world.requests("DELETE")), lambda: another_policy(world)):
        ended = remove(world)
    assert (ended.outcomes, ended.actions) == (["removed"], [["delete-registration"]])
    assert OTHERS in ended.account("A000")["notes"][0]
    assert roles(world, ONE)["cloudcraft"] == [READ_ONLY, OTHERS]


# --- what is there besides or not at all ----------------------------------------------------------


def test_all_registrations_of_an_account_are_deleted(make_world: MakeWorld) -> None:
    world = make_world(
        hub(0, more='  - {name: D, account_id: "300000000009", tags: {sandbox: doubled}}')
    )
    ended = remove(world)
    assert ended.actions == [["delete-registration", *REMOVED_AT_ONCE]]
    assert world.registered == []


def test_a_role_without_a_registration_and_the_other_way_round(make_world: MakeWorld) -> None:
    world = make_world(hub(2))
    run(world)
    world.accounts = [a for a in world.accounts if ONE not in a["roleArn"]]
    iam = world.iam("300000000002")
    iam.detach_role_policy(RoleName="cloudcraft", PolicyArn=READ_ONLY)
    iam.delete_role(RoleName="cloudcraft")
    ended = remove(world)
    assert ended.actions == [["detach-policy", "delete-role"], ["delete-registration"]]
    assert set(ended.outcomes) == {"removed"}


def test_what_somebody_else_deleted_meanwhile_is_fine(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = make_world(hub(2), rate_limit="2/1")
    run(world)

    def gone() -> None:
        world.accounts = []
        for account_id in ("300000000001", "300000000002"):
            iam = world.iam(account_id)
            iam.detach_role_policy(RoleName="cloudcraft", PolicyArn=READ_ONLY)
            iam.delete_role(RoleName="cloudcraft")

    aws_proxy.calm()
    with meanwhile(lambda: aws_proxy.calls["ListRolePolicies"] == 2, gone):
        ended = remove(world)
    assert (ended.code, set(ended.outcomes)) == (0, {"removed"})
    assert world.registered == []


def test_an_account_that_cannot_be_reached_stays_and_the_others_go(make_world: MakeWorld) -> None:
    more = '  - {name: Far, account_id: "300000000009", tags: {sandbox: "unreachable onboarded"}}'
    world = make_world(hub(2, more=more))
    run(world)
    assert len(world.registered) == 3
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (1, ["removed", "removed", "failed"])
    assert ended.account("Far")["error"]["stage"] == "reach"
    assert world.registered == ["300000000009"]


def test_without_any_way_into_aws_nothing_starts(make_world: MakeWorld) -> None:
    world = make_world(hub(1).replace("org-admin", "nowhere"))
    rewrite(world, hub(1).replace("org-admin", "missing"))
    with pytest.raises(CannotStart, match="missing"):
        remove(world)
    assert world.requests() == []
