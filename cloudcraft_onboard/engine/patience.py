"""Waiting for an answer only as long as the run still has time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.errors import PaceClosed

T = TypeVar("T")

GRACE_SECONDS = 2.2
"""After an interrupt, what is in flight gets this long."""
LAST_LOOK_SECONDS = 1.0
"""What comes after it: the last look. With the reports the program ends within 5 seconds."""
CLOSING_SECONDS = 1.0
"""Between the last answer and the end of a time budget: the verifying read's answer."""

_TICK_SECONDS = 0.1


def patiently(read: Callable[[], T], control: Control, *, last: bool = False) -> T:
    """`read()`; where the run's time ends before it does, it is left behind in its thread.

    `last`: nothing else is waited for after it, so it may use all the time there is. Raises what
    `read` raises, and `PaceClosed` where it was left behind.
    """
    answers: queue.SimpleQueue[T] = queue.SimpleQueue()
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            answers.put(read())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            raised.append(error)

    thread = threading.Thread(target=tell, name="look", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK_SECONDS)
        if thread.is_alive() and time_left(control, last=last) == 0:
            raise PaceClosed("there was no time left to look")
    if raised:
        raise raised[0]
    return answers.get_nowait()


def time_left(control: Control, *, last: bool = False) -> float | None:
    """How long to wait for what is in flight, in seconds; None: until it ends by itself."""
    if last:
        return control.patience(GRACE_SECONDS + LAST_LOOK_SECONDS)
    return control.patience(GRACE_SECONDS, reserve=CLOSING_SECONDS)
