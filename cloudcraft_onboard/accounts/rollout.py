"""Accounts whose role a stack set rolls out: one operation for many, each registered when done.

Observe, plan one operation, start it, follow it, observe again, until nothing is left to do. An
operation that is in progress already is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cloudcraft_onboard.accounts.account import (
    AccessIds,
    RoleReady,
    RoleState,
    access_of,
    age_of,
    ready_of,
)
from cloudcraft_onboard.accounts.entry import Snapshot, wanted_role
from cloudcraft_onboard.accounts.facts import Failed, Words, Worked
from cloudcraft_onboard.accounts.ports import Aws
from cloudcraft_onboard.accounts.stackset import OpenStackSet, StackSetAccounts, open_stack_set
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.model import Change, DesiredStackSet, Note, ObservedStackSet, Stage
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.differences import StackSetDifference, clauses
from cloudcraft_onboard.model.role_notes import JoinersCovered, RolledOut, StackSetBusy
from cloudcraft_onboard.plan.diff import plan_role
from cloudcraft_onboard.plan.registration import is_another_users, unlike_stack_set
from cloudcraft_onboard.plan.stackset import StackSetPlan, desired_stack_set, plan_stack_set


def roll_out(
    group: StackSetAccounts, snapshot: Snapshot, aws: Aws, *, apply: bool
) -> Words[RoleReady]:
    """Bring one stack set to its desired state (`apply`), or only find out what that takes.

    Accounts that it is not for are handed back (`open_stack_set`). Raises `AccountError`, the
    problem of every account without a result.
    """
    opened = yield from open_stack_set(group, snapshot.listing, aws)
    if opened is None:
        return
    roller = _Roller(group, snapshot, opened, apply=apply)
    yield from roller.set_aside()
    if opened.operations.waiting:
        a_role = wanted_role(group.accounts[0], opened.sets.identity, snapshot)
        opened.operations.check(plan_role(a_role, None).conflict)
        desired = desired_stack_set(
            group.role, opened.organization, snapshot.parameters, snapshot.documents
        )
        yield from roller.bring(desired)


class _Roller:
    """One stack set's rollout, its management account taken out already."""

    def __init__(
        self, group: StackSetAccounts, snapshot: Snapshot, opened: OpenStackSet, *, apply: bool
    ) -> None:
        self._role = group.role
        self._name = group.name
        self._snapshot = snapshot
        self._sets = opened.sets
        self._operations = opened.operations
        self._waiting = opened.operations.waiting
        self._apply = apply
        self._access: dict[str, AccessIds] = {}

    def set_aside(self) -> Iterator[Failed]:
        """The accounts that the stack set cannot serve."""
        for account_id, account in list(self._waiting.items()):
            try:
                self._check_external_id(account_id)
                self._access[account_id] = access_of(account, self._snapshot)
            except AccountError as error:
                yield self._operations.failed(account_id, error)

    def _check_external_id(self, account_id: str) -> None:
        """The stack set has one external ID; an account registered with another would break."""
        registration = self._snapshot.listing.oldest(account_id)
        if registration and is_another_users(registration, self._snapshot.parameters):
            raise AccountError.of(unlike_stack_set(registration, self._name))

    # --- operations -------------------------------------------------------------------------

    def bring(self, desired: DesiredStackSet) -> Words[RoleReady]:
        """One operation after the other, until nothing is left to do."""
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
                yield from self._operations.wait(observed.busy_id, observed.busy_since)
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
                yield self._operations.pause()

    def _those_done(
        self, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> Iterator[Worked[RoleReady] | Failed]:
        """The accounts that need no operation, or that none can help."""
        for account_id, problem in plan.problems.items():
            yield self._operations.failed(account_id, AccountError.of(problem))
        if observed is None or observed.busy == "DELETE":
            return
        for account_id in [each for each in self._waiting if each not in plan.changes]:
            yield self._ready(account_id, (), plan.notes, age_of(observed.changed_at))

    def _tell_plan(
        self, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> Iterator[Said | Worked[RoleReady]]:
        busy = observed is not None and observed.busy
        spec = self._role.stackset
        home = self._sets.identity.account_id
        notes: list[Note] = [*plan.notes]
        notes.append(RolledOut(stack_set=self._name, region=spec.region, account_id=home))
        if busy:
            notes.append(StackSetBusy())
        if plan.create:
            notes.append(JoinersCovered(organizational_units=bool(spec.organizational_units)))
        if plan.units and not plan.accounts:
            yield Said(text=f"The stack set {self._name} targets {', '.join(plan.units)}.")
        for account_id in list(self._waiting):
            change = plan.changes.get(account_id)
            yield self._ready(account_id, (change,) if change else (), tuple(notes), None)

    def _follow(self, operation_id: str, changes: Mapping[str, Change]) -> Words[RoleReady]:
        def done(account_id: str) -> Iterator[Worked[RoleReady]]:
            yield self._ready(account_id, (changes[account_id],), (), 0.0)

        def why(account_id: str, reason: str) -> AccountError:
            return self._sets.explain(self._role, reason, account_id)

        yield from self._operations.follow(self._sets, operation_id, changes, done=done, why=why)

    def _those_left_out(self, account_ids: Iterable[str]) -> Iterator[Failed]:
        """An operation that made instances ended without naming these accounts."""
        role = self._role
        for account_id in account_ids:
            units = ", ".join(role.stackset.organizational_units) or "the organization"
            error = AccountError(
                Stage.ROLE,
                "NoStackInstance",
                f"CloudFormation made no instance of the stack set {self._name} in {account_id}.",
                cause=Cause(
                    row=ours.NO_INSTANCE,
                    facts=Facts(account=account_id, stack=self._name, units=units),
                ),
            )
            yield self._operations.failed(account_id, error)

    # --- ends -------------------------------------------------------------------------------

    def _ready(
        self,
        account_id: str,
        changes: tuple[Change, ...],
        notes: tuple[Note, ...],
        age: float | None,
    ) -> Worked[RoleReady]:
        account = self._waiting.pop(account_id)
        spec = account.role
        arn = Arn.role(self._sets.identity.partition, account_id, spec.name, path=spec.path)
        role = RoleState(
            account_id=account_id,
            arn=str(arn),
            changes=changes,
            notes=notes,
            age=age,
        )
        ready = ready_of(account, self._snapshot, self._access[account_id], role)
        return Worked(name=account.name, value=ready)


def _unstable(name: str, differs: Iterable[StackSetDifference]) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "ConcurrentChange",
        f"The stack set {name} was updated, but differs again: {clauses(differs)}.",
        cause=Cause(row=ours.STACK_SET_CHANGES, facts=Facts(stack=name)),
    )
