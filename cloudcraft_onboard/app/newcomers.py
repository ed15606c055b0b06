"""What a plan would say of the accounts that `onboard init --organization --update` would add.

An account that was invited into the organization lacks the role that AWS Organizations creates; as
an entry of the manifest it would fail every plan from then on. So each of these accounts is planned
as the entry that it would become.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.app.connect import without_ends
from cloudcraft_onboard.app.init import Wishes, entries_for
from cloudcraft_onboard.app.session import Session
from cloudcraft_onboard.coverage.advice import is_new, noted
from cloudcraft_onboard.coverage.words import Status
from cloudcraft_onboard.engine.driver import Tools
from cloudcraft_onboard.engine.onboarding import onboard_accounts
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.errors import ManifestError, UsageError
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.manifest.edit import Draft
from cloudcraft_onboard.manifest.through import through
from cloudcraft_onboard.model import Account, Member, Outcome, Problem
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import text
from cloudcraft_onboard.sources.organization import OrganizationAccounts


def tried(
    found: Status,
    members: Mapping[str, Member],
    session: Session,
    snapshot: Snapshot,
    tools: Tools,
) -> Status:
    """The same status, in which accounts that a plan would fail have its error."""
    new = [members[row.account_id] for row in found.accounts if is_new(row) and row.account_id]
    if not new:
        return found
    profile = found.advised.profile if found.advised else None
    try:
        accounts = _as_entries(new, session.settings, profile)
    except (ManifestError, UsageError):
        return found  # `init` could not add them either
    problems = _problems(accounts, session, snapshot, tools)
    if problems is None:
        return found
    rows = (
        replace(row, error=problems.get(row.account_id or "")) if is_new(row) else row
        for row in found.accounts
    )
    return noted(replace(found, accounts=tuple(rows), tried=True))


def _as_entries(
    new: Iterable[Member], settings: Settings, profile: str | None
) -> tuple[Account, ...]:
    """The accounts as `init`, given this profile, would write them, read back."""
    draft = Draft(settings.manifest)
    found = OrganizationAccounts(profile=profile).found(
        tuple(new), profile or draft.defaults.profile
    )
    entries, _ = entries_for(draft, found, found.candidates, Wishes())
    return through(draft.added(entries), settings.assume_role)


def _problems(
    accounts: tuple[Account, ...], session: Session, snapshot: Snapshot, tools: Tools
) -> dict[str, Problem] | None:
    """Why a plan would fail some of them, by account ID; None if it was stopped before the end."""
    many = text.counted(len(accounts), "account")
    tools.emit(Said(text=f"Planning {many} that the manifest lacks, too."))
    told = onboard_accounts(
        accounts, snapshot, without_ends(tools), session.limits, Results(accounts), apply=False
    )
    if any(result.outcome is Outcome.PENDING for result in told):
        return None
    pairs = zip(accounts, told, strict=True)
    return {each.account_id or "": result.error for each, result in pairs if result.error}
