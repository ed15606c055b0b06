"""What follows a run: table or JSON on stdout, reports, annotations, the exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from cloudcraft_onboard.app.ending import ending
from cloudcraft_onboard.console.prose import broken, say
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.console.streams import print_json, tell_runner
from cloudcraft_onboard.coverage.words import Status
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.ports import Pace
from cloudcraft_onboard.errors import OnboardError
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.model import Outcome
from cloudcraft_onboard.model.notes import Stop
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import github, text
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.plain import Plain
from cloudcraft_onboard.show.report import lines
from cloudcraft_onboard.show.table import render
from cloudcraft_onboard.show.told import Told, document
from cloudcraft_onboard.show.views import Display, choose_display

# Starting Python before the budget is known, closing connections and writing reports after it.
_ENDS_SECONDS = 1.0
# More lines than this are folded in the log of a GitHub Actions job.
_LONG_OUTPUT = 60
_BUG = "This is a bug in onboard. Please report it."
_UNFINISHED = (Outcome.FAILED, Outcome.PENDING)


def control(settings: Settings, emit: Callable[[Event], None]) -> Control:
    """The run's control, which knows what the time budget leaves for work."""
    budget = settings.time_budget
    return Control(
        emit=emit,
        deadline=None if budget is None else settings.started + budget - _ENDS_SECONDS,
    )


def display(settings: Settings) -> Display:
    """How stderr shows a run; failures and counts stay there if stdout is not a terminal."""
    if settings.output == "jsonl" and sys.stdout.isatty():
        return Plain(sys.stderr, settings.verbosity)  # lines would tear a live view
    elsewhere = settings.output != "table" or not sys.stdout.isatty()
    return choose_display(sys.stderr, verbosity=settings.verbosity, summary=elsewhere)


def deliver(
    report: Told,
    settings: Settings,
    control: Control,
    *,
    estimate: str | None = None,
    table: bool = True,
    each: bool = False,
) -> int:
    """Write and print the results; return the exit code. `table`: whether to print one.

    Reports come first: stdout may be closed. One that cannot be written costs neither the others
    nor the table; it is named on stderr, and the exit code is 1.
    """
    written = [path for path in settings.reports if write(path, report)]
    if settings.output == "json" or (table and settings.output == "table"):
        show(report, settings.output, estimate=estimate, each=each)
    _tell_github(report)
    if settings.verbosity >= 0:
        for line in ending(report, settings, written):
            if line.startswith(" "):  # a command, to be copied
                print(_beside(line), file=sys.stderr)
            else:
                say(line, indent="")
    if control.kind is Stop.INTERRUPTED:
        return 130
    return exit_code(report, changes_count=settings.exit_code) or int(
        len(written) < len(settings.reports)
    )


def _beside(line: str) -> str:
    """A command and what it is for, one below the other where both do not fit the terminal."""
    command, _, purpose = line.partition("  # ")
    width = shutil.get_terminal_size((100, 24)).columns
    if len(line) <= width or not purpose or not sys.stderr.isatty():
        return line
    return f"{command.rstrip()}\n{broken(f'    # {purpose}', width)}"


def show(report: Told, output: str, *, estimate: str | None = None, each: bool = False) -> None:
    """Print the results on stdout: `output` is "table" or "json". `each`: nothing is folded."""
    if output == "json":
        print_json(reports.to_json(report))
    else:
        show_table(report, sys.stdout, estimate=estimate, each=each)


def show_table(
    report: Told, stream: TextIO, *, estimate: str | None = None, each: bool = False
) -> None:
    """Print the results as a table, in colour where `stream` is a terminal."""
    width = shutil.get_terminal_size((100, 24)).columns
    color = stream.isatty() and not os.environ.get("NO_COLOR")
    shown = document(report, each=each)
    told = render(shown, width=width, color=color, forecast=estimate, each=each)
    if os.environ.get("GITHUB_ACTIONS") == "true" and told.count("\n") > _LONG_OUTPUT:
        # Folded, with the line that counts below it.
        github.write_group(stream, "Accounts", told)
        told = shown.totals
    print(told, file=stream)
    stream.flush()


def exit_code(report: Told, *, changes_count: bool = False) -> int:
    """0 or 1, from the results alone.

    `changes_count`: a plan with changes is 1, too, and a status with anything open.
    """
    if isinstance(report, Status):
        return int(changes_count and not report.settled)
    if any(report.count(outcome) for outcome in _UNFINISHED):
        return 1
    return int(changes_count and report.dry_run and any(r.changes for r in report.results))


def say_forecast(writes: Mapping[str, int], pace: Pace, *, reads: int) -> str:
    """How long the requests take: `137 registrations: about 7 min at 20 a minute`."""
    return text.forecast(writes, reads=reads, limits=pace.limits)


def write(path: str, report: Told) -> bool:
    """Write one report file; False, and a sentence on stderr, where that fails."""
    try:
        reports.write(path, report)
    except Exception as error:  # noqa: BLE001 - whatever it is, there are other reports to write
        why = excerpt(f"{error}" or type(error).__name__)
        say(f"onboard: The report {path} could not be written: {why}")
        return False
    return True


def stopped(error: BaseException) -> lines.Stopped:
    """Why a command ended without results, for who reads lines."""
    if isinstance(error, OnboardError):
        return lines.Stopped(message=error.message, hint=error.hint)
    if isinstance(error, KeyboardInterrupt):
        return lines.Stopped(message=str(error) or "Interrupted.", hint="")
    return lines.Stopped(message=_unexpected(error), hint=_BUG)


def say_bug(error: Exception) -> None:
    """Report an unexpected exception on stderr; the results are still reported."""
    say(f"onboard: {_unexpected(error)}")
    say(f"  hint: {_BUG}")


def _unexpected(error: BaseException) -> str:
    return excerpt(f"Unexpected {type(error).__name__}: {error}")


def _tell_github(report: Told) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github.annotations(report):
            tell_runner(sys.stderr, line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            github.append_summary(summary, document(report))
        except OSError as error:
            say(f"onboard: The job summary could not be written: {error}")
