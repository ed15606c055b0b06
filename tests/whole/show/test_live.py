"""The live view in a pseudo-terminal, seen through a terminal emulator."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from cloudcraft_onboard.events import AccountFinished, RunFinished, RunStarted, StepStarted
from cloudcraft_onboard.model import Command
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.views import View
from tests.support.reports import result, typical
from tests.support.terminal import Tty


@pytest.fixture(params=[(60, 15), (80, 24), (200, 50)], ids=["60x15", "80x24", "200x50"])
def tty(request: pytest.FixtureRequest) -> Iterator[Tty]:
    with Tty(*request.param, "-m", "tests.whole.show.live_driver") as terminal:
        yield terminal


def test_a_run_is_drawn_in_place_and_leaves_only_its_table(tty: Tty) -> None:
    tty.until("10/40")
    tty.settle()
    first = tty.lines()
    assert first[0].startswith("onboard run  org.yaml")
    assert "assuming role" in "\n".join(first)
    assert tty.screen.cursor.hidden

    tty.next()
    tty.until("33/40")
    tty.settle()
    second = [*tty.scrollback(), *tty.lines()]
    assert second[0] == "a sentence that stays"
    assert second[1].startswith("onboard run")
    assert sum(line.startswith("onboard run") for line in second) == 1, "one region only"
    assert any(line.startswith("x sts:AssumeRole denied (reach), 3 accounts") for line in second)
    waits = [line for line in second if "next 20 requests to Cloudcraft in" in line]
    assert any("7 queued" in line for line in waits)

    tty.next()
    tty.until("! stopping: Ctrl-C")
    tty.next()
    tty.until("run the same command again")
    tty.settle()
    told = [*tty.scrollback(), *tty.lines()]
    assert told[0] == "a sentence that stays"
    assert told[1].startswith("Account"), "nothing of the live region is left"
    assert not any("Working on" in line or "░" in line for line in told)
    assert not tty.screen.cursor.hidden


@pytest.mark.parametrize("tty", [(80, 24)], indirect=True, ids=["80x24"])
def test_a_terminal_that_becomes_narrower_keeps_one_region(tty: Tty) -> None:
    tty.until("10/40")
    tty.settle()
    tty.child.setwinsize(24, 62)
    tty.screen.resize(24, 62)
    tty.next()
    tty.until("33/40")
    tty.settle()
    assert sum(line.startswith("onboard run") for line in tty.lines()) == 1
    assert all(len(line) <= 62 for line in tty.lines())


def run_into(stream: io.StringIO, *, summary: bool = False) -> None:
    view = View(Live(stream, summary=summary), clock=lambda: 0.0)
    view.handle(RunStarted(command=Command.RUN, manifest="org.yaml", total=5, dry_run=False))
    view.tick(0.0)
    view.close()
    view.handle(RunFinished(report=typical()))


def test_with_the_table_elsewhere_failures_and_counts_stay() -> None:
    stream = io.StringIO()
    run_into(stream, summary=True)
    kept = stream.getvalue().rpartition("\x1b[?25h")[2].splitlines()
    assert kept[0] == "x sts:AssumeRole denied (reach): Payments (222233334444)"
    assert kept[-1].startswith("5 accounts: 1 created")


def test_else_nothing_stays() -> None:
    stream = io.StringIO()
    run_into(stream)
    assert stream.getvalue().endswith("\x1b[J\x1b[?25h")


def test_frames_are_no_closer_than_an_eighth_of_a_second() -> None:
    stream = io.StringIO()
    now = 0.0
    view = View(Live(stream), clock=lambda: now)
    view.handle(RunStarted(command=Command.RUN, manifest="org.yaml", total=5000, dry_run=False))
    frames = 0
    for step in range(1000):
        now = step / 1000
        before = len(stream.getvalue())
        view.handle(StepStarted(name=f"account {step}", step="assuming role"))
        view.handle(AccountFinished(result=result(f"account {step}")))
        view.tick(now)
        frames += len(stream.getvalue()) > before
    assert frames == 8


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")

    def painted() -> str:
        stream = Terminal()
        run_into(stream, summary=True)
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31mx sts:AssumeRole denied" in painted()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1mx sts:AssumeRole denied" in painted()
