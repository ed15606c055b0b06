"""Typing while the live view is drawn, and Ctrl-Z, in a real terminal and a real shell."""

from __future__ import annotations

import io
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.onboarding import existing
from tests.support.process import HANG, ONBOARD
from tests.support.terminal import Tty, onboard_tty
from tests.support.world import MakeWorld, SandboxWorld


def echoes(tty: Tty) -> bool:
    return bool(termios.tcgetattr(tty.child.child_fd)[3] & termios.ECHO)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def slow(make_world: MakeWorld) -> SandboxWorld:
    """A run that waits for the rate limit long enough to be looked at."""
    return make_world(existing(7), rate_limit="6/8")


def echoing(world: SandboxWorld, tmp_path: Path) -> Tty:
    tty = onboard_tty(80, 24, "run", str(tmp_path / "manifest.yaml"), **world.env)
    modes = termios.tcgetattr(tty.child.child_fd)
    modes[3] |= termios.ECHO
    termios.tcsetattr(tty.child.child_fd, termios.TCSANOW, modes)
    return tty


def test_what_is_typed_leaves_no_trace(make_world: MakeWorld, tmp_path: Path) -> None:
    with echoing(slow(make_world), tmp_path) as tty:
        tty.until("onboard run")
        assert not echoes(tty)
        for _ in range(5):
            tty.child.send("typed in vain\r")
            time.sleep(0.3)
        assert tty.to_the_end() == 0
    told = [*tty.scrollback(), *tty.lines()]
    assert not any("typed" in line or line.startswith("onboard run") for line in told)
    assert told[0].startswith("Account"), "nothing of the live view is left"


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_end_gives_the_echo_back(
    make_world: MakeWorld, tmp_path: Path, number: signal.Signals | None
) -> None:
    with echoing(slow(make_world), tmp_path) as tty:
        tty.until("onboard run")
        assert not echoes(tty)
        if number is not None:
            os.kill(tty.child.pid, number)
        wait_for(lambda: echoes(tty))
        assert tty.to_the_end() == (0 if number is None else 130)


def test_a_second_interrupt_gives_it_back_too(make_world: MakeWorld, tmp_path: Path) -> None:
    with echoing(slow(make_world), tmp_path) as tty:
        tty.until("onboard run")
        for _ in range(3):
            os.kill(tty.child.pid, signal.SIGINT)
        wait_for(lambda: echoes(tty))
        assert tty.to_the_end() == 130


@contextmanager
def bash(world: SandboxWorld, home: Path) -> Iterator[Any]:
    """A shell with job control, at its prompt."""
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        env={
            **world.env,
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TERM": "xterm-256color",
            "PS1": "ready> ",
            "PYTHONPATH": str(Path.cwd()),
        },
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=HANG,
    )
    try:
        shell.expect("ready> ")
        yield shell
    finally:
        shell.close(force=True)


def run_of(folder: Path) -> str:
    return " ".join([sys.executable, *ONBOARD[1:], "run", str(folder / "manifest.yaml")])


def test_in_the_background_the_cursor_stays_the_shells(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    with bash(make_world(existing(2)), tmp_path) as shell:
        shell.logfile_read = io.StringIO()
        shell.sendline(f"{run_of(tmp_path)} &")
        shell.expect("2 accounts: 2 created")
        assert "\x1b[?25l" not in shell.logfile_read.getvalue()


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    with bash(slow(make_world), tmp_path) as shell:
        shell.sendline(run_of(tmp_path))
        shell.expect("onboard run")
        shell.expect("to Cloudcraft in")
        shell.sendcontrol("z")
        shell.expect("Stopped")
        shell.expect("ready> ")
        shell.sendline("stty -a | tr ' ' '\\n' | grep -x -e '-*echo;*'")
        shell.expect(r"\r(-?echo)\r")
        assert shell.match[1] == "echo"
        shell.sendline("fg")
        shell.expect("7 accounts: 7 created")
        shell.expect("ready> ")
        shell.sendline("echo $?")
        shell.expect(r"[\r\n]0\r")
