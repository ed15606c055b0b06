"""`onboard status` on the local AWS and Cloudcraft: all sides, as a command."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cloudcraft_onboard.cli import files, status
from cloudcraft_onboard.errors import CannotStart, OnboardError, UsageError
from tests.support.world import MakeWorld, SandboxWorld

app = typer.Typer()
status.register(app)
files.register(app)

COMPANY = """
version: 1
defaults:
  profile: org-admin
  assume_role: OrganizationAccountAccessRole
accounts:
  - {name: Management, account_id: "100000000001", tags: {sandbox: management onboarded strangers}}
  - {name: Shop, account_id: "100000000002", tags: {sandbox: onboarded, ou: Prod/Shop}}
  - {name: Drifted, account_id: "100000000003", tags: {sandbox: drifted, ou: Prod/Shop}}
  - {name: Twice, account_id: "100000000004", tags: {sandbox: doubled, ou: Prod}}
  - {name: New, account_id: "100000000005", tags: {ou: Test}}
  - {name: Legacy, account_id: "100000000006", enabled: false, tags: {ou: Test}}
  - {name: Closed, account_id: "100000000007", tags: {sandbox: onboarded closed, ou: Test}}
  - {name: Locked, account_id: "100000000008", tags: {sandbox: onboarded unreachable, ou: Prod}}
"""
STATES = {
    "Management": "onboarded",
    "Shop": "onboarded",
    "Drifted": "drifted",
    "Twice": "onboarded",
    "New": "missing",
    "Legacy": "disabled",
    "Closed": "gone",
    "Locked": "unreachable",
    "Mobile App": "unlisted",
    "Skunkworks": "uncovered",
    "Sold Subsidiary": "gone",
}


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.stdout)
        return parsed

    @property
    def states(self) -> dict[str, str]:
        return {account["name"]: account["state"] for account in self.report["accounts"]}

    def account(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(a for a in self.report["accounts"] if a["name"] == name)
        return found


def run(world: SandboxWorld, *arguments: str, path: Path | None = None) -> Ended:
    """A run that ends by itself; its error is raised."""
    assert world.manifest is not None
    result = CliRunner().invoke(app, ["status", str(path or world.manifest.path), *arguments])
    if isinstance(result.exception, OnboardError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ended(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)


def test_all_sides_and_nothing_is_written(make_world: MakeWorld) -> None:
    world = make_world(COMPANY)
    before = world.accounts
    ended = run(world, "--organization", "-o", "json")
    assert ended.code == 0
    assert ended.states == STATES
    assert list(ended.states)[8:] == ["Mobile App", "Skunkworks", "Sold Subsidiary"]
    told = ended.report
    assert told["summary"]["total"] == sum(told["summary"].values()) / 2 == 11
    # Of nine active accounts Legacy, New, Locked and Skunkworks are not seen.
    assert told["coverage"] == 0.555
    assert (told["organization"], told["roles"]) == (True, True)
    assert ended.account("Shop")["ou"] == "Prod/Shop"
    assert ended.account("Management")["ou"] == ""
    assert ended.account("Closed")["ou"] is None
    assert "SUSPENDED" in ended.account("Closed")["notes"][0]
    assert ended.account("Drifted")["actions"][0] == "update-trust"
    assert ended.account("Locked")["error"]["code"] == "AccessDenied"
    assert [len(ended.account(name)["cloudcraft_ids"]) for name in ("Shop", "Twice")] == [1, 2]
    (note,) = ended.account("Twice")["notes"]
    assert note.startswith("doubled: registered 2 times")
    assert [request.method for request in world.requests()] == ["GET", "GET"]
    assert world.accounts == before


def test_without_organization_nobody_is_gone_or_uncovered(make_world: MakeWorld) -> None:
    world = make_world(COMPANY)
    ended = run(world, "-o", "json")
    expected = {**STATES, "Closed": "onboarded", "Sold Subsidiary": "unlisted"}
    del expected["Skunkworks"]
    assert ended.states == expected
    assert {account["ou"] for account in ended.report["accounts"]} == {None}
    # All but Legacy count; New and Locked are not seen.
    assert ended.report["coverage"] == 0.777


def test_no_roles_needs_no_credentials(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(COMPANY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    ended = run(world, "--no-roles", "-o", "json")
    expected = {
        **STATES,
        "Drifted": "onboarded",
        "Closed": "onboarded",
        "Locked": "onboarded",
        "Sold Subsidiary": "unlisted",
    }
    del expected["Skunkworks"]
    assert ended.states == expected
    assert ended.report["roles"] is False
    assert [request.method for request in world.requests()] == ["GET", "GET"]


def test_an_account_known_by_its_profile_is_found_in_the_aws_config(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = make_world(
        "version: 1\naccounts:\n"
        "  - {name: Known, profile: known, tags: {sandbox: onboarded}}\n"
        "  - {name: Unknown, profile: unknown, tags: {sandbox: onboarded}}\n"
        "  - {name: Same, profile: same}\n"
    )
    known = next(a["roleArn"].split(":")[4] for a in world.accounts if a["name"] == "Known")
    config = tmp_path / "config"
    sections = (f"[profile {name}]\nsso_account_id = {known}\n" for name in ("known", "same"))
    config.write_text("".join(sections))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    ended = run(world, "--no-roles", "-o", "json")
    assert [(a["name"], a["state"]) for a in ended.report["accounts"]] == [
        ("Known", "onboarded"),
        ("Unknown", "onboarded"),
        ("Same", "unreachable"),
    ]
    errors = [a["error"] and a["error"]["code"] for a in ended.report["accounts"]]
    assert errors == [None, None, "SameAccount"]


def test_an_entry_that_nobody_knows_is_said_beside_the_accounts_that_may_be_it(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = make_world(
        "version: 1\naccounts:\n"
        '  - {name: Hub, account_id: "100000000001", tags: {sandbox: management strangers}}\n'
        "  - {name: Mine, profile: mine, tags: {sandbox: onboarded}}\n"
    )
    world.accounts = [
        {**a, "name": "By hand" if a["name"] == "Mine" else a["name"]} for a in world.accounts
    ]
    credentials = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    unnamed = credentials.read_text(encoding="utf-8").replace("[mine]", "[other]")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "credentials").write_text(unnamed, encoding="utf-8")
    for more in ([], ["--no-roles"]):
        ended = run(world, *more, "-o", "json")
        assert ended.states["Mine"] == "unreachable"
        (note,) = ended.account("By hand")["notes"]
        assert note.startswith("The account of Mine in the manifest is not known")
        assert "onboard remove" not in run(world, *more).stdout


def test_accounts_that_the_manifest_lacks_are_planned_like_its_own(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    defaults = """
version: 1
defaults:
  profile: org-admin
  assume_role: OrganizationAccountAccessRole
  read_access: [Platform]
  role: {policies: ["cloudcraft:minimal"]}
