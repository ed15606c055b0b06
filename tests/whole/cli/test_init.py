"""`onboard init` as a command: from an organization on a moto server, and from profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from cloudcraft_onboard.cli import init
from cloudcraft_onboard.errors import CannotStart, ManifestError, OnboardError, UsageError
from cloudcraft_onboard.manifest.load import load, loads
from cloudcraft_onboard.model import AssumeRole
from tests.support.organization import MANAGEMENT, Organization

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

app = typer.Typer()
init.register(app)


def run(*arguments: str, code: int = 0, piped: str | None = None) -> tuple[str, str]:
    """stdout and stderr of a run that ends so; its error is raised."""
    result = CliRunner().invoke(app, list(arguments), input=piped)
    if isinstance(result.exception, OnboardError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        """\
[profile org-admin]
region = us-east-1
[profile prod]
role_arn = arn:aws:iam::111122223333:role/Admin
source_profile = org-admin
[profile prod-readonly]
sso_account_id = 111122223333
[profile stage]
sso_account_id = 012345678901
[profile keys]
aws_access_key_id = 222233334444
aws_secret_access_key = test
"""
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def test_an_organization_becomes_a_valid_manifest(organization: Organization) -> None:
    root = organization.create()
    live = organization.unit("Live", root)
    first, second = organization.account("Shop", live), organization.account("Shop")
    closed, other = organization.account("Closed"), organization.account("Other")
    organization.client.close_account(AccountId=closed)
    out, err = run("--organization", "--exclude", other, "--exclude", "999999999999")
    accounts = loads("m.yaml", out.encode()).accounts
    assert accounts[0].account_id == MANAGEMENT
    assert "# The management account." in out
    assert {(a.account_id, a.tags["ou"]) for a in accounts[1:]} == {
        (second, "Root"),
        (first, "Root/Live"),
    }
    assert {a.assume_role for a in accounts} == {AssumeRole(role="OrganizationAccountAccessRole")}
    assert [a.name for a in accounts[1:]] == ["Shop", f"Shop ({first})"]
    assert f"Left out Closed ({closed}): it is SUSPENDED." in err
    assert f"{first} is named 'Shop ({first})' here" in err
    assert "--exclude 999999999999: the organization has no such account" in err


def test_units_names_and_the_role_are_the_users_choice(organization: Organization) -> None:
    root = organization.create()
    live = organization.unit("Live", root)
    inside = organization.account("Shop", organization.unit("Shops", live))
    organization.account("Outside")
    options = ("--assume-role", "AWSControlTowerExecution", "--name", "{ou}: {name} {id}")
    out, _ = run("--organization", "--ou", live, *options)
    (account,) = loads("m.yaml", out.encode()).accounts
    assert account.name == f"Root/Live/Shops: Shop {inside}"
    assert account.assume_role == AssumeRole(role="AWSControlTowerExecution")


def test_accounts_are_shared_by_their_unit(organization: Organization, tmp_path: Path) -> None:
    root = organization.create()
    prod = organization.unit("Prod", root)
    direct = organization.account("Direct", prod)
    below = organization.account("Below", organization.unit("Shop", prod))
    labs = organization.account("Labs", organization.unit("Labs", root))
    other = organization.account("Other")
    options = (
        "--share",
        "Prod/*=Platform",
        "--share",
        "Root/Labs=team/t1",
        "--share",
        "*=everyone",
    )
    out, err = run("--organization", *options, "--share", "Never=Nobody")
    accounts = {a.account_id: a.read_access for a in loads("m.yaml", out.encode()).accounts}
    assert accounts == {
        MANAGEMENT: ("everyone",),
        direct: ("Platform",),
        below: ("Platform",),
        labs: ("team/t1",),
        other: ("everyone",),
    }
    assert out.count("everyone]") == 1
    assert "--share Never=Nobody: matches no account." in err

    file = tmp_path / "org.yaml"
    file.write_text(out)
    assert run("--organization", *options, "--update", str(file))[1] == f"{file} is up to date.\n"
    new = [organization.account("New", prod), organization.account("New too")]
    run("--organization", *options, "--update", str(file))
    assert file.read_text().startswith(out)
    found = {a.account_id: a.read_access for a in load(str(file)).accounts}
    assert [found[account_id] for account_id in new] == [("Platform",), ("everyone",)]
    assert file.read_text().count("everyone]") == 1


def test_without_a_rule_for_all_the_others_stay_as_they_are(organization: Organization) -> None:
    root = organization.create()
    prod = organization.account("In", organization.unit("Prod", root))
    out, _ = run("--organization", "--share", "Prod=A team, ours")
    accounts = {a.account_id: a.read_access for a in loads("m.yaml", out.encode()).accounts}
    assert accounts == {MANAGEMENT: None, prod: ("A team, ours",)}


@pytest.mark.parametrize("rule", ["Prod", "=Platform", " =x", "Prod=", "Prod= ", "*=team/"])
def test_a_share_that_says_nothing_is_wrong_usage(rule: str) -> None:
    with pytest.raises(UsageError, match="--share"):
        run("--organization", "--share", rule)


@pytest.mark.usefixtures("config")
def test_names_and_sharing_are_for_every_source() -> None:
    out, err = run("--profiles", "p*", "--name", "AWS {name} {id}", "--share", "*=everyone")
    (account,) = loads("m.yaml", out.encode()).accounts
    assert (account.name, account.read_access) == ("AWS prod 111122223333", ("everyone",))
    assert "Left out profile prod-readonly" in err
    _, err = run("--profiles", "p*", "--share", "Prod/*=Platform")
    assert "--share Prod/*=Platform: matches no account." in err


def test_update_adds_disables_and_then_changes_no_byte(
    organization: Organization, tmp_path: Path
) -> None:
    organization.create()
    kept, closed = organization.account("Kept"), organization.account("Closed")
    file = tmp_path / "org.yaml"
    run("--organization", "-f", str(file))
    edited = file.read_text().replace("name: Kept", "name: 'My own name'  # mine")
    file.write_text(edited)
    assert run("--organization", "--update", str(file)) == ("", f"{file} is up to date.\n")
    assert file.read_text() == edited

    organization.client.close_account(AccountId=closed)
    new = organization.account("New")
    _, err = run("--organization", "--update", str(file))
    assert f"Closed ({closed}) is SUSPENDED" in err
    assert file.read_text().startswith(edited)
    accounts = {a.account_id: a for a in load(str(file)).accounts}
    assert (accounts[kept].name, accounts[new].name) == ("My own name", "New")
    assert accounts[new].assume_role == AssumeRole(role="OrganizationAccountAccessRole")
    assert accounts[closed].enabled

    _, err = run("--organization", "--update", str(file), "--disable-closed")
    assert "set `enabled: false` for Closed." in err
    assert not {a.account_id: a for a in load(str(file)).accounts}[closed].enabled
    before = file.read_bytes()
    run("--organization", "--update", str(file), "--disable-closed")
    assert file.read_bytes() == before


def test_an_update_gives_new_accounts_a_way_in_that_the_defaults_lack(
    organization: Organization, tmp_path: Path
) -> None:
    organization.create()
    file = tmp_path / "org.yaml"
    file.write_text(f'version: 1\naccounts:\n- name: M\n  account_id: "{MANAGEMENT}"\n')
    organization.account("New")
    run("--organization", "--update", str(file))
    assert load(str(file)).accounts[1].assume_role == AssumeRole(
        role="OrganizationAccountAccessRole"
    )


def test_an_update_asks_with_the_manifests_profile_unless_another_is_given(
    organization: Organization, config: Path, tmp_path: Path
) -> None:
    organization.create()
    with config.open("a") as stream:
        stream.write("[profile mine]\naws_access_key_id = a\naws_secret_access_key = b\n")
    file = tmp_path / "org.yaml"
    accounts = f'accounts:\n- name: M\n  account_id: "{MANAGEMENT}"\n'
    file.write_text(f"version: 1\ndefaults: {{profile: nobody}}\n{accounts}")
    with pytest.raises(CannotStart, match="nobody"):
        run("--organization", "--update", str(file))
    _, err = run("--organization", "--profile", "mine", "--update", str(file))
    assert "is up to date" in err


def test_the_environments_own_profile_is_not_written_into_the_manifest(
    organization: Organization, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.create()
    with config.open("a") as stream:
        stream.write("[profile mine]\naws_access_key_id = a\naws_secret_access_key = b\n")
    out, _ = run("--organization", "--profile", "mine")
    assert loads("m.yaml", out.encode()).accounts[0].profile == "mine"
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.setenv(variable, "mine")
        for options in ([], ["--profile", "mine"]):
            out, _ = run("--organization", *options)
            assert loads("m.yaml", out.encode()).accounts[0].profile is None
        monkeypatch.delenv(variable)


def test_an_account_that_the_manifest_has_by_its_profile_is_not_added_again(
    organization: Organization, config: Path, tmp_path: Path
) -> None:
    organization.create()
    here = organization.account("Here")
    with config.open("a") as stream:
        stream.write(f"[profile here]\nrole_arn = arn:aws:iam::{here}:role/x\n")
    file = tmp_path / "org.yaml"
    # What the config does not tell of the profile `keys`, STS does.
    text = "version: 1\naccounts:\n  - {name: H, profile: here}\n  - {name: K, profile: keys}\n"
    file.write_text(text)
    assert run("--organization", "--update", str(file)) == ("", f"{file} is up to date.\n")
    assert file.read_text() == text
    organization.account("New")
    run("--organization", "--update", str(file))
    assert [account.name for account in load(str(file)).accounts] == ["H", "K", "New"]


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_where_a_profile_tells_no_account_nothing_of_its_name_is_added(
    organization: Organization, config: Path, tmp_path: Path, enabled: str
) -> None:
    organization.create()
    payments, _ = organization.account("Payments"), organization.account("New")
    assert config.exists()
    file = tmp_path / "org.yaml"
    file.write_text(
        f'version: 1\naccounts:\n  - {{name: M, account_id: "{MANAGEMENT}"}}\n'
        f"  - {{name: payments, profile: org-admin, enabled: {enabled}}}\n"
    )
    _, err = run("--organization", "--update", str(file), code=1)
    assert [account.name for account in load(str(file)).accounts] == ["M", "payments", "New"]
    assert f"Left out Payments ({payments}): it may be 'payments' on line 4" in err
    assert "Profile org-admin of 'payments' on line 4: unknown account ID. " in err
    before = file.read_bytes()
    _, err = run("--organization", "--update", str(file), code=1)
    assert file.read_bytes() == before
    assert f"{file} is unchanged." in err
    _, err = run("--organization", "--update", str(file), "--name", "AWS {name}", code=1)
    assert file.read_bytes() == before, "the organization's name counts, too"


def test_who_a_profile_is_does_not_matter_where_nothing_is_new(
    organization: Organization, config: Path, tmp_path: Path
) -> None:
    organization.create()
    assert config.exists()
    file = tmp_path / "org.yaml"
    file.write_text(
        f'version: 1\naccounts:\n  - {{name: M, account_id: "{MANAGEMENT}"}}\n'
        "  - {name: Elsewhere, profile: org-admin}\n"
    )
    assert run("--organization", "--update", str(file)) == ("", f"{file} is up to date.\n")


@pytest.mark.usefixtures("config")
def test_profiles_become_a_manifest_without_asking_anybody() -> None:
    out, err = run("--profiles", "*")
    assert [(a.name, a.profile, a.account_id) for a in loads("m", out.encode()).accounts] == [
        ("org-admin", "org-admin", None),
        ("prod", "prod", "111122223333"),
        ("stage", "stage", "012345678901"),
        ("keys", "keys", None),
    ]
    assert "Left out profile prod-readonly: it leads to account 111122223333, as prod does." in err


def test_sections_that_the_sdk_ignores_are_named(config: Path) -> None:
    with config.open("a") as stream:
        stream.write("[profile My Account]\nsso_account_id = 333344445555\n[Bob's]\n")
    out, err = run("--profiles", "*")
    assert "My Account" not in out
    assert f"{config}:13: the AWS SDK ignores the section [profile My Account]; write" in err
    assert """[profile "My Account"].""" in err
    assert f"{config}:15: " in err
    with pytest.raises(UsageError, match=r"write \[profile \"My Account\"\]"):
        run("--profiles", "My*")


@pytest.mark.usefixtures("config")
def test_resolve_looks_up_what_the_config_lacks(
    server: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    out, err = run("--profiles", "[ko]*", "--resolve")
    assert [(a.name, a.account_id) for a in loads("m", out.encode()).accounts] == [
        ("org-admin", None),
        ("keys", MANAGEMENT),
    ]
    assert "Profile org-admin: unknown account ID." in err


@pytest.mark.usefixtures("config")
def test_profiles_that_a_manifest_lacks_are_added(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text('version: 1\naccounts:\n- name: P\n  account_id: "111122223333"\n')
    _, err = run("--profiles", "*", "--update", str(file), code=1)
    assert [a.name for a in load(str(file)).accounts] == ["P", "stage"]
    for unknown in ("org-admin", "keys"):
        assert f"Left out profile {unknown}: its account is not known" in err
    before = file.read_bytes()
    run("--profiles", "*", "--update", str(file), code=1)
    assert file.read_bytes() == before


@pytest.mark.usefixtures("config")
def test_profiles_that_lead_into_accounts_of_the_manifest_are_not_added(
    server: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    file = tmp_path / "m.yaml"
    one = '- name: One\n  account_id: "111122223333"\n'
    for entry in (f'- name: M\n  account_id: "{MANAGEMENT}"\n', "- name: M\n  profile: keys\n"):
        file.write_text(f"version: 1\naccounts:\n{one}{entry}")
        _, err = run("--profiles", "*", "--update", str(file), code=1)
        assert [(a.profile, a.account_id) for a in load(str(file)).accounts[2:]] == [
            ("stage", "012345678901")
        ]
        assert "Left out profile org-admin: its account is not known" in err
        assert "rofile keys" not in err
        before = file.read_bytes()
        run("--profiles", "*", "--update", str(file), code=1)
        assert file.read_bytes() == before


@pytest.mark.usefixtures("config")
def test_a_profile_of_the_manifest_that_leads_into_the_same_account_is_found(
    server: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: Path
) -> None:
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    with config.open("a") as stream:
        stream.write(f"[profile sso]\nsso_account_id = {MANAGEMENT}\n")
    file = tmp_path / "m.yaml"
    text = "version: 1\naccounts:\n- name: M\n  profile: keys\n- name: X\n  profile: elsewhere\n"
    file.write_text(text)
    _, err = run("--profiles", "ss*", "--update", str(file))
    assert err == f"{file} is up to date.\n"
    assert file.read_text() == text
    _, err = run("--profiles", "stage", "--update", str(file), code=1)
    assert "Profile elsewhere of 'X' on line 5: unknown account ID." in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Choose one source of accounts: --organization, --profiles"),
        (["--organization", "--profiles", "*"], "Choose one source of accounts"),
        (["--organization", "--from", "x.csv"], "Choose one source of accounts"),
        (["--from", "x.csv", "--sso", "corp"], "Choose one source of accounts"),
        (["--sso", "corp", "--assume-role", "x"], "--assume-role needs --organization or --from"),
        (["--organization", "--sso-role", "x"], "--sso-role needs --sso"),
        (["--profiles", "*", "--exclude", "x"], "--exclude needs --organization"),
        (["--profiles", "*", "--tags", "x"], "--tags needs --organization"),
        (["--profiles", "*", "--profile", "x"], "--profile needs --organization or --from"),
        (["--organization", "--update", "m", "--max-disabled", "3"], "needs --disable-closed"),
        (["--organization", "-f", "a", "--update", "b"], "give only one of them"),
        (["--profiles", "*", "--ou", "x"], "--ou needs --organization"),
        (["--organization", "--resolve"], "--resolve needs --profiles"),
        (["--organization", "--disable-closed"], "needs --update"),
        (["--organization", "--ou", "Live"], "not the ID of an organizational unit"),
        (["--organization", "--exclude", "1"], "an account ID has 12 digits"),
        (["--organization", "--assume-role", "a/b"], "not a role name"),
        (["--organization", "--name", "{nmae}"], "unknown placeholder {nmae}"),
        (["--profiles", "prd"], "matches no profile"),
        (["--organization", "-f", "missing/m.yaml"], "the directory missing does not exist"),
    ],
)
@pytest.mark.usefixtures("config")
def test_wrong_usage_is_said_before_anybody_is_asked(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UsageError) as caught:
        run(*arguments)
    assert message in caught.value.message
    assert caught.value.exit_code == 2


def test_a_missing_directory_comes_with_the_way_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as caught:
        run("--organization", "-f", str(tmp_path / "my manifests" / "org.yaml"))
    assert f"mkdir -p '{tmp_path}/my manifests'" in caught.value.hint


def test_a_name_that_is_too_long_is_said_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot write .*: File name too long"):
        run("--organization", "-f", str(tmp_path / f"{'a' * 300}.yaml"))


def test_an_existing_file_is_never_overwritten_and_an_invalid_one_not_updated(
    tmp_path: Path,
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        run("--organization", "-f", str(file))
    with pytest.raises(ManifestError):
        run("--organization", "--update", str(file))
    with pytest.raises(ManifestError, match="no such file"):
        run("--organization", "--update", str(tmp_path / "none.yaml"))
    assert file.read_text() == "mine"


@pytest.mark.usefixtures("config")
def test_a_profile_that_is_not_there_cannot_start() -> None:
    with pytest.raises(CannotStart, match="nobody"):
        run("--organization", "--profile", "nobody")
