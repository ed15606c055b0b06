"""The keyboard while a live view is drawn: what is typed there must not tear it.

Echo is off meanwhile, and on again however the program ends or is stopped (Ctrl-Z); what was typed
is the shell's. In the background (`bg`) the terminal is somebody else's, and stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

from cloudcraft_onboard.console import interrupts

try:
    import termios
except ImportError:  # Windows has none
    termios = None  # type: ignore[assignment]

_LOCAL = 3  # where `tcgetattr` has the local modes

_saved: tuple[int, list[Any]] | None = None


class Keyboard:
    """The keyboard of the terminal that `stream` is, if it is one."""

    def __init__(self, stream: TextIO) -> None:
        self.suspending = False
        self._usable = stream.isatty() and hasattr(signal, "SIGTSTP")
        try:
            self._descriptor = stream.fileno()
        except OSError:  # a stream in memory
            self._usable = False
        self._before: Any = None

    def hush(self) -> None:
        """Echo nothing, and let Ctrl-Z only ask to be suspended."""
        if not self._usable or not self.is_ours():
            return
        _hush(self._descriptor)
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
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
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
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
        if _saved is None:
            self.hush()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.suspending = True


def restore() -> None:
    """Echo again, where this program has ended that; harmless to repeat."""
    global _saved  # noqa: PLW0603 - the terminal is the whole process's, too
    if _saved is not None:
        descriptor, modes = _saved
        _saved = None
        with _in_background(), contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def _hush(descriptor: int) -> None:
    global _saved  # noqa: PLW0603 - as above
    with contextlib.suppress(termios.error):
        modes = termios.tcgetattr(descriptor)
        _saved = (descriptor, list(modes))
        modes[_LOCAL] &= ~(termios.ECHO | termios.ECHONL)
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)


@contextlib.contextmanager
def _in_background() -> Iterator[None]:
    """Set modes without being stopped for it where the shell has the terminal already."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


interrupts.at_end(restore)
