"""The live view at a terminal: the loop around `screen.render`, on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from cloudcraft_onboard.console import prose
from cloudcraft_onboard.console.streams import draw, is_behind
from cloudcraft_onboard.console.terminal import Terminal
from cloudcraft_onboard.events import (
    Event,
    Forecast,
    RateLimitKnown,
    RunFinished,
    RunStarted,
    Said,
    Stopping,
)
from cloudcraft_onboard.model import Report
from cloudcraft_onboard.show import causes, outcomes, screen, text
from cloudcraft_onboard.show.state import RunState
from cloudcraft_onboard.show.table import failures

_BETWEEN_FRAMES = 1 / 8
_CLEAR_LINE, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


class Live:
    """Draws the state of the run again and again at the same place, then leaves nothing of it.

    With `summary` the failures and the counts stay on the terminal at the end: for runs whose
    results table goes elsewhere.
    """

    def __init__(self, stream: TextIO, *, summary: bool = False) -> None:
        self._stream = stream
        self._summary = summary
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._terminal = Terminal(stream)
        self._drawn: Sequence[Text] = ()
        self._next_frame = 0.0
        self._running = False

    def show(self, event: Event, told: str, state: RunState, now: float) -> None:
        """Say what is to stay above; drawing waits for the next tick but where it may not wait."""
        match event:
            case RunStarted():
                self._running = True
                self._terminal.hush()
            case Stopping() if not is_behind(self._stream):
                self._draw(state, now)
            case Forecast(limits=limits) if told and len(limits) > 1:
                self._say(told, state, now)
            case RateLimitKnown() | Said():
                self._say(told, state, now)
            case RunFinished():
                self.close()
                self._sum_up(event.report)
            case _:
                pass

    def tick(self, state: RunState, now: float) -> None:
        """Draw if it is time for a frame, the one before has been read, and we are looked at."""
        if not self._running or now < self._next_frame:
            return
        if self._terminal.suspending:
            self._suspend()
        if self._terminal.is_ours() and not is_behind(self._stream):
            self._terminal.keep()
            self._draw(state, now)

    def _suspend(self) -> None:
        """Give the terminal back for as long as the program is stopped."""
        draw(self._stream, self._wiped() + _CLEAR_BELOW)
        self._drawn = ()
        self._terminal.suspend()

    def close(self) -> None:
        """Remove the live region and give the terminal back; harmless to repeat."""
        if not self._running:
            return
        draw(self._stream, self._wiped() + _CLEAR_BELOW)
        self._drawn = ()
        self._terminal.back()
        self._running = False

    def _sum_up(self, report: Report) -> None:
        if not self._summary:
            return
        found = failures(causes.causes(report.results), self._console.width)
        for line in [*found, Text(outcomes.last_line(report), "bold")]:
            self._stream.write(self._painted(line) + "\n")
        self._stream.flush()

    def _draw(self, state: RunState, now: float) -> None:
        self._next_frame = now + _BETWEEN_FRAMES
        width, height = self._console.size
        lines = screen.render(state, now, width, height)
        # One write for a whole frame, lines overwritten rather than cleared first: no flicker.
        frame = "\n".join(self._painted(line) + _CLEAR_LINE for line in lines)
        draw(self._stream, self._back() + frame + _CLEAR_BELOW)
        self._stream.flush()
        self._drawn = lines

    def _say(self, told: str, state: RunState, now: float) -> None:
        line = prose.broken(text.clean(told), self._console.width)
        draw(self._stream, self._wiped() + line + "\n")
        self._drawn = ()
        if self._running:
            self._draw(state, now)

    def _back(self) -> str:
        """The way to the region's first line, also after the terminal became narrower."""
        if not self._drawn:
            return ""
        up = self._rows() - 1
        return f"\r\x1b[{up}A" if up else "\r"

    def _wiped(self) -> str:
        """The same, and the region is empty.

        Line by line: tmux keeps in its history what is cleared at once from the screen's top.
        """
        if not self._drawn:
            return ""
        up = self._rows() - 1
        back = f"\r\x1b[{up}A" if up else "\r"
        return self._back() + "\n".join([_CLEAR_LINE] * (up + 1)) + back

    def _rows(self) -> int:
        width = max(self._console.width, 1)
        rows = sum(max(-(-line.cell_len // width), 1) for line in self._drawn)
        return min(rows, self._console.height)

    def _painted(self, line: Text) -> str:
        with self._console.capture() as capture:
            self._console.print(line, end="")
        return capture.get()
