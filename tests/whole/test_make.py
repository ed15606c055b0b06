"""The Makefile: a virtual environment of the Python that was asked for, installed once."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = platform.python_version()


@pytest.mark.parametrize(
    ("made_by", "asked", "anew"),
    [
        (HERE, f"PYTHON={sys.executable}", False),
        ("3.1.4", f"PYTHON={sys.executable}", True),
        ("3.1.4", "", False),
        ("", "", True),
    ],
    ids=["the same Python", "another Python", "no Python asked for", "no venv"],
)
def test_a_venv_of_another_python_is_made_anew(
    tmp_path: Path, made_by: str, asked: str, *, anew: bool
) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    if made_by:
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/pyvenv.cfg").write_text(f"version = {made_by}\n", encoding="utf-8")
        (tmp_path / ".venv/bin/python").touch()
        (tmp_path / ".venv/test.stamp").touch()
    told = dry_run(tmp_path, "lint", *filter(None, [asked]))
    assert ("-m venv --clear .venv" in told) == anew
    assert ("pip install" in told) == anew


def dry_run(folder: Path, *words: str) -> str:
    """What make would run."""
    # The make that runs this suite hands its own variables down.
    own = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "PYTHON"}}
    make = ["make", "--dry-run", *words]
    told = subprocess.run(make, cwd=folder, env=own, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    return told.stdout


def test_whatever_make_installs_a_shell_can_read(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    stamps = re.findall(r"^(\.venv/\w+\.stamp):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert ".venv/bench.stamp" in stamps
    for stamp in stamps:
        recipe = dry_run(tmp_path, stamp)
        assert "pip install" in recipe
        subprocess.run(["bash", "-n"], input=recipe, text=True, check=True)


@pytest.mark.parametrize(
    ("stamps", "installed"), [([], "'.[quick]'"), (["quick"], ""), (["test"], "")], ids=str
)
def test_the_quick_tests_need_a_small_installation(
    tmp_path: Path, stamps: list[str], installed: str
) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("bin/python", *(f"{stamp}.stamp" for stamp in stamps)):
        (tmp_path / ".venv" / name).touch()
    told = dry_run(tmp_path, "quick")
    assert ("pip install" in told) == bool(installed)
    assert installed in told
    assert "ministack" not in told
    assert "pytest" in told
