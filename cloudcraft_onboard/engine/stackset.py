"""Accounts whose role a stack set rolls out: one operation for many, each registered as it is done.

Observe, plan one operation, start it, follow it, observe again, until nothing is to be done. An
operation that a killed run, or somebody else, started is waited for and then planned upon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cloudcraft_onboard.engine.account import (
    Access,
    RoleReady,
    RoleState,
    Snapshot,
    access_of,
    age_of,
    ready_of,
    wanted_role,
)
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Failed, Worked
from cloudcraft_onboard.engine.ports import Aws, StackSets
from cloudcraft_onboard.errors import AccountError, AccountPending, ConcurrentChange
from cloudcraft_onboard.events import Said, StepStarted
from cloudcraft_onboard.harmless import sentence
from cloudcraft_onboard.model import (
    Account,
    Change,
    DesiredStackSet,
    ObservedStackSet,
    Problem,
    RoleSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.plan.diff import plan_role
from cloudcraft_onboard.plan.registration import is_another_users, unlike_stack_set
from cloudcraft_onboard.plan.stackset import StackSetPlan, desired_stack_set, plan_stack_set

POLL_SECONDS = 3.0
"""How often CloudFormation is asked how far it is; an instance takes it some 20 seconds."""

Fact = StepStarted | Said | Worked | Failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """CloudFormation is done with an account; `reason` is why in vain, `error` why not at all."""

    account_id: str
    reason: str = ""
    error: AccountError | None = None


class Operations:
    """Waits for AWS on behalf of accounts; who has a word for one takes it out of `waiting`."""

    def __init__(self, name: str, waiting: dict[str, Account], control: Control) -> None:
        self.name = name
        self.waiting = waiting
        self._control = control
        self._shown = ""

    def show(self, step: str) -> Iterator[StepStarted]:
        """Tell the listeners what all accounts wait for, once."""
        if step != self._shown:
            self._shown = step
            for account in list(self.waiting.values()):
                yield StepStarted(name=account.name, step=step)

    def pause(self, operation_id: str = "") -> None:
        """Wait a little. Raises `AccountPending` when the run is stopped."""
        if not self._control.abandoning and not self._control.stopped.wait(POLL_SECONDS):
            return
        doing = f"operation {operation_id}" if operation_id else "another operation"
        raise AccountPending(
            Stage.ROLE,
            "OperationInProgress",
            f"CloudFormation has not finished {doing} on the stack set {self.name}.",
        )

    def check(self, problem: Problem | None) -> None:
        """Raise `AccountError` if there is a problem."""
        if problem is not None:
            raise error_of(problem)

    def follow(
        self, sets: StackSets, operation_id: str, account_ids: Collection[str]
    ) -> Iterator[StepStarted | Followed]:
        """Each of the accounts as CloudFormation is done with it, until the operation has ended.

        Raises `AccountPending` when the run is stopped before.
        """
        shown: dict[str, str] = {}
        while True:
            operation = sets.operation(self.name, operation_id)
            for account_id in [each for each in self.waiting if each in account_ids]:
                status, reason = operation.results.get(account_id, ("", ""))
                if status == "SUCCEEDED":
                    yield Followed(account_id=account_id)
                elif status == "FAILED":
                    yield Followed(account_id=account_id, reason=reason or "no reason given")
                elif status == "CANCELLED":
                    error = _cancelled(operation_id, reason)
                    yield Followed(account_id=account_id, error=error)
                elif status and shown.get(account_id) != status:
                    shown[account_id] = status
                    step = f"stack instance {status.lower()}"
                    yield StepStarted(name=self.waiting[account_id].name, step=step)
            if operation.ended:
                return
            self.pause(operation_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """One stack set and the accounts that get their role by it; they all have an ID."""

    role: RoleSpec
    accounts: tuple[Account, ...]


def rollouts(accounts: Iterable[Account]) -> tuple[Rollout, ...]:
    """The accounts that a stack set serves, by stack set."""
    return tuple(Rollout(role=group[0].role, accounts=group) for group in by_stack_set(accounts))


def by_stack_set(accounts: Iterable[Account]) -> tuple[tuple[Account, ...], ...]:
    """The accounts of each stack set; the manifest's rules see to it that their roles are alike."""
    groups: dict[str, list[Account]] = {}
    for account in accounts:
        if account.role.via is Via.STACKSET:
            groups.setdefault(account.role.stackset.name, []).append(account)
    return tuple(map(tuple, groups.values()))


