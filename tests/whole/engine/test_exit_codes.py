"""The exit codes of the README, of the real program, and reports that cannot be written."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.onboarding import existing, hub
from tests.support.process import onboard, program
from tests.support.world import MakeWorld

BOTH = pytest.mark.parametrize("command", ["run", "plan"])
# What the environment has to be like for a command not to start: the code, and a word of why.
CANNOT_START = [
    pytest.param({"CLOUDCRAFT_API_KEY": None}, 3, "no Cloudcraft API key", id="no key"),
    pytest.param({"CLOUDCRAFT_API_KEY": "two words"}, 3, "key", id="malformed key"),
    pytest.param({"CLOUDCRAFT_API_KEY": "x" * 44}, 3, "401", id="refused key"),
    pytest.param(
        {"CLOUDCRAFT_API_KEY": None, "CLOUDCRAFT_API_KEY_FILE": "missing"},
        *(3, "cannot be read"),
        id="key file missing",
    ),
    pytest.param({"CLOUDCRAFT_BASE_URL": "http://example.com"}, 2, "https", id="plain http"),
    pytest.param({"CLOUDCRAFT_RATE_LIMIT": "20 a minute"}, 2, "RATE_LIMIT", id="rate limit"),
]


@pytest.mark.parametrize(("environment", "code", "why"), CANNOT_START)
def test_nothing_starts(
    make_world: MakeWorld,
    tmp_path: Path,
    environment: dict[str, str | None],
    code: int,
    why: str,
) -> None:
    world = make_world(existing(1))
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", **environment)
    assert ended.code == code, ended.stderr
    assert why in ended.stderr
    assert ended.report is None
    assert [r for r in world.requests() if r.status != 401] == []


def test_0_and_1_and_a_key_that_can_only_read(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(5))
    manifest = tmp_path / "manifest.yaml"
    key = world.read_only_key
    refused = onboard(tmp_path / "run", "run", manifest, CLOUDCRAFT_API_KEY=key)
    assert refused.code == 1
    assert set(refused.outcomes) <= {"failed", "pending"}
    assert "failed" in refused.outcomes
    assert "read-write" in refused.stderr + refused.stdout
    assert world.registered == []
    # To plan it is enough.
    assert onboard(tmp_path / "run", "plan", manifest, CLOUDCRAFT_API_KEY=key).code == 0
    assert onboard(tmp_path / "run", "plan", manifest, "--exit-code").code == 1
    assert onboard(tmp_path / "run", "run", manifest).code == 0
    assert onboard(tmp_path / "run", "plan", manifest, "--exit-code").code == 0


def test_a_failed_account_is_1_and_the_others_are_done(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(3))
    world.fault(
        faults.error(400, "no", processed=False, **faults.REGISTERING, account="200000000002")
    )
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml")
    assert (ended.code, sorted(ended.outcomes)) == (1, ["created", "created", "failed"])


@BOTH
def test_missing_profiles_of_all_accounts_are_3_of_some_1(
    make_world: MakeWorld, tmp_path: Path, command: str
) -> None:
    world = make_world(hub(2, more="  - {name: Direct, profile: direct}"))
    credentials = Path(world.env["AWS_SHARED_CREDENTIALS_FILE"])
    config = Path(world.env["AWS_CONFIG_FILE"])
    lose(credentials, "direct")
    lose(config, "profile direct")
    some = onboard(tmp_path / "run", command, tmp_path / "manifest.yaml", "--settle", 0)
    assert (some.code, some.outcomes) == (1, ["created", "created", "failed"])
    lose(credentials, "org-admin")
    lose(config, "profile org-admin")
    sent = len(world.requests())
    none = onboard(tmp_path / "run", command, tmp_path / "manifest.yaml")
    assert none.code == 3
    assert none.report is None
    assert len(world.requests()) == sent


def lose(file: Path, section: str) -> None:
    """Take a profile out of a file of the AWS config."""
    profiles = configparser.ConfigParser()
    profiles.read(file)
    profiles.remove_section(section)
    with file.open("w", encoding="utf-8") as written:
        profiles.write(written)


@pytest.mark.parametrize("path", ["missing/x.json", "manifest.yaml/x.json", "x.txt", "folder.json"])
def test_a_report_path_that_cannot_be_used_is_2(
    make_world: MakeWorld, tmp_path: Path, path: str
) -> None:
    world = make_world(existing(1))
    (tmp_path / "folder.json").mkdir()
    arguments = ("run", tmp_path / "manifest.yaml", "--report", tmp_path / path)
    ended = onboard(tmp_path / "run", *arguments)
    assert ended.code == 2
    assert path in " ".join(ended.stderr.split())
    assert world.requests() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_2(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(1))
    (tmp_path / "closed").mkdir(mode=0o500)
    arguments = ("run", tmp_path / "manifest.yaml", "--report", tmp_path / "closed" / "x.json")
    assert onboard(tmp_path / "run", *arguments).code == 2
    assert world.requests() == []


def test_a_report_that_fails_in_the_end_costs_neither_table_nor_other_reports(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(2))
    world.fault(faults.slow(3.0, **faults.REGISTERING))
    folder = tmp_path / "soon gone"
    folder.mkdir()
    lost = folder / "results.md"
    arguments = ("run", tmp_path / "manifest.yaml", "--report", lost)
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: bool(world.requests("POST")), "the registration")
        folder.rmdir()
        ended = running.wait()
    assert ended.code == 1
    assert ended.outcomes == ["created"] * 2
    assert "created" in ended.stdout
    assert f"{lost} could not be written" in ended.stderr
