"""The live view gives the terminal back, whatever interrupts it while it does."""

from __future__ import annotations

import itertools
import os
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

import pytest

from cloudcraft_onboard.console import interrupts, terminal
from cloudcraft_onboard.events import RunStarted
from cloudcraft_onboard.model import Command
from cloudcraft_onboard.show import progress
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.state import RunState

STARTED = RunStarted(command=Command.RUN, manifest="org.yaml", total=5, dry_run=False)
OURS = {terminal.__file__, progress.__file__}


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, TextIO]]:
    """Where a person would look, and the program's stream."""
    person, program = os.openpty()
    try:
        with os.fdopen(program, "w", encoding="utf-8") as stream:
            yield person, stream
    finally:
        os.close(person)


def is_interrupted(act: Callable[[], None], step: int) -> bool:
    """Do it with an interrupt in front of so many steps of it; whether it has as many."""
    steps = itertools.count(1)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename in OURS and event == "line" and next(steps) == step:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("once_more", ["close", "last acts"])
def test_an_interrupt_anywhere_in_the_closing_takes_nothing_away(once_more: str) -> None:
    for step in itertools.count(1):
        with pseudo_terminal() as (person, stream):
            before = termios.tcgetattr(person)
            view = Live(stream)
            view.show(STARTED, "", RunState(), 0.0)
            assert termios.tcgetattr(person) != before
            interrupted = is_interrupted(view.close, step)
            (view.close if once_more == "close" else interrupts.last_acts)()
            assert termios.tcgetattr(person) == before, step
            shown = os.read(person, 1000)
            assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l"), step
            view.close()
        if not interrupted:
            assert step > 10
            return
