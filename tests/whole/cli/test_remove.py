"""`onboard remove` as it is called: the question, what is refused, what a kill leaves."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.support import faults
from tests.support.onboarding import hub
from tests.support.process import AT_ONCE, HANG, door, interrupt, onboard, program
from tests.support.removing import roles
from tests.support.world import MakeWorld, SandboxWorld

REMOVING: faults.Fault = {"method": "DELETE", "path": "^/aws/account/"}
IDS = [f"30000000000{number}" for number in range(1, 6)]


def onboarded(make_world: MakeWorld, count: int = 5, **options: object) -> SandboxWorld:
    more = "\n".join(
        f'  - {{name: A{n}, account_id: "{IDS[n]}", tags: {{sandbox: onboarded}}}}'
        for n in range(count)
    )
    return make_world(hub(0, more=more), **options)


def untouched(world: SandboxWorld, count: int = 5) -> bool:
    return world.registered == IDS[:count] == with_role(world)[:count]


def with_role(world: SandboxWorld) -> list[str]:
    return [account_id for account_id in IDS if "cloudcraft" in roles(world, account_id)]


# --- what is refused before anything is contacted -------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--yes"),
        (["--unlisted"], "--yes"),
        (["--yes", "--only", "Nobody"], "matches no account"),
        (["--yes", "--unlisted", "--only", "A1"], "--unlisted"),
        (["--yes", "--unlisted", "--force"], "--unlisted"),
        (["--yes", "--max-removals", "3"], "--unlisted"),
        (["--yes", "--report", "/nowhere/at/all.json"], "/nowhere/at"),
        (["--yes", "-v", "-q"], "exclude each other"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_contacts_nothing(
    make_world: MakeWorld, tmp_path: Path, arguments: list[str], said: str
) -> None:
    world = onboarded(make_world, 2)
    ended = onboard(tmp_path / "run", "remove", tmp_path / "manifest.yaml", *arguments)
    assert ended.code == 2
    assert said in ended.stderr
    assert ended.stdout == ""
    assert world.requests() == []


def test_without_a_terminal_a_dry_run_needs_no_answer(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = onboarded(make_world, 2)
    ended = onboard(tmp_path / "run", "remove", tmp_path / "manifest.yaml", "--dry-run")
    assert (ended.code, ended.outcomes) == (0, ["removed", "removed"])
    assert "Plan: 2 to remove" in ended.stdout
    assert "2 deletions" in ended.stdout
    assert "onboard remove (plan)" in ended.stderr
    assert re.search(r"- to remove +A0", ended.stderr)
    assert untouched(world, 2)


def test_stdout_carries_results_only(make_world: MakeWorld, tmp_path: Path) -> None:
    world = onboarded(make_world, 2)
    ended = onboard(tmp_path / "run", "remove", tmp_path / "manifest.yaml", "--yes", "-o", "json")
    assert ended.code == 0
    assert json.loads(ended.stdout)["summary"]["removed"] == 2
    assert json.loads(ended.stdout) == ended.report
    assert "Plan: 2 to remove" in ended.stderr
    assert (world.registered, with_role(world)) == ([], [])


# --- the question -----------------------------------------------------------------------------


@contextmanager
def asked(tmp_path: Path, *arguments: str) -> Iterator[pexpect.spawn]:
    """The program in a pseudo-terminal, at its question."""
    child = pexpect.spawn(
        door(),
        ["remove", str(tmp_path / "manifest.yaml"), *arguments],
        env={**os.environ, "TERM": "dumb"},
        timeout=HANG,
        encoding="utf-8",
        dimensions=(40, 120),
    )
    try:
        child.expect_exact("Delete 5 registrations and 5 roles? [y/N] ")
        yield child
    finally:
        child.close(force=True)


def end(child: pexpect.spawn) -> tuple[int, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


@pytest.mark.parametrize("answer", ["y", " YES "])
def test_yes_removes(make_world: MakeWorld, tmp_path: Path, answer: str) -> None:
    world = onboarded(make_world)
    with asked(tmp_path) as child:
        assert "Plan: 5 to remove" in child.before
        assert untouched(world)
        child.sendline(answer)
        code, said = end(child)
    assert (code, world.registered, with_role(world)) == (0, [], [])
    assert "5 accounts: 5 removed" in said


@pytest.mark.parametrize("answer", ["", "no", "yesterday"])
def test_anything_else_changes_nothing(make_world: MakeWorld, tmp_path: Path, answer: str) -> None:
    world = onboarded(make_world)
    with asked(tmp_path, "--report", str(tmp_path / "r.json")) as child:
        child.sendline(answer)
        code, said = end(child)
    assert code == 1
    assert "Cancelled. Nothing was changed." in said
    assert "run the same command again" not in said
    assert untouched(world)
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {account["outcome"] for account in report["accounts"]} == {"pending"}
    assert {len(account["actions"]) for account in report["accounts"]} == {0}


def test_the_end_of_the_input_is_a_no(make_world: MakeWorld, tmp_path: Path) -> None:
    world = onboarded(make_world)
    with asked(tmp_path) as child:
        child.sendeof()
        code, _ = end(child)
    assert code == 1
    assert untouched(world)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_question_changes_nothing_and_leaves_reports(
    make_world: MakeWorld, tmp_path: Path, number: int
) -> None:
    world = onboarded(make_world)
    with asked(tmp_path, "--report", str(tmp_path / "r.json")) as child:
        child.kill(number)
        code, said = end(child)
    assert code == 130
    assert "Traceback" not in said
    assert untouched(world)
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["summary"]["pending"] == 5


def test_where_nothing_is_to_be_removed_nothing_is_asked(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    onboarded(make_world, 2)
    manifest = tmp_path / "manifest.yaml"
    assert onboard(tmp_path / "first", "remove", manifest, "--yes").code == 0
    child = pexpect.spawn(
        door(),
        ["remove", str(manifest)],
        env={**os.environ, "TERM": "dumb"},
        timeout=HANG,
        encoding="utf-8",
    )
    code, said = end(child)
    assert code == 0
    assert "[y/N]" not in said
    assert "2 accounts: 2 with nothing to remove" in said


# --- stopped in the middle ------------------------------------------------------------------------


def test_an_interrupted_removal_goes_on_next_time(make_world: MakeWorld, tmp_path: Path) -> None:
    world = onboarded(make_world, rate_limit="2/2")
    arguments = ("remove", tmp_path / "manifest.yaml", "--yes")
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: len(world.requests("DELETE")) >= 2, "some deletions")
        _, ended = interrupt(running)
    assert ended.code == 130
    assert set(ended.outcomes) <= {"removed", "pending"}
    assert "pending" in ended.outcomes
    assert all(a["notes"] for a in ended.accounts if a["outcome"] == "pending")
    removed = [a["account_id"] for a in ended.accounts if a["outcome"] == "removed"]
    assert not set(removed) & {*world.registered, *with_role(world)}
    assert set(world.registered) <= set(with_role(world))  # the registration always goes first
    again = onboard(tmp_path / "again", *arguments)
    assert again.code == 0
    assert (world.registered, with_role(world)) == ([], [])


@pytest.mark.parametrize(
    ("processed", "told"),
    [
        (False, "was sent, but Cloudcraft's answer never came"),
        # The last list lacks it: that is known without an answer.
        (True, "Its registration is deleted; its role is not yet."),
    ],
)
def test_an_interrupt_is_obeyed_while_a_deletion_hangs(
    make_world: MakeWorld, tmp_path: Path, *, processed: bool, told: str
) -> None:
    world = onboarded(make_world, 2)
    world.fault(faults.hang(60, processed=processed, times=-1, **REMOVING))
    arguments = ("remove", tmp_path / "manifest.yaml", "--yes")
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: len(world.requests("DELETE")) == 2, "the deletions")
        _, ended = interrupt(running)
    assert (ended.code, ended.outcomes) == (130, ["pending", "pending"])
    assert ended.seconds < AT_ONCE  # a hang guard; 5 are promised
    (note,) = ended.notes()
    assert told in note
    assert len(world.registered) == (0 if processed else 2)
    world.calm()
    again = onboard(tmp_path / "again", *arguments)
    assert (again.code, again.outcomes) == (0, ["removed", "removed"])
    assert (world.registered, with_role(world)) == ([], [])


def test_a_removal_killed_in_the_middle_goes_on_next_time(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = onboarded(make_world, rate_limit="2/1")
    arguments = ("remove", tmp_path / "manifest.yaml", "--yes")
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: len(world.requests("DELETE")) >= 2, "some deletions")
        os.kill(running.pid, signal.SIGKILL)
    assert set(world.registered) <= set(with_role(world))
    again = onboard(tmp_path / "again", *arguments)
    assert again.code == 0, again.stderr
    assert set(again.outcomes) <= {"removed", "unchanged"}
    assert (world.registered, with_role(world)) == ([], [])
    assert onboard(tmp_path / "third", *arguments).outcomes == ["unchanged"] * 5
