"""Environment and options at the edge: bounded, and never shown where they may be a secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cloudcraft_onboard.cli import sandbox
from cloudcraft_onboard.errors import CannotStart, OnboardError, UsageError
from cloudcraft_onboard.settings import duration, endpoint

KEY = "ck-Jb6kHZC0rGVyqUD1TbWbSuTAq5nqHOjbOqOO3dGOGoI"
VARIABLES = (
    "CLOUDCRAFT_API_KEY_FILE",
    "CLOUDCRAFT_RATE_LIMIT",
    "CLOUDCRAFT_BASE_URL",
)


def refusal(**environment: str) -> OnboardError:
    with pytest.raises(OnboardError) as caught:
        endpoint(environment)
    return caught.value


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("value", [KEY, f"http://{KEY}", f"{KEY}://x", f"/{KEY}", f"{KEY}/60"])
def test_a_key_in_the_wrong_variable_is_not_shown(variable: str, value: str) -> None:
    error = refusal(**{variable: value})
    assert "ck-" not in f"{error.message} {error.hint}".lower()
    assert error.__cause__ is None or error.__cause__.__suppress_context__


def test_nor_by_the_sandbox() -> None:
    app = typer.Typer()
    sandbox.register(app)
    result = CliRunner().invoke(app, ["--rate-limit", KEY])
    assert result.exit_code == 2
    assert "--rate-limit" in result.output
    assert "ck-" not in result.output


@pytest.mark.parametrize("content", [b"\0" * 10**7, b"k" * 5000, b"\xff\xfe\0k", b""])
def test_a_file_that_holds_no_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    error = refusal(CLOUDCRAFT_API_KEY_FILE=str(tmp_path / "key"))
    assert isinstance(error, CannotStart)
    assert error.hint


def test_a_device_is_read_no_further_than_a_key_is_long() -> None:
    assert refusal(CLOUDCRAFT_API_KEY_FILE="/dev/zero").exit_code == 3


def test_a_key_from_a_pipe() -> None:
    reader, writer = os.pipe()
    os.write(writer, f"{KEY}\n".encode())
    os.close(writer)
    try:
        found = endpoint({"CLOUDCRAFT_API_KEY_FILE": f"/dev/fd/{reader}"})
    finally:
        os.close(reader)
    assert found.api_key == KEY
    assert KEY not in repr(found)


def test_the_home_directory_in_a_key_files_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    assert endpoint({"CLOUDCRAFT_API_KEY_FILE": "~/key"}).api_key == KEY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'"{KEY}"\n'.encode(), "is in quotes"),
        (f"'{KEY}'".encode(), "is in quotes"),
        (b"\xef\xbb\xbf" + KEY.encode(), "byte order mark"),
        (f"\ufeff{KEY}".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_a_key_as_other_programs_save_it(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "key").write_bytes(content)
    error = refusal(CLOUDCRAFT_API_KEY_FILE=str(tmp_path / "key"))
    assert isinstance(error, CannotStart)
    assert said in error.message
    assert KEY not in f"{error.message} {error.hint}"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5h30m", 19800), (" 45m ", 2700)])
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "5", "1d", "9" * 400 + "h", "9" * 5000 + "s", "-1s"])
def test_what_is_no_duration_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        duration(text)
    assert len(caught.value.message) < 80
