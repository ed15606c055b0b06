"""The terminal while a live view is drawn: what is typed there must not tear it.

Echo and cursor are off meanwhile, and on again however the program ends or is stopped (Ctrl-Z);
what was typed is the shell's. In the background (`bg`) the terminal is somebody else's, and stays
as it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

from cloudcraft_onboard.console import interrupts, streams

try:
    import termios
except ImportError:  # Windows has none
    termios = None  # type: ignore[assignment]

_LOCAL = 3  # where `tcgetattr` has the local modes
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"

_hushed: tuple[TextIO, list[Any] | None] | None = None
"""The terminal that is hushed, and its modes before, if it has any."""


class Terminal:
    """The terminal that `stream` is, if it is one."""

    def __init__(self, stream: TextIO) -> None:
        self.suspending = False
        self._stream = stream
        self._usable = stream.isatty() and hasattr(signal, "SIGTSTP")
        try:
            stream.fileno()
        except OSError:  # a stream in memory
            self._usable = False
        self._before: Any = None

    def hush(self) -> None:
        """Echo nothing, show no cursor, and let Ctrl-Z only ask to be suspended."""
        if not self.is_ours():
            return
        _hush(self._stream, has_modes=self._usable)
        if self._usable and signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            self._before = signal.signal(signal.SIGTSTP, self._ask)

    def back(self) -> None:
        """Leave all as it was; harmless to repeat."""
        restore()
        if self._before is not None:
            signal.signal(signal.SIGTSTP, self._before)
            self._before = None

    def is_ours(self) -> bool:
        """Whether the program is in the terminal's foreground."""
        if not self._usable:
            return True
        try:
            return os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        except OSError:  # not the terminal that it was started at
            return True

    def suspend(self) -> None:
        """Stop until somebody continues the program."""
        self.suspending = False
        self.back()
        signal.raise_signal(signal.SIGTSTP)
        self.hush()

    def keep(self) -> None:
        """Hush it after a time in the background."""
        if _hushed is None:
            self.hush()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.suspending = True


def restore() -> None:
    """Echo again and show the cursor, where this program has ended that; harmless to repeat.

    An interrupt in the middle of it takes nothing away from the next time.
    """
    global _hushed  # noqa: PLW0603 - the terminal is the whole process's, too
    if _hushed is not None:
        stream, modes = _hushed
        streams.draw(stream, _SHOW_CURSOR)
        stream.flush()
        if modes is not None:
            with _in_background(), contextlib.suppress(termios.error):
                termios.tcsetattr(stream.fileno(), termios.TCSANOW, modes)
        _hushed = None


def _hush(stream: TextIO, *, has_modes: bool) -> None:
    global _hushed  # noqa: PLW0603 - as above
    modes = None
    if has_modes:
        with contextlib.suppress(termios.error):
            modes = termios.tcgetattr(stream.fileno())
    _hushed = (stream, modes)
    streams.draw(stream, _HIDE_CURSOR)
    if modes is not None:
        quiet = [*modes]
        quiet[_LOCAL] &= ~(termios.ECHO | termios.ECHONL)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(stream.fileno(), termios.TCSANOW, quiet)


@contextlib.contextmanager
def _in_background() -> Iterator[None]:
    """Set modes without being stopped for it where the shell has the terminal already."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


interrupts.at_end(restore)
