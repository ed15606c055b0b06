"""Wrong usage is told as any other error: one line, a hint, no boxes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.process import door, onboard


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "x", "--concurrency", "0"], "Invalid value for '--concurrency': must be at least"),
        (["run", "x", "-o", "yaml"], "'yaml' is not one of 'table', 'json'"),
        (["run"], "Missing argument"),
        (["dance"], "No such command 'dance'"),
        (["version"], "No such command 'version'"),
    ],
    ids=str,
)
def test_wrong_usage_has_the_style_of_every_error(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = onboard(tmp_path / "run", *arguments)
    assert ended.code == 2
    assert ended.stderr.startswith("onboard: ")
    assert said in ended.stderr
    assert "\n  hint: `onboard" in ended.stderr
    assert "permissions" not in ended.stderr
    assert "Input should" not in ended.stderr
    assert "╭" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("run", "onboard run [OPTIONS] MANIFEST"),
        ("validate", "onboard validate [OPTIONS] MANIFEST..."),
        ("sandbox", "onboard sandbox [OPTIONS] [MANIFEST]"),
    ],
)
def test_help_shows_no_type_of_a_flag_and_no_braces(command: str, usage: str) -> None:
    ended = subprocess.run(
        [door(), command, "--help"],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"},
        check=True,
    )
    assert f"Usage: {usage} " in ended.stdout
    assert "bool" not in ended.stdout
    assert "{" not in ended.stdout.replace("{account_id}", "")  # what an ARN may have
