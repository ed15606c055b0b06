"""Programs that are started: what they are told, and what of them is told further."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from cloudcraft_onboard.console.children import Child
from tests.support.process import onboard
from tests.support.world import MakeWorld

KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF0="
TOKEN = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_no_child_is_told_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDCRAFT_API_KEY", KEY)
    monkeypatch.setenv("CLOUDCRAFT_API_KEY_FILE", KEY)
    monkeypatch.setenv("INPUT_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("ANOTHER", "stays")
    child = Child(python("import json, os; print(json.dumps(dict(os.environ)))"))
    output, _ = child.communicate()
    assert KEY not in output.decode()
    told = json.loads(output)
    assert told["ANOTHER"] == "stays"
    assert told["PATH"] == os.environ["PATH"]


def test_a_short_key_takes_no_other_variable_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDCRAFT_API_KEY", "/")
    child = Child(python("import os; print(os.environ['PATH'], end='')"))
    assert child.communicate()[0].decode() == os.environ["PATH"]


def test_what_a_child_prints_is_cut_and_has_no_secrets() -> None:
    child = Child(
        python(
            "import sys; w = sys.stderr.buffer.write\n"
            f"w(b'\\xff SecretAccessKey={TOKEN} ' + b'a.' * 5_000_000)\n"
            "sys.stdout.write('x' * 5_000_000)"
        )
    )
    output, errors = child.communicate(most=1000)
    assert child.returncode == 0
    assert output == b"x" * 1000
    assert TOKEN[:8] not in errors.decode()
    assert "SecretAccessKey=[redacted]" in errors.decode()
    assert len(errors) < 3000


def test_a_child_is_asked_nothing() -> None:
    child = Child(python("print(repr(input()))"))
    assert b"EOFError" in child.communicate()[1]


def test_what_a_credential_process_says_reaches_no_output(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world("version: 1\naccounts:\n  - {name: Direct, profile: direct}\n")
    helper = tmp_path / "helper.py"
    helper.write_text(
        "import os, sys\n"
        "print(os.environ.get('CLOUDCRAFT_API_KEY'), dict(os.environ), file=sys.stderr)\n"
        f"print('password: {TOKEN}', 'a.' * 100_000, file=sys.stderr)\n"
        "sys.exit(1)\n",
        encoding="utf-8",
    )
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text("", encoding="utf-8")
    config = f"[profile direct]\ncredential_process = {sys.executable} {helper}\n"
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(config, encoding="utf-8")
    ended = onboard(tmp_path, "plan", tmp_path / "manifest.yaml", "-vv")
    assert ended.code == 3
    told = ended.stdout + ended.stderr
    assert "None" in told  # what the helper said first
    assert world.api_key not in told
    assert TOKEN[:8] not in told


def test_git_is_not_told_the_key(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("version: 1\naccounts:\n  - {name: Direct, profile: direct}\n")
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\nenv >&2\nexit 1\n", encoding="utf-8")
    git.chmod(0o755)
    path = f"{git.parent}:{os.environ['PATH']}"
    arguments = ("plan", tmp_path / "manifest.yaml", "--changed-since", "main")
    ended = onboard(tmp_path, *arguments, PATH=path, A_MARK="of the environment")
    assert ended.code == 2
    assert "PATH=" in ended.stderr
    assert world.api_key not in ended.stderr
    assert "CLOUDCRAFT_API_KEY" not in ended.stderr
