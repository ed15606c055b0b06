"""A process with the program's imports done, which becomes the program again and again.

To import everything takes half a second of each start. Where the start isn't what is tested, a test
gets the program by `fork` instead: with its own process group, standard streams, environment and
folder it is the program as `python -m` starts it. Only that the interpreter takes nothing apart at
the end, which costs as much again: what the program left open is looked for instead.

Shells, terminals and `subprocess` get it by a door: a small program that hands on what it was
started with, passes signals on and ends as it does. A link to it may stand in a PATH.
"""

from __future__ import annotations

import atexit
import fcntl
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
import tempfile
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from cloudcraft_onboard.app.report import json_schema_of
from tests.support import models

PACKAGE = "cloudcraft_onboard"
INHERITED = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR")
_LONGEST = 1 << 20  # bytes of one message
_DOOR = f"""#!{sys.executable} -IS
import fcntl, json, os, signal, socket, sys, termios
if sys.argv[1:2] == ["sandbox"]:  # it stays, and tests end it
    os.execv(sys.executable, [sys.executable, "-m", "{PACKAGE}", *sys.argv[1:]])
if os.isatty(0) and os.getsid(0) == os.getpid():  # its terminal becomes the program's
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    fcntl.ioctl(0, termios.TIOCNOTTY)
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
door.connect(os.path.join(os.path.dirname(os.path.realpath(__file__)), "socket"))
wish = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(door, [wish], [0, 1, 2])
pid = int(door.recv(99))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: os.kill(pid, number))
code = int(door.recv(99))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class Nursery:
    """The process as the tests' side sees it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.TemporaryDirectory()
        self.door = Path(self._folder.name) / "onboard"
        """An executable that is `onboard` for shells and `subprocess`."""
        self.door.write_text(_DOOR, encoding="utf-8")
        self.door.chmod(0o700)
        visitors = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, visitors:
            visitors.bind(str(self.door.with_name("socket")))
            visitors.listen()
            descriptors = [theirs.fileno(), visitors.fileno()]
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", __name__, *map(str, descriptors)],
                pass_fds=descriptors,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lock = threading.Lock()
        self._ended: dict[int, int] = {}

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]
    ) -> Forked:
        """Start `onboard ARGUMENTS` with these files as its standard streams."""
        wish = json.dumps([arguments, dict(environment), str(Path.cwd())]).encode()
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
        told = self._socket.recv(_LONGEST)
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
        self._folder.cleanup()


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
    importlib.import_module("httpcore")  # httpx waits with it until there is a client
    json_schema_of(events=False)  # as a report's first JSON waits with its types
    models.remember()
    models.read_ahead()
    gc.collect()
    gc.freeze()  # at a program's end nobody goes through all of it again
    channel, visitors = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    waking, woken = socket.socketpair()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    with channel, visitors, waking, woken:
        wish = _forked(channel, visitors, waking)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if wish:
        _become(*wish)


def _forked(
    channel: socket.socket, visitors: socket.socket, waking: socket.socket
) -> tuple[bytes, list[int]] | None:
    """In each fork, what it shall become; in the nursery itself, nothing at the end."""
    asked: dict[int, socket.socket] = {}  # by which visitor, if not by the channel
    while True:
        ready = _readable([channel, visitors, waking])
        if waking in ready:
            waking.recv(_LONGEST)
            _tell_who_ended(channel, asked)
        for door in {channel, visitors} & set(ready):
            visitor = None if door is channel else visitors.accept()[0]
            wish, streams, _, _ = socket.recv_fds(visitor or channel, _LONGEST, 3)
            if not wish and visitor:
                visitor.close()  # it was ended before it could ask
                continue
            if not wish:
                return None
            pid = os.fork()
            if pid == 0:
                for each in [*asked.values(), *([visitor] if visitor else [])]:
                    each.close()
                return wish, streams
            for stream in streams:
                os.close(stream)
            if visitor:
                asked[pid] = visitor
                _tell(visitor, pid)
            else:
                channel.send(json.dumps([pid]).encode())


def _tell_who_ended(channel: socket.socket, asked: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, code = ended[0], os.waitstatus_to_exitcode(ended[1])
            if pid in asked:
                with asked.pop(pid) as visitor:
                    _tell(visitor, code)
            else:
                channel.send(json.dumps([pid, code]).encode())


def _tell(visitor: socket.socket, number: int) -> None:
    """Tell a visitor a process ID or an exit code, if it still listens."""
    with suppress(OSError):
        visitor.send(str(number).encode())


def _become(wish: bytes, streams: Sequence[int]) -> None:
    arguments, environment, folder = json.loads(wish)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if os.isatty(0):
        with suppress(OSError):  # it is a shell's
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    inherited = _open_files()
    try:
        runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        _end(ended.code, inherited)


def _end(code: int, inherited: set[str]) -> NoReturn:
    """End as the interpreter does, up to where it would take apart all that was imported."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()  # warns of what was never closed or awaited, as far as nobody holds it
    if threading.active_count() == 1:  # one that is stuck in a request keeps its connection
        for file in _open_files() - inherited:
            sys.stderr.write(f"ResourceWarning: left open: {file}\n")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _open_files() -> set[str]:
    """The files, pipes and sockets of this process, as far as the system tells."""
    files = set()
    for descriptor in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):  # the one that looks
            files.add(f"{descriptor.name} {descriptor.readlink()}")
    return files


if __name__ == "__main__":
    main()
