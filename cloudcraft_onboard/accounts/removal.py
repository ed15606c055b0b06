"""One account's way back: what is there of it, and its role taken away in AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloudcraft_onboard.accounts.entry import Claims, Snapshot, enter, wanted_role
from cloudcraft_onboard.accounts.facts import Changed, Steps
from cloudcraft_onboard.accounts.ports import AccountSession, Aws
from cloudcraft_onboard.accounts.propagation import Propagation
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, AccountPending, ConcurrentChange
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    Account,
    Change,
    DesiredRole,
    Identity,
    Note,
    Outcome,
    Registration,
    Result,
    Stage,
    Via,
)
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.changes import DeleteByStackSet, DeleteRegistration, RoleChange
from cloudcraft_onboard.model.role_notes import (
    ExistingRoleKept,
    FormerRoleRemoved,
    FormerRoleUnread,
    RolesKept,
)
from cloudcraft_onboard.plan.diff import RolePlan, plan_removal
from cloudcraft_onboard.plan.registration import Listing, foreign_note, former_roles

# How often a role is read again if policies are attached to it while it is being emptied.
_RACES = 4

Notes = tuple[Note, ...]
"""What is kept of a role, and why."""


@frozen
class Scope:
    """How far a removal goes: no role at all, or also roles that others use."""

    keep_roles: bool = False
    force: bool = False


@frozen
class Target:
    """A role that a removal is about: the manifest's, or one that a registration names instead.

    `former` is the latter's ARN. Of `desired`, name, policies and trust count.
    """

    desired: DesiredRole
    former: Arn | None = None


@frozen
class RoleRemoval:
    """What takes an account's roles away; `arn` is the manifest's role.

    `targets` are the roles that `changes` and `notes` are about; `kept` are the notes on others.
    """

    arn: str | None = None
    targets: tuple[Target, ...] = ()
    changes: tuple[RoleChange | DeleteByStackSet, ...] = ()
    notes: tuple[Note, ...] = ()
    kept: tuple[Note, ...] = ()
    by_stack_set: bool = False


@frozen
class Removal:
    """What there is of an account, what takes it away, and (notes) what stays and why.

    `targets` are the roles to delete. `by_stack_set`: the role goes with the account's instance of
    a stack set. `besides` are the notes on what stays whatever becomes of these roles.
    """

    account: Account
    account_id: str
    registrations: tuple[Registration, ...]
    targets: tuple[Target, ...] = ()
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


def looks_at_roles(account: Account, scope: Scope) -> bool:
    """Whether what becomes of the account's roles depends on what they are like."""
    return _why_kept(account, scope) is None


def needs_aws(account: Account, scope: Scope) -> bool:
    """Whether the account has to be reached: for its roles, or because its ID is not known."""
    return account.account_id is None or looks_at_roles(account, scope)


def observe_account(
    account: Account, snapshot: Snapshot, aws: Aws, claims: Claims, scope: Scope
) -> Steps[Removal]:
    """Find out what there is of an account whose role no stack set brought; reads only.

    Raises:
        AccountError: what went wrong, with its stage; `AccountPending` where it is no failure.
    """
    listing = snapshot.listing
    needed = needs_aws(account, scope)
    entered = yield from enter(account, listing, aws, claims, needed=needed)
    account_id, session = entered.account_id, entered.session
    if entered.foreign is not None:
        return _left_alone(account, entered.foreign, account_id)
    kept = _why_kept(account, scope)
    if kept is not None or session is None:
        role = RoleRemoval(notes=(kept,) if kept else ())
    else:
        yield StepStarted(name=account.name, step="reading the role")
        found: list[tuple[Target, _Found]] = []
        for target in _targets(account, session.identity, snapshot):
            found += [(target, (yield from _look(session, target, scope)))]
        role = _role_removal(found)
    return removal_of(account, account_id, listing, role)


def _role_removal(found: Sequence[tuple[Target, _Found]]) -> RoleRemoval:
    """Roles that are kept need no further look; the manifest's is the first one."""
    todo = [(target, each) for target, each in found if each.plan.changes]
    kept = [each for _, each in found if not each.plan.changes]
    return RoleRemoval(
        arn=found[0][1].arn,
        targets=tuple(target for target, _ in todo),
        changes=tuple(change for _, each in todo for change in each.plan.changes),
        notes=tuple(note for _, each in todo for note in each.plan.notes),
        kept=tuple(note for each in kept for note in each.plan.notes),
    )


