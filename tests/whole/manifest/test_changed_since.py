"""Which accounts a git revision lacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.manifest.select import changed_since


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "before the manifest")
    (tmp_path / "sub").mkdir()
    return tmp_path


FIRST = """\
version: 1
defaults: {region: eu-west-1}
accounts:
  - {name: A, profile: a}
  - {name: B, profile: b, region: us-east-1}
  - {name: C, profile: c}
"""


def commit(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    git(path.parent, "add", path.name)
    git(path.parent, "commit", "-q", "-m", "change")


def changed(path: Path, ref: str) -> list[str]:
    return [account.name for account in changed_since(load(str(path)), ref)]


def test_only_what_differs_from_the_revision_is_changed(repository: Path) -> None:
    path = repository / "sub" / "m.yaml"
    commit(path, FIRST)
    assert changed(path, "HEAD") == []
    path.write_text(
        "# moved down\n" + FIRST.replace("profile: c", "profile: d") + "  - {name: D, profile: x}\n"
    )
    assert changed(path, "HEAD") == ["C", "D"]
    path.write_text(FIRST.replace("eu-west-1", "eu-west-2"))
    assert changed(path, "main") == ["A", "C"]
    assert changed(path, "HEAD~1") == ["A", "B", "C"]


def test_a_revision_with_an_invalid_manifest_changes_everything(repository: Path) -> None:
    path = repository / "sub" / "m.yaml"
    commit(path, "version: 7\n")
    path.write_text(FIRST)
    assert changed(path, "HEAD") == ["A", "B", "C"]


@pytest.mark.parametrize("ref", ["nowhere", "--all", "-h", "", "HEAD..HEAD"])
def test_an_unknown_revision_is_said(repository: Path, ref: str) -> None:
    path = repository / "sub" / "m.yaml"
    commit(path, FIRST)
    with pytest.raises(UsageError, match="git knows no such revision") as caught:
        changed(path, ref)
    assert "fetch-depth" in caught.value.hint


def test_no_repository_and_no_git_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(FIRST)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="not a git repository"):
        changed(path, "HEAD")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="needs git"):
        changed(path, "HEAD")
