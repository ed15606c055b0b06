"""The accounts that a command works on."""

from __future__ import annotations

from collections.abc import Sequence

from cloudcraft_onboard.app import report
from cloudcraft_onboard.console.harmless import listed
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest import select
from cloudcraft_onboard.model import Account, Manifest, Outcome, Report, Result
from cloudcraft_onboard.settings import Selection
from cloudcraft_onboard.show import text

_UNFINISHED = (Outcome.FAILED, Outcome.PENDING)
_MOST_GONE = 20


@frozen
class Chosen:
    """The selected accounts in the manifest's order, and what there is to say of the selection."""

    accounts: tuple[Account, ...]
    remarks: tuple[str, ...] = ()


def choose(manifest: Manifest, selection: Selection) -> Chosen:
    """What all options together select.

    Raises:
        UsageError: a pattern that matches nothing, git cannot tell, or there is no such report.
    """
    accounts = select.select(manifest.accounts, selection.only, selection.exclude)
    if selection.changed_since is not None:
        changed = select.changed_since(manifest, selection.changed_since)
        accounts = _both(accounts, changed)
    if selection.retry is None:
        return Chosen(accounts=accounts)
    again, gone = _unfinished(manifest, selection.retry)
    remarks = [_said(manifest, selection.retry, gone)] if gone else []
    return Chosen(accounts=_both(accounts, again), remarks=tuple(remarks))


def _said(manifest: Manifest, path: str, gone: Sequence[Result]) -> str:
    names = listed([text.title(result) for result in gone], _MOST_GONE)
    many = text.counted(len(gone), "unfinished account")
    are = "is" if len(gone) == 1 else "are"
    return f"{many} of {path} {are} no longer in {manifest.path}: {names}"


def _both(some: Sequence[Account], others: Sequence[Account]) -> tuple[Account, ...]:
    names = {account.name for account in others}
    return tuple(account for account in some if account.name in names)


def _unfinished(manifest: Manifest, path: str) -> tuple[list[Account], list[Result]]:
    """The manifest's accounts that a report calls failed or pending, and results without one.

    An account may have got another name since, or, if its ID was wrong, another ID.
    """
    saved = report.load(path)
    if not isinstance(saved, Report):
        raise UsageError(
            f"{path} is a report of `onboard status`, in which no account has failed.",
            hint="Give --retry a JSON report of a run, a plan or a removal.",
        )
    by_id = {each.account_id: each for each in manifest.accounts if each.account_id}
    by_name = {each.name: each for each in manifest.accounts}
    found: list[Account] = []
    gone: list[Result] = []
    for result in saved.results:
        if result.outcome in _UNFINISHED:
            account = by_id.get(result.account_id or "") or by_name.get(result.name)
            if account is None:
                gone.append(result)
            else:
                found.append(account)
    return found, gone
