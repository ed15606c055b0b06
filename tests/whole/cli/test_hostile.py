"""No text of a manifest, of AWS, of Cloudcraft or of a saved report steers whoever shows it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import faults, hostile
from tests.support.aws_proxy import AwsProxy
from tests.support.process import HANG, door, environment_with
from tests.support.terminal import Tty
from tests.support.world import MakeWorld

FORMATS = (".json", ".md", ".html", ".xml", ".csv")


def said(*arguments: object, **environment: str) -> str:
    """All that the program shows, and its exit code must be one of the README's."""
    done = subprocess.run(
        [door(), *map(str, arguments)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment_with(environment),
        timeout=HANG,
        check=False,
    )
    assert done.returncode in range(4)
    assert b"Traceback" not in done.stderr
    return done.stdout.decode() + "\n" + done.stderr.decode()


def manifest_of(names: tuple[str, ...], first: int = 300000000001) -> str:
    accounts = [
        {
            "name": name,
            "account_id": str(first + number),
            "tags": {name.replace("=", ""): f"t {name}"},
        }
        for number, name in enumerate(names)
    ]
    head = "version: 1\ndefaults:\n  assume_role: Entry\n  profile: org-admin\n"
    return f"{head}accounts: {json.dumps(accounts)}\n"


def wrong_everywhere() -> str:
    """A manifest whose values and keys are all wrong, and hostile."""
    accounts = [
        {
            "name": text,
            "account_id": text,
            "region": text,
            "profile": text,
            "read_access": text,
            "role": {
                "path": text,
                "name": text,
                "via": text,
                "adopt": text,
                "policies": [text],
                "tags": {text: text},
                "max_session_duration": text,
            },
            text: text,
        }
        for text in hostile.TEXTS
    ]
    return f"version: 1\naccounts: {json.dumps(accounts)}\n"


@pytest.mark.parametrize("github", ["true", ""])
def test_a_manifest_that_somebody_checks(tmp_path: Path, github: str) -> None:
    (tmp_path / "m.yaml").write_text(wrong_everywhere(), encoding="utf-8")
    shown = said("validate", tmp_path / "m.yaml", GITHUB_ACTIONS=github)
    assert len(shown.splitlines()) > len(hostile.TEXTS) * 8
    assert hostile.steering(shown, annotations=github == "true") == []


def test_a_manifest_that_somebody_checks_at_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(wrong_everywhere(), encoding="utf-8")
    with Tty(120, 40, "-m", "cloudcraft_onboard", "validate", str(path)) as tty:
        assert tty.to_the_end() == 2
        assert hostile.steering(tty.raw.decode()) == []


def test_runs_against_hostile_servers(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(manifest_of(hostile.NAMES))
    assert world.manifest is not None
    for number, text in enumerate(hostile.TEXTS):
        account = f"{300000000001 + number}"
        aws_proxy.trouble("AssumeRole", code="Odd", message=text, where=account, times=3)
        world.fault(faults.error(400, text, processed=False, account=account, **faults.REGISTERING))
    reports = [tmp_path / f"r{suffix}" for suffix in FORMATS]
    options = [f"--report={report}" for report in reports]
    common = ("--retries=0", "--settle=0")
    path = world.manifest.path
    for command in (
        ("plan", path, *common),
        ("run", path, *common, *options),
        ("run", path, *common, "-vv", "-o", "json"),
        ("status", path, *common[:1]),
        ("remove", path, "--yes", *common[:1]),
        ("template", path),
        ("permissions", path),
    ):
        shown = said(*command, GITHUB_ACTIONS="true")
        assert hostile.steering(shown, annotations=True) == [], command
    for report in reports:
        assert hostile.steering(report.read_text("utf-8")) == [], report


def test_a_saved_report_from_somebody_else(tmp_path: Path) -> None:
    accounts = [
        {
            "name": f"{number}",
            "account_id": f"{300000000001 + number}",
            "profile": text,
            "region": text,
            "outcome": "failed" if number % 2 else "pending",
            "actions": ["register"],
            "role_arn": text,
            "cloudcraft_id": text,
            "attempts": 1,
            "seconds": 1.5,
            "line": number,
            "changes": [
                {
                    "action": "register",
                    "subject": text,
                    "reason": text,
                    "before": {text: text, "name": [text]},
                    "after": {"name": text, "x": {text: text}},
                }
            ],
            "notes": [text, f"see {text}"],
            "error": {"stage": "role", "code": text, "message": text, "hint": text},
        }
        for number, text in enumerate(hostile.TEXTS)
    ]
    (tmp_path / "saved.json").write_text(
        json.dumps(
            {
                "schema": 1,
                "command": "run",
                "manifest": "\x1b[2J::x",
                "dry_run": False,
                "started_at": "2026-11-23T10:00:00Z",
                "finished_at": "2026-11-23T10:03:10Z",
                "summary": {},
                "cloudcraft": {"requests": 5, "throttled": 0, "retried": 0},
                "accounts": accounts,
            }
        )
    )
    reports = [tmp_path / f"r{suffix}" for suffix in FORMATS]
    for output in ("table", "json"):
        shown = said(
            "report", tmp_path / "saved.json", "-o", output, *(f"--report={r}" for r in reports)
        )
        assert hostile.steering(shown) == []
    for report in reports:
        assert hostile.steering(report.read_text("utf-8")) == [], report
        assert "<img" not in report.read_text("utf-8") or report.suffix in (".json", ".csv")


def test_profiles_of_an_odd_config(tmp_path: Path) -> None:
    config = tmp_path / "config"
    names = [" ".join(name.split()) for name in hostile.NAMES]
    role = "role_arn = arn:aws:iam::{}:role/x"
    sections = [
        f"[profile '{name}']\n{role.format(300000000001 + number)}\nsource_profile = a\n"
        for number, name in enumerate(names)
    ]
    config.write_text("\n".join(sections), encoding="utf-8")
    shown = said("init", "--profiles", "*", AWS_CONFIG_FILE=str(config))
    assert hostile.steering(shown) == []
    made = yaml.safe_load(shown[: shown.index("\n\n", shown.index("accounts:"))])
    assert {account["profile"] for account in made["accounts"]} == set(names)


def test_more_problems_than_anybody_reads_are_counted(tmp_path: Path) -> None:
    entries = "".join("  - {}\n" for _ in range(5000))
    (tmp_path / "m.yaml").write_text(f"version: 1\naccounts:\n{entries}", encoding="utf-8")
    shown = said("validate", tmp_path / "m.yaml")
    assert len(shown) < 200_000
    assert re.search(r"And [0-9,]+ more problems", shown)


def test_a_long_error_message_is_shortened(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(manifest_of(("A",)))
    assert world.manifest is not None
    aws_proxy.trouble("AssumeRole", code="x" * 10**5, message="y" * 10**6)
    shown = said("plan", world.manifest.path, "--retries=0", f"--report={tmp_path / 'r.json'}")
    assert len(shown) < 20_000
    assert "more characters" in shown
    assert (tmp_path / "r.json").stat().st_size < 20_000


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_file_with_an_odd_name(tmp_path: Path, encoding: str) -> None:
    for number, text in enumerate(hostile.TEXTS):
        path = tmp_path / f"{text.replace('/', '')}{number}.yaml"
        path.write_text(manifest_of(("A",)), encoding="utf-8")
    shown = said("validate", *sorted(tmp_path.iterdir()), PYTHONIOENCODING=encoding)
    assert shown.count("1 account, valid") == len(hostile.TEXTS)
    assert hostile.steering(shown.replace("\r", "\n")) == []
