"""Standard streams that may be closed, full or abandoned without harm to the work.

A run that made roles and registrations must come to its end and its reports whoever listens. So
the three descriptors always exist, and what cannot be written is dropped and remembered. Nor does
any text get out that could steer who shows it, or that the stream's encoding cannot write.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import select
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO

from cloudcraft_onboard.console.encoding import STAND_IN
from cloudcraft_onboard.console.harmless import COLOURS, DRAWING, continued, dumped

_BUFFERED = 8192  # bytes


class Stream(io.TextIOBase):
    """stdout or stderr. Safe to share among threads; `problem` is why text was dropped, if so."""

    encoding: str = "utf-8"
    problem: OSError | None = None

    def __init__(self, descriptor: int, encoding: str, *, at_once: bool) -> None:
        """`at_once`: each line is written when it is complete."""
        super().__init__()
        self.encoding = encoding
        self._descriptor = descriptor
        self._at_once = at_once
        self._encoder = codecs.getincrementalencoder(encoding)(STAND_IN)
        self._lock = threading.RLock()
        self._waiting = bytearray()
        self._line = ""  # what is told of an unfinished line

    def write(self, text: str) -> int:
        """Write `text`, made harmless; its length."""
        self._tell(text, COLOURS)
        return len(text)

    def draw(self, frame: str) -> None:
        """Write a frame, cursor movements included; its texts must be clean already."""
        self._tell(frame, DRAWING)

    def command(self, command: str) -> None:
        """Write one line for a CI runner."""
        with self._lock:
            self._line = ""
            self._put(f"{command}\n")

    def flush(self) -> None:
        """Write what waits; wait where that would block, and drop it where it cannot be written."""
        with self._lock:
            while self._waiting:
                try:
                    del self._waiting[: os.write(self._descriptor, self._waiting)]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])
                except OSError as error:
                    self.problem = self.problem or error
                    self._waiting.clear()

    def close(self) -> None:
        """Flush only: the descriptor stays, lest a socket become standard output."""
        self.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def _tell(self, text: str, ours: re.Pattern[str]) -> None:
        with self._lock:
            told, self._line = continued(self._line, text, ours)
            self._put(told)

    def _put(self, text: str) -> None:
        if self.problem is None:
            self._waiting += self._encoder.encode(text)
            if len(self._waiting) > _BUFFERED or (self._at_once and "\n" in text):
                self.flush()


def secure() -> None:
    """Make stdout and stderr safe to write to; call it before anything is printed."""
    _fill_descriptors()
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, _secured(getattr(sys, name), number))


def stdout_problem() -> OSError | None:
    """Why some of the output could not be written, if so."""
    sys.stdout.flush()
    return sys.stdout.problem if isinstance(sys.stdout, Stream) else None


def draw(stream: TextIO, frame: str) -> None:
    """Write a frame of a live display, cursor movements included."""
    (stream.draw if isinstance(stream, Stream) else stream.write)(frame)


def tell_runner(stream: TextIO, command: str) -> None:
    """Write one command for a CI runner, which no other text may be."""
    if isinstance(stream, Stream):
        stream.command(command)
    else:
        stream.write(f"{command}\n")


def json_text(data: Any) -> str:
    """`data` as JSON that standard output can take: UTF-8, or else escaped; never lossy."""
    return "".join(_told(data))


def print_json(data: Any) -> None:
    """Print `json_text(data)`, piece by piece."""
    for piece in _told(data):
        sys.stdout.write(piece)
    sys.stdout.write("\n")
    sys.stdout.flush()


def _told(data: Any) -> Iterator[str]:
    if codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8":
        return dumped(data)
    return (
        "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in piece) for piece in dumped(data)
    )


def _fill_descriptors() -> None:
    """Open any closed descriptor of 0, 1 and 2, lest a socket become standard output."""
    filler = os.open(os.devnull, os.O_RDWR)
    while filler <= 2:  # noqa: PLR2004 - standard error
        filler = os.open(os.devnull, os.O_RDWR)
    os.close(filler)


def _secured(stream: TextIO | None, number: int) -> TextIO | Stream:
    if stream is None:
        closed = Stream(number, "utf-8", at_once=False)
        closed.problem = OSError("it is closed")
        return closed
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    at_once = stream.line_buffering or stream.write_through
    return Stream(number, stream.encoding, at_once=at_once)
