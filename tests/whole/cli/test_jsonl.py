"""`-o jsonl`: what happens, line by line, for programs (README, The stream of events)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import HANG, Exited, door, environment_with, onboard, program
from tests.support.schemas import accounts_of, read_lines
from tests.support.world import MakeWorld

JSONL = ("-o", "jsonl")


def of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == kind]


def told(ended: Exited) -> list[dict[str, Any]]:
    """The lines of a command that has a report: together they say what it says."""
    lines = read_lines(ended.stdout)
    assert ended.report is not None
    accounts = {account["name"]: account for account in accounts_of(lines)}
    assert accounts == {account["name"]: account for account in ended.accounts}
    head = {key: value for key, value in ended.report.items() if key != "accounts"}
    finished = {key: value for key, value in lines[-1].items() if key not in ("type", "at")}
    assert finished == head
    assert sum(finished["summary"].values()) == 2 * len(accounts)
    return lines


@pytest.mark.parametrize(
    ("command", "options", "dry_run"),
    [
        ("run", (), False),
        ("plan", (), True),
        ("run", ("--dry-run",), True),
        ("remove", ("--yes",), False),
        ("remove", ("--dry-run",), True),
    ],
)
def test_every_account_is_told_once(
    make_world: MakeWorld, tmp_path: Path, command: str, options: tuple[str, ...], *, dry_run: bool
) -> None:
    make_world(hub(3, more='  - {name: Idle, account_id: "300000000099", enabled: false}\n'))
    manifest = tmp_path / "manifest.yaml"
    if command == "remove":
        assert onboard(tmp_path / "before", "run", manifest, "--settle", 0).code == 0
    ended = onboard(tmp_path / "it", command, manifest, *options, *JSONL)
    assert ended.code == 0, ended.stderr
    lines = told(ended)
    assert {
        key: lines[0][key] for key in ("schema", "command", "manifest", "dry_run", "total")
    } == {
        "schema": 1,
        "command": command,
        "manifest": str(manifest),
        "dry_run": dry_run,
        "total": 4,
    }
    assert set(Counter(line["account"]["name"] for line in of(lines, "account")).values()) == {1}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_lines_come_as_things_happen(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(6), rate_limit="4/4")
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL) as running:
        stdout = tmp_path / "run" / "stdout"
        running.wait_until(lambda: b'"created"' in stdout.read_bytes(), "the first account's line")
        assert len(world.registered) < 6
        assert b"finished" not in stdout.read_bytes()
        lines = told(running.wait())
    waits = of(lines, "pace")
    assert waits
    assert all(wait["wait"] >= 1 for wait in waits)
    assert {wait["limit"] for wait in waits} == {"4/4"}
    assert all(0 < wait["requests_left"] <= 7 for wait in waits)


@pytest.mark.parametrize("status", [429, 503])
def test_every_further_try_is_told(make_world: MakeWorld, tmp_path: Path, status: int) -> None:
    world = make_world(existing(1))
    fault = faults.too_many(1) if status == 429 else faults.error(503, processed=False)
    world.fault({**fault, **faults.REGISTERING, "times": 2})
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL)
    assert ended.code == 0, ended.stderr
    retries = of(told(ended), "retry")
    assert len(retries) == 2
    for retry in retries:
        assert (retry["name"], retry["account_id"]) == ("A000", "200000000001")
        assert retry["reason"]
        assert retry["wait"] >= 0


def test_further_tries_in_aws_are_told(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    make_world(hub(1))
    aws_proxy.trouble("GetRole", kind="error", code="Throttling", status=400, times=20)
    arguments = ("run", tmp_path / "manifest.yaml", "--retries", 1, "--settle", 0, *JSONL)
    lines = told(onboard(tmp_path / "run", *arguments))
    assert [retry["name"] for retry in of(lines, "retry")].count("A000") >= 1


def test_what_the_verifying_read_changes_is_one_more_line(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(2))
    world.fault({**faults.error(500, processed=False), **faults.LISTING, "skip": 1, "times": -1})
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--retries", 0, *JSONL)
    lines = told(ended)
    assert len(of(lines, "account")) == 4
    assert {account["name"] for account in accounts_of(lines)} == {"A000", "A001"}
    first, second = ([one["account"] for one in of(lines, "account")][n::2] for n in (0, 1))
    assert all(not account["notes"] for account in first[:1])
    assert second


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_finished_after_a_signal(
    make_world: MakeWorld, tmp_path: Path, number: int
) -> None:
    world = make_world(existing(8), rate_limit="6/60")
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL) as running:
        running.wait_until(lambda: len(world.registered) >= 4, "the first window")
        running.send(number)
        ended = running.wait()
    assert ended.code == 130
    lines = told(ended)
    assert lines[-1]["summary"]["pending"] >= 1
    assert any("stopping: " in notice["text"] for notice in of(lines, "notice"))


@pytest.mark.parametrize("option", [("--time-budget", "4s"), ("--max-failures", "1")])
def test_it_ends_with_finished_when_it_stops_early(
    make_world: MakeWorld, tmp_path: Path, option: tuple[str, str]
) -> None:
    world = make_world(existing(12), rate_limit="5/600")
    if option[0] == "--max-failures":
        world.fault(
            {**faults.error(400, "No.", processed=False, **faults.REGISTERING), "times": -1}
        )
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", *option, *JSONL)
    assert ended.code == 1
    assert told(ended)[-1]["summary"]["pending"] >= 1


def test_it_ends_with_finished_even_when_it_is_interrupted_twice(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(4))
    world.fault({**faults.hang(60, processed=False), **faults.REGISTERING, "times": -1})
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL) as running:
        requests = lambda: len(world.requests()) > 2  # noqa: E731 - the POSTs
        running.wait_until(requests, "the registrations")
        running.send(signal.SIGINT)
        time.sleep(0.5)
        running.send(signal.SIGINT)
        ended = running.wait()
    assert ended.code == 130
    assert read_lines(ended.stdout)[-1]["summary"]["total"] == 4


def bare(*arguments: object, **environment: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [door(), *map(str, arguments), *JSONL],
        env=environment_with(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


@pytest.mark.parametrize("command", ["run", "plan", "remove"])
@pytest.mark.parametrize(
    "environment",
    [
        {"CLOUDCRAFT_API_KEY": None, "CLOUDCRAFT_API_KEY_FILE": None},
        {"CLOUDCRAFT_API_KEY": "A" * 44, "CLOUDCRAFT_BASE_URL": "http://127.0.0.1:1"},
    ],
    ids=["no key", "unreachable"],
)
def test_what_cannot_start_is_finished_alone_with_why(
    tmp_path: Path, command: str, environment: dict[str, str | None]
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(existing(2), encoding="utf-8")
    extra = ["--yes"] if command == "remove" else []
    done = bare(command, manifest, "--retries", 1, *extra, **environment)
    assert done.returncode == 3
    (line,) = read_lines(done.stdout)
    assert set(line["error"]) == {"message", "hint"}
    assert line["error"]["message"] in " ".join(done.stderr.split())
    assert line["summary"] == {**dict.fromkeys(line["summary"], 0), "total": 2, "pending": 2}


def test_no_credentials_at_all_are_finished_alone_too(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    make_world("version: 1\naccounts: [{name: A, profile: missing}, {name: B, profile: gone}]\n")
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    done = bare("run", tmp_path / "manifest.yaml", **nowhere)
    assert done.returncode == 3
    (line,) = read_lines(done.stdout)
    assert "missing" in line["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "missing.yaml"),
        ("run", "manifest.yaml", "--only", "nobody"),
        ("plan", "manifest.yaml", "--report", "x.pdf"),
        ("remove", "manifest.yaml"),
        ("plan", "manifest.yaml", "--retry", "manifest.yaml"),
    ],
    ids=" ".join,
)
def test_wrong_usage_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.yaml").write_text(existing(2), encoding="utf-8")
    done = bare(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_bad_environment_prints_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(existing(2), encoding="utf-8")
    done = bare("run", tmp_path / "manifest.yaml", CLOUDCRAFT_RATE_LIMIT="much")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("command", ["status", "report"])
def test_commands_without_events_have_no_lines(tmp_path: Path, command: str) -> None:
    assert bare(command, tmp_path / "manifest.yaml").returncode == 2


def test_hostile_names_stay_in_their_line(make_world: MakeWorld, tmp_path: Path) -> None:
    name = "::error::x ##[error] {'\\n'}"
    quoted = json.dumps(name)
    make_world(
        f"version: 1\ndefaults: {{role: {{via: existing}}}}\n"
        f'accounts: [{{name: {quoted}, account_id: "200000000001"}}]\n'
    )
    ended = onboard(tmp_path / "run", "plan", tmp_path / "manifest.yaml", *JSONL)
    assert told(ended)[1]["account"]["name"] == name
    assert "##[" not in ended.stdout


def test_nothing_selected(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world('version: 1\naccounts: [{name: A, account_id: "200000000001", enabled: false}]\n')
    lines = told(onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL))
    assert [line["type"] for line in lines] == ["started", "account", "finished"]


READER = Path(__file__).parents[3] / ".github" / "examples" / "follow.py"


def followed(lines: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", READER],
        input=lines,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_example_reads_it(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(3))
    world.fault(faults.error(400, "No.", processed=False, method="POST", account="200000000001"))
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL)
    told = followed(ended.stdout)
    assert {"A000 failed", "A001 created", "A002 created"} <= set(told)
    assert "A000: Cloudcraft refused the registration (400): No." in told
    assert told[-1] == "3 total, 2 created, 1 failed"


def test_the_example_says_why_nothing_started(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world(existing(3))
    ended = onboard(
        tmp_path / "run", "run", tmp_path / "manifest.yaml", *JSONL, CLOUDCRAFT_API_KEY=None
    )
    assert followed(ended.stdout) == ["There is no Cloudcraft API key.", "3 total, 3 pending"]
