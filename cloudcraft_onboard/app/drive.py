"""Runs the story in its own thread; the main thread handles its events and the signals.

What it shows meanwhile waits for no reader (`console/streams.py`): progress that nobody reads holds
up neither the story nor its deadline, nor what a signal asks for.
"""

from __future__ import annotations

import gc
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Protocol, TypeVar

from cloudcraft_onboard.console import interrupts, streams
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.model.notes import Stop

T = TypeVar("T")

_TICK_SECONDS = 0.1
# The engine bounds what it waits for after an interrupt, and by a time budget; a first read that
# hangs is left behind.
_LONGEST_STOP = 3.5
_LATE_SECONDS = 0.3
# A process that slept through all of it still needs a moment to say what is known.
_CONCLUDING_SECONDS = 0.3
_LONGEST_CONCLUDING = 30.0

_GARBAGE = 10_000  # objects, about 1 MB


class Abandoned(Exception):
    """The story did not end in time after an interrupt or its deadline."""


class Listener(Protocol):
    """Whoever the events are for (`show/views.py`); the main thread calls all methods."""

    def handle(self, event: Event) -> None:
        """Take an event in."""

    def tick(self, now: float) -> None:
        """A few times a second; `now` is `time.monotonic()`."""

    def close(self) -> None:
        """Leave the terminal as it was; harmless to repeat."""


def drive(
    story: Callable[[], T], events: queue.SimpleQueue[Event], view: Listener, control: Control
) -> T:
    """Run `story` while the view shows its events; return its result.

    Raises:
        Abandoned: the story was still running some seconds after an interrupt or its deadline.
    """
    gc.freeze()  # what was imported is no garbage, and need not be looked at again
    gc.set_threshold(_GARBAGE)
    ended: list[T] = []
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            ended.append(story())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
            raised.append(error)

    thread = threading.Thread(target=tell, name="story", daemon=True)
    with signals(control), _without_waits(control):
        thread.start()
        try:
            while thread.is_alive():
                _drain(events, view)
                view.tick(time.monotonic())
                if _is_late(control) and not _concludes(thread, control):
                    raise Abandoned
            _drain(events, view, wait=False)
        finally:
            view.close()
    if raised:
        raise raised[0]
    return ended[0]


@contextmanager
def _without_waits(control: Control) -> Iterator[None]:
    """Wait for no reader while there is work, and later on only as long as there is time."""
    streams.hurry_when(lambda: True)
    try:
        yield
    finally:
        streams.hurry_when(lambda: _is_over(control))


def _is_over(control: Control) -> bool:
    """Whether the command is to end now, whoever still has to read what it says."""
    deadline = control.deadline
    return control.interrupted.is_set() or (deadline is not None and control.clock() >= deadline)


def _is_late(control: Control) -> bool:
    """Whether the story should have ended by itself."""
    now = control.clock()
    interrupted = control.interrupted.is_set() and now >= control.stopped_at + _LONGEST_STOP
    deadline = control.deadline
    return interrupted or (deadline is not None and now >= deadline + _LATE_SECONDS)


def _concludes(thread: threading.Thread, control: Control) -> bool:
    """Whether a late story still ends: the engine may be computing the results of all accounts."""
    thread.join(_CONCLUDING_SECONDS)
    if control.working.is_set():
        thread.join(_LONGEST_CONCLUDING)
    return not thread.is_alive()


def _drain(events: queue.SimpleQueue[Event], view: Listener, *, wait: bool = True) -> None:
    try:
        view.handle(events.get(timeout=_TICK_SECONDS) if wait else events.get_nowait())
        while True:
            view.handle(events.get_nowait())
    except queue.Empty:
        return


def signals(control: Control) -> AbstractContextManager[None]:
    """Let the first interrupt stop the run through `control`, even while results are written.

    The second is a `KeyboardInterrupt`: on its way out the view gives the cursor back, and a file
    that is half written is deleted.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        if control.interrupted.is_set():
            raise KeyboardInterrupt(
                "Stopped at once; reports not yet written are lost. Run the same command again "
                "to continue."
            )
        control.stop(Stop.INTERRUPTED, f"{signal.Signals(number).name} received")

    return interrupts.handled_by(stop)
