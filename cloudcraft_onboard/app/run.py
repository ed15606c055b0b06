"""`onboard run` and `onboard plan`: one story, which a plan ends before any write."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.app import output
from cloudcraft_onboard.app.background import Background
from cloudcraft_onboard.app.connect import first_reads
from cloudcraft_onboard.app.session import Session, open_session
from cloudcraft_onboard.engine.budget import forecast
from cloudcraft_onboard.engine.onboarding import onboard_accounts
from cloudcraft_onboard.engine.ports import Cloudcraft
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.model import Account, Command, Outcome, Result
from cloudcraft_onboard.model.changes import UpdateRegistration
from cloudcraft_onboard.plan.diff import needed_documents
from cloudcraft_onboard.plan.registration import Listing, is_access_id
from cloudcraft_onboard.settings import Settings


def run(settings: Settings) -> int:
    """Bring every selected account to its desired state; return the exit code."""
    with open_session(settings, Command.RUN) as session:
        results = _onboard(session, apply=True)
        return session.deliver(results)


def plan(settings: Settings, command: Command = Command.PLAN) -> int:
    """Say what `run` would do; return the exit code. `command` is what the user called."""
    with open_session(settings, command, dry_run=True) as session:
        results = _onboard(session, apply=False)
        return session.deliver(results, estimate=_estimate(results, session))


def _onboard(session: Session, *, apply: bool) -> tuple[Result, ...]:
    def story() -> tuple[Result, ...]:
        if not session.enabled:
            return session.known()
        tools = session.connect()
        tools.aws.check_sources(session.enabled)  # first: where none works, nothing is sent
        snapshot = look_at_cloudcraft(tools.cloudcraft, session.enabled)
        for remark in snapshot.listing.remarks():
            tools.emit(Said(text=remark))
        writes = _unregistered(session.enabled, snapshot.listing)
        tools.emit(forecast(writes, 1 if writes else 0, tools.pace))
        return onboard_accounts(
            session.accounts,
            snapshot,
            tools,
            session.limits,
            session.results,
            settle=session.settings.settle,
            apply=apply,
        )

    told = session.drive(story, session.accounts)
    return session.known() if told is None else told


def look_at_cloudcraft(cloudcraft: Cloudcraft, accounts: Sequence[Account]) -> Snapshot:
    """Read from Cloudcraft what all accounts need, usually in 2 requests, all at once.

    Raises:
        CannotStart: Cloudcraft cannot be reached, or refuses the key.
    """
    words = [w for a in accounts for w in (*(a.read_access or ()), *(a.write_access or ()))]
    named = not all(map(is_access_id, words))
    parameters = Background(cloudcraft.parameters)
    listed = Background(cloudcraft.registrations)
    teams = Background(cloudcraft.teams) if named else None
    documents = {
        kind: Background(partial(cloudcraft.policy, kind))
        for kind in sorted(needed_documents(accounts))
    }
    with first_reads():
        return Snapshot(
            parameters=parameters.result(),
            listing=Listing.of_reading(listed.result()),
            teams=teams.result() if teams else (),
            documents={kind: document.result() for kind, document in documents.items()},
        )


def _unregistered(accounts: Sequence[Account], listing: Listing) -> int:
    """How many accounts are new, before AWS is asked; one without an ID is found by its name."""
    names = {registration.name for registration in listing.all()}
    return sum(
        account.name not in names
        if account.account_id is None
        else not (listing.oldest(account.account_id) or listing.foreign(account.account_id))
        for account in accounts
    )


def _estimate(results: Sequence[Result], session: Session) -> str | None:
    """The plan's last sentence: how many requests the run will send, and how long that takes."""
    registrations = sum(result.outcome is Outcome.CREATED for result in results)
    updates = sum(
        isinstance(change, UpdateRegistration) for result in results for change in result.changes
    )
    if session.tools is None or not registrations + updates:
        return None
    return output.say_forecast(
        {"registration": registrations, "update": updates},
        session.tools.pace,
        reads=3 if registrations else 2,
    )