def by_id(accounts: Iterable[Account]) -> dict[str, Account]:
    """The accounts by their ID, which the manifest's rules demand of them."""
    return {account.account_id: account for account in accounts if account.account_id}


def roll_out(
    rollout: Rollout, snapshot: Snapshot, aws: Aws, control: Control, *, apply: bool
) -> Iterator[Fact | Account]:
    """Bring one stack set to its desired state (`apply`), or only find out what that takes.

    The management account, which no stack set covers, is handed back as it is, and so are accounts
    that somebody else brought into Cloudcraft: they go the direct way. Raises `AccountError`, the
    problem of every account without a word.
    """
    waiting = by_id(rollout.accounts)
    for account_id in [each for each in waiting if snapshot.listing.foreign(each)]:
        yield waiting.pop(account_id)
    if not waiting:
        return
    operations = Operations(rollout.role.stackset.name, waiting, control)
    yield from operations.show("reading the stack set")
    sets = aws.stack_sets(rollout.role.stackset)
    organization = sets.organization()
    management = waiting.pop(organization.management, None)
    if management is not None:
        yield management
    roller = _Roller(rollout, snapshot, sets, operations, control, apply=apply)
    yield from roller.set_aside()
    if waiting:
        a_role = wanted_role(rollout.accounts[0], sets.identity, snapshot)
        operations.check(plan_role(a_role, None).conflict)
        desired = desired_stack_set(
            rollout.role, organization, snapshot.parameters, snapshot.documents
        )
        yield from roller.bring(desired)


