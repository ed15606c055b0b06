"""The processes that profiles get their credentials from (`credential_process`)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import Any

from cloudcraft_onboard.console.children import Child

_PATIENCE = 0.5  # seconds between the request to end and the end


class Processes:
    """Starts these processes, and ends hanging ones with the program.

    Each is a session of its own with nothing to read: nobody could answer a question under the
    live display, and what it starts itself is ended with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Child] = []
        self._closed = False

    def start(self, command: list[str], **options: Any) -> Child:
        """`subprocess.Popen`, as botocore calls it."""
        with self._lock:
            if self._closed:
                raise OSError("the program is ending")
            process = Child(command, start_new_session=True, **options)
            self._running = [it for it in self._running if it.returncode is None] + [process]
            return process

    def end(self) -> None:
        """End those that still run; no further one can be started."""
        with self._lock:
            self._closed = True
            hanging = [it for it in self._running if it.poll() is None]
        for process in hanging:
            _send(process, signal.SIGTERM)
        for process in hanging:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            _send(process, signal.SIGKILL)
            process.wait()


def _send(process: Child, number: signal.Signals) -> None:
    """Send a signal to the process and all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
