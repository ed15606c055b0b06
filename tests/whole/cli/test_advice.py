"""Advice is tested by following it: every command that is printed, run as it stands."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloudcraft_onboard.cli.main import app
from cloudcraft_onboard.errors import OnboardError
from cloudcraft_onboard.manifest.load import load
from tests.support.world import MakeWorld, SandboxWorld

HUB = "100000000001"
COMMAND = re.compile(
    r"^ {2}(?:→ (?:[^`\n]*?: )?)?(onboard (?:init|plan|remove|run|sandbox|status) .*?)(?: +# .*)?$",
    re.MULTILINE,
)
ENTERABLE = ("onboarded", "drifted", "role", "datadog", "closed", "onboarded closed", "doubled")
LACKED = 2  # the account that the manifest lacks, and that a plan would fail
FAILING = ("unreachable", "onboarded unreachable", "foreign-trust", "denied")
TROUBLED = ("unreachable", "onboarded unreachable", "foreign-trust", "other-user", "denied")


def onboard(line: str) -> tuple[int, str]:
    """Run a command line; its exit code, and all that it said. Questions are answered yes."""
    program, *words = shlex.split(line)
    assert program == "onboard"
    words += ["--yes"] if words[0] == "remove" else []
    words += ["--settle", "0"] if words[0] == "run" else []
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, OnboardError):
        return result.exception.exit_code, f"{result.exception.message}\n{result.exception.hint}"
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.output


def told(line: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """What a command reports, and the commands that it prints, of one run of it."""
    report = folder / "told.json"
    _, said = onboard(f"{line} --report {shlex.quote(str(report))}")
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found, list(dict.fromkeys(COMMAND.findall(said)))


def failures(manifest: Path) -> set[str]:
    """The accounts that a plan fails; what it prints is no command to follow."""
    found, printed = told(f"onboard plan {shlex.quote(str(manifest))} -q", manifest.parent)
    assert not printed
    return {a["name"] for a in found["accounts"] if a["outcome"] == "failed"}


def status(line: str, folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The rows, by name and ID, and the commands that are printed."""
    found, printed = told(line, folder)
    return {f"{a['name']} {a['account_id']}": a for a in found["accounts"]}, printed


def company(seed: int) -> tuple[str, str, random.Random]:
    """A world's manifest, and the one that the user has, which lacks some accounts of it.

    Of these, the first is one that a plan would fail: the way that new entries get does not lead
    there, or its role is somebody else's. The second is fine.
    """
    chance = random.Random(seed)
    role = "assume_role: OrganizationAccountAccessRole"
    strangers = " strangers" if chance.random() < 0.6 else ""
    accounts = [f'  - {{name: Hub, account_id: "{HUB}", tags: {{sandbox: management{strangers}}}}}']
    kept = list(accounts)
    for number in range(2, 9):
        name = json.dumps(chance.choice(("Shop {}", "결제 {}", "odd; 'name' {}")).format(number))
        enabled = ", enabled: false" if chance.random() < 0.15 else ""
        is_kept = number > LACKED + 1 and chance.random() < 0.75
        state = chance.choice((*ENTERABLE, *TROUBLED))
        if number <= LACKED + 1:
            state = chance.choice(FAILING if number == LACKED else ENTERABLE)
        # With a profile of its own, and no ID: what it is, only AWS can tell.
        alone = is_kept and chance.random() < 0.4
        way = f"profile: own-{number}" if alone else f'account_id: "1000000000{number:02}"'
        entry = f"  - {{name: {name}, {way}{enabled}, tags: {{sandbox: {state}, ou: Prod}}}}"
        accounts.append(entry)
        kept += [entry] if is_kept else []
    named = f"profile: org-admin, {role}"
    mine = named if chance.random() < 0.7 else role
    return document(named, accounts), document(mine, kept), chance


def document(defaults: str, entries: list[str]) -> str:
    return "\n".join(["version: 1", f"defaults: {{{defaults}}}", "accounts:", *entries, ""])


ELSEWHERE = "300000000001"


def beyond(world: SandboxWorld, mine: str) -> str:
    """The manifest with an account of another organization, which is registered and fine."""
    role_arn = f"arn:aws:iam::{ELSEWHERE}:role/cloudcraft"
    registered = {"id": "e-1", "name": "Elsewhere", "roleArn": role_arn, "externalId": "abc"}
    world.accounts = [*world.accounts, registered]
    return f'{mine}  - {{name: Elsewhere, account_id: "{ELSEWHERE}", role: {{via: existing}}}}\n'


OPTIONS = (
    "--organization",
    "--organization --no-roles",
    "",
    "--organization",
    "--only 'Shop *' --only Hub",
)
FINE = ("onboarded", "disabled", "datadog")


def untouched(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Rows that were fine and are not as they were."""
    seen = ("state", "cloudcraft_ids", "actions")
    return {
        key
        for key, row in before.items()
        if row["state"] in FINE
        and (
            key not in after
            or any(row[it] != after[key][it] for it in seen)
            or row["in_manifest"] > after[key]["in_manifest"]
        )
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.timeout(600)
def test_following_the_advice_breaks_nothing_and_closes_what_it_is_about(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int
) -> None:
    whole, mine, chance = company(seed)
    world = make_world(whole)
    manifest = tmp_path / chance.choice(("org.yaml", "my org.yaml"))
    manifest.write_text(mine, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if chance.random() < 0.5 or "profile: org-admin" not in mine:
        monkeypatch.setenv("AWS_PROFILE", "org-admin")
    if chance.random() < 0.5:
        manifest.write_text(beyond(world, mine), encoding="utf-8")
    options = OPTIONS[seed % len(OPTIONS)]
    if options.startswith("--only") and "Shop " not in mine:
        options = ""
    line = f"onboard status {shlex.quote(manifest.name)} {options}".strip()
    before, advised = status(line, tmp_path)
    failing = failures(manifest)
    followed: list[str] = []
    while todo := looked(advised, tmp_path):
        assert not set(todo) & set(followed), "what was advised was done"
        for command in todo:
            assert "--profile" not in command or os.environ.get("AWS_PROFILE") is None
            code, said = onboard(command)
            assert code in (0, 1), (command, said)
            followed.append(command)
            todo += [each for each in COMMAND.findall(said) if each not in todo]
            assert failures(manifest) <= failing, (command, said)
            after, advised = status(line, tmp_path)
            assert not untouched(before, after), (command, said)
            assert all(it.enabled for it in load(str(manifest)).accounts if it.name == "Elsewhere")


def looked(advised: list[str], folder: Path) -> list[str]:
    """Without the roles, another status is advised, which looks at them: what that advises then."""
    for command in advised:
        if command.startswith("onboard status"):
            rest = [each for each in advised if each != command]
            return list(dict.fromkeys([*rest, *status(command, folder)[1]]))
    return advised


def test_in_the_sandbox_all_advice_stays_there(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, _, _ = company(1)
    make_world(whole)
    monkeypatch.chdir(tmp_path)
    text = whole.replace("management}", "management strangers}")
    Path("org.yaml").write_text(text, encoding="utf-8")
    for command in ("status org.yaml --organization", "plan org.yaml", "remove org.yaml --dry-run"):
        _, said = onboard(f"onboard {command} --sandbox")
        found = COMMAND.findall(said)
        assert found, said
        assert all("--sandbox" in line for line in found), found
