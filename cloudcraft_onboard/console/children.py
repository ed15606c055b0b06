"""Programs that are started: they are not told the API key, and what they print is cut."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Sequence
from typing import Any

from cloudcraft_onboard.console.redact import LONGEST, MARGIN, excerpt

_KEY = "CLOUDCRAFT_API_KEY"  # the file's variable, _FILE, may hold the key by mistake
_SHORTEST = 8  # characters; what is shorter is no key, and stands in other variables by chance
_MOST_OUTPUT = 1 << 20  # bytes
_MOST_ERRORS = 4 * (LONGEST + MARGIN)  # bytes, of UTF-8
_PIECE = 1 << 16


def environment() -> dict[str, str]:
    """This program's environment without the API key, under whichever name it stands there."""
    key = os.environ.get(_KEY, "").strip()
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_KEY) and not (len(key) >= _SHORTEST and key in value)
    }


class Child(subprocess.Popen[bytes]):
    """A program with nothing to read, whose output is piped; as botocore uses `Popen`."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        super().__init__(command, env=environment(), **{**options, **pipes})

    def communicate(
        self, _: bytes | None = None, __: float | None = None, *, most: int = _MOST_OUTPUT
    ) -> tuple[bytes, bytes]:
        """Wait for its end: the first `most` bytes of its output, and its errors without secrets.

        The rest is read, too, so that it can end, but not kept.
        """
        kept = {1: bytearray(), 2: bytearray()}
        limits = {1: most, 2: _MOST_ERRORS}
        with self, selectors.DefaultSelector() as pipes:
            for number, pipe in ((1, self.stdout), (2, self.stderr)):
                pipes.register(pipe, selectors.EVENT_READ, number)  # type: ignore[arg-type]  # both are piped
            while pipes.get_map():
                for ready, _events in pipes.select():
                    piece = os.read(ready.fd, _PIECE)
                    into = kept[ready.data]
                    into += piece[: limits[ready.data] - len(into)]
                    if not piece:
                        pipes.unregister(ready.fileobj)
        return bytes(kept[1]), excerpt(kept[2].decode(errors="replace")).encode()
