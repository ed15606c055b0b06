"""The story in a thread of its own, its events and the signals in the main one."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol, TypeVar

from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.events import Event

T = TypeVar("T")

_TICK_SECONDS = 0.1
# The engine bounds what it waits for after an interrupt; should a read hang, it is left behind.
_LONGEST_STOP = 4.2
_SHOW_CURSOR = b"\x1b[?25h\n"


class View(Protocol):
    """A listener of the engine."""

    def handle(self, event: Event) -> None:
        """Take note of an event."""

    def tick(self, now: float) -> None:
        """Redraw, if it is time; `now` is of `time.monotonic`."""

    def close(self) -> None:
        """Leave the screen clean."""


class Abandoned(Exception):
    """The story did not end in time after an interrupt."""


def drive(
    story: Callable[[], T], events: queue.SimpleQueue[Event], view: View, control: Control
) -> T:
    """Run `story` while the view shows its events; its result, or what it raised.

    The first Ctrl-C or SIGTERM stops the run through `control`, the second ends the program.

    Raises:
        Abandoned: the story still hung some seconds after an interrupt.
    """
    ended: list[T] = []
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            ended.append(story())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
            raised.append(error)

    thread = threading.Thread(target=tell, name="story", daemon=True)
    with _signals(control):
        thread.start()
        try:
            while thread.is_alive():
                _drain(events, view)
                view.tick(time.monotonic())
                if control.interrupted.is_set() and _overdue(control):
                    raise Abandoned
            _drain(events, view, wait=False)
        finally:
            view.close()
    if raised:
        raise raised[0]
    return ended[0]


def _drain(events: queue.SimpleQueue[Event], view: View, *, wait: bool = True) -> None:
    try:
        view.handle(events.get(timeout=_TICK_SECONDS) if wait else events.get_nowait())
        while True:
            view.handle(events.get_nowait())
    except queue.Empty:
        return


def _overdue(control: Control) -> bool:
    return control.clock() - control.stopped_at > _LONGEST_STOP


@contextmanager
def _signals(control: Control) -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        if control.interrupted.is_set():
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(130)
        control.stop(Stop.INTERRUPTED, f"{signal.Signals(number).name} received")

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
