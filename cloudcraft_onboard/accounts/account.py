"""One account's AWS side: reach it, observe its role, plan, and (in a run) apply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cloudcraft_onboard.accounts.entry import Claims, Snapshot, enter, wanted_role
from cloudcraft_onboard.accounts.facts import Changed, Steps
from cloudcraft_onboard.accounts.ports import AccountSession, Aws
from cloudcraft_onboard.accounts.propagation import Propagation
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    Account,
    Change,
    DesiredRole,
    Identity,
    Note,
    ObservedRole,
    Registration,
    RegistrationSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.changes import CreateRole, UpdateTrust
from cloudcraft_onboard.model.notes import RegisteredBefore
from cloudcraft_onboard.model.role_notes import FormerRole
from cloudcraft_onboard.plan.diff import RolePlan, plan_role
from cloudcraft_onboard.plan.partitions import partition_notes
from cloudcraft_onboard.plan.registration import (
    access_ids,
    access_names,
    foreign_note,
    former_roles,
    is_another_users,
    plan_registration,
)

# How often a role is read again if another run makes or removes it at the same time.
_RACES = 4
# What decides whether Cloudcraft can assume the role; IAM needs some seconds to propagate it.
_SEEN_BY_CLOUDCRAFT = (CreateRole, UpdateTrust)


@frozen
class RoleReady:
    """An account whose AWS side is done (in a plan: compared), and what Cloudcraft needs of it.

    `age` is how many seconds ago the role was made or its trust changed, as far as known; None:
    long ago. `another_users`: it is registered with another user's external ID.
    """

    account: Account
    spec: RegistrationSpec
    registration: Registration | None
    role_changes: tuple[Change, ...]
    registration_changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    age: float | None
    another_users: bool = False


def work_account(
    account: Account, snapshot: Snapshot, aws: Aws, claims: Claims, *, apply: bool
) -> Steps[RoleReady]:
    """Bring one account's role to its desired state (`apply`), or only find out what that takes.

    Raises:
        AccountError: what went wrong, with its stage; `AccountPending` where it is no failure.
    """
    needed = account.role.via is not Via.EXISTING
    entered = yield from enter(account, snapshot.listing, aws, claims, needed=needed)
    if entered.foreign is not None:
        return left_alone(account, entered.foreign, entered.account_id)
    access = access_of(account, snapshot)
    if entered.session is None:
        role = _existing(account)
    else:
        role = yield from _bring_role(account, entered.session, snapshot, apply=apply)
    return ready_of(account, snapshot, access, role)


AccessIds = tuple[tuple[str, ...] | None, tuple[str, ...] | None]
"""IDs of those who may read, and write; None: as it is."""


@frozen
class RoleState:
    """An account's role as a run leaves it, or as a plan finds it; `age` as in `RoleReady`."""

    account_id: str
    arn: str
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    age: float | None = None


def access_of(account: Account, snapshot: Snapshot) -> AccessIds:
    """Who is to see and change the account. Raises `AccountError` for a team that isn't there."""
    return access_ids(account.read_access, snapshot.teams), access_ids(
        account.write_access, snapshot.teams
    )


def left_alone(account: Account, foreign: Registration, account_id: str) -> RoleReady:
    """An account that another source brought into Cloudcraft: there is nothing to do."""
    return RoleReady(
        account=account,
        spec=RegistrationSpec(
            account_id=account_id,
            name=account.name,
            role_arn=foreign.role_arn,
            region=account.region,
        ),
        registration=foreign,
        role_changes=(),
        registration_changes=(),
        notes=(foreign_note(foreign),),
        age=None,
    )


def ready_of(account: Account, snapshot: Snapshot, access: AccessIds, role: RoleState) -> RoleReady:
    """The account set beside its registration."""
    spec = RegistrationSpec(
        account_id=role.account_id,
        name=account.name,
        role_arn=role.arn,
        region=account.region,
        read_access=access[0],
        write_access=access[1],
    )
    registrations = snapshot.listing.of(role.account_id)
    registration = registrations[0] if registrations else None
    former = former_roles(registrations, account.role.name)
    entered = account.role.via is Via.ASSUME
    return RoleReady(
        account=account,
        spec=spec,
        registration=registration,
        role_changes=role.changes,
        registration_changes=plan_registration(spec, registration, access_names(snapshot.teams)),
        notes=(
            *role.notes,
            *(FormerRole(arn=str(arn), entered=entered) for arn in former),
            *partition_notes(role.arn),
            *_doubled_before(registrations),
        ),
        age=role.age,
        another_users=registration is not None
        and is_another_users(registration, snapshot.parameters),
    )


