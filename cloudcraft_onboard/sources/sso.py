"""Accounts from IAM Identity Center: all that the cached token sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cloudcraft_onboard.aws.crew import WORKERS, each
from cloudcraft_onboard.aws.portal import NO_SECTION, Portal, PortalAccount
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.console.harmless import clean
from cloudcraft_onboard.errors import AccountError, CannotStart, UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.write import Defaults
from cloudcraft_onboard.sources.found import Candidate, Found, Search


@frozen
class IdentityCenter:
    """The accounts that a session of the AWS config shows; `role` is a permission set's name.

    Without a role, everybody must have the same single one.
    """

    session: str
    role: str | None = None

    @property
    def origin(self) -> str:
        """See `Source`."""
        return f"IAM Identity Center, session {self.session}"

    def find(self, search: Search) -> Found:
        """See `Source`."""
        aws = BotoAws(concurrency=WORKERS, retries=10, command="init")
        try:
            portal = aws.portal(self.session)
            accounts = portal.accounts()
            search.waiting(f"{len(accounts):,} accounts, reading their permission sets")
            offered = _offered(portal, accounts)
        except AccountError as error:
            kind = UsageError if error.code == NO_SECTION else CannotStart
            raise kind(f"--sso {self.session}: {error.message}", hint=error.hint) from error
        finally:
            aws.close()
        role = self.role or _only(offered)
        entered = [it for it in accounts if role in offered[it.account_id]]
        if accounts and not entered:
            raise UsageError(
                f"--sso-role {role}: no account offers it.",
                hint=f"They offer {_choices(offered)}.",
            )
        return Found(
            candidates=tuple(
                Candidate(name=it.name, account_id=it.account_id, email=it.email) for it in entered
            ),
            said=tuple(
                f"Left out {it.name or it.account_id} ({it.account_id}): it offers"
                f" {', '.join(map(clean, offered[it.account_id])) or 'no permission set'}."
                for it in accounts
                if it not in entered
            ),
            defaults=Defaults(sso={"session": self.session, "role": role}),
            chosen=True,
        )


def _offered(portal: Portal, accounts: Sequence[PortalAccount]) -> dict[str, tuple[str, ...]]:
    """The permission sets of each account, by its ID."""
    roles = each(lambda it: portal.roles(it.account_id), accounts)
    return {it.account_id: told for it, told in zip(accounts, roles, strict=True)}


def _only(offered: Mapping[str, Sequence[str]]) -> str:
    """The one permission set that every account offers. Raises `UsageError` for any other case."""
    choices = {role for roles in offered.values() for role in roles}
    if len(choices) == 1 and all(offered.values()):
        return choices.pop()
    if not choices:
        raise UsageError("IAM Identity Center shows no account with a permission set.")
    raise UsageError(
        f"The accounts offer several permission sets: {_choices(offered)}.",
        hint="Choose one with --sso-role NAME; accounts without it are left out.",
    )


def _choices(offered: Mapping[str, Sequence[str]]) -> str:
    """`Admin (12 accounts), ViewOnly (1 account)`; the one of most accounts first."""
    counts = Counter(role for roles in offered.values() for role in roles)
    told = [
        f"{clean(role)} ({count:,} account{'' if count == 1 else 's'})"
        for role, count in sorted(counts.items(), key=lambda it: (-it[1], it[0]))
    ]
    without = sum(not roles for roles in offered.values())
    return ", ".join([*told, *([f"none ({without:,})"] if without else [])])
