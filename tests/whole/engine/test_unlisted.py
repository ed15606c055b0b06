"""Registrations that the manifest lacks: found by account ID, never too many, never by mistake."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.errors import CannotStart
from tests.support.onboarding import hub, rewrite
from tests.support.removing import remove, roles
from tests.support.world import MakeWorld, SandboxWorld

DIRECT = "  - {name: Direct, profile: direct, tags: {sandbox: onboarded}}"
OFF = '  - {name: Disabled, account_id: "300000000009", enabled: false, tags: {sandbox: onboarded}}'


def entries(*numbers: int, state: str = "onboarded") -> str:
    return "\n".join(
        f'  - {{name: A{n}, account_id: "{300000000000 + n}", tags: {{sandbox: {state}}}}}'
        for n in numbers
    )


def left_out(make_world: MakeWorld, *numbers: int, kept: str = "") -> SandboxWorld:
    """These accounts are onboarded and have left the manifest; A1 and `kept` stay in it."""
    world = make_world(hub(0, more="\n".join((entries(1, *numbers), kept))))
    rewrite(world, hub(0, more="\n".join((entries(1), kept))))
    return world


def test_only_what_the_manifest_lacks_goes_and_roles_stay(make_world: MakeWorld) -> None:
    world = left_out(make_world, 2, 3, kept=f"{DIRECT}\n{OFF}")
    ended = remove(world, unlisted=True)
    assert (ended.code, ended.outcomes) == (0, ["removed", "removed"])
    assert [a["account_id"] for a in ended.report["accounts"]] == ["300000000002", "300000000003"]
    assert ended.actions == [["delete-registration"]] * 2
    assert len(world.registered) == 3
    assert {"300000000001", "300000000009"} < set(world.registered)
    assert "cloudcraft" in roles(world, "300000000002")
    again = remove(world, unlisted=True)
    assert (again.code, again.outcomes, again.requests) == (0, [], 1)


def test_a_dry_run_only_offers_them(make_world: MakeWorld) -> None:
    world = left_out(make_world, 2)
    planned = remove(world, unlisted=True, yes=False, dry_run=True)
    assert (planned.code, planned.outcomes) == (0, ["removed"])
    assert {request.method for request in world.requests()} == {"GET"}


@pytest.mark.parametrize("dry_run", [False, True])
def test_more_than_the_ceiling_deletes_nothing(
    make_world: MakeWorld, capsys: pytest.CaptureFixture[str], *, dry_run: bool
) -> None:
    world = left_out(make_world, *range(2, 8))
    ended = remove(world, unlisted=True, dry_run=dry_run)
    assert ended.code == 1
    assert set(ended.outcomes) == {"removed" if dry_run else "pending"}
    assert "6 registrations are not in the manifest, more than --max-removals 5" in (
        capsys.readouterr().err
    )
    assert len(world.registered) == 7
    assert {request.method for request in world.requests()} == {"GET"}


def test_a_higher_ceiling_lets_them_go(make_world: MakeWorld) -> None:
    world = left_out(make_world, *range(2, 8))
    assert remove(world, unlisted=True, most=6).code == 0
    assert world.registered == ["300000000001"]


def test_the_ceiling_counts_registrations_not_accounts(make_world: MakeWorld) -> None:
    world = make_world(hub(0, more=f"{entries(1)}\n{entries(2, 3, state='doubled')}"))
    rewrite(world, hub(0, more=entries(1)))
    assert remove(world, unlisted=True, most=3).code == 1
    assert len(world.registered) == 5
    assert remove(world, unlisted=True, most=4).outcomes == ["removed", "removed"]
    assert world.registered == ["300000000001"]


def test_an_entry_whose_account_cannot_be_found_out_forbids_everything(
    make_world: MakeWorld,
) -> None:
    world = left_out(make_world, 2, kept=DIRECT)
    rewrite(world, hub(0, more=f"{entries(1)}\n  - {{name: Gone, profile: gone}}"))
    with pytest.raises(CannotStart, match="Gone") as raised:
        remove(world, unlisted=True)
    assert "account_id" in raised.value.hint
    assert len(world.registered) == 3


def test_an_entry_that_is_disabled_and_known_by_its_profile_counts_too(
    make_world: MakeWorld,
) -> None:
    world = left_out(make_world, 2, kept=DIRECT)
    off = "  - {name: Direct, profile: direct, enabled: false}"
    rewrite(world, hub(0, more=f"{entries(1)}\n{off}"))
    assert [a["name"] for a in remove(world, unlisted=True).report["accounts"]] == ["A2"]
    assert len(world.registered) == 2


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::30000000000:role/cloudcraft",
        "arn:aws:iam::300000000001 :role/cloudcraft",
        "300000000002",
        "arn:aws:sts::300000000002:assumed-role/cloudcraft/x",
        "arn:aws:iam::300000000002:role/",
    ],
)
def test_a_role_arn_that_does_not_surely_tell_its_account_is_left_alone(
    make_world: MakeWorld, arn: str
) -> None:
    world = left_out(make_world, 2)
    world.accounts = [
        {**a, "roleArn": arn} if "300000000002" in a["roleArn"] else a for a in world.accounts
    ]
    ended = remove(world, unlisted=True)
    assert (ended.code, ended.outcomes) == (0, [])
    assert len(world.accounts) == 2


def test_accounts_of_one_name_are_told_apart_by_their_ids(make_world: MakeWorld) -> None:
    world = left_out(make_world, 2, 3)
    world.accounts = [{**account, "name": "Same"} for account in world.accounts]
    ended = remove(world, unlisted=True)
    assert ended.outcomes == ["removed", "removed"]
    assert {a["name"] for a in ended.report["accounts"]} == {
        "Same (300000000002)",
        "Same (300000000003)",
    }
    assert world.registered == ["300000000001"]
