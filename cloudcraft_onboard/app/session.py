"""The frame of `run`, `plan` and `remove`: load, check, connect, drive, report, exit code.

What is known of each account is kept in `Session.results` as it comes, so that a report can be
written however the work ends.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from cloudcraft_onboard.app import descriptors, output
from cloudcraft_onboard.app.connect import connect
from cloudcraft_onboard.app.drive import Abandoned, drive, signals
from cloudcraft_onboard.app.select import Chosen, choose
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.driver import Tools
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.errors import OnboardError, PaceClosed, UsageError
from cloudcraft_onboard.events import Event, RunFinished, RunStarted, Said
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.manifest.through import through
from cloudcraft_onboard.model import (
    Account,
    CloudcraftUsage,
    Command,
    Manifest,
    Note,
    Report,
    Result,
)
from cloudcraft_onboard.model.notes import Stop
from cloudcraft_onboard.settings import Settings, input_files
from cloudcraft_onboard.show import logs
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.jsonl import JsonLines
from cloudcraft_onboard.show.told import Told
from cloudcraft_onboard.show.views import View

T = TypeVar("T")

_PLANS = (Command.RUN, Command.PLAN)
_log = logging.getLogger(__name__)


class Session:
    """One run of a command, from the manifest to the exit code."""

    def __init__(
        self,
        settings: Settings,
        command: Command,
        manifest: Manifest,
        chosen: Chosen,
        *,
        dry_run: bool,
    ) -> None:
        self.settings = settings
        self.manifest = manifest
        self.accounts = chosen.accounts
        self.results = Results(chosen.accounts)
        self._remarks = chosen.remarks
        self.tools: Tools | None = None
        self._command = command
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.control = output.control(settings, self._events.put)
        self._stack = ExitStack()
        self._started_at = datetime.now(UTC)
        self._dry_run = dry_run
        self._view: View | None = None
        self._lines: JsonLines | None = None
        if settings.output == "jsonl":
            self._lines = JsonLines(dry_run=dry_run, accounts=chosen.accounts)
        self.broke = False

    @property
    def enabled(self) -> tuple[Account, ...]:
        """The accounts that are to be worked on."""
        return tuple(account for account in self.accounts if account.enabled)

    @property
    def limits(self) -> Limits:
        """What bounds the work."""
        settings = self.settings
        return Limits(
            concurrency=settings.concurrency,
            retries=settings.retries,
            max_failures=settings.max_failures,
        )

    @property
    def note(self) -> Note:
        """What an account without a result waits for."""
        return self.control.note

    def connect(self) -> Tools:
        """The tools of a run, closed with the session. Raises as `connect.connect` does."""
        self.tools = connect(
            self.settings,
            self.manifest,
            self.control,
            self._events.put,
            self._stack,
            accounts=self.accounts,
            command=self._command,
            asks=self._dry_run and self.settings.simulate and self._command in _PLANS,
        )
        return self.tools

    def tell(self, event: Event) -> None:
        """Tell the view."""
        self._events.put(event)

    def drive(
        self, story: Callable[[], T], accounts: Sequence[Account], *, rehearsal: bool = False
    ) -> T | None:
        """Run the story with a view and return its result; None if it was cut short.

        `accounts`: what it works on, as far as that is known.
        `rehearsal`: its results are only what would be, though the command goes on after it.

        An interrupt, a time budget or a bug may cut it short; `results` has what is known then.
        Errors from before there was anything to report are raised again.
        """
        shown = output.display(self.settings)
        self._view = View(shown) if self._lines is None else View(self._lines, shown)
        started = RunStarted(
            command=self._command,
            manifest=self.settings.manifest,
            total=len(accounts),
            dry_run=self._dry_run or rehearsal,
            skipped=sum(not account.enabled for account in accounts),
        )
        self._events.put(started)
        for remark in self._remarks:
            self._events.put(Said(text=remark))
        self._remarks = ()
        try:
            return drive(story, self._events, self._view, self.control)
        except (Abandoned, PaceClosed):
            return None
        except OnboardError:
            raise
        except Exception as error:
            if self.tools is None:
                raise
            _log.debug("unexpected", exc_info=error)
            self.broke = True
            output.say_bug(error)
            return None

    def known(self) -> tuple[Result, ...]:
        """Every account's result as far as it is known, in the manifest's order."""
        return self.results.all(Stop.BUG.note if self.broke else self.note)

    def report(self, told: tuple[Result, ...], *, planned: bool = False) -> Report:
        """The report on these results, as of now. `planned`: they are only what would be."""
        return Report(
            command=self._command,
            manifest=self.settings.manifest,
            dry_run=self._dry_run or planned,
            started_at=self._started_at,
            finished_at=datetime.now(UTC),
            cloudcraft=self.tools.cloudcraft.usage if self.tools else CloudcraftUsage(),
            results=told,
        )

    def deliver(
        self,
        told: tuple[Result, ...],
        *,
        estimate: str | None = None,
        table: bool = True,
        each: bool = False,
    ) -> int:
        """Report these results; return the exit code. `each`: the table folds nothing."""
        report = self.report(told)
        if self._view is not None:
            self._view.handle(RunFinished(report=report))
        code = self.tell_all(report, estimate=estimate, table=table, each=each)
        if self._lines is not None:
            self._lines.finish(report)
        return code

    def tell_all(
        self, told: Told, *, estimate: str | None = None, table: bool = True, each: bool = False
    ) -> int:
        """Close everything, write the reports and print the results; return the exit code."""
        self._stack.close()
        each = each or self.settings.verbosity > 0
        code = output.deliver(
            told, self.settings, self.control, estimate=estimate, table=table, each=each
        )
        return code or int(self.broke)

    def fail(self, error: BaseException) -> None:
        """Tell whoever reads lines why there are no results."""
        if self._lines is not None:
            self._lines.finish(self.report(self.known()), output.stopped(error))

    def close(self) -> None:
        """Close everything."""
        self._stack.close()


@contextmanager
def open_session(
    settings: Settings, command: Command, *, dry_run: bool = False, whole: bool = False
) -> Iterator[Session]:
    """Load, select and check; then a session, in which signals stop the run.

    `dry_run`: nothing is written. `whole`: all of the manifest's accounts, whatever is selected.

    Raises:
        UsageError: the manifest, the selection or a report's path is not valid.
    """
    manifest = load(settings.manifest)
    chosen = Chosen(accounts=manifest.accounts)
    if not whole:
        chosen = choose(manifest, settings.selection)
    chosen = replace(chosen, accounts=through(chosen.accounts, settings.assume_role))
    if settings.sandbox:  # which has the role that is asked for
        manifest = replace(manifest, accounts=through(manifest.accounts, settings.assume_role))
    inputs = _inputs(settings)
    for path in settings.reports:
        reports.check(path, inputs)
    logs.configure(settings.verbosity, sys.stderr)
    settings, chosen = _as_many_as_possible(settings, chosen)
    session = Session(settings, command, manifest, chosen, dry_run=dry_run)
    with signals(session.control):
        try:
            yield session
        except UsageError:
            raise  # nothing is printed
        except BaseException as error:
            session.fail(error)
            raise
        finally:
            session.close()


def _as_many_as_possible(settings: Settings, chosen: Chosen) -> tuple[Settings, Chosen]:
    """Only as many accounts at a time as there are open files for; a remark if those are too few.

    A status may have more accounts to look at than the manifest has.
    """
    possible = descriptors.at_once(settings.concurrency)
    wanted = min(settings.concurrency, len(chosen.accounts))
    if possible < wanted:
        remark = descriptors.too_few(possible, wanted)
        chosen = replace(chosen, remarks=(*chosen.remarks, remark))
    return replace(settings, concurrency=possible), chosen


def _inputs(settings: Settings) -> dict[str, str]:
    """The files that the command reads, each with what it is."""
    files = {**input_files(os.environ), settings.manifest: "the manifest"}
    if settings.selection.retry is not None:
        files[settings.selection.retry] = "the report of --retry"
    return files
