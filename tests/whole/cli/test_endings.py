"""What the examples say in the end, and how the causes of failures are told."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pexpect

from cloudcraft_onboard.app.ending import ending
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import text
from tests.support import reports
from tests.support.process import HANG, door, onboard

MANIFESTS = Path(__file__).parents[3] / "manifests"
FAST = {"CLOUDCRAFT_RATE_LIMIT": "100/1", "COLUMNS": "100"}


def test_trouble_fails_for_different_reasons_and_onboards_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "results.html"
    ended = onboard(
        tmp_path / "run",
        "run",
        MANIFESTS / "trouble.yaml",
        "--sandbox",
        "--settle=0",
        "--report",
        page,
        **FAST,
    )
    assert ended.code == 1, ended.stderr
    assert ended.report is not None
    assert (ended.report["summary"]["created"], ended.report["summary"]["failed"]) == (2, 7)
    told = ended.stdout
    for cause in (
        "x sts:AssumeRole denied (reach), 3 accounts: Acquired Shop, Acquired Warehouse, Acquired",
        "x iam:GetRole denied (role): Locked Down (200000000006)",
        "x TrustConflict (role): Monitoring (200000000007)",
        "x Cloudcraft answered 403 (register): Made by Terraform (200000000008)",
        "x ProfileNotFound (reach): Typo",
    ):
        assert cause in told
    assert "7 accounts failed: fix these and run the same command again." in told
    assert all(a["error"]["hint"] for a in ended.accounts if a["error"])
    hints = [line for line in ended.stderr.splitlines() if "→" in line]
    assert len(hints) == 5, "the same hint is said once"
    assert f"Reports: {page}, {tmp_path / 'run' / 'results.json'}\n" in ended.stderr
    assert "This was a sandbox" in ended.stderr
    assert "Its Cloudcraft now sees 2 accounts." in ended.stderr


def test_a_plan_of_the_demo_ends_with_what_to_try(tmp_path: Path) -> None:
    ended = onboard(tmp_path / "run", "plan", MANIFESTS / "demo.yaml", "--sandbox", **FAST)
    assert ended.code == 0
    *_, title, first, status, second = ended.stderr.splitlines()
    assert title == "Try next:"
    assert first.startswith(f"  onboard run {MANIFESTS / 'demo.yaml'} --sandbox ")
    assert status.startswith(f"  onboard status {MANIFESTS / 'demo.yaml'} --sandbox ")
    assert second.startswith(f"  onboard run {MANIFESTS / 'trouble.yaml'} --sandbox ")
    assert "+ 3 accounts to create\n  Management, Networking, Log Archive\n" in ended.stdout
    assert "external ID an-older-external-id → " in ended.stdout


def test_without_a_change_there_is_nothing_to_do(tmp_path: Path) -> None:
    manifest = tmp_path / "org.yaml"
    manifest.write_bytes((MANIFESTS / "demo.yaml").read_bytes())
    git = ("git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (["init", "-q"], ["add", "org.yaml"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    ended = onboard(
        tmp_path / "run", "plan", manifest, "--sandbox", "--changed-since", "HEAD", **FAST
    )
    assert ended.code == 0
    assert f"Nothing to do: no account of {manifest} has changed since HEAD." in ended.stderr


def test_whatever_the_manifests_path_the_commands_to_try_can_be_pasted(tmp_path: Path) -> None:
    for name in ("org.yaml", "my ☁ org.yaml", "m\udce4.yaml", "a\nb.yaml"):
        manifest = tmp_path / name
        manifest.write_text("")
        report = replace(reports.report(), manifest=str(manifest))
        lines = ending(report, Settings(manifest=str(manifest), sandbox=True), ())
        commands = lines[lines.index("Try next:") + 1 :]
        assert len(commands) == 3
        for line in commands:
            assert line.startswith("  onboard ")
            assert line.index("#") == commands[0].index("#")
            assert "sandbox" in line or "init" in line
        told = shlex.split(commands[0], comments=True)
        assert told == ["onboard", "sandbox", text.clean(str(manifest))]


def test_the_plan_of_a_removal_advises_the_removal(tmp_path: Path) -> None:
    manifest, options = MANIFESTS / "demo.yaml", ("--only=Payments", "--keep-roles")
    arguments = ("remove", manifest, "--sandbox", *options, "--dry-run")
    ended = onboard(tmp_path / "run", *arguments, **FAST)
    assert ended.code == 0, ended.stderr
    command = next(line for line in ended.stderr.splitlines() if "carry the plan out" in line)
    told = shlex.split(command, comments=True)
    assert told == ["onboard", "remove", str(manifest), "--sandbox", *options]
    assert "onboard run" not in command
    assert "now sees" not in ended.stderr


def test_a_removal_tells_how_many_accounts_the_sandbox_lists(tmp_path: Path) -> None:
    manifest = tmp_path / "org.yaml"
    manifest.write_text(
        "version: 1\ndefaults: {profile: hub, assume_role: Entry}\naccounts:\n"
        '  - {name: A, account_id: "300000000001", tags: {sandbox: onboarded}}\n'
        '  - {name: B, account_id: "300000000002", tags: {sandbox: onboarded}}\n'
        '  - {name: C, account_id: "300000000003"}\n'
    )
    for only, left in (("A", 1), ("C", 2)):
        arguments = ("remove", manifest, "--sandbox", "--yes", "--only", only)
        ended = onboard(tmp_path / only, *arguments, **FAST)
        assert ended.code == 0, ended.stderr
        assert f"Its Cloudcraft now sees {left} account" in ended.stderr
    with pexpect.spawn(
        door(),
        ["remove", str(manifest), "--sandbox"],
        env={**os.environ, **FAST, "COLUMNS": "400"},
        encoding="utf-8",
        timeout=HANG,
    ) as child:
        child.expect_exact("[y/N] ")
        child.sendline("n")
        child.expect(pexpect.EOF)
        assert "Its Cloudcraft now sees 2 accounts." in str(child.before)


def test_a_path_of_another_encoding_keeps_the_indent(tmp_path: Path) -> None:
    manifest = tmp_path / "ä.yaml"
    manifest.write_bytes((MANIFESTS / "demo.yaml").read_bytes())
    c_locale = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    ended = onboard(tmp_path / "run", "plan", manifest, "--sandbox", **FAST, **c_locale)
    assert ended.code == 0, ended.stderr
    *_, title, first, status, second = ended.stderr.splitlines()
    assert title == "Try next:"
    assert all(line.startswith("  onboard ") for line in (first, status, second))


def piped(manifest: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`onboard plan -` with this manifest on standard input."""
    return subprocess.run(
        [door(), "plan", "-", *words],
        input=manifest,
        env={**os.environ, **FAST},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def test_a_manifest_on_standard_input_is_planned() -> None:
    demo = (MANIFESTS / "demo.yaml").read_text(encoding="utf-8")
    ended = piped(demo, "--sandbox", "--only=Payments")
    assert ended.returncode == 0
    assert "Plan: 1 to create\n" in ended.stdout
    assert "nothing outside this machine was contacted. Each --sandbox starts anew." in ended.stderr
    assert "Try next" not in ended.stderr, "nothing can read standard input again"


def test_standard_input_has_no_earlier_revision() -> None:
    manifest = '{"version": 1, "accounts": [{"name": "A", "profile": "a"}]}'
    ended = piped(manifest, "--changed-since=HEAD")
    assert ended.returncode == 2
    assert "--changed-since needs a manifest in a file" in ended.stderr


def test_a_missing_manifest_names_init(tmp_path: Path) -> None:
    ended = onboard(tmp_path / "run", "run", "nope.yaml")
    assert ended.code == 2
    assert ended.stderr.startswith("nope.yaml: no such file\n  hint: `onboard init` makes a")
