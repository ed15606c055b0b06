"""The views of a run: one that takes its events in, and the ways of showing them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from cloudcraft_onboard.events import Event
from cloudcraft_onboard.show.plain import Plain
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.sentences import sentence
from cloudcraft_onboard.show.state import State


class Way(Protocol):
    """A way of showing a run; the main thread calls all methods."""

    def show(self, event: Event, told: str, state: State, now: float) -> None:
        """Show what happened. `told` is its sentence, `state` already knows of it."""

    def tick(self, state: State, now: float) -> None:
        """A few times a second; `now` is the view's clock."""

    def close(self) -> None:
        """Leave the terminal as it was; harmless to repeat."""


class View:
    """Listens to a run: one state of it, shown in one way or several."""

    def __init__(self, *ways: Way, clock: Callable[[], float] = time.monotonic) -> None:
        self._ways = ways
        self._clock = clock
        self._state = State()

    def handle(self, event: Event) -> None:
        """Take an event in, and show it."""
        now = self._clock()
        self._state.fold(event, now)
        told = sentence(event, self._state, now)
        for way in self._ways:
            way.show(event, told, self._state, now)

    def tick(self, now: float) -> None:
        """Let each way do what it is time for."""
        for way in self._ways:
            way.tick(self._state, now)

    def close(self) -> None:
        """Let each leave the terminal as it was."""
        for way in self._ways:
            way.close()


def choose_way(stream: TextIO, *, verbosity: int = 0, summary: bool = False) -> Way:
    """The live view if it can be drawn, else plain lines.

    `verbosity` is below 0 for quiet, above 0 for verbose: then log lines would tear a live view.
    `summary`: keep failures and counts on the terminal, as the results table goes elsewhere.
    """
    drawable = stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if drawable and verbosity == 0:
        return Live(stream, summary=summary)
    return Plain(stream, verbosity)
