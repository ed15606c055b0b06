"""The command that adds something fits how the program was installed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from cloudcraft_onboard.installation import command_for, command_for_extra

GIT = {
    "url": "https://github.com/o/r",
    "vcs_info": {"vcs": "git", "commit_id": "abc123", "requested_revision": "main"},
}


def made_by(monkeypatch: pytest.MonkeyPatch, prefix: Path, *files: str) -> None:
    """Run in an environment with these files."""
    prefix.mkdir(parents=True)
    for name in files:
        (prefix / name).touch()
    monkeypatch.setattr(sys, "prefix", str(prefix))


def installed_from(
    monkeypatch: pytest.MonkeyPatch, folder: Path, origin: dict[str, object] | None
) -> None:
    """Be installed from somewhere, as an installer notes it."""
    info = folder / "site" / "cloudcraft_onboard-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cloudcraft-onboard\nVersion: 0\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(str(folder / "site"))


@pytest.mark.parametrize(
    ("place", "files", "extra", "package"),
    [
        (
            "share/uv/tools/cloudcraft-onboard",
            ["uv-receipt.toml"],
            "uv tool install --force 'cloudcraft-onboard[sandbox]'",
            "uv tool install --force --with 'botocore[crt]' cloudcraft-onboard",
        ),
        (
            "cache/uv/archive-v0/x1",
            [],
            "uvx --from 'cloudcraft-onboard[sandbox]' cloudcraft-onboard ...",
            "uvx --with 'botocore[crt]' --from cloudcraft-onboard cloudcraft-onboard ...",
        ),
        (
            "share/pipx/venvs/cloudcraft-onboard",
            ["pipx_metadata.json"],
            "pipx install --force 'cloudcraft-onboard[sandbox]'",
            "pipx inject cloudcraft-onboard 'botocore[crt]'",
        ),
        (
            "share/pipx/.cache/1f",
            ["pipx_metadata.json"],
            "pipx run --spec 'cloudcraft-onboard[sandbox]' cloudcraft-onboard ...",
            "pipx run --with 'botocore[crt]' --spec cloudcraft-onboard cloudcraft-onboard ...",
        ),
        (
            "venv",
            [],
            f"{sys.executable} -m pip install 'cloudcraft-onboard[sandbox]'",
            f"{sys.executable} -m pip install 'botocore[crt]'",
        ),
    ],
    ids=["uv-tool", "uvx", "pipx", "pipx-run", "pip"],
)
def test_each_installer_has_its_command(  # noqa: PLR0917 - a row and two fixtures
    place: str,
    files: list[str],
    extra: str,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    made_by(monkeypatch, tmp_path / place, *files)
    installed_from(monkeypatch, tmp_path, None)
    assert command_for_extra("sandbox") == extra
    assert command_for("botocore[crt]") == package


@pytest.mark.parametrize(
    ("origin", "whole"),
    [
        (None, "cloudcraft-onboard[sandbox]"),
        ({"url": "file:///src/on%20board", "dir_info": {}}, "/src/on board[sandbox]"),
        ({"url": "file:///d/c_o-1-py3-none-any.whl"}, "/d/c_o-1-py3-none-any.whl[sandbox]"),
        (GIT, "cloudcraft-onboard[sandbox] @ git+https://github.com/o/r@abc123"),
        ({"url": "https://h/x.whl"}, "cloudcraft-onboard[sandbox] @ https://h/x.whl"),
    ],
    ids=["index", "folder", "wheel", "git", "url"],
)
def test_it_comes_from_where_it_came_from(
    origin: dict[str, object] | None, whole: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made_by(monkeypatch, tmp_path / "venv")
    installed_from(monkeypatch, tmp_path, origin)
    assert shlex.split(command_for_extra("sandbox"))[-1] == whole


def test_the_folder_that_one_is_in_is_a_dot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    installed_from(monkeypatch, tmp_path, {"url": tmp_path.as_uri(), "dir_info": {}})
    assert command_for_extra("sandbox").endswith(" '.[sandbox]'")
