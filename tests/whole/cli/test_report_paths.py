"""A report never replaces what the command reads, by whatever name."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudcraft_onboard.console.files import same
from tests.support.process import HANG, door, environment_with

MANIFEST = {"version": 1, "accounts": [{"name": "A", "account_id": "111122223333"}]}


def linked(path: Path) -> Path:
    link = path.with_name("link.json")
    link.symlink_to(path)
    return link


def hard(path: Path) -> Path:
    link = path.with_name("hard.json")
    os.link(path, link)
    return link


def spelled(path: Path) -> Path:
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


def through_a_folder(path: Path) -> Path:
    (path.parent / "alias").symlink_to(path.parent)
    return path.parent / "alias" / path.name


WAYS: list[Callable[[Path], Path]] = [lambda path: path, linked, hard, spelled, through_a_folder]


def refused(*arguments: object, what: str, **environment: str) -> None:
    done = subprocess.run(
        [door(), *map(str, arguments)],
        env=environment_with({"CLOUDCRAFT_BASE_URL": "http://127.0.0.1:1", **environment}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"is {what}, which it would replace" in " ".join(done.stderr.split())
    assert not done.stdout


@pytest.mark.parametrize("command", ["run", "plan", "remove", "status"])
@pytest.mark.parametrize("way", WAYS, ids=["itself", "symlink", "hardlink", "spelling", "folder"])
def test_the_manifest_stays(tmp_path: Path, command: str, way: Callable[[Path], Path]) -> None:
    manifest = tmp_path / "org.json"
    manifest.write_text(json.dumps(MANIFEST), encoding="utf-8")
    extra = ["--yes"] if command == "remove" else []
    refused(command, manifest, "--report", way(manifest), *extra, what="the manifest")
    assert json.loads(manifest.read_text()) == MANIFEST


@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("CLOUDCRAFT_API_KEY_FILE", "the API key's file"),
        ("AWS_CONFIG_FILE", "the file of AWS_CONFIG_FILE"),
        ("AWS_SHARED_CREDENTIALS_FILE", "the file of AWS_SHARED_CREDENTIALS_FILE"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "the file of AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("AWS_CA_BUNDLE", "the file of AWS_CA_BUNDLE"),
    ],
)
def test_so_do_files_that_the_environment_names(tmp_path: Path, variable: str, what: str) -> None:
    manifest = tmp_path / "org.json"
    manifest.write_text(json.dumps(MANIFEST), encoding="utf-8")
    file = tmp_path / "file.csv"
    file.write_text("kept", encoding="utf-8")
    refused("plan", manifest, "--report", linked(file), what=what, **{variable: str(file)})
    assert file.read_text() == "kept"


def test_so_does_the_report_that_is_retried_or_rendered(tmp_path: Path) -> None:
    manifest = tmp_path / "org.json"
    manifest.write_text(json.dumps(MANIFEST), encoding="utf-8")
    before = tmp_path / "before.json"
    before.write_text("{}", encoding="utf-8")
    refused("report", before, "--report", hard(before), what="the report that is read")
    assert before.read_text() == "{}"


def test_standard_input_is_an_input_too(tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    before.write_text("{}", encoding="utf-8")
    with before.open() as stdin:
        done = subprocess.run(
            [door(), "report", "-", "--report", str(before)],
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
    assert done.returncode == 2
    assert "is the report that is read" in done.stderr
    assert before.read_text() == "{}"


def test_files_that_are_not_there_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    assert same(tmp_path / "a", tmp_path / "b" / ".." / "a")
    assert not same(tmp_path / "a", tmp_path / "b")
