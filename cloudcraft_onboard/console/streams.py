"""Standard streams that may be closed, full or abandoned without harm to the work.

A run that made roles and registrations must come to its end and its reports whoever listens. So
the three descriptors always exist, and what cannot be written is dropped and remembered.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from cloudcraft_onboard.console.harmless import dumped


class _Lasting(io.FileIO):
    """A descriptor whose writes never fail; `problem` is the first that would have."""

    problem: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, wait where it would block, or drop the data."""
        while self.problem is None:
            try:
                written: int | None = super().write(data)
            except OSError as error:
                self.problem = error
                break
            if written is not None:
                return written
            select.select([], [self], [])
        return memoryview(data).nbytes


def secure() -> None:
    """Make stdout and stderr safe to write to; call it before anything is printed."""
    _fill_descriptors()
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def stdout_problem() -> OSError | None:
    """Why some of the output could not be written, if so."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.problem if isinstance(raw, _Lasting) else None


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


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    raw = _Lasting(number, "w", closefd=False)
    if stream is None:
        raw.problem = OSError("it is closed")
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace")
    if not isinstance(stream, io.TextIOWrapper) or stream.buffer is None:
        return stream
    # An account's name in a locale that cannot write it must not end the run, either.
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
