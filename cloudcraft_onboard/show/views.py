"""The views of a run: one takes its events in, and displays show them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from cloudcraft_onboard.events import Event
from cloudcraft_onboard.show.plain import Plain
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.sentences import sentence
from cloudcraft_onboard.show.state import RunState


class Display(Protocol):
    """A way of showing a run; the main thread calls all methods."""

    def show(self, event: Event, told: str, state: RunState, now: float) -> None:
        """Show what happened. `told` is its sentence, `state` already knows of it."""

    def tick(self, state: RunState, now: float) -> None:
        """A few times a second; `now` is the view's clock."""

    def close(self) -> None:
        """Leave the terminal as it was; harmless to repeat."""


class View:
    """Listens to a run: one state of it, on one display or several."""

    def __init__(self, *displays: Display, clock: Callable[[], float] = time.monotonic) -> None:
        self._displays = displays
        self._clock = clock
        self._state = RunState()

    def handle(self, event: Event) -> None:
        """Take an event in, and show it."""
        now = self._clock()
        self._state.fold(event, now)
        told = sentence(event, self._state, now)
        for display in self._displays:
            display.show(event, told, self._state, now)

    def tick(self, now: float) -> None:
        """Let each display do what it is time for."""
        for display in self._displays:
            display.tick(self._state, now)

    def close(self) -> None:
        """Let each leave the terminal as it was."""
        for display in self._displays:
            display.close()


def choose_display(stream: TextIO, *, verbosity: int = 0, summary: bool = False) -> Display:
    """The live view if it can be drawn, else plain lines.

    `verbosity` is below 0 for quiet, above 0 for verbose: then log lines would tear a live view.
    `summary`: keep failures and counts on the terminal, as the results table goes elsewhere.
    """
    drawable = stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if drawable and verbosity == 0:
        return Live(stream, summary=summary)
    return Plain(stream, verbosity)
