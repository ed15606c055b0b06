"""`onboard init --organization`: what is left out, what is copied, and what it refuses to write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.app import init as story
from cloudcraft_onboard.errors import OnboardError, UsageError
from cloudcraft_onboard.manifest.edit import Draft
from cloudcraft_onboard.manifest.load import load, loads
from tests.support.organization import MANAGEMENT, Organization
from tests.support.process import HANG, door
from tests.whole.cli.test_init import run


def names(out: str) -> list[str]:
    return [account.name for account in loads("m.yaml", out.encode()).accounts]


@pytest.mark.parametrize("way", ["id", "path", "path with root", "path of its parent", "account"])
def test_accounts_and_units_are_left_out_by_id_or_path(
    organization: Organization, way: str
) -> None:
    root = organization.create()
    live = organization.unit("Live", root)
    shops = organization.unit("Shops", live)
    inside = organization.account("Inside", organization.unit("Deep", shops))
    organization.account("Beside", organization.unit("Shops2", live))
    excluded = {
        "id": shops,
        "path": "live/shops",
        "path with root": "Root/Live/Shops/",
        "path of its parent": "Live/Shops/Deep",
        "account": inside,
    }
    out, err = run("--organization", "--exclude", excluded[way])
    assert names(out)[1:] == ["Beside"]
    assert "--exclude" not in err
    out, err = run("--organization", "--exclude", "Shops", "--exclude", "ou-abcd-12345678")
    assert len(names(out)) == 3
    assert "--exclude Shops: the organization has no such OU." in err
    assert "--exclude ou-abcd-12345678: the organization has no such OU." in err


def test_tags_of_the_organization_are_copied(organization: Organization) -> None:
    root = organization.create()
    tagged = organization.account("Tagged", organization.unit("Live", root))
    tags: Any = [{"Key": key, "Value": key.upper()} for key in ("team", "cost center", "a=b")]
    organization.client.tag_resource(ResourceId=tagged, Tags=tags)
    out, _ = run("--organization", "--tags", "team, cost center,nobody")
    told = {a.name: dict(a.tags) for a in loads("m.yaml", out.encode()).accounts}
    assert told["Tagged"] == {"team": "TEAM", "cost center": "COST CENTER", "ou": "Root/Live"}
    out, _ = run("--organization", "--tags", "*")
    told = {a.name: dict(a.tags) for a in loads("m.yaml", out.encode()).accounts}
    assert {"team", "cost center", "a-b", "ou"} == set(told["Tagged"])


def manifest(path: Path, count: int, first: int = 700000000000) -> str:
    lines = [f'  - {{name: A{n}, account_id: "{first + n}"}}' for n in range(count)]
    text = "\n".join(["version: 1", "accounts:", *lines, ""])
    path.write_text(text)
    return text


def test_another_organizations_credentials_disable_nobody(
    organization: Organization, tmp_path: Path
) -> None:
    organization.create()
    file = tmp_path / "org.yaml"
    for count in (1, 40):
        text = manifest(file, count)
        for more in ((), ("--max-disabled", "100")):
            with pytest.raises(OnboardError, match="is in this organization") as caught:
                run("--organization", "--update", str(file), "--disable-closed", *more)
            assert caught.value.exit_code == 1
            assert file.read_text() == text


@pytest.mark.parametrize(
    ("count", "closed", "most", "disabled"),
    [
        (5, 5, None, True),
        (30, 6, None, False),
        (60, 6, None, True),
        (59, 6, None, False),
        (30, 6, "6", True),
        (30, 6, "5", False),
        (5, 1, "0", False),
    ],
)
def test_many_accounts_are_disabled_only_where_that_is_allowed(
    organization: Organization,
    tmp_path: Path,
    *,
    count: int,
    closed: int,
    most: str | None,
    disabled: bool,
) -> None:
    organization.create()
    kept = [organization.account(f"K{n}") for n in range(count - closed)]
    file = tmp_path / "org.yaml"
    lines = [f'  - {{name: K{n}, account_id: "{it}"}}\n' for n, it in enumerate(kept)]
    lines += [f'  - {{name: G{n}, account_id: "{600000000000 + n}"}}\n' for n in range(closed)]
    text = f'version: 1\naccounts:\n  - {{name: M, account_id: "{MANAGEMENT}"}}\n{"".join(lines)}'
    # The management account is one of those that are counted.
    text = text.replace(lines[0], "", 1) if kept else text
    file.write_text(text)
    options = ["--organization", "--update", str(file), "--disable-closed"]
    options += ["--max-disabled", most] if most else []
    if disabled:
        run(*options)
        assert sum(not account.enabled for account in load(str(file)).accounts) == closed
        return
    with pytest.raises(OnboardError, match="would be disabled") as caught:
        run(*options)
    assert caught.value.exit_code == 1
    assert f"--max-disabled {closed}" in caught.value.hint
    assert file.read_text() == text


@pytest.mark.parametrize("who", ["the AWS config", "AWS"])
def test_an_account_that_the_manifest_has_by_its_profile_is_disabled_too(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Whoever tells its ID, and though no account is new."""
    organization.create()
    closed = organization.account("Closed")
    organization.client.close_account(AccountId=closed)
    config = tmp_path / "config"
    told = {"sso_account_id": closed} if "config" in who else organization.session(closed)
    lines = "\n".join(f"{key} = {value}" for key, value in told.items())
    config.write_text(f"[profile gone]\n{lines}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    file = tmp_path / "org.yaml"
    file.write_text(
        f'version: 1\naccounts:\n- name: M\n  account_id: "{MANAGEMENT}"\n'
        "- name: G\n  profile: gone\n"
    )
    run("--organization", "--update", str(file), "--disable-closed")
    assert file.read_text().endswith("- name: G\n  enabled: false\n  profile: gone\n")


def test_new_accounts_are_entered_as_the_files_own_or_as_the_user_says(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.create()
    organization.account("New")
    config = tmp_path / "config"
    keys = "aws_access_key_id = a\naws_secret_access_key = b\n"
    config.write_text(f"[profile hub]\n{keys}[profile other]\n{keys}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    file = tmp_path / "org.yaml"
    entry = f'accounts:\n- name: M\n  account_id: "{MANAGEMENT}"\n'
    mapping = "{role: Way, external_id: abc}"
    cases = {
        ("profile: hub, assume_role: Way", ()): (),
        (f"profile: hub, assume_role: {mapping}", ()): (),
        ("sso: {session: corp, role: Admin}", ("--profile", "hub")): ("profile: hub",),
        ("profile: hub", ()): ("assume_role: OrganizationAccountAccessRole",),
        ("profile: hub, assume_role: Way", ("--profile", "other")): ("profile: other",),
        ("profile: hub, assume_role: Way", ("--assume-role", "X")): ("assume_role: X",),
    }
    for (defaults, options), added in cases.items():
        text = f"version: 1\ndefaults: {{{defaults}}}\n{entry}"
        file.write_text(text)
        run("--organization", *options, "--update", str(file))
        lines = file.read_text().removeprefix(text).splitlines()
        shown = [line.strip() for line in lines[1:] if "account_id" not in line]
        assert shown == [*added, "tags: {ou: Root}"], (defaults, options)


def test_a_new_file_has_its_schema_beside_it(organization: Organization, tmp_path: Path) -> None:
    organization.create()
    file, schema = tmp_path / "org.yaml", tmp_path / "onboard.schema.json"
    _, err = run("--organization", "-f", str(file))
    assert file.read_text().startswith("# yaml-language-server: $schema=./onboard.schema.json\n")
    assert f"Wrote {schema}" in err
    printed = subprocess.run([door(), "schema"], capture_output=True, timeout=HANG, check=True)
    assert schema.read_bytes() == printed.stdout
    schema.write_text("{}")
    _, err = run("--organization", "-f", str(tmp_path / "other.yaml"))
    assert schema.read_text() == "{}"
    assert "onboard.schema.json" not in err
    out, _ = run("--organization")
    assert not out.startswith("# yaml-language-server")
    assert "`onboard schema > onboard.schema.json`" in out


def test_of_two_updates_the_one_that_comes_too_late_writes_nothing(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.create()
    organization.account("New")
    file = tmp_path / "org.yaml"
    file.write_text(f'version: 1\naccounts:\n- name: M\n  account_id: "{MANAGEMENT}"\n')
    find = story._find  # the moment at which another one writes

    def and_another_writes(source: Any, task: Any) -> Any:
        found = find(source, task)
        draft = Draft(str(file))
        draft.save(draft.edited((), ("M",)))
        return found

    monkeypatch.setattr(story, "_find", and_another_writes)
    with pytest.raises(OnboardError, match="changed by somebody else meanwhile") as caught:
        run("--organization", "--update", str(file))
    assert (caught.value.exit_code, "New" in file.read_text()) == (1, False)
    assert "enabled: false" in file.read_text()


def test_many_writers_at_once_lose_no_change(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    manifest(file, 8)
    writing = (
        "import sys\nfrom cloudcraft_onboard.manifest.edit import Draft\n"
        "from cloudcraft_onboard.errors import OnboardError\n"
        "for _ in range(200):\n"
        "    draft = Draft(sys.argv[1])\n"
        "    try:\n        draft.save(draft.edited((), (sys.argv[2],)))\n        break\n"
        "    except OnboardError as error:\n        assert 'meanwhile' in error.message\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", writing, str(file), f"A{n}"]) for n in range(8)
    ]
    assert [writer.wait(HANG) for writer in writers] == [0] * 8
    assert not any(account.enabled for account in load(str(file)).accounts)


def test_a_source_that_knows_no_closed_accounts_disables_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--disable-closed needs --organization or --from"):
        run("--profiles", "*", "--update", str(tmp_path / "m"), "--disable-closed")
