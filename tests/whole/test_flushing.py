"""What is written is flushed once more while Python ends; nothing waits for ever then."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import HANG

# A thread that Python has stopped for good holds whatever it holds.
STOPPED = """
import sys, threading
from cloudcraft_onboard.console import streams
streams.secure()
print("told", flush=True)
held = threading.Event()
def hold():
    with sys.stdout._lock:
        held.set()
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
"""


def test_a_writer_that_was_stopped_holds_up_no_end() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED], capture_output=True, text=True, timeout=HANG, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "told\n")
