"""One account's way back: what is there of it, and its role taken away in AWS."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cloudcraft_onboard.accounts.account import Claims
from cloudcraft_onboard.accounts.facts import Changed, Steps
from cloudcraft_onboard.accounts.ports import AccountSession, Aws
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.model import (
    NOTHING,
    Account,
    Change,
    DesiredRole,
    Identity,
    Note,
    Outcome,
    Registration,
    Result,
    Stage,
    Trust,
    Via,
)
from cloudcraft_onboard.model.changes import DeleteByStackSet, DeleteRegistration, RoleChange
from cloudcraft_onboard.model.notes import ExistingRoleKept, RolesKept
from cloudcraft_onboard.plan.diff import desired_role, plan_removal
from cloudcraft_onboard.plan.registration import Listing, foreign_note

# A role that somebody hangs more policies on while it is emptied is looked at this many times.
_RACES = 4

Notes = tuple[Note, ...]
"""What is kept of a role after all, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """How far a removal goes: no role at all, or also one that holds others' policies."""

    keep_roles: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleRemoval:
    """A role that is there, what takes it away, and notes on what stays."""

    arn: str | None = None
    changes: tuple[RoleChange | DeleteByStackSet, ...] = ()
    notes: tuple[Note, ...] = ()
    by_stack_set: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """What there is of an account, what takes it away, and (notes) what stays and why.

    `by_stack_set`: the role goes with the account's instance of a stack set. `besides` are the
    notes on what stays in Cloudcraft.
    """

    account: Account
    account_id: str
    registrations: tuple[Registration, ...]
    role_changes: tuple[Change, ...] = ()
    role_arn: str | None = None
    notes: tuple[Note, ...] = ()
    besides: tuple[Note, ...] = ()
    seconds: float = 0.0
    by_stack_set: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything that is to be done, in this order."""
        return (*map(deletion, self.registrations), *self.role_changes)

    def result(self, changes: tuple[Change, ...]) -> Result:
        """The account's result after `changes`."""
        return replace(
            Result.of(self.account),
            account_id=self.account_id,
            outcome=Outcome.REMOVED if changes else Outcome.UNCHANGED,
            changes=changes,
            role_arn=self.role_arn,
            cloudcraft_id=self.registrations[0].id if self.registrations else None,
            attempts=1,
            seconds=self.seconds,
            notes=self.notes,
        )


def deletion(registration: Registration) -> Change:
    """The change that deletes a registration."""
    return DeleteRegistration(id=registration.id, name=registration.name)


def needs_aws(account: Account, scope: Scope) -> bool:
    """Whether the account has to be reached: for its role, or because its ID is not known."""
    return account.account_id is None or _why_kept(account, scope) is None


def observe_account(
    account: Account, listing: Listing, aws: Aws, claims: Claims, scope: Scope
) -> Steps[Removal]:
    """Find out what there is of an account whose role no stack set brought; reads only.

    Raises:
        AccountError: what went wrong, with its stage; `AccountPending` where it is no failure.
    """
    account_id = account.account_id
    foreign = listing.foreign(account_id)
    if foreign is not None:
        return _left_alone(account, foreign, account_id or "")
    kept = _why_kept(account, scope)
    role = RoleRemoval(notes=(kept,) if kept else ())
    if needs_aws(account, scope):
        yield StepStarted(name=account.name, step="reaching the account")
        session = aws.reach(account)
        account_id = session.identity.account_id
        claims.claim(account, account_id)
        foreign = listing.foreign(account_id)
        if foreign is not None:
            return _left_alone(account, foreign, account_id)
        if kept is None:
            yield StepStarted(name=account.name, step="reading the role")
            role = _observe_role(account, session, scope)
    return removal_of(account, account_id or "", listing, role)


def removal_of(account: Account, account_id: str, listing: Listing, role: RoleRemoval) -> Removal:
    """What there is of the account in Cloudcraft beside its role."""
    registrations = listing.of(account_id) if account_id else ()
    besides = listing.besides(account_id)
    return Removal(
        account=account,
        account_id=account_id,
        registrations=registrations,
        role_changes=role.changes,
        role_arn=role.arn or (registrations[0].role_arn if registrations else None),
        notes=(*besides, *role.notes),
        besides=besides,
        by_stack_set=role.by_stack_set,
    )


def remove_role(removal: Removal, aws: Aws, scope: Scope) -> Steps[Notes]:
    """Take the role away as it is now; notes on what is kept after all.

    The account is reached and its role read again: at Cloudcraft's pace hours may lie between the
    plan and this, more than credentials last, and a role may have changed hands.

    Raises:
        AccountError: what went wrong, with its stage; `AccountPending` where it is no failure.
    """
    account = removal.account
    yield StepStarted(name=account.name, step="reaching the account")
    session = aws.reach(account)
    found = session.identity.account_id
    if found != removal.account_id:
        raise AccountError(
            Stage.REACH,
            "WrongAccount",
            f"The credentials led to account {removal.account_id} before, but now lead to {found}."
            " Its role was not touched.",
            hint="Leave the profile unchanged while onboard runs. Run the same command again.",
        )
    for _ in range(_RACES):
        role = _observe_role(account, session, scope)
        try:
            for change in role.changes:
                yield StepStarted(name=account.name, step=change.action.word)
                session.apply(change, role.desired, None)
                yield Changed(name=account.name, change=change)
        except ConcurrentChange:
            continue
        return (*removal.besides, *role.notes)
    raise AccountError(
        Stage.ROLE,
        "ConcurrentChange",
        f"The role {account.role.name} in {found} keeps getting new policies.",
        hint="Another program manages the same role. Stop one of the two, then run again.",
    )


# --- inside -------------------------------------------------------------------------------------


def _left_alone(account: Account, foreign: Registration, account_id: str) -> Removal:
    """An account that somebody else brought into Cloudcraft keeps what it has."""
    return Removal(
        account=account,
        account_id=account_id,
        registrations=(),
        role_arn=foreign.role_arn or None,
        notes=(foreign_note(foreign),),
    )


def _why_kept(account: Account, scope: Scope) -> Note | None:
    """Why the role stays, whatever it is like; None where that must be looked at."""
    if account.role.via is Via.EXISTING:
        return ExistingRoleKept()
    return RolesKept() if scope.keep_roles else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found(RoleRemoval):
    desired: DesiredRole
    changes: tuple[RoleChange, ...] = ()


def _observe_role(account: Account, session: AccountSession, scope: Scope) -> _Found:
    desired = _manifests_role(account, session.identity)
    observed = session.observe(desired.name, inline=True)
    plan = plan_removal(desired, observed, force=scope.force)
    return _Found(
        arn=observed.arn if observed else None,
        changes=plan.changes,
        notes=plan.notes,
        desired=desired,
    )


def _manifests_role(account: Account, identity: Identity) -> DesiredRole:
    """The role by name and policies: neither its trust nor what its documents say matters here."""
    nobody = Trust(account_id="", external_id="", partition=identity.partition)
    return desired_role(account.role, identity, nobody, {"minimal": NOTHING, "custom": NOTHING})
