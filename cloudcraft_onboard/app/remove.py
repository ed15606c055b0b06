"""`onboard remove`: plan, show it, ask, and only then delete."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from cloudcraft_onboard import interrupts
from cloudcraft_onboard.app import results
from cloudcraft_onboard.app.connect import connect, first_reads
from cloudcraft_onboard.app.drive import Abandoned, drive, signals
from cloudcraft_onboard.app.select import choose
from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.pipeline import Tools, Tuning, note
from cloudcraft_onboard.engine.removal import Scope, needs_aws
from cloudcraft_onboard.engine.remove import RemovalPlan, plan_removals, put_off, remove_accounts
from cloudcraft_onboard.engine.unlisted import plan_unlisted
from cloudcraft_onboard.errors import PaceClosed, UsageError
from cloudcraft_onboard.events import Event, RunFinished, RunStarted, Said
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.model import (
    Account,
    CloudcraftUsage,
    Command,
    Manifest,
    Report,
    Result,
)
from cloudcraft_onboard.plan.registration import Listing
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import logs
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.views import View

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """The options that only `remove` has; `most` is how many unlisted registrations may go."""

    yes: bool = False
    dry_run: bool = False
    keep_roles: bool = False
    force: bool = False
    unlisted: bool = False
    most: int = 5

    @property
    def scope(self) -> Scope:
        """What it means for roles."""
        return Scope(keep_roles=self.keep_roles, force=self.force)


def remove(settings: Settings, wish: Wish) -> int:
    """Delete registrations and roles after a plan and a question; the exit code.

    Raises:
        UsageError: nobody could answer the question.
    """
    manifest = load(settings.manifest)
    accounts = manifest.accounts if wish.unlisted else choose(manifest, settings.selection)
    for path in settings.reports:
        reports.check(path)
    if not (wish.yes or wish.dry_run or (sys.stdin and sys.stdin.isatty())):
        raise UsageError(
            "No terminal to confirm on; pass --yes to remove.",
            hint="`onboard remove --dry-run` shows what would be removed",
        )
    logs.configure(settings.verbosity, sys.stderr)
    with ExitStack() as stack:
        return _Removing(settings, wish, manifest, accounts, stack).work()


class _Removing:
    """One call of the command, from the plan to the exit code."""

    def __init__(
        self,
        settings: Settings,
        wish: Wish,
        manifest: Manifest,
        accounts: Sequence[Account],
        stack: ExitStack,
    ) -> None:
        self._settings = settings
        self._wish = wish
        self._manifest = manifest
        self._accounts = accounts
        self._stack = stack
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._control: Control = results.control(settings, self._events.put)
        self._tuning = Tuning(concurrency=settings.concurrency, retries=settings.retries)
        self._started_at = datetime.now(UTC)
        self._tools: Tools | None = None
        self._view: View

    def work(self) -> int:
        """Plan, show, ask, delete, report; the exit code."""
        with signals(self._control):
            return self._work()

    def _work(self) -> int:
        plan = self._drive(self._look, len(self._accounts), dry_run=True)
        if plan is None:
            never = boards.not_started(self._accounts, note(self._control))
            return self._deliver(never, dry_run=self._wish.dry_run)
        if self._wish.dry_run:
            code = self._deliver(plan.results, dry_run=True, estimate=self._estimate(plan))
            return 1 if self._too_many(plan) else code
        why_not = self._why_not(plan) if plan.removals else ""
        if why_not:
            stopped = self._control.kind is not None
            return self._deliver(put_off(plan.results, why_not), table=stopped)
        return self._deliver(self._delete(plan) if plan.removals else plan.results)

    def _why_not(self, plan: RemovalPlan) -> str:
        """Show the plan and ask; why it is not carried out, empty if it is."""
        if self._control.kind is None:
            if self._settings.verbosity >= 0 or not self._wish.yes:
                planned = self._report(plan.results, dry_run=True)
                results.show_table(planned, sys.stderr, estimate=self._estimate(plan))
            if self._too_many(plan):
                return "not removed: more than --max-removals"
            if not self._wish.yes and not self._confirmed(plan) and self._control.kind is None:
                return "not removed: the question was not answered with yes"
        return self._control.kind.note if self._control.kind else ""

    # --- the two halves ---------------------------------------------------------------------

    def _look(self) -> RemovalPlan:
        wish, accounts = self._wish, self._accounts
        enabled = [account for account in accounts if account.enabled]
        if not (enabled or wish.unlisted):
            skipped = tuple(boards.skipped(account) for account in accounts)
            return RemovalPlan(results=skipped, removals=())
        tools = self._tools = connect(
            self._settings, self._manifest, self._control, self._events.put, self._stack
        )
        if not wish.unlisted:
            tools.aws.check_sources([each for each in enabled if needs_aws(each, wish.scope)])
        with first_reads():
            listing = Listing(tools.cloudcraft.registrations())
        for remark in listing.remarks():
            tools.emit(Said(text=remark))
        if wish.unlisted:
            return plan_unlisted(accounts, listing, tools, self._tuning)
        return plan_removals(accounts, listing, tools, self._tuning, wish.scope)

    def _delete(self, plan: RemovalPlan) -> tuple[Result, ...]:
        """Carry a plan out; everybody's results, in the plan's order."""
        tools = self._tools
        assert tools is not None  # noqa: S101 - the plan was made with them

        def story() -> tuple[Result, ...]:
            return remove_accounts(plan.removals, tools, self._tuning, self._wish.scope)

        deleted = self._drive(story, len(plan.removals), dry_run=False)
        if deleted is None:
            return put_off(plan.results, note(self._control))
        by_name = {result.name: result for result in deleted}
        return tuple(by_name.get(result.name, result) for result in plan.results)

    def _drive(self, story: Callable[[], T], total: int, *, dry_run: bool) -> T | None:
        """What the story returns, shown by a view of its own; None where it was cut off."""
        self._view = results.view(self._settings)
        self._events.put(
            RunStarted(
                command=Command.REMOVE,
                manifest=self._settings.manifest,
                total=total,
                dry_run=dry_run,
            )
        )
        try:
            return drive(story, self._events, self._view, self._control)
        except (Abandoned, PaceClosed):
            return None

    # --- the question -----------------------------------------------------------------------

    def _confirmed(self, plan: RemovalPlan) -> bool:
        """Ask on stderr; only yes is yes. Ctrl-C stops the run as it does everywhere."""
        sys.stderr.write(f"\nDelete {_told(plan)}? [y/N] ")
        sys.stderr.flush()
        try:
            with interrupts.handled_by(interrupts.interrupt):  # a flag would not end the wait
                answer = sys.stdin.readline()
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            self._control.stop(Stop.INTERRUPTED)
            return False
        if not answer.endswith("\n"):
            sys.stderr.write("\n")
        confirmed = answer.strip().lower() in ("y", "yes")
        if not confirmed:
            sys.stderr.write("Cancelled. Nothing was changed.\n")
        return confirmed

    def _too_many(self, plan: RemovalPlan) -> bool:
        """Whether a plan for unlisted registrations is over the ceiling, which is said then."""
        count, most = plan.registrations, self._wish.most
        if not self._wish.unlisted or count <= most:
            return False
        sys.stderr.write(
            f"onboard: {count} registrations are not in the manifest, more than --max-removals"
            f" {most}. Nothing was deleted.\n"
            "  hint: check that the manifest is the right one and complete; if it is, pass"
            f" --max-removals {count}\n"
        )
        return True

    # --- the results ------------------------------------------------------------------------

    def _deliver(
        self,
        told: tuple[Result, ...],
        *,
        dry_run: bool = False,
        estimate: str | None = None,
        table: bool = True,
    ) -> int:
        report = self._report(told, dry_run=dry_run)
        self._view.handle(RunFinished(report=report))
        return results.deliver(
            report, self._settings, self._control, estimate=estimate, table=table
        )

    def _report(self, told: tuple[Result, ...], *, dry_run: bool) -> Report:
        return Report(
            command=Command.REMOVE,
            manifest=self._settings.manifest,
            dry_run=dry_run,
            started_at=self._started_at,
            finished_at=datetime.now(UTC),
            cloudcraft=self._tools.cloudcraft.usage if self._tools else CloudcraftUsage(),
            results=told,
        )

    def _estimate(self, plan: RemovalPlan) -> str | None:
        if self._tools is None or not plan.registrations:
            return None
        return results.say_forecast({"deletion": plan.registrations}, self._tools.pace, reads=1)


def _told(plan: RemovalPlan) -> str:
    counts = ((plan.registrations, "registration"), (plan.roles, "role"))
    return " and ".join(
        f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count
    )
