"""The way into one account, for every command: whose it is, and what its role is to be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from cloudcraft_onboard.accounts.facts import Steps
from cloudcraft_onboard.accounts.ports import AccountSession, Aws
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    Account,
    CloudcraftParameters,
    DesiredRole,
    Identity,
    Registration,
    Stage,
    Team,
    Trust,
)
from cloudcraft_onboard.plan.diff import desired_role
from cloudcraft_onboard.plan.registration import Listing

NOBODY = CloudcraftParameters(account_id="", external_id="")
"""For a removal that reads no role: no trust policy fits it, so no role would be deleted."""


@frozen
class Snapshot:
    """What Cloudcraft said at the start of a command, read once for all accounts.

    `teams` is empty where no account names one; `documents` holds the wanted ones of
    "minimal" and "custom".
    """

    parameters: CloudcraftParameters
    listing: Listing
    teams: tuple[Team, ...] = ()
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Claims:
    """Which account ID belongs to which entry: two entries for one account would undo each other.

    The manifest's own IDs are checked when it is loaded; this catches two profiles that turn out
    to be in the same account.
    """

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._owner = {a.account_id: a.name for a in accounts if a.account_id is not None}

    def claim(self, account: Account, account_id: str) -> None:
        """Raise `AccountError` if another entry has this AWS account already."""
        owner = self._owner.setdefault(account_id, account.name)  # atomic, whatever thread it is
        if owner != account.name:
            raise AccountError(
                Stage.REACH,
                "SameAccount",
                f"{account.name!r} and {owner!r} are the same AWS account, {account_id}.",
                cause=Cause(
                    row=ours.SAME_ACCOUNT,
                    facts=Facts(name=account.name, other=owner, account=account_id),
                ),
            )


@frozen
class Entered:
    """An account and the way into it; `session` is None where AWS isn't needed.

    `foreign` is another source's registration of it, because of which it is left alone.
    """

    account_id: str
    session: AccountSession | None = None
    foreign: Registration | None = None


def enter(
    account: Account, listing: Listing, aws: Aws, claims: Claims, *, needed: bool
) -> Steps[Entered]:
    """Find out whose account it is, and reach it if AWS is `needed`.

    Raises:
        AccountError: it cannot be reached, or another entry has it already.
    """
    account_id = account.account_id or ""
    foreign = listing.foreign(account_id)
    if foreign is not None or not needed:
        return Entered(account_id=account_id, foreign=foreign)
    yield StepStarted(name=account.name, step="reaching the account")
    session = aws.reach(account)
    account_id = session.identity.account_id
    claims.claim(account, account_id)
    return Entered(account_id=account_id, session=session, foreign=listing.foreign(account_id))


def wanted_role(account: Account, identity: Identity, snapshot: Snapshot) -> DesiredRole:
    """The role that this account should have.

    The external ID is the one that the account's registration shows; for an account that is not
    registered yet, the key's own (README, What a run does).
    """
    registration = snapshot.listing.oldest(identity.account_id)
    trust = Trust(
        account_id=snapshot.parameters.account_id,
        external_id=(registration and registration.external_id) or snapshot.parameters.external_id,
        partition=identity.partition,
    )
    return desired_role(account.role, identity, trust, snapshot.documents)
