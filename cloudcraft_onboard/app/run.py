"""`onboard run` and `onboard plan`: one story, which a plan ends before anything is written."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from cloudcraft_onboard.app import results
from cloudcraft_onboard.app.connect import connect, first_reads
from cloudcraft_onboard.app.drive import Abandoned, drive, signals
from cloudcraft_onboard.app.select import choose
from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.account import Look
from cloudcraft_onboard.engine.pipeline import (
    Tools,
    Tuning,
    forecast,
    note,
    plan_accounts,
    run_accounts,
)
from cloudcraft_onboard.engine.ports import Cloudcraft
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.events import Event, RunFinished, RunStarted, Said
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.model import Account, CloudcraftUsage, Command, Outcome, Report, Result
from cloudcraft_onboard.plan.diff import needed_documents
from cloudcraft_onboard.plan.registration import Listing, is_access_id
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import logs
from cloudcraft_onboard.show import report as reports

Engine = Callable[[Sequence[Account], Look, Tools, Tuning], tuple[Result, ...]]


def run(settings: Settings) -> int:
    """Bring every selected account to its desired state; the exit code."""
    return _onboard(settings, run_accounts, Command.RUN, dry_run=False)


def plan(settings: Settings, command: Command = Command.PLAN) -> int:
    """Say what `run` would do; the exit code. `command` is what the user called."""
    return _onboard(settings, plan_accounts, command, dry_run=True)


def _onboard(settings: Settings, engine: Engine, command: Command, *, dry_run: bool) -> int:
    manifest = load(settings.manifest)
    accounts = choose(manifest, settings.selection)
    for path in settings.reports:
        reports.check(path)

    logs.configure(settings.verbosity, sys.stderr)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    control = results.control(settings, events.put)
    view = results.view(settings)
    events.put(
        RunStarted(
            command=command, manifest=settings.manifest, total=len(accounts), dry_run=dry_run
        )
    )
    started_at = datetime.now(UTC)
    with signals(control):
        with ExitStack() as stack:
            tools: list[Tools] = []

            def story() -> tuple[Result, ...]:
                if not any(account.enabled for account in accounts):
                    return tuple(boards.skipped(account) for account in accounts)
                tools.append(connect(settings, manifest, control, events.put, stack))
                tuning = Tuning(
                    concurrency=settings.concurrency,
                    settle=settings.settle,
                    retries=settings.retries,
                )
                tools[0].aws.check_sources([a for a in accounts if a.enabled])
                look = look_at_cloudcraft(tools[0].cloudcraft, accounts)
                for remark in look.listing.remarks():
                    tools[0].emit(Said(text=remark))
                writes = sum(_is_unregistered(account, look) for account in accounts)
                tools[0].emit(forecast(writes, 1 if writes else 0, tools[0].pace))
                return engine(accounts, look, tools[0], tuning)

            try:
                outcome = drive(story, events, view, control)
            except (Abandoned, PaceClosed):
                outcome = boards.not_started(accounts, note(control))
            usage = tools[0].cloudcraft.usage if tools else CloudcraftUsage()
            estimate = _estimate(outcome, tools) if dry_run else None
        report = Report(
            command=command,
            manifest=settings.manifest,
            dry_run=dry_run,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            cloudcraft=usage,
            results=outcome,
        )
        view.handle(RunFinished(report=report))
        return results.deliver(report, settings, control, estimate=estimate)


def look_at_cloudcraft(cloudcraft: Cloudcraft, accounts: Sequence[Account]) -> Look:
    """Everything that is read from Cloudcraft before the first account: 2 requests as a rule.

    Raises:
        CannotStart: Cloudcraft is out of reach, or refuses the key.
    """
    enabled = [account for account in accounts if account.enabled]
    words = [w for a in enabled for w in (*(a.read_access or ()), *(a.write_access or ()))]
    with first_reads():
        return Look(
            parameters=cloudcraft.parameters(),
            listing=Listing(cloudcraft.registrations()),
            teams=cloudcraft.teams() if not all(map(is_access_id, words)) else (),
            documents={kind: cloudcraft.policy(kind) for kind in sorted(needed_documents(enabled))},
        )


def _is_unregistered(account: Account, look: Look) -> bool:
    """A first guess for the forecast; an account known by profile only counts as new."""
    if not account.enabled:
        return False
    account_id, listing = account.account_id, look.listing
    return account_id is None or not (listing.oldest(account_id) or listing.foreign(account_id))


def _estimate(outcome: Sequence[Result], tools: Sequence[Tools]) -> str | None:
    """The plan's last sentence: how many requests the run will send, and how long that takes."""
    if not tools:
        return None
    registrations = sum(result.outcome is Outcome.CREATED for result in outcome)
    updates = sum(
        change.action.word == "update-registration"
        for result in outcome
        for change in result.changes
    )
    if not registrations + updates:
        return None
    return results.say_forecast(
        {"registration": registrations, "update": updates},
        tools[0].pace,
        reads=3 if registrations else 2,
    )
