"""A process with the program's imports done, which becomes the program again and again.

To import everything takes half a second of each start. Where the start isn't what is tested, a test
gets the program by `fork` instead: with its own process group, standard streams, environment and
folder, from `main()` to the interpreter's own end it is the program as `python -m` starts it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PACKAGE = "cloudcraft_onboard"
INHERITED = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR")
LONGEST = 1 << 20  # bytes of one message


class Nursery:
    """The process as the tests' side sees it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lock = threading.Lock()
        self._ended: dict[int, int] = {}

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        streams: Sequence[int],
        folder: str = "",
    ) -> Forked:
        """Start `onboard ARGUMENTS` here or in a folder, with these files as standard streams."""
        wish = json.dumps([arguments, dict(environment), folder or str(Path.cwd())]).encode()
        with self._lock:
            socket.send_fds(self._socket, [wish], list(streams))
            while (pid := self._read()) is None:
                pass
        return Forked(self, pid)

    def code_of(self, pid: int, seconds: float) -> int | None:
        """The exit code as `subprocess` has it, or None if it does not come within `seconds`."""
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            with self._lock:
                # In slices, for others who wait.
                if (
                    pid not in self._ended
                    and select.select([self._socket], [], [], min(left, 0.05))[0]
                ):
                    self._read()
                if pid in self._ended or not left:
                    return self._ended.get(pid)

    def _read(self) -> int | None:
        """Take in what the process tells: who was started (that is returned), or who ended how."""
        told = self._socket.recv(LONGEST)
        assert told, "the nursery has ended"
        pid, *code = json.loads(told)
        if not code:
            return int(pid)
        self._ended[pid] = code[0]
        return None

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait()


class Forked:
    """A program under way; what `subprocess.Popen` would tell of it."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        return self._nursery.code_of(self.pid, 0)

    def wait(self, timeout: float) -> int:
        """Wait for the exit code, or raise `TimeoutError`."""
        code = self._nursery.code_of(self.pid, timeout)
        if code is None:
            raise TimeoutError
        return code


@functools.cache
def nursery() -> Nursery:
    """The one of this process, from the first call on."""
    return Nursery()


def _readable(sockets: list[socket.socket], seconds: float | None = None) -> list[socket.socket]:
    return select.select(sockets, [], [], seconds)[0]


def main() -> None:
    """Serve the socket until it is closed; in a fork, be the program."""
    for module in pkgutil.walk_packages(importlib.import_module(PACKAGE).__path__, f"{PACKAGE}."):
        if not module.name.startswith(f"{PACKAGE}.sandbox.") and "__main__" not in module.name:
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # at a program's end nobody goes through all of it again
    channel = socket.socket(fileno=int(sys.argv[1]))
    waking, woken = socket.socketpair()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    with channel, waking, woken:
        wish = _forked(channel, waking)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if wish:
        _become(*wish)


def _forked(channel: socket.socket, waking: socket.socket) -> tuple[bytes, list[int]] | None:
    """In each fork, what it shall become; in the nursery itself, nothing at the end."""
    while True:
        ready = _readable([channel, waking])
        if waking in ready:
            waking.recv(LONGEST)
            _tell_who_ended(channel)
        if channel in ready:
            wish, streams, _, _ = socket.recv_fds(channel, LONGEST, 3)
            if not wish:
                return None
            pid = os.fork()
            if pid == 0:
                return wish, streams
            for stream in streams:
                os.close(stream)
            channel.send(json.dumps([pid]).encode())


def _tell_who_ended(channel: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            channel.send(json.dumps([ended[0], os.waitstatus_to_exitcode(ended[1])]).encode())


def _become(wish: bytes, streams: Sequence[int]) -> None:
    arguments, environment, folder = json.loads(wish)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