class _Roller:
    """One stack set's rollout, its management account taken out already."""

    def __init__(
        self,
        rollout: Rollout,
        snapshot: Snapshot,
        sets: StackSets,
        operations: Operations,
        control: Control,
        *,
        apply: bool,
    ) -> None:
        self._role = rollout.role
        self._name = rollout.role.stackset.name
        self._snapshot = snapshot
        self._sets = sets
        self._operations = operations
        self._waiting = operations.waiting
        self._control = control
        self._apply = apply
        self._access: dict[str, Access] = {}
        self._started = control.clock()

    def set_aside(self) -> Iterator[Failed]:
        """The accounts that the stack set cannot be for."""
        for account_id, account in list(self._waiting.items()):
            try:
                self._check_external_id(account_id)
                self._access[account_id] = access_of(account, self._snapshot)
            except AccountError as error:
                yield self._failed(account_id, error)

    def _check_external_id(self, account_id: str) -> None:
        """The stack set has one external ID; an account registered with another would break."""
        registration = self._snapshot.listing.oldest(account_id)
        if registration and is_another_users(registration, self._snapshot.parameters):
            message, hint = unlike_stack_set(registration, self._name)
            raise AccountError(Stage.ROLE, "ExternalIdDiffers", message, hint=hint)

    # --- operations -------------------------------------------------------------------------

    def bring(self, desired: DesiredStackSet) -> Iterator[Fact]:
        """One operation after the other, until nothing is to be done."""
        sets = self._sets
        updated = filled = False
        tried: set[str] = set()
        while True:
            observed = sets.observe(self._name)
            plan = plan_stack_set(desired, observed, tuple(self._waiting))
            self._operations.check(plan.conflict)
            yield from self._those_done(plan, observed)
            if not self._apply:
                yield from self._tell_plan(plan, observed)
                return
            if observed is not None and observed.busy:
                yield from self._operations.show("waiting for another operation on the stack set")
                self._operations.pause()
                continue
            yield from self._those_left_out(tried.intersection(plan.changes))
            try:
                if plan.create:
                    sets.create(desired)
                elif plan.differs and not updated:
                    yield from self._follow(sets.update(desired), plan.changes)
                    updated = True
                elif plan.differs:
                    raise _unstable(self._name, plan.differs)
                elif tried.issuperset(plan.changes) and (filled or not plan.units):
                    return
                else:
                    operation_id = sets.fill(self._name, plan.units, plan.accounts)
                    tried.update(plan.changes)
                    filled = True
                    yield from self._follow(operation_id, plan.changes)
            except ConcurrentChange:
                self._operations.pause()

    def _those_done(
        self, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> Iterator[Worked | Failed]:
        """The accounts that need nothing, or that no operation can help."""
        for account_id, problem in plan.problems.items():
            yield self._failed(account_id, error_of(problem))
        if observed is None or observed.busy == "DELETE":
            return
        for account_id in [each for each in self._waiting if each not in plan.changes]:
            yield self._ready(account_id, (), plan.notes, age_of(observed.changed_at))

    def _tell_plan(
        self, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> Iterator[Said | Worked]:
        busy = observed is not None and observed.busy
        spec = self._role.stackset
        home = f"{spec.region}, account {self._sets.identity.account_id}"
        notes = [*plan.notes, f"Rolled out by the stack set {self._name} ({home})."]
        if busy:
            notes.append("Another operation on the stack set is in progress.")
        if plan.create:
            where = "its organizational units" if spec.organizational_units else "the organization"
            notes.append(f"Accounts that join {where} later get the role automatically.")
        if plan.units and not plan.accounts:
            yield Said(text=f"The stack set {self._name} targets {', '.join(plan.units)}.")
        for account_id in list(self._waiting):
            change = plan.changes.get(account_id)
            yield self._ready(account_id, (change,) if change else (), tuple(notes), None)

    def _follow(self, operation_id: str, changes: Mapping[str, Change]) -> Iterator[Fact]:
        self._started = self._control.clock()
        for fact in self._operations.follow(self._sets, operation_id, changes):
            match fact:
                case StepStarted():
                    yield fact
                case Followed(account_id=account_id, error=AccountError() as error):
                    yield self._failed(account_id, error)
                case Followed(account_id=account_id, reason="", error=None):
                    yield self._ready(account_id, (changes[account_id],), (), 0.0)
                case Followed(account_id=account_id, reason=reason):
                    yield self._failed(account_id, self._sets.explain(self._role, reason))

    def _those_left_out(self, account_ids: Iterable[str]) -> Iterator[Failed]:
        """An operation that made instances ended without a word about these accounts."""
        role = self._role
        for account_id in account_ids:
            units = ", ".join(role.stackset.organizational_units) or "the organization"
            error = AccountError(
                Stage.ROLE,
                "NoStackInstance",
                f"CloudFormation made no instance of the stack set {self._name} in {account_id}.",
                hint=f"Check that the account is in {units} and active (`aws organizations"
                f" describe-account --account-id {account_id}`); an account elsewhere needs"
                " `role.via: assume`.",
            )
            yield self._failed(account_id, error)

    # --- ends -------------------------------------------------------------------------------

    def _ready(
        self,
        account_id: str,
        changes: tuple[Change, ...],
        notes: tuple[str, ...],
        age: float | None,
    ) -> Worked:
        account = self._waiting.pop(account_id)
        arn = f"arn:{self._sets.identity.partition}:iam::{account_id}:role"
        role = RoleState(
            account_id=account_id,
            arn=f"{arn}{account.role.path}{account.role.name}",
            changes=changes,
            notes=notes,
            age=age,
        )
        seconds = self._control.clock() - self._started
        ready: RoleReady = ready_of(
            account, self._snapshot, self._access[account_id], role, seconds
        )
        return Worked(name=account.name, value=ready)

    def _failed(self, account_id: str, error: Exception) -> Failed:
        return Failed(name=self._waiting.pop(account_id).name, error=error)


def error_of(problem: Problem) -> AccountError:
    """A problem as what is raised for it."""
    return AccountError(problem.stage, problem.code, problem.message, hint=problem.hint)


def _cancelled(operation_id: str, reason: str) -> AccountPending:
    why = reason or "it was stopped, or more accounts failed than failure_tolerance_percentage"
    return AccountPending(
        Stage.ROLE,
        "Cancelled",
        f"CloudFormation did not reach this account in operation {operation_id}: {sentence(why)}",
    )


def _unstable(name: str, differs: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "ConcurrentChange",
        f"The stack set {name} was updated, but differs again: {differs}.",
        hint="Another program manages the same stack set. Stop one of the two, then run again.",
    )