def _existing(account: Account) -> RoleState:
    arn = account.expected_role_arn
    if account.account_id is None or arn is None:  # the manifest's rules exclude it
        raise AccountError(
            Stage.REACH,
            "NoAccountId",
            "`role.via: existing` needs `account_id`.",
            cause=Cause(row=ours.NO_ACCOUNT_ID, facts=Facts(name=account.name)),
        )
    return RoleState(account_id=account.account_id, arn=arn)


def _bring_role(
    account: Account,
    session: AccountSession,
    snapshot: Snapshot,
    *,
    apply: bool,
) -> Steps[RoleState]:
    done: list[Change] = []
    problem: AccountError | None = None
    identity = session.identity
    desired = wanted_role(account, identity, snapshot)
    propagation = Propagation(desired.name, identity.account_id)
    races = 0
    while races < _RACES:
        made = any(isinstance(change, CreateRole) for change in done)
        observed = yield from _observe(account.name, session, desired, propagation, made=made)
        plan = plan_role(desired, observed)
        if plan.conflict is not None:
            raise AccountError.of(plan.conflict)
        arn = observed.arn if observed else role_arn(desired, identity)
        if not apply:
            denied = session.would_be_denied(plan.changes, desired, observed)
            return RoleState(
                account_id=identity.account_id,
                arn=arn,
                changes=plan.changes,
                notes=(*denied, *plan.notes),
            )
        try:
            arn = (
                yield from _apply(session, plan, desired, observed, name=account.name, done=done)
            ) or arn
        except ConcurrentChange as race:
            if any(isinstance(change, CreateRole) for change in done):
                yield propagation.pause()
                continue
            races += 1
            # A role that cannot be made since there is one, though none is found, is no race.
            problem = race.problem if observed is None else None
            continue
        return RoleState(
            account_id=identity.account_id,
            arn=arn,
            changes=tuple(done),
            notes=plan.notes,
            age=_age(done, observed),
        )
    raise problem or _keeps_changing(desired.name, identity.account_id)


def _apply(
    session: AccountSession,
    plan: RolePlan,
    desired: DesiredRole,
    observed: ObservedRole | None,
    *,
    name: str,
    done: list[Change],
) -> Steps[str | None]:
    """Make the changes, each added to `done`; returns the ARN that AWS gave, if it made a role."""
    arn: str | None = None
    for change in plan.changes:
        yield StepStarted(name=name, step=change.action.word)
        arn = session.apply(change, desired, observed) or arn
        done.append(change)
        yield Changed(name=name, change=change)
    return arn


def _keeps_changing(role: str, account_id: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "ConcurrentChange",
        f"The role {role} in {account_id} keeps changing during its update.",
        cause=Cause(row=ours.ROLE_CHANGES, facts=Facts(role_name=role, account=account_id)),
    )


def _observe(
    name: str,
    session: AccountSession,
    desired: DesiredRole,
    propagation: Propagation,
    *,
    made: bool,
) -> Steps[ObservedRole | None]:
    """Read the role; one that this run `made` is waited for until IAM shows it."""
    while True:
        yield StepStarted(name=name, step="reading the role")
        try:
            observed = session.observe(desired.name, inline=bool(desired.inline))
        except ConcurrentChange:
            pass  # one call saw it, and the next one not yet, or no more
        else:
            if observed is not None or not made:
                return observed
        yield propagation.pause()


def _age(done: Iterable[Change], observed: ObservedRole | None) -> float | None:
    """How many seconds ago what Cloudcraft has to see of the role was made, as far as known."""
    if any(isinstance(change, _SEEN_BY_CLOUDCRAFT) for change in done):
        return 0.0
    return age_of(observed.created_at if observed else None)


def role_arn(role: DesiredRole, identity: Identity) -> str:
    """The ARN that the role will get."""
    return str(Arn.role(identity.partition, identity.account_id, role.name, path=role.path))


def age_of(created_at: datetime | None) -> float | None:
    """How many seconds ago that was, as far as known."""
    if created_at is None:
        return None
    # IAM's clock and this machine's may differ; a role "from the future" is brand-new.
    return max(0.0, (datetime.now(UTC) - created_at).total_seconds())


def _doubled_before(registrations: Sequence[Registration]) -> tuple[Note, ...]:
    ids = tuple(registration.id for registration in registrations)
    return (RegisteredBefore(ids=ids),) if len(ids) > 1 else ()
