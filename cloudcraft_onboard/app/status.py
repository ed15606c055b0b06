"""`onboard status`: the story of a plan, joined with what Cloudcraft and AWS Organizations list."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.app.background import Background
from cloudcraft_onboard.app.newcomers import tried
from cloudcraft_onboard.app.patience import patience
from cloudcraft_onboard.app.run import look_at_cloudcraft
from cloudcraft_onboard.app.session import Session, open_session
from cloudcraft_onboard.aws import organizations
from cloudcraft_onboard.aws.profiles import of_environment, profiles
from cloudcraft_onboard.coverage.joined import (
    Expected,
    Sides,
    by_name,
    join,
    roleless,
    unidentified,
)
from cloudcraft_onboard.coverage.words import Circumstances, Status
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.driver import Tools
from cloudcraft_onboard.engine.onboarding import onboard_accounts
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.errors import CannotStart, Interrupted, OnboardError
from cloudcraft_onboard.events import Said, StepEnded, StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, Command, Member, Result, Via
from cloudcraft_onboard.model.notes import Stop
from cloudcraft_onboard.settings import Selection, Settings
from cloudcraft_onboard.show import standing

T = TypeVar("T")

_ORGANIZATION = "AWS Organizations"


@frozen
class Sources:
    """What to compare: AWS Organizations (and by which profile), the roles in IAM."""

    organization: bool = False
    profile: str | None = None
    roles: bool = True


def status(settings: Settings, sources: Sources) -> int:
    """Say where the accounts stand; return the exit code.

    Raises:
        UsageError: the manifest, or an option, is not valid.
        CannotStart: Cloudcraft or AWS Organizations cannot be read, or no credentials work.
        Interrupted: there was nothing to report yet.
    """
    with open_session(settings, Command.STATUS, dry_run=True) as session:

        def story() -> Status:
            tools = session.connect()
            found = _look(session, sources, tools)
            if _is_told_elsewhere(settings):
                tools.emit(Said(text=standing.headline(found)))
            return found

        found = session.drive(story, session.accounts)
        if found is not None:
            return session.tell_all(found)
        if session.broke:
            return 1
        raise _nothing_to_tell(session.control)


def _look(session: Session, sources: Sources, tools: Tools) -> Status:
    """Read all sides and join them."""
    settings, accounts = session.settings, session.accounts
    hub = _hub(session.manifest.accounts)
    profile = sources.profile or hub
    selected = settings.selection != Selection()
    tries = sources.organization and sources.roles and not selected
    members = Background(lambda: _members(profile, tools)) if sources.organization else None
    if sources.roles:
        tools.aws.check_sources(session.enabled)
        bare = [session.manifest.bare] if tries else []
        snapshot = look_at_cloudcraft(tools.cloudcraft, [*session.enabled, *bare])
    else:
        unlooked = [_unlooked(account) for account in session.enabled]
        snapshot = look_at_cloudcraft(tools.cloudcraft, unlooked)
    if members:
        members.raise_if_failed()
    plan = _plan if sources.roles else _plan_without_roles
    entries = plan(accounts, snapshot, tools, session.limits)
    for remark in snapshot.listing.remarks():
        tools.emit(Said(text=remark))
    sides = Sides(listing=snapshot.listing, members=members.result() if members else None)
    # What the environment says, a command need not say; what another profile says, it must.
    default = session.manifest.profile
    told = profile == of_environment() and default in (None, profile)
    found = Status(
        manifest=settings.manifest,
        organization=sources.organization,
        roles=sources.roles,
        checked_at=datetime.now(UTC),
        accounts=join(entries, sides, others=not selected),
        selected=selected,
        advised=Circumstances(
            profile=None if told else profile,
            asked=sources.profile if sources.profile != (hub or of_environment()) else None,
            sandbox=settings.sandbox,
            selection=_options(settings.selection),
        ),
    )
    if not tries or sides.members is None or _is_guessed(entries, session.accounts):
        return found
    return tried(found, sides.members, session, snapshot, tools)


def _options(selection: Selection) -> tuple[str, ...]:
    """The options that select the same accounts again."""
    words = [word for pattern in selection.only for word in ("--only", pattern)]
    words += [word for pattern in selection.exclude for word in ("--exclude", pattern)]
    if selection.changed_since is not None:
        words += ["--changed-since", selection.changed_since]
    return tuple(words)


# --- the manifest's accounts ---------------------------------------------------------------------


def _plan(
    accounts: Sequence[Account], snapshot: Snapshot, tools: Tools, limits: Limits
) -> list[Expected]:
    """The entries, each with what `run` would do."""
    planned = _planned(accounts, snapshot, tools, limits)
    taken = {result.account_id for result in planned}
    configured = _configured(accounts)
    entries = []
    for account, result in zip(accounts, planned, strict=True):
        # An account that could not be reached may still be known by the AWS config, or by its name.
        told = configured.get(account.profile)
        told = told if told not in taken else None
        account_id = result.account_id or told or by_name(account.name, snapshot.listing, taken)
        taken.add(account_id)
        sure = account.account_id is not None or result.account_id is not None
        entry = Expected(account=account, account_id=account_id, result=result, sure=sure)
        entries.append(entry)
    return entries


def _plan_without_roles(
    accounts: Sequence[Account], snapshot: Snapshot, tools: Tools, limits: Limits
) -> list[Expected]:
    """The same, but AWS is not asked: manifest, AWS config or Cloudcraft tell an account's ID."""
    configured = _configured(accounts)
    owners = {account.account_id: account.name for account in accounts if account.account_id}
    ids: dict[str, str] = {}
    results_of: dict[str, Result] = {}
    for account in accounts:
        account_id = account.account_id or configured.get(account.profile)
        taken = {*owners, *configured.values()}
        account_id = account_id or by_name(account.name, snapshot.listing, taken)
        owner = owners.setdefault(account_id, account.name) if account_id else account.name
        if account_id and owner == account.name:
            ids[account.name] = account_id
        elif account.enabled:
            results_of[account.name] = unidentified(account, None if not account_id else owner)
    asked = [
        roleless(account, ids[account.name], snapshot.listing)
        for account in accounts
        if account.name in ids
    ]
    planned = _planned(asked, snapshot, tools, limits)
    results_of |= {result.name: result for result in planned}
    return [
        Expected(
            account=account,
            account_id=ids.get(account.name),
            result=results_of.get(account.name),
            sure=account.account_id is not None,
        )
        for account in accounts
    ]


