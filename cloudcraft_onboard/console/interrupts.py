"""The signals that interrupt the program: Ctrl-C, SIGTERM, and the SIGHUP of a closed terminal."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, NoReturn

EXIT_CODE = 130

Handler = Callable[[int, FrameType | None], object]

_last_acts: list[Callable[[], None]] = []


def at_end(act: Callable[[], None]) -> None:
    """Have something done however the program ends; what is done twice must do no harm."""
    _last_acts.append(act)


def last_acts() -> None:
    """Do what `at_end` was told: an interrupt may have come into whatever was to do it before."""
    for act in _last_acts:
        act()


def numbers() -> tuple[signal.Signals, ...]:
    """The signals to handle; SIGHUP is left alone where `nohup` has it ignored."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, hangup)


def install() -> None:
    """Turn the signals into `KeyboardInterrupt`; during an import, they end the program."""
    for number in numbers():
        signal.signal(number, interrupt)


def ignore() -> None:
    """Ignore the signals from now on: all is done, and the exit code is known.

    Python gives up its handlers while it ends, and a signal would be its death then; ignored ones
    stay ignored.
    """
    for number in numbers():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    """Send the signals to `handler` inside, then to the previous handlers again."""
    previous = {number: signal.signal(number, handler) for number in numbers()}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


@contextmanager
def ending_waits() -> Iterator[Callable[[IO[str]], None]]:
    """Turn the signals into `KeyboardInterrupt`, even while waiting to read a file.

    A handler in Python runs between two steps of Python: a signal that comes after the last of
    them and before the system's read would not end the read. It leaves a byte in a pipe, too
    (`signal.set_wakeup_fd`), and the wait is for that as well.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)

    def wait_for(file: IO[str]) -> None:
        select.select([file.fileno(), woken], [], [])

    try:
        with handled_by(interrupt):
            before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
            try:
                yield wait_for
            finally:
                signal.set_wakeup_fd(before)
    finally:
        os.close(woken)
        os.close(wake)


def interrupt(_number: int, frame: FrameType | None) -> NoReturn:
    """Raise `KeyboardInterrupt`; in an import, or in a text that is evaluated, end at once.

    An exception out of the middle of an import leaves files open and modules half made, and is
    swallowed by whoever tries whether a module is there. One that passes through `eval` or `exec`
    of a text counts as unhandled for Python (`_PyRuntime.signals`), which ends with SIGINT then.
    Both happen at the start, when nothing has been done yet.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(("<frozen importlib", "<string>")):
            end()
        frame = frame.f_back
    raise KeyboardInterrupt


def end() -> NoReturn:
    """End the program at once; servers that it started end with it."""
    last_acts()
    with contextlib.suppress(OSError):
        os.write(2, b"onboard: interrupted\n")
    os._exit(EXIT_CODE)
