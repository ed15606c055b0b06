"""A signal ends the program, or a wait for an answer, whatever it comes into."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import HANG

# The main thread blocks the signal, so that another one gets it: no system call of the main one is
# interrupted then, just as if the signal had come a moment before the call.
WAITING = """
import os, signal, sys, threading, time
from cloudcraft_onboard.console import interrupts

def kill():
    time.sleep(0.3)
    os.kill(os.getpid(), {number})

threading.Thread(target=kill, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [{number}])
reading, _writing = os.pipe()
try:
    with interrupts.ending_waits() as wait_for, open(reading, encoding="utf-8") as file:
        wait_for(file)
        print("could be read")
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("number", ["signal.SIGINT", "signal.SIGTERM", "signal.SIGHUP"])
def test_a_signal_that_interrupts_no_system_call_ends_the_wait(number: str, tmp_path: Path) -> None:
    assert run(WAITING.format(number=number), tmp_path) == ("interrupted\n", "", 0)


def test_the_wait_ends_when_there_is_something_to_read(tmp_path: Path) -> None:
    script = WAITING.replace("os.kill(os.getpid(), {number})", 'os.write(_writing, b"yes\\n")')
    assert run(script.format(number="signal.SIGTERM"), tmp_path) == ("could be read\n", "", 0)


ENDING = """
import os, signal
from cloudcraft_onboard import __main__ as program
from cloudcraft_onboard.cli import main

def interrupted(*_, **__):
    os.kill(os.getpid(), signal.{signal})

main.app = interrupted
program._say = interrupted
program.main()
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_another_one_is_told_ends_it_at_once(number: str, tmp_path: Path) -> None:
    ended = run(ENDING.format(signal=number), tmp_path)
    assert ended == ("", "onboard: interrupted\n", 130)


# Typer evaluates annotations, which are texts.
EVALUATED = """
import os, signal
from cloudcraft_onboard import __main__ as program
from cloudcraft_onboard.cli import main

main.app = lambda *_, **__: eval("os.kill(os.getpid(), signal.SIGTERM)")
program.main()
"""


def test_a_signal_while_a_text_is_evaluated_is_not_taken_for_an_unhandled_one(
    tmp_path: Path,
) -> None:
    assert run(EVALUATED, tmp_path) == ("", "onboard: interrupted\n", 130)


LAST_ACTS = """
from cloudcraft_onboard import __main__ as program
from cloudcraft_onboard.cli import main
from cloudcraft_onboard.console import interrupts

interrupts.at_end(lambda: print("done at last"))
main.app = lambda *_, **__: None
program.main()
"""


def test_what_an_interrupt_may_have_cut_off_is_done_at_the_end(tmp_path: Path) -> None:
    assert run(LAST_ACTS, tmp_path) == ("done at last\n", "", 0)


def run(script: str, folder: Path) -> tuple[str, str, int]:
    """What a script says on stdout and stderr, and its exit code; it runs as `onboard` does."""
    (folder / "script.py").write_text(script, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "script"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    return ended.stdout, ended.stderr, ended.returncode
