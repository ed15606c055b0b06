"""The last words of a command."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from cloudcraft_onboard.app.ending import ending
from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.settings import Selection, Settings
from tests.support import statuses
from tests.support.reports import report, result, typical

PLAIN = Settings(manifest="org.yaml")
SANDBOX = Settings(manifest="org.yaml", sandbox=True)


def test_usually_there_is_nothing_to_say() -> None:
    assert ending(typical(), PLAIN, []) == []
    assert ending(statuses.typical(), PLAIN, []) == []


def test_reports_are_named_without_what_steers_a_terminal() -> None:
    assert ending(typical(), PLAIN, ["a.json"]) == ["Report: a.json"]
    (line,) = ending(typical(), PLAIN, ["a.json", "b\x1b[2J.md"])
    assert line.startswith("Reports: a.json, b")
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("command", "since", "said"),
    [
        (Command.RUN, None, "Nothing to do: no account is selected."),
        (Command.PLAN, "HEAD~1", "no account of manifests/org.yaml has changed since HEAD~1."),
        (Command.REMOVE, None, "every registration in Cloudcraft is in manifests/org.yaml."),
    ],
)
def test_why_there_was_nothing_to_do(command: Command, since: str | None, said: str) -> None:
    chosen = replace(PLAIN, selection=Selection(changed_since=since))
    (line,) = ending(report(command=command), chosen, [])
    assert line.endswith(said)


def commands(lines: list[str]) -> list[list[str]]:
    """The commands that are advised, as a shell splits them."""
    return [shlex.split(line, comments=True) for line in lines if line.startswith("  onboard ")]


def test_a_sandbox_says_what_cloudcraft_sees_and_what_to_try() -> None:
    told = report(result("A"), result("B", Outcome.UNCHANGED), result("C", Outcome.PENDING))
    told = replace(told, manifest="org.yaml", cloudcraft=replace(told.cloudcraft, registered=2))
    lines = ending(told, SANDBOX, [])
    assert "machine was contacted. Its Cloudcraft now sees 2 accounts." in lines[1]
    advised = commands(lines)
    assert [words[1] for words in advised] == ["sandbox", "status", "remove"]
    assert all("--sandbox" in words for words in advised[1:])


def test_after_a_plan_comes_its_run() -> None:
    lines = ending(typical(Command.PLAN), SANDBOX, [])
    assert not any("now sees" in line for line in lines)
    assert commands(lines)[0] == ["onboard", "run", "manifests/org.yaml", "--sandbox"]


def test_a_status_of_the_sandbox_advises_nothing() -> None:
    assert commands(ending(statuses.typical(), SANDBOX, [])) == []


def test_what_is_advised_can_be_pasted(tmp_path: Path) -> None:
    manifest = tmp_path / "it's $HOME; x.yaml"
    manifest.touch()
    (tmp_path / "trouble.yaml").touch()
    told = replace(typical(), manifest=str(manifest))
    advised = commands(ending(told, SANDBOX, []))
    assert advised[0][2] == str(manifest)
    assert advised[2][2] == str(tmp_path / "trouble.yaml"), "the manifest of trouble beside it"
    told = replace(typical(), manifest=str(tmp_path / "trouble.yaml"))
    assert commands(ending(told, SANDBOX, []))[2][1] == "remove", "which was just run"
