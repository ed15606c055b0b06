"""Standard streams that may be closed, full, abandoned or unread without harm to the work.

A run that made roles and registrations must come to its end and its reports whoever listens. So
the three descriptors always exist, what cannot be written is dropped and remembered, and whoever
prints waits for a reader no longer than there is time. Nor does any text get out that could steer
who shows it, or that the stream's encoding cannot write.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import math
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from cloudcraft_onboard.console.encoding import STAND_IN
from cloudcraft_onboard.console.harmless import COLOURS, DRAWING, continued, dumped, dumped_line

_AHEAD = 1 << 16  # bytes that may wait to be written before whoever prints waits, too
_LOG = 1 << 20  # bytes of progress and logs that are kept for a reader who is late
_LATE_SECONDS = 0.3  # without a byte read, while there is something better to do
_UNREAD_SECONDS = 2.0  # the same for progress at the end of a command
_LOOK_SECONDS = 0.05

_hurried: Callable[[], bool] = bool


def hurry_when(hurried: Callable[[], bool]) -> None:
    """From now on wait for readers only while not `hurried`: there is work to do, or no time."""
    global _hurried  # noqa: PLW0603 - the standard streams are the whole process's, too
    _hurried = hurried


class Stream(io.TextIOBase):
    """stdout or stderr. Safe to share among threads; `problem` is why text was dropped, if so.

    A thread of its own writes, so that nobody hangs in a write to a pipe that is full or to a
    terminal that is stopped.
    """

    encoding: str = "utf-8"
    problem: OSError | None = None

    def __init__(self, descriptor: int, encoding: str, *, after: Stream | None = None) -> None:
        """A stream; with `after` it is for results, and what that one has to say comes first.

        Text of a stream without `after` is progress: it may be lost where nobody reads it.
        """
        super().__init__()
        self.encoding = encoding
        self._descriptor = descriptor
        self._after = after
        # Where both lead to one file, a piece of the one is never amid a piece of the other.
        shared = after is not None and os.path.sameopenfile(descriptor, after.fileno())
        self.turn: threading.Lock = after.turn if after and shared else threading.Lock()
        self._encoder = codecs.getincrementalencoder(encoding)(STAND_IN)
        self._lock = threading.Condition()
        self._waiting = bytearray()
        self._moved = 0.0  # when a byte was read last, or the first of those that wait was written
        self._line = ""  # what is told of an unfinished line
        self._ended = False
        self._writer = threading.Thread(target=self._write, name="output", daemon=True)

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

    @property
    def behind(self) -> bool:
        """Whether there is something that nobody has read yet."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Wait until all is written, for as long as there is time.

        Python flushes once more while it ends, when the writer may be stopped with the lock held.
        """
        if not self._waiting:
            return
        with self._lock:
            self._wait_for(lambda: not self._waiting)

    def give_up(self) -> None:
        """Flush for the last time: what nobody reads even now is lost."""
        self.flush()
        with self._lock:
            if self._waiting:
                self._fail(OSError("nobody reads it"))

    def close(self) -> None:
        """End the writer; the descriptor stays, lest a socket become standard output.

        Text that comes later is written at once, as far as somebody reads it: Python stops its
        threads before it flushes for the last time, and what waited for the writer would hang it.
        """
        self.flush()
        with self._lock:
            self._ended = True
            self._lock.notify_all()
        if self._writer.is_alive():
            self._writer.join(_LATE_SECONDS)

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
        if self._after is not None and self._after.behind:
            self._after.flush()
        with self._lock:
            told, self._line = continued(self._line, text, ours)
            self._put(told)

    def _put(self, text: str) -> None:
        """Hand the text to the writer; called with the lock."""
        if self.problem is not None:
            return
        data = self._encoder.encode(text)
        if self._ended:
            self._write_now(data)
            return
        most = _AHEAD if self._after else _LOG
        fits = self._wait_for(lambda: len(self._waiting) + len(data) <= max(most, len(data)))
        if not fits and self._after is None:
            return
        if not self._waiting:
            self._moved = time.monotonic()
        self._waiting += data
        if not self._writer.is_alive():
            self._writer.start()
        self._lock.notify_all()

    def _write_now(self, data: bytes) -> None:
        """Write without the writer, no more at once than a pipe takes without a reader."""
        with contextlib.suppress(OSError):
            while data and select.select([], [self._descriptor], [], _LATE_SECONDS)[1]:
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]

    def _wait_for(self, done: Callable[[], bool]) -> bool:
        """Wait until `done`, for as long as there is time, with the lock; whether it is."""
        while not done() and self.problem is None:
            if time.monotonic() - self._moved >= self._patience():
                return False
            self._lock.wait(_LOOK_SECONDS)
        return True

    def _patience(self) -> float:
        """For how many seconds nothing may be read before nobody waits any more."""
        if _hurried():
            return _LATE_SECONDS
        if self._after is None and not os.path.sameopenfile(1, self._descriptor):
            return _UNREAD_SECONDS
        return math.inf

    def _write(self) -> None:
        """Write what waits, in a thread of its own."""
        while True:
            with self._lock:
                while not self._waiting:
                    if self._ended:
                        return
                    self._lock.wait()
                lines = self._waiting.rfind(b"\n", 0, _AHEAD) + 1
                piece = bytes(self._waiting[: lines or _AHEAD])
            try:
                with self.turn:
                    written = os.write(self._descriptor, piece)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
                continue
            except OSError as error:
                with self._lock:
                    self._fail(error)
                continue
            with self._lock:
                del self._waiting[:written]
                self._moved = time.monotonic()
                self._lock.notify_all()

    def _fail(self, problem: OSError) -> None:
        self.problem = self.problem or problem
        self._waiting.clear()
        self._lock.notify_all()


def secure() -> None:
    """Make stdout and stderr safe to write to; call it before anything is printed."""
    _fill_descriptors()
    progress = _secured(sys.stderr, 2)
    results = _secured(sys.stdout, 1, after=progress if isinstance(progress, Stream) else None)
    for name, stream in (("stderr", progress), ("stdout", results)):
        setattr(sys, name, stream)


def end(*, hurried: bool) -> OSError | None:
    """Write what still waits; why some of the output could not be written, if so.

    `hurried`: wait for nobody who doesn't read.
    """
    if hurried:
        hurry_when(lambda: True)
    for stream in (sys.stderr, sys.stdout):
        if isinstance(stream, Stream):
            stream.give_up()
            stream.close()
    return sys.stdout.problem if isinstance(sys.stdout, Stream) else None


def draw(stream: TextIO, frame: str) -> None:
    """Write a frame of a live display, cursor movements included."""
    (stream.draw if isinstance(stream, Stream) else stream.write)(frame)


def is_behind(stream: TextIO) -> bool:
    """Whether nobody has read yet what was written last."""
    return isinstance(stream, Stream) and stream.behind


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


def print_line(data: Any) -> None:
    """Print `data` as JSON in one line, without waiting for a reader."""
    line = "".join(_writable([dumped_line(data)]))
    sys.stdout.write(f"{line}\n")
    if not isinstance(sys.stdout, Stream):
        sys.stdout.flush()


def _told(data: Any) -> Iterator[str]:
    return _writable(dumped(data))


def _writable(pieces: Iterable[str]) -> Iterator[str]:
    """What standard output can take, UTF-8 or else escaped."""
    if codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8":
        yield from pieces
        return
    for piece in pieces:
        yield "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in piece)


def _fill_descriptors() -> None:
    """Open any closed descriptor of 0, 1 and 2, lest a socket become standard output."""
    filler = os.open(os.devnull, os.O_RDWR)
    while filler <= 2:  # noqa: PLR2004 - standard error
        filler = os.open(os.devnull, os.O_RDWR)
    os.close(filler)


def _secured(stream: TextIO | None, number: int, *, after: Stream | None = None) -> TextIO | Stream:
    if stream is None:
        closed = Stream(number, "utf-8", after=after)
        closed.problem = OSError("it is closed")
        return closed
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return Stream(number, stream.encoding, after=after)
