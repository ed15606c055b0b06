"""What follows a run: reports, then stdout, then the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudcraft_onboard.app import output
from cloudcraft_onboard.coverage.words import State
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.model import Command, Outcome, Report
from cloudcraft_onboard.model.notes import Stop
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show.told import Told
from tests.support import statuses
from tests.support.reports import denied, report, result, typical

FINE = report(result("A"), result("B", Outcome.UNCHANGED), result("C", Outcome.SKIPPED))
BAD = report(result("A"), denied("B"))
LEFT = report(result("A"), result("B", Outcome.PENDING, notes=("It waits.",)))
NOTHING = report(result("A", Outcome.UNCHANGED), command=Command.PLAN)
CHANGES = report(result("A"), command=Command.PLAN)
SETTLED = statuses.status(statuses.standing("A"))
OPEN = statuses.status(statuses.standing("A", State.MISSING))


@pytest.mark.parametrize(
    ("told", "plain", "changes_count"),
    [
        (FINE, 0, 0),  # a run has made its changes
        (BAD, 1, 1),
        (LEFT, 1, 1),
        (NOTHING, 0, 0),
        (CHANGES, 0, 1),
        (SETTLED, 0, 0),
        (OPEN, 0, 1),
        (report(), 0, 0),
    ],
    ids=["fine", "failed", "pending", "no changes", "changes", "settled", "open", "none"],
)
def test_exit_codes(told: Told, plain: int, changes_count: int) -> None:
    assert output.exit_code(told) == plain
    assert output.exit_code(told, changes_count=True) == changes_count


@pytest.fixture
def control() -> Control:
    return Control(emit=lambda _event: None)


def settings(*reports: Path, **options: object) -> Settings:
    return Settings(manifest="org.yaml", reports=tuple(map(str, reports)), **options)  # type: ignore[arg-type]


def test_every_report_is_written_and_named(
    tmp_path: Path, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"results.{form}" for form in ("json", "csv", "html")]
    assert output.deliver(FINE, settings(*files), control) == 0
    told = capsys.readouterr()
    assert all(file.stat().st_size for file in files)
    assert all(str(file) in told.err for file in files)
    assert "created" in told.out


def test_a_report_that_cannot_be_written_costs_neither_the_others_nor_the_table(
    tmp_path: Path, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    lost, kept = tmp_path / "gone" / "results.md", tmp_path / "results.json"
    assert output.deliver(FINE, settings(lost, kept), control) == 1
    told = capsys.readouterr()
    assert kept.exists()
    assert f"The report {lost} could not be written: " in told.err
    assert "created" in told.out


def test_json_on_stdout_is_the_report_alone(
    tmp_path: Path, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    assert output.deliver(BAD, settings(file, output="json"), control, table=False) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("told", [FINE, BAD, LEFT], ids=["fine", "failed", "pending"])
def test_an_interrupt_is_130_whatever_came_of_it(control: Control, told: Report) -> None:
    control.stop(Stop.FAILURES)
    control.stop(Stop.INTERRUPTED)
    assert output.deliver(told, settings(), control) == 130


def test_other_stops_leave_the_code_to_the_results(control: Control) -> None:
    control.stop(Stop.BUDGET)
    assert output.deliver(FINE, settings(), control) == 0
    assert output.deliver(LEFT, settings(), control) == 1


def test_quiet_says_nothing_about_the_command(
    tmp_path: Path, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    output.deliver(FINE, settings(tmp_path / "results.json", verbosity=-1), control)
    assert capsys.readouterr().err == ""


def test_github_gets_annotations_a_summary_and_a_folded_table(
    tmp_path: Path,
    control: Control,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    many = [result(f"New {n}", account_id=f"{n:012d}") for n in range(70)]
    many.append(denied("Bad"))
    assert output.deliver(report(*many), settings(), control, each=True) == 1
    told = capsys.readouterr()
    assert "::error" in told.err
    assert told.out.startswith("::group::Accounts")
    assert "70 created, 1 failed" in told.out.partition("::endgroup::")[2]
    assert "Bad" in summary.read_text(encoding="utf-8")


def test_a_summary_that_cannot_be_written_costs_nothing(
    tmp_path: Path,
    control: Control,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "summary.md"))
    assert output.deliver(typical(), settings(), control) == 1
    assert "The job summary could not be written: " in capsys.readouterr().err


def test_a_budget_leaves_a_second_for_the_end() -> None:
    events: list[Event] = []
    assert output.control(settings(), events.append).deadline is None
    some = output.control(settings(time_budget=60.0, started=1000.0), events.append)
    assert some.deadline == 1059.0


def test_a_bug_is_said_without_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    output.say_bug(RuntimeError("it had password=hunter2secret in hand"))
    told = capsys.readouterr().err
    assert "onboard: Unexpected RuntimeError: it had " in told
    assert "Please report it." in told
    assert "hunter2secret" not in told
