"""A signal ends a wait for an answer, whichever thread the system gives it to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.process import HANG

# The main thread blocks the signal, so that another one gets it: no system call of the main one is
# interrupted then, just as if the signal had come a moment before the call.
WAITING = """
import os, signal, sys, threading, time
from cloudcraft_onboard import interrupts

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
def test_a_signal_that_interrupts_no_system_call_ends_the_wait(number: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WAITING.format(number=number)],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("interrupted\n", "", 0)


def test_the_wait_ends_when_there_is_something_to_read() -> None:
    script = WAITING.replace("os.kill(os.getpid(), {number})", 'os.write(_writing, b"yes\\n")')
    ended = subprocess.run(
        [sys.executable, "-c", script.format(number="signal.SIGTERM")],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("could be read\n", "", 0)


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
def test_a_signal_while_another_one_is_told_ends_it_at_once(number: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING.format(signal=number)],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "onboard: interrupted\n", 130)
