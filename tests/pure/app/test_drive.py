"""The story in its thread, the view and the signals in the main one."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from cloudcraft_onboard.app.drive import Abandoned, drive, signals
from cloudcraft_onboard.console import streams
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.errors import CannotStart
from cloudcraft_onboard.events import Event, Said, Stopping
from cloudcraft_onboard.model.notes import Stop
from tests.support.process import HANG


@dataclass
class View:
    """Remembers what it is told."""

    handled: list[Event] = field(default_factory=list)
    closed: int = 0

    def handle(self, event: Event) -> None:
        self.handled.append(event)

    def tick(self, now: float) -> None: ...

    def close(self) -> None:
        self.closed += 1


@dataclass
class Clock:
    """Stands still until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """Everything that `drive` is given."""

    clock: Clock = field(default_factory=Clock)
    view: View = field(default_factory=View)
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def control(self, deadline: float | None = None) -> Control:
        return Control(emit=self.events.put, deadline=deadline, clock=self.clock)


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield Stage()
    streams.hurry_when(lambda: False)


def test_its_result_comes_back_and_every_event_is_shown_first(stage: Stage) -> None:
    said = [Said(text=f"{n}") for n in range(1000)]

    def story() -> str:
        for event in said:
            stage.events.put(event)
        return "done"

    assert drive(story, stage.events, stage.view, stage.control()) == "done"
    assert stage.view.handled == said
    assert stage.view.closed == 1


@pytest.mark.parametrize("error", [CannotStart("No key."), ValueError("a bug"), SystemExit(3)])
def test_what_it_raises_is_raised_in_the_main_thread(stage: Stage, error: BaseException) -> None:
    def story() -> None:
        stage.events.put(Said(text="first"))
        raise error

    with pytest.raises(type(error)) as caught:
        drive(story, stage.events, stage.view, stage.control())
    assert caught.value is error
    assert stage.view.handled == [Said(text="first")]
    assert stage.view.closed == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_and_a_story_that_ends_then_is_heard(
    stage: Stage, number: signal.Signals
) -> None:
    control = stage.control()

    def story() -> bool:
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        return control.interrupted.wait(HANG)

    before = signal.getsignal(number)
    assert drive(story, stage.events, stage.view, control)
    assert control.kind is Stop.INTERRUPTED
    assert Stopping(reason=f"{number.name} received") in stage.view.handled
    assert signal.getsignal(number) is before


def test_the_second_signal_ends_at_once_and_says_what_is_lost(stage: Stage) -> None:
    control = stage.control()
    with signals(control):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt, match="reports not yet written"):
            signal.raise_signal(signal.SIGTERM)
    assert control.kind is Stop.INTERRUPTED


@pytest.mark.parametrize("why", ["interrupted", "out of time"])
def test_a_story_that_hangs_is_left_behind(stage: Stage, why: str) -> None:
    control = stage.control(deadline=1010.0 if why == "out of time" else None)
    over = threading.Event()

    def story() -> None:
        if why == "interrupted":
            control.stop(Stop.INTERRUPTED)
        stage.clock.now += 60
        over.wait(HANG)

    with pytest.raises(Abandoned):
        drive(story, stage.events, stage.view, control)
    assert stage.view.closed == 1
    over.set()


def test_an_engine_that_is_late_still_concludes(stage: Stage) -> None:
    control = stage.control(deadline=1010.0)
    control.working.set()

    def story() -> str:
        stage.clock.now += 60
        threading.Event().wait(0.5)  # longer than a process that slept is waited for
        return "all results"

    assert drive(story, stage.events, stage.view, control) == "all results"
