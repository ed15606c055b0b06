"""One cause in many accounts is told once, with its accounts and one thing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import hub
from tests.support.process import Exited, onboard
from tests.support.world import MakeWorld, SandboxWorld

SSO = "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n"
LEGACY = "sso_region = us-east-1\nsso_start_url = https://corp.example/start\n"
MANY = 59


def profile(number: int, kind: str) -> str:
    own = f"[profile p{number}]\nsso_account_id = {400000000000 + number}\nsso_role_name = Admin\n"
    return own + ("sso_session = corp\n" if kind == "session" else LEGACY)


def plan(world: SandboxWorld, folder: Path, *, config: str, only_these: bool = False) -> Exited:
    """The plan of accounts that each have a profile of their own, beside one that works."""
    with Path(world.env["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"\n{config}")
    working = "" if only_these else '  - {name: W, account_id: "300000000001"}\n'
    names = "".join(f"  - {{name: N{n}, profile: p{n}}}\n" for n in range(MANY))
    manifest = folder / "many.yaml"
    manifest.write_text(
        "version: 1\ndefaults: {profile: org-admin, assume_role: OrganizationAccountAccessRole}\n"
        f"accounts:\n{working}{names}",
        encoding="utf-8",
    )
    return onboard(folder / "run", "plan", manifest, COLUMNS="160")


@pytest.mark.parametrize("kind", ["session", "legacy"])
def test_one_expired_session_is_one_cause_and_one_command(
    make_world: MakeWorld, tmp_path: Path, kind: str
) -> None:
    world = make_world(hub(1))
    config = "".join(profile(number, kind) for number in range(MANY))
    ended = plan(world, tmp_path, config=(SSO if kind == "session" else "") + config)
    assert ended.code == 1, ended.stderr
    assert ended.stdout.count("SSOTokenExpired (reach)") == 1
    assert f"{MANY} accounts" in ended.stdout
    assert ended.stdout.count("aws sso login") == 1
    assert ended.stderr.count("→") == 1  # in the progress lines, too
    assert len(ended.stdout.splitlines()) < 40
    if kind == "session":
        assert "`aws sso login --sso-session corp`" in ended.stdout


def test_where_nothing_can_start_the_cause_is_told_once(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(hub(1))
    config = SSO + "".join(profile(number, "session") for number in range(MANY))
    ended = plan(world, tmp_path, config=config, only_these=True)
    assert ended.code == 3
    assert ended.stderr.count("aws sso login") == 1
    assert f"and {MANY - 5} more" in ended.stderr
    assert len(ended.stderr.splitlines()) < 8


def test_mistyped_profiles_are_one_cause(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(hub(1))
    near = "".join(f"[profile pp{n}]\nregion = us-east-1\n" for n in range(MANY))
    ended = plan(world, tmp_path, config=near)
    assert ended.code == 1
    assert ended.stdout.count("ProfileNotFound (reach)") == 1
    assert "The config profile (PROFILE) could not be found." in ended.stdout
    assert ended.stdout.count("list-profiles") == 1
    assert "Did you mean" not in ended.stdout  # that is each account's own:
    again = onboard(tmp_path / "again", "report", tmp_path / "run" / "results.json")
    assert again.stdout.count("ProfileNotFound (reach)") == 1  # of a saved report, too
    hints = [account["error"]["hint"] for account in ended.accounts if account["error"]]
    assert "Did you mean pp4" in hints[4]


def test_a_role_whose_name_is_taken_in_other_letters_is_no_race(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(hub(1))
    taken = "Role with name cloudcraft already exists."
    with AwsProxy(world.aws_url) as proxy:
        refusal = {"status": 409, "code": "EntityAlreadyExists", "message": taken}
        proxy.trouble("CreateRole", **refusal)
        ended = onboard(
            tmp_path / "run", "run", tmp_path / "manifest.yaml", AWS_ENDPOINT_URL=proxy.url
        )
    (account,) = ended.accounts
    assert account["error"]["code"] == "EntityAlreadyExists"
    assert account["error"]["message"] == taken
    assert "letter case" in account["error"]["hint"]
    assert "Another program" not in account["error"]["hint"]
