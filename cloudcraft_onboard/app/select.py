"""The accounts that a command works on."""

from __future__ import annotations

from cloudcraft_onboard.manifest import select
from cloudcraft_onboard.model import Account, Manifest
from cloudcraft_onboard.settings import Selection


def choose(manifest: Manifest, selection: Selection) -> tuple[Account, ...]:
    """The selected accounts in the manifest's order; `UsageError` for a pattern without a match."""
    accounts = select.select(manifest.accounts, selection.only, selection.exclude)
    if selection.changed_since is None:
        return accounts
    changed = {account.name for account in select.changed_since(manifest, selection.changed_since)}
    return tuple(account for account in accounts if account.name in changed)
