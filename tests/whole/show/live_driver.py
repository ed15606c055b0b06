"""A short run for the live view, as a program of its own (`python -m`)."""

from __future__ import annotations

import sys
import time

from cloudcraft_onboard.events import (
    AccountFinished,
    AccountQueued,
    Event,
    Forecast,
    PaceWaited,
    RunFinished,
    RunStarted,
    Said,
    StepStarted,
    Stopping,
)
from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import table
from cloudcraft_onboard.show.progress import Live
from cloudcraft_onboard.show.told import document
from cloudcraft_onboard.show.views import View
from tests.support.reports import denied, report, result


def main() -> None:
    """Draw, wait for a line on stdin before each next step, end with the table."""
    results = [result(f"결제 {i}") for i in range(30)] + [
        denied(f"bad {i}", f"{i:012d}") for i in range(3)
    ]
    first: list[Event] = [
        RunStarted(command=Command.RUN, manifest="org.yaml", total=40, dry_run=False),
        Forecast(writes=40, requests=41, seconds=120, limit=20, window=60),
        *(StepStarted(name=f"결제 {i}", step="assuming role") for i in range(20)),
        *(AccountFinished(result=one) for one in results[:10]),
    ]
    view = View(Live(sys.stderr))
    second: list[Event] = [
        Said(text="a sentence that stays"),
        *(AccountFinished(result=one) for one in results),
        *(AccountQueued(name=f"later {i}") for i in range(7)),
        PaceWaited(seconds=300, slots=20, waiting=7),
    ]
    third: list[Event] = [Stopping(reason="Ctrl-C")]
    for events in (first, second, third):
        for event in events:
            view.handle(event)
        view.tick(time.monotonic() + 1)
        sys.stdin.readline()
    view.close()
    rest = [result(f"later {i}", Outcome.PENDING) for i in range(7)]
    final = report(*results, *rest)
    view.handle(RunFinished(report=final))
    sys.stdout.write(table.render(document(final), width=60, color=False) + "\n")


if __name__ == "__main__":
    main()