def removal_of(account: Account, account_id: str, listing: Listing, role: RoleRemoval) -> Removal:
    """What there is of the account in Cloudcraft beside its role."""
    registrations = listing.of(account_id) if account_id else ()
    besides = (*listing.besides(account_id), *role.kept)
    return Removal(
        account=account,
        account_id=account_id,
        registrations=registrations,
        targets=role.targets,
        role_changes=role.changes,
        role_arn=role.arn or (registrations[0].role_arn if registrations else None),
        notes=(*besides, *role.notes),
        besides=besides,
        by_stack_set=role.by_stack_set,
    )


def remove_roles(removal: Removal, aws: Aws, scope: Scope) -> Steps[Notes]:
    """Take the account's roles away as they are now; notes on those that are kept.

    The account is reached and its roles read again: at Cloudcraft's pace hours may lie between the
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
            cause=Cause(
                row=ours.CREDENTIALS_MOVED,
                facts=Facts(name=account.name, account=removal.account_id, other=found),
            ),
        )
    notes: list[Note] = []
    for target in removal.targets:
        notes += yield from _remove(account.name, session, target, scope)
    return tuple(notes)


def _remove(
    name: str, session: AccountSession, target: Target, scope: Scope
) -> Steps[tuple[Note, ...]]:
    """Take one role away, unless it is kept."""
    for _ in range(_RACES):
        plan = (yield from _look(session, target, scope, seen=True)).plan
        try:
            for change in plan.changes:
                yield StepStarted(name=name, step=change.action.word)
                session.apply(change, target.desired, None)
                yield Changed(name=name, change=change)
        except ConcurrentChange:
            continue
        return plan.notes
    raise AccountError(
        Stage.ROLE,
        "ConcurrentChange",
        f"The role {target.desired.name} in {session.identity.account_id} keeps getting new"
        " policies.",
        cause=Cause(
            row=ours.ROLE_CHANGES,
            facts=Facts(role_name=target.desired.name, account=session.identity.account_id),
        ),
    )


# --- inside -------------------------------------------------------------------------------------


def _left_alone(account: Account, foreign: Registration, account_id: str) -> Removal:
    """An account that another source brought into Cloudcraft keeps what it has."""
    return Removal(
        account=account,
        account_id=account_id,
        registrations=(),
        role_arn=foreign.role_arn or None,
        notes=(foreign_note(foreign),),
    )


def _why_kept(account: Account, scope: Scope) -> Note | None:
    """Why the role stays without being read; None where that depends on the role."""
    if account.role.via is Via.EXISTING:
        return ExistingRoleKept()
    return RolesKept() if scope.keep_roles else None


def _targets(account: Account, identity: Identity, snapshot: Snapshot) -> tuple[Target, ...]:
    """The manifest's role, then those that the account's registrations name instead."""
    desired = wanted_role(account, identity, snapshot)
    registrations = snapshot.listing.of(identity.account_id)
    former = [
        Target(desired=replace(desired, name=arn.name, path=arn.path), former=arn)
        for arn in former_roles(registrations, desired.name)
    ]
    return (Target(desired=desired), *former)


@frozen
class _Found:
    """A role's ARN, None where there is no such role, and what becomes of it."""

    arn: str | None
    plan: RolePlan


def _look(
    session: AccountSession, target: Target, scope: Scope, *, seen: bool = False
) -> Steps[_Found]:
    """Read a role, and say what takes it away.

    `seen`: it was there a while ago, so it is not gone because one call says so.
    """
    former = target.former
    propagation = Propagation(target.desired.name, session.identity.account_id)
    while True:
        try:
            observed = session.observe(target.desired.name, inline=True)
        except ConcurrentChange:
            yield propagation.pause()
            continue
        except AccountError as error:
            if former is None or error.transient or isinstance(error, AccountPending):
                raise
            # One that was not made here need not be readable (`onboard permissions`).
            unread = FormerRoleUnread(arn=str(former), why=error.message)
            return _Found(arn=None, plan=RolePlan(notes=(unread,)))
        if observed is not None or not seen:
            break
        seen = False
        yield propagation.pause()
    if observed is None or (former is not None and observed.arn != str(former)):
        return _Found(arn=None, plan=RolePlan())
    plan = plan_removal(target.desired, observed, force=scope.force, former=former is not None)
    if former is not None and plan.changes:
        plan = replace(plan, notes=(*plan.notes, FormerRoleRemoved(arn=observed.arn)))
    return _Found(arn=observed.arn, plan=plan)
