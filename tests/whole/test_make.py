"""The Makefile: a virtual environment of the Python that was asked for, installed once."""

from __future__ import annotations

import os
import platform
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
    make = ["make", "--dry-run", "lint", *filter(None, [asked])]
    # The make that runs this suite hands its own variables down.
    own = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "PYTHON"}}
    told = subprocess.run(make, cwd=tmp_path, env=own, capture_output=True, text=True, check=True)
    assert ("-m venv --clear .venv" in told.stdout) == anew
    assert ("pip install" in told.stdout) == anew
    assert told.stderr == ""