accounts:
"""
    # Of what new entries inherit, this one needs nothing.
    own = "read_access: [], role: {policies: [ReadOnlyAccess]}"
    hub = f'  - {{name: Hub, account_id: "100000000001", tags: {{sandbox: management}}, {own}}}\n'
    lacked = "".join(
        f'  - {{name: {name}, account_id: "{account_id}", tags: {{sandbox: {state}}}}}\n'
        for name, account_id, state in (
            ("Fine", "100000000002", "role"),
            ("Invited", "100000000003", "unreachable"),
            ("Foreign", "100000000004", "foreign-trust"),
            ("Pulled", "100000000005", "datadog unreachable"),
        )
    )
    world = make_world(defaults + hub + lacked)
    mine = tmp_path / "mine.yaml"
    mine.write_text(defaults + hub, encoding="utf-8")
    ended = run(world, "--organization", "-o", "json", path=mine)
    errors = {a["name"]: a["error"] and a["error"]["code"] for a in ended.report["accounts"]}
    assert errors == {
        "Hub": None,
        "Fine": None,
        "Foreign": "TrustConflict",
        "Invited": "AccessDenied",
        "Pulled": None,
    }
    assert "Planning 4 accounts that the manifest lacks, too." in ended.stderr
    assert {request.method for request in world.requests()} == {"GET"}
    left_out = "--exclude 100000000004 --exclude 100000000003"
    assert left_out in run(world, "--organization", path=mine).stdout


def test_a_status_that_is_advised_names_the_profile_only_where_nobody_else_does(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(COMPANY.replace("  profile: org-admin\n", ""))
    assert world.manifest is not None
    # The sandbox's default credentials are those of the organization's management account.
    given = ("--organization", "--no-roles", "--profile", "org-admin")
    credentials = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    named = credentials.read_text(encoding="utf-8").replace("[default]", "[org-admin]")
    credentials.write_text(named, encoding="utf-8")
    advised = f"look at the roles first: onboard status {world.manifest.path} --organization"
    for of_environment in (False, True):
        if of_environment:
            monkeypatch.setenv("AWS_PROFILE", "org-admin")
        told = run(world, *given).stdout
        assert f"{advised}{'' if of_environment else ' --profile org-admin'}\n" in told


def test_a_selection_has_rows_for_its_entries_alone(make_world: MakeWorld) -> None:
    world = make_world(COMPANY)
    ended = run(world, "--organization", "--only", "S*", "--only", "New", "-o", "json")
    assert ended.states == {"Shop": "onboarded", "New": "missing"}
    assert ended.report["coverage"] == 0.5


def test_exit_code_says_whether_anything_is_open(make_world: MakeWorld) -> None:
    world = make_world(COMPANY)
    assert run(world, "--exit-code").code == 1
    assert run(world, "--exit-code", "--only", "Shop", "--only", "Legacy").code == 0
    assert run(world, "--exit-code", "--only", "New").code == 1


def test_reports_come_in_every_format_and_the_json_makes_them_again(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(COMPANY)
    names = ["s.json", "s.md", "s.html", "s.xml", "s.csv"]
    reports = [option for name in names for option in ("--report", str(tmp_path / name))]
    ended = run(world, "--organization", *reports)
    assert "Coverage 55.5%" in ended.stdout
    assert "onboard init --organization --profile org-admin --update" in ended.stdout
    for name in names:
        assert "Skunkworks" in (tmp_path / name).read_text("utf-8")
    again = CliRunner().invoke(app, ["report", str(tmp_path / "s.json")])
    assert "Coverage 55.5%" in again.stdout
    assert again.exit_code == 0


def test_github_gets_warnings_and_a_summary(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = make_world(COMPANY)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    ended = run(world, "--organization")
    warnings = [line for line in ended.stderr.splitlines() if line.startswith("::warning ")]
    assert len(warnings) == 7
    assert any("line=11," in line and "New%3A missing" in line for line in warnings)
    assert "**Coverage 55" in (tmp_path / "summary.md").read_text("utf-8")


def test_who_may_not_list_the_organization_is_told_who_may(make_world: MakeWorld) -> None:
    world = make_world(COMPANY)
    iam = world.iam("100000000001")
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Action": "organizations:List*", "Resource": "*"},
        ],
    }
    iam.put_user_policy(
        UserName="onboard-org-admin", PolicyName="deny", PolicyDocument=json.dumps(deny)
    )
    with pytest.raises(CannotStart) as caught:
        run(world, "--organization")
    assert "organizations:ListRoots" in caught.value.message
    assert "100000000001" in caught.value.hint
    assert caught.value.exit_code == 3


def test_cloudcraft_out_of_reach_and_no_credentials_cannot_start(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(COMPANY)
    with pytest.raises(CannotStart, match="nobody"):
        run(world, "--organization", "--profile", "nobody")
    monkeypatch.setenv("CLOUDCRAFT_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(CannotStart, match="Cannot reach Cloudcraft"):
        run(world, "--retries", "0", "--no-roles")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(CannotStart, match="org-admin"):
        run(world)


def test_organizations_is_asked_by_the_profile_that_is_given(make_world: MakeWorld) -> None:
    world = make_world(COMPANY + '  - {name: Own, profile: own, account_id: "100000000009"}\n')
    # As in AWS, a member account's profile may not ask.
    with pytest.raises(CannotStart, match="profile own may not call organizations"):
        run(world, "--organization", "--profile", "own", "-o", "json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "p"], "--profile needs --organization"),
        (["--only", "nobody"], "matches no account"),
        (["--report", "status.txt"], "no known suffix"),
    ],
)
def test_wrong_usage_contacts_nobody(
    make_world: MakeWorld, arguments: list[str], message: str
) -> None:
    world = make_world(COMPANY)
    with pytest.raises(UsageError, match=message):
        run(world, *arguments)
    assert not world.requests()
