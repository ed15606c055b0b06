"""Chooses the view of a run."""

from __future__ import annotations

import os
from typing import Protocol, TextIO

from cloudcraft_onboard.events import Event
from cloudcraft_onboard.show.plain import PlainView
from cloudcraft_onboard.show.progress import LiveView


class View(Protocol):
    """Listens to a run; the main thread calls all methods."""

    def handle(self, event: Event) -> None:
        """Take an event in."""

    def tick(self, now: float) -> None:
        """A few times a second; `now` is `time.monotonic()`."""

    def close(self) -> None:
        """Leave the terminal as it was; harmless to repeat."""


class Together:
    """Several views of one run."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def handle(self, event: Event) -> None:
        """Each takes it in."""
        for view in self._views:
            view.handle(event)

    def tick(self, now: float) -> None:
        """Each does what it is time for."""
        for view in self._views:
            view.tick(now)

    def close(self) -> None:
        """Each leaves the terminal as it was."""
        for view in self._views:
            view.close()


def choose_view(stream: TextIO, *, verbosity: int = 0, summary: bool = False) -> View:
    """The live view if it can be drawn, else plain lines.

    `verbosity` is below 0 for quiet, above 0 for verbose: then log lines would tear a live view.
    `summary`: keep failures and counts on the terminal, as the results table goes elsewhere.
    """
    drawable = stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if drawable and verbosity == 0:
        return LiveView(stream, summary=summary)
    return PlainView(stream, verbosity)
