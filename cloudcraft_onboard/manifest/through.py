"""`--assume-role`: the same accounts, entered through another role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.manifest import rules
from cloudcraft_onboard.manifest.rules import HERE
from cloudcraft_onboard.manifest.source import quoted
from cloudcraft_onboard.model import Account
from cloudcraft_onboard.model.arn import account_of

_OPTION = "--assume-role"


def through(accounts: Iterable[Account], role: str | None) -> tuple[Account, ...]:
    """The accounts, where the manifest names a role to assume with this one in its place.

    Raises `UsageError` for what is no role, and for the ARN of a role in another account.
    """
    if role is None:
        return tuple(accounts)
    if why := rules.role(role.replace(HERE, "0" * len(HERE))):
        raise UsageError(
            f"{_OPTION} {quoted(role, 200)} {why}.",
            hint=f"Give a role's name, or an ARN with {HERE} in the place of the account's ID.",
        )
    return tuple(_entered(account, role) for account in accounts)


def _entered(account: Account, role: str) -> Account:
    way, account_id = account.assume_role, account.account_id
    if way is None or account_id is None:
        return account
    own = role.replace(HERE, account_id)
    owner = account_of(own)
    if owner not in (None, account_id):
        raise UsageError(
            f"{_OPTION} {role} is a role in account {owner}, but {account.name!r} is {account_id}.",
            hint=f"Give the role's name, or write {HERE} in the place of the account's ID.",
        )
    return replace(account, assume_role=replace(way, role=own, by_option=True))