def _planned(
    accounts: Sequence[Account], snapshot: Snapshot, tools: Tools, limits: Limits
) -> tuple[Result, ...]:
    results = Results(accounts)
    return onboard_accounts(accounts, snapshot, tools, limits, results, apply=False)


def _configured(accounts: Iterable[Account]) -> Mapping[str | None, str]:
    """The account IDs that the AWS config tells, for accounts whose profile alone is known."""
    wanted = {a.profile for a in accounts if a.account_id is None and a.profile is not None}
    if not wanted:
        return {}
    return {
        each.name: each.account_id for each in profiles() if each.account_id and each.name in wanted
    }


def _is_guessed(entries: Iterable[Expected], accounts: Iterable[Account]) -> bool:
    """Whether an entry's account is known by its name in Cloudcraft alone, or not at all."""
    told = _configured(accounts).values()
    return not all(entry.sure or entry.account_id in told for entry in entries)


def _unlooked(account: Account) -> Account:
    """The account with a role that is not checked, so that no document is read for it."""
    return replace(account, role=replace(account.role, via=Via.EXISTING))


# --- AWS Organizations ---------------------------------------------------------------------------


def _hub(accounts: Iterable[Account]) -> str | None:
    """The profile from which most accounts are entered: usually the management account's."""
    entered = Counter(account.profile for account in accounts if account.assume_role)
    return entered.most_common(1)[0][0] if entered else None


def _members(profile: str | None, tools: Tools) -> dict[str, Member]:
    """The organization's accounts by ID."""
    tools.emit(StepStarted(name=_ORGANIZATION, step="listing the accounts"))
    client = organizations.connect(profile, Command.STATUS)
    progress = organizations.Progress()
    try:
        with patience(lambda told: tools.emit(Said(text=f"{_ORGANIZATION}: {told}."))) as waiting:
            waiting(progress)
            found = organizations.members(
                client, profile=profile, command=Command.STATUS, progress=progress
            )
    finally:
        client.close()
        tools.emit(StepEnded(name=_ORGANIZATION))
    return {member.account_id: member for member in found}


# --- the end -------------------------------------------------------------------------------------


def _is_told_elsewhere(settings: Settings) -> bool:
    """Whether stdout goes elsewhere while somebody watches stderr at a terminal."""
    elsewhere = settings.output == "json" or not sys.stdout.isatty()
    return elsewhere and sys.stderr.isatty() and settings.verbosity >= 0


def _nothing_to_tell(control: Control) -> OnboardError:
    if control.kind is Stop.INTERRUPTED:
        return Interrupted("Interrupted before the state of the accounts was known.")
    return CannotStart(
        "The time budget ended before the state of the accounts was known.",
        hint="Give a larger --time-budget, or --no-roles, which only asks Cloudcraft.",
    )
