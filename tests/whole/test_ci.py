"""`.ci/run` as it stands, on machines that have some programs and not others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import HANG

ROOT = Path(__file__).parents[2]
LOGGING = '#!/bin/sh\necho "${0##*/} $*" >> "$LOG"\n'
UPDATE, INSTALL = (
    "apt-get update --quiet=2",
    "apt-get install --quiet=2 --yes --no-install-recommends",
)
CHECKS = ["make --jobs=2 lint collect", "make test"]
PAGES = "tests/whole/show/test_browser.py"


def asked(
    folder: Path, *there: str, user: int = 0, apt: str = LOGGING, make: str = LOGGING
) -> tuple[int, list[str]]:
    """The exit code, and what was started on a machine with these programs, in turn."""
    programs = folder / "bin"
    programs.mkdir()
    scripts = dict.fromkeys(there, LOGGING)
    scripts |= {"make": make, "apt-get": apt, "id": f"#!/bin/sh\necho {user}\n"}
    scripts["sudo"] = '#!/bin/sh\necho sudo >> "$LOG"\nexec "$@"\n'
    for name, text in scripts.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    for name in ("bash", "sh", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    log = folder / "log"
    log.touch()
    ended = subprocess.run(
        [programs / "bash", ROOT / ".ci" / "run"],
        env={"PATH": str(programs), "LOG": str(log)},
        capture_output=True,
        timeout=HANG,
        check=False,
    )
    return ended.returncode, log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser", "google-chrome"])
def test_nothing_is_installed_that_is_there(tmp_path: Path, browser: str) -> None:
    assert asked(tmp_path, browser, "zsh") == (0, CHECKS)


@pytest.mark.parametrize(
    ("there", "missing"),
    [((), "chromium zsh"), (("zsh",), "chromium"), (("google-chrome",), "zsh")],
    ids=["nothing", "zsh", "a browser"],
)
def test_what_is_missing_is_installed(tmp_path: Path, there: tuple[str, ...], missing: str) -> None:
    assert asked(tmp_path, *there) == (0, [UPDATE, f"{INSTALL} {missing}", *CHECKS])


def test_who_is_not_root_asks_sudo(tmp_path: Path) -> None:
    code, told = asked(tmp_path, "zsh", user=1000)
    assert (code, told) == (0, ["sudo", UPDATE, "sudo", f"{INSTALL} chromium", *CHECKS])


def test_what_cannot_be_installed_fails_it(tmp_path: Path) -> None:
    code, told = asked(tmp_path, "zsh", apt=f"{LOGGING}exit 100\n")
    assert (code, told) == (100, [UPDATE])


def test_a_check_that_fails_fails_it(tmp_path: Path) -> None:
    failing = f'{LOGGING}[ "$2" != lint ]\n'
    assert asked(tmp_path, "zsh", "chromium", make=failing) == (1, CHECKS[:1])


def test_the_last_lines_of_the_tests_say_what_was_not_tested() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", PAGES],
        cwd=ROOT,
        env={**os.environ, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    how = "there is no chromium; `apt-get install chromium` brings it"
    assert f"The pages are not tested here: {how}" in ended.stdout.splitlines()[-2:]
