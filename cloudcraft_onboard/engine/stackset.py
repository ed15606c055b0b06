"""Accounts whose role a stack set rolls out: one operation for many, each registered as it is done.

Observe, plan one operation, start it, follow it, observe again, until nothing is to be done. An
operation that a killed run, or somebody else, started is waited for and then planned upon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cloudcraft_onboard.engine.account import (
    Access,
    Look,
    RoleReady,
    RoleState,
    access_of,
    age_of,
    ready_of,
    wanted_role,
)
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.ports import Aws, StackSets
from cloudcraft_onboard.engine.watch import Watch, error_of, raise_problem
from cloudcraft_onboard.errors import AccountError, Raced
from cloudcraft_onboard.events import Event, Said
from cloudcraft_onboard.model import (
    Account,
    Change,
    DesiredStackSet,
    ObservedStackSet,
    Organization,
    RoleSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.plan.diff import plan_role
from cloudcraft_onboard.plan.registration import is_another_users, unlike_stack_set
from cloudcraft_onboard.plan.stackset import StackSetPlan, desired_stack_set, plan_stack_set

Work = Callable[[Account, list[Change]], RoleReady]
"""One account's work: its changes go into the list, what it raises is the account's problem."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """One stack set and the accounts that get their role by it; they all have an ID."""

    role: RoleSpec
    accounts: tuple[Account, ...]


def rollouts(accounts: Iterable[Account]) -> tuple[Rollout, ...]:
    """The accounts that a stack set serves, by stack set.

    The manifest's rules see to it that the accounts of one stack set ask for the same role.
    """
    groups: dict[str, list[Account]] = {}
    for account in accounts:
        if account.role.via is Via.STACKSET:
            groups.setdefault(account.role.stackset.name, []).append(account)
    return tuple(Rollout(role=group[0].role, accounts=tuple(group)) for group in groups.values())


class Roller:
    """Brings one stack set to its desired state (`apply`), or only finds out what that takes.

    `conclude` takes an account and its work, and sees to whatever comes of it; `direct` is the
    work of an account whose role is made without a stack set.
    """

    def __init__(
        self,
        rollout: Rollout,
        look: Look,
        aws: Aws,
        control: Control,
        *,
        apply: bool,
        emit: Callable[[Event], None],
        conclude: Callable[[Account, Work], None],
        direct: Work,
    ) -> None:
        self._rollout = rollout
        self._name = rollout.role.stackset.name
        self._look = look
        self._aws = aws
        self._control = control
        self._apply = apply
        self._emit = emit
        self._conclude = conclude
        self._direct = direct
        waiting = {each.account_id: each for each in rollout.accounts if each.account_id}
        self._watch = Watch(self._name, waiting, control, emit)
        self._waiting = waiting
        self._access: dict[str, Access] = {}
        self._started = control.clock()

    def run(self) -> None:
        """See every account concluded, whatever happens."""
        try:
            self._leave_foreign_alone()
            if not self._waiting:
                return
            self._watch.show("reading the stack set")
            sets = self._aws.stack_sets(self._rollout.role.stackset)
            organization = sets.organization()
            self._set_aside(organization)
            if self._waiting:
                self._bring(sets, self._desired(sets, organization))
        except Exception as error:  # noqa: BLE001 - it is the problem of every account that waits
            for account in list(self._waiting.values()):
                self._end(account, error)

    # --- before the first operation ---------------------------------------------------------

    def _leave_foreign_alone(self) -> None:
        """Conclude the accounts that somebody else brought into Cloudcraft."""
        for account_id, account in list(self._waiting.items()):
            if self._look.listing.foreign(account_id) is not None:
                del self._waiting[account_id]
                self._conclude(account, self._direct)

    def _set_aside(self, organization: Organization) -> None:
        """Conclude the accounts that the stack set is not for, or cannot be."""
        for account_id, account in list(self._waiting.items()):
            if account_id == organization.management:
                del self._waiting[account_id]
                self._conclude(account, self._direct)
                continue
            try:
                self._check_external_id(account_id)
                self._access[account_id] = access_of(account, self._look)
            except AccountError as error:
                self._end(account, error)

    def _check_external_id(self, account_id: str) -> None:
        """The stack set has one external ID; an account registered with another would break."""
        registration = self._look.listing.oldest(account_id)
        if registration and is_another_users(registration, self._look.parameters):
            message, hint = unlike_stack_set(registration, self._name)
            raise AccountError(Stage.ROLE, "ExternalIdDiffers", message, hint=hint)

    def _desired(self, sets: StackSets, organization: Organization) -> DesiredStackSet:
        look, role = self._look, self._rollout.role
        a_role = wanted_role(self._rollout.accounts[0], sets.identity, look)
        raise_problem(plan_role(a_role, None).conflict)
        return desired_stack_set(role, organization, look.parameters, look.documents)

    # --- operations -------------------------------------------------------------------------

    def _bring(self, sets: StackSets, desired: DesiredStackSet) -> None:
        updated = filled = False
        tried: set[str] = set()
        while True:
            observed = sets.observe(self._name)
            plan = plan_stack_set(desired, observed, tuple(self._waiting))
            raise_problem(plan.conflict)
            self._finish_those_done(sets, plan, observed)
            if not self._apply:
                self._tell_plan(sets, plan, observed)
                return
            if observed is not None and observed.busy:
                self._watch.show("waiting for another operation of the stack set")
                self._watch.pause()
                continue
            self._fail_those_left_out(tried.intersection(plan.changes))
            try:
                if plan.create:
                    sets.create(desired)
                elif plan.differs and not updated:
                    self._follow(sets, sets.update(desired), plan.changes)
                    updated = True
                elif plan.differs:
                    raise _unstable(self._name, plan.differs)
                elif tried.issuperset(plan.changes) and (filled or not plan.units):
                    return
                else:
                    operation_id = sets.fill(self._name, plan.units, plan.accounts)
                    tried.update(plan.changes)
                    filled = True
                    self._follow(sets, operation_id, plan.changes)
            except Raced:
                self._watch.pause()

    def _finish_those_done(
        self, sets: StackSets, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> None:
        """Conclude the accounts that need nothing, or that no operation can help."""
        for account_id, problem in plan.problems.items():
            self._end(self._waiting[account_id], error_of(problem))
        if observed is None or observed.busy == "DELETE":
            return
        for account_id in [each for each in self._waiting if each not in plan.changes]:
            self._ready(sets, account_id, (), plan.notes, age_of(observed.changed_at))

    def _tell_plan(
        self, sets: StackSets, plan: StackSetPlan, observed: ObservedStackSet | None
    ) -> None:
        busy = observed is not None and observed.busy
        spec = self._rollout.role.stackset
        home = f"{spec.region}, account {sets.identity.account_id}"
        notes = [*plan.notes, f"By the stack set {self._name}, {home}."]
        if busy:
            notes.append("An operation of it is in progress.")
        if plan.create:
            where = "its organizational units" if spec.organizational_units else "the organization"
            notes.append(f"Accounts that join {where} later get the role too, by themselves.")
        if plan.units and not plan.accounts:
            self._emit(Said(text=f"The stack set {self._name} goes to {', '.join(plan.units)}."))
        for account_id in list(self._waiting):
            change = plan.changes.get(account_id)
            self._ready(sets, account_id, (change,) if change else (), tuple(notes), None)

    def _follow(self, sets: StackSets, operation_id: str, changes: Mapping[str, Change]) -> None:
        self._started = self._control.clock()
        self._watch.follow(
            sets,
            operation_id,
            changes,
            done=lambda account_id: self._ready(sets, account_id, (changes[account_id],), (), 0.0),
            failed=lambda account_id, error: self._end(self._waiting[account_id], error),
            explain=self._failed,
        )

    def _fail_those_left_out(self, account_ids: Iterable[str]) -> None:
        """An operation that made instances ended without a word about these accounts."""
        role = self._rollout.role
        for account_id in account_ids:
            units = ", ".join(role.stackset.organizational_units) or "the organization"
            error = AccountError(
                Stage.ROLE,
                "NoStackInstance",
                f"CloudFormation made no instance of the stack set {self._name} in {account_id}.",
                hint=f"Look whether the account is in {units} and active (`aws organizations"
                f" describe-account --account-id {account_id}`); one that is elsewhere needs"
                " `role.via: assume`.",
            )
            self._end(self._waiting[account_id], error)

    # --- ends -------------------------------------------------------------------------------

    def _ready(
        self,
        sets: StackSets,
        account_id: str,
        changes: tuple[Change, ...],
        notes: tuple[str, ...],
        age: float | None,
    ) -> None:
        account = self._waiting.pop(account_id)
        arn = f"arn:{sets.identity.partition}:iam::{account_id}:role"
        role = RoleState(
            account_id=account_id,
            arn=f"{arn}{account.role.path}{account.role.name}",
            changes=changes,
            notes=notes,
            age=age,
        )
        seconds = self._control.clock() - self._started
        ready = ready_of(account, self._look, self._access[account_id], role, seconds)
        self._conclude(account, lambda _account, _written: ready)

    def _failed(self, reason: str) -> AccountError:
        said = (hint for words, hint in _HINTS.items() if re.search(words, reason, re.IGNORECASE))
        role = self._rollout.role
        hint = next(said, _LOOK).format(
            role=role.name, name=self._name, region=role.stackset.region
        )
        message = f"CloudFormation could not bring the role into the account: {reason}"
        return AccountError(Stage.ROLE, "StackInstanceFailed", message, hint=hint)

    def _end(self, account: Account, error: Exception) -> None:
        self._waiting.pop(account.account_id or "", None)

        def fail(_account: Account, _written: list[Change]) -> RoleReady:
            raise error

        self._conclude(account, fail)


def _unstable(name: str, differs: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "Raced",
        f"The stack set {name} was updated and differs again: {differs}.",
        hint="Another program manages the same stack set; stop one of the two and run again.",
    )


_LOOK = (
    "Look at the events of the stack StackSet-{name}-... in the account, region {region}; mend the"
    " cause and run again."
)
_HINTS = {
    r"already exists": (
        "A role {role} is in the account already, and CloudFormation takes over nothing. Delete it"
        " first, give `role.name` another name, or give the account `role.via: assume`."
    ),
    r"not attachable|policy.*(does not|doesn't) exist|NoSuchEntity": (
        "A policy of the manifest is not there: plain names under `role.policies` are AWS-managed"
        " ones, and the `permissions_boundary` has to be made in the account first."
    ),
    r"service control polic|explicit deny|not authorized|access ?denied": (
        "Something in the account forbids it to CloudFormation, as a rule a service control policy:"
        " exempt the roles stacksets-exec-* from it."
    ),
    r"suspended|closed": (
        "The AWS account is suspended or closed. Have it reopened, or set `enabled: false`."
    ),
}
"""CloudFormation's reason, and what to do about it; the first that fits wins."""
