"""`onboard` as a command for shell scripts, which comes from the nursery.

A script finds a small client on its PATH. It hands its words, environment, folder and streams over,
and ends as the program does. `onboard sandbox` starts anew: it stays, and it is sent signals.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import socketserver
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.nursery import LONGEST, nursery

_HANG = 120.0
# Without site and environment, it starts in a hundredth of a second.
_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["sandbox"]:
    os.execv("{python}", ["{python}", "-W", "error", "-m", "cloudcraft_onboard", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.connect("{address}")
    wish = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()])
    socket.send_fds(door, [wish.encode()], [0, 1, 2])
    sys.exit(int(door.recv(16)))
"""


class _Errand(socketserver.BaseRequestHandler):
    """One client: its program from start to end."""

    def handle(self) -> None:
        wish, streams, _, _ = socket.recv_fds(self.request, LONGEST, 3)
        arguments, environment, folder = json.loads(wish)
        started = nursery().start(arguments, environment, streams, folder)
        for stream in streams:
            os.close(stream)
        try:
            code = started.wait(_HANG)
        except TimeoutError:
            os.kill(started.pid, signal.SIGKILL)
            raise
        self.request.send(str(code if code >= 0 else 128 - code).encode())


class Doorway(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Where the clients come in; a short address, for that of a socket has 100 characters."""

    socket_type = socket.SOCK_SEQPACKET

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._address = str(Path(self._folder.name) / "door")
        super().__init__(self._address, _Errand)
        self._thread = threading.Thread(target=self.serve_forever, args=[0.1], daemon=True)
        self._thread.start()

    def write(self, file: Path) -> None:
        """Make the file a program that is `onboard`."""
        _write(file, _CLIENT.format(python=sys.executable, address=self._address))

    def close(self) -> None:
        """Let nobody else in."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        self._folder.cleanup()


@functools.cache
def doorway() -> Doorway:
    """The one of this process, from the first call on."""
    return Doorway()


def fresh(file: Path) -> None:
    """Make the file a program that starts `onboard` as users do, and takes signals."""
    _write(file, f'#!/bin/sh\nexec "{sys.executable}" -W error -m cloudcraft_onboard "$@"\n')


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
