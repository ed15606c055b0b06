"""`--retry RESULTS.json`: what a saved report says is left to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudcraft_onboard.model import Outcome
from cloudcraft_onboard.show.report import render
from tests.support import faults, statuses
from tests.support.onboarding import existing
from tests.support.process import Exited, onboard
from tests.support.reports import report, result
from tests.support.world import MakeWorld

OUTCOMES = {0: "failed", 1: "pending", 2: "created", 3: "failed", 4: "skipped"}


def numbered(number: int) -> tuple[str, str]:
    """Name and ID of an account, as `existing` gives them."""
    return f"A{number:03d}", str(200000000001 + number)


def saved(path: Path) -> Path:
    """A report of five accounts with different ends."""
    ends = {
        number: result(name, Outcome.of(OUTCOMES[number]), account_id=account_id)
        for number, (name, account_id) in enumerate(map(numbered, range(5)))
    }
    path.write_text(render(report(*ends.values()), ".json"), encoding="utf-8")
    return path


def names(numbers: list[int]) -> list[str]:
    return [numbered(number)[0] for number in numbers]


def told(ended: Exited) -> list[str]:
    return [account["name"] for account in ended.accounts]


@pytest.mark.parametrize("command", ["run", "plan", "remove"])
def test_failed_and_pending_accounts_are_selected(
    make_world: MakeWorld, tmp_path: Path, command: str
) -> None:
    make_world(existing(5))
    before = saved(tmp_path / "before.json")
    extra = ["--yes"] if command == "remove" else []
    ended = onboard(
        tmp_path / "run", command, tmp_path / "manifest.yaml", "--retry", before, *extra
    )
    assert ended.code == 0, ended.stderr
    assert told(ended) == names([0, 1, 3])


@pytest.mark.parametrize(
    ("option", "pattern", "left"),
    [("--only", 1, [1]), ("--exclude", 1, [0, 3]), ("--only", 2, [])],
)
def test_together_with_patterns_what_all_select(
    make_world: MakeWorld, tmp_path: Path, option: str, pattern: int, left: list[int]
) -> None:
    make_world(existing(5))
    arguments = ("--retry", saved(tmp_path / "before.json"), option, numbered(pattern)[0])
    ended = onboard(tmp_path / "run", "plan", tmp_path / "manifest.yaml", *arguments)
    assert ended.code == 0
    assert told(ended) == names(left)
    if not left:
        assert "Nothing to do: no selected account is failed or pending in " in ended.stderr


def test_what_the_manifest_no_longer_has_is_said(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world(existing(2))
    before = saved(tmp_path / "before.json")
    ended = onboard(tmp_path / "run", "plan", tmp_path / "manifest.yaml", "--retry", before)
    name, account_id = numbered(3)
    assert f"1 unfinished account of {before} is no longer in " in ended.stderr
    assert f"{name} ({account_id})" in ended.stderr
    assert told(ended) == names([0, 1])


def test_an_account_with_another_name_or_a_corrected_id_is_the_same(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    make_world(existing(2))
    before = saved(tmp_path / "before.json")
    told_before = json.loads(before.read_text())
    renamed, corrected, *_others = told_before["accounts"]
    changed = [{**renamed, "name": "Old"}, {**corrected, "account_id": "999999999999"}]
    before.write_text(json.dumps({**told_before, "accounts": changed}))
    ended = onboard(tmp_path / "run", "plan", tmp_path / "manifest.yaml", "--retry", before)
    assert told(ended) == names([0, 1])
    assert "no longer" not in ended.stderr


def test_a_run_that_failed_is_retried_with_its_own_report(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(6))
    world.fault({**faults.error(403, "No.", processed=False, **faults.REGISTERING), "times": 2})
    manifest = tmp_path / "manifest.yaml"
    ended = onboard(tmp_path / "first", "run", manifest)
    left = [a["name"] for a in ended.accounts if a["outcome"] in ("failed", "pending")]
    assert ended.code == 1
    assert left
    again = onboard(
        tmp_path / "second", "run", manifest, "--retry", tmp_path / "first" / "results.json"
    )
    assert again.code == 0, again.stderr
    assert told(again) == left
    assert len(world.registered) == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("{}", "Not a report of onboard"),
        ('{"schema": 1, "command": "status"}', "Not a report of onboard"),
        (
            render(statuses.typical(), ".json"),
            "is a report of `onboard status`",
        ),
    ],
)
def test_what_is_no_report_of_a_run_is_wrong_usage(
    make_world: MakeWorld, tmp_path: Path, text: str, says: str
) -> None:
    world = make_world(existing(2))
    (tmp_path / "before.json").write_text(text)
    arguments = (tmp_path / "manifest.yaml", "--retry", tmp_path / "before.json")
    ended = onboard(tmp_path / "run", "run", *arguments)
    assert ended.code == 2
    assert says in ended.stderr
    assert world.requests() == []


def test_a_report_that_is_not_there_is_wrong_usage(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world(existing(2))
    arguments = (tmp_path / "manifest.yaml", "--retry", tmp_path / "nothing.json")
    ended = onboard(tmp_path / "run", "run", *arguments)
    assert ended.code == 2
    assert "Cannot read" in ended.stderr


def test_only_what_is_in_the_manifest_is_ever_retried(tmp_path: Path) -> None:
    ended = onboard(
        tmp_path / "run", "remove", tmp_path / "m.yaml", "--unlisted", "--retry", "x.json"
    )
    assert ended.code == 2
    assert "drop --only, --exclude and --retry" in " ".join(ended.stderr.split())
