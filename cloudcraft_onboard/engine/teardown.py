"""The way back of roles that a stack set brought: one operation deletes many accounts' instances.

The role goes with its instance's stack, and the stack set itself with its last instance.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Changed, Failed, Worked
from cloudcraft_onboard.engine.ports import Aws, StackSets
from cloudcraft_onboard.engine.role_removal import RoleRemoval, removal_of
from cloudcraft_onboard.engine.stackset import Operations, by_id, by_stack_set
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import Said, StepStarted
from cloudcraft_onboard.harmless import sentence
from cloudcraft_onboard.model import Account, Action, Change, ObservedStackSet, RoleSpec, Stage
from cloudcraft_onboard.plan.registration import Listing
from cloudcraft_onboard.plan.stackset import not_ours

Fact = StepStarted | Said | Changed | Worked | Failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Teardown:
    """One stack set, and the accounts that are to lose their instance of it."""

    role: RoleSpec
    accounts: tuple[Account, ...]

    @property
    def name(self) -> str:
        """The stack set's name."""
        return self.role.stackset.name

    def change(self) -> Change:
        """What takes the role out of an account."""
        reason = f"with its instance of the stack set {self.name}"
        return Change(action=Action.DELETE_ROLE, reason=reason)


def teardowns(accounts: Iterable[Account]) -> tuple[Teardown, ...]:
    """The accounts by their stack set."""
    groups = by_stack_set(accounts)
    return tuple(Teardown(role=group[0].role, accounts=group) for group in groups)


def observe_teardown(teardown: Teardown, listing: Listing, aws: Aws) -> Iterator[Fact | Account]:
    """What there is of the accounts; the management account, which no stack set covers, as it is.

    Reads only. Raises `AccountError`, the problem of every account without a word.
    """
    started = time.monotonic()
    accounts = [each for each in teardown.accounts if not listing.foreign(each.account_id)]
    yield from (each for each in teardown.accounts if each not in accounts)
    if not accounts:
        return
    for account in accounts:
        yield StepStarted(name=account.name, step="reading the stack set")
    sets = aws.stack_sets(teardown.role.stackset)
    observed = sets.observe(teardown.name)
    management = sets.organization().management
    conflict = not_ours(teardown.name, observed) if observed else None
    present = {each.account_id for each in observed.instances} if observed else set()
    for account in accounts:
        if account.account_id == management:
            yield account
            continue
        role = RoleRemoval(by_stack_set=True)
        if account.account_id in present and conflict:
            notes = (f"Its role is kept. {conflict.message}",)
            role = RoleRemoval(notes=notes, by_stack_set=True)
        elif account.account_id in present:
            role = RoleRemoval(changes=(teardown.change(),), by_stack_set=True)
        seconds = time.monotonic() - started
        removal = removal_of(account, account.account_id or "", listing, role, seconds)
        yield Worked(name=account.name, value=removal)


def tear_down(teardown: Teardown, aws: Aws, control: Control) -> Iterator[Fact]:
    """Delete the accounts' instances; each account's word as CloudFormation is done with it.

    Raises `AccountError`, the problem of every account without a word.
    """
    waiting = by_id(teardown.accounts)
    operations = Operations(teardown.name, waiting, control)
    yield from operations.show("deleting the stack instance")
    sets = aws.stack_sets(teardown.role.stackset)
    yield from _empty(teardown, sets, operations)
    yield from _delete(teardown.name, sets, operations)


def _empty(teardown: Teardown, sets: StackSets, operations: Operations) -> Iterator[Fact]:
    waiting = operations.waiting
    tried: set[str] = set()
    while waiting:
        observed = sets.observe(teardown.name)
        operations.check(not_ours(teardown.name, observed) if observed else None)
        present = _present(observed, waiting)
        for account_id in [each for each in waiting if each not in present]:
            yield from _gone(teardown, waiting.pop(account_id))
        if observed is not None and observed.busy:
            operations.pause()
            continue
        for account_id in tried & set(waiting):
            yield Failed(
                name=waiting.pop(account_id).name, error=_kept(teardown.name, "no reason given")
            )
        left = [account_id for account_id in present if account_id in waiting]
        if not left:
            return
        units = tuple(dict.fromkeys(present[each] for each in left if present[each]))
        units = units or (observed.units if observed else ())
        try:
            operation_id = sets.empty(teardown.name, units, left)
        except ConcurrentChange:
            operations.pause()
            continue
        tried |= set(left)
        yield from _follow(teardown, sets, operations, operation_id, left)


def _follow(
    teardown: Teardown,
    sets: StackSets,
    operations: Operations,
    operation_id: str,
    account_ids: Collection[str],
) -> Iterator[Fact]:
    waiting = operations.waiting
    for fact in operations.follow(sets, operation_id, account_ids):
        if isinstance(fact, StepStarted):
            yield fact
            continue
        account = waiting.pop(fact.account_id)
        if fact.error is not None:
            yield Failed(name=account.name, error=fact.error)
        elif fact.reason:
            yield Failed(name=account.name, error=_kept(teardown.name, fact.reason))
        else:
            yield from _gone(teardown, account)


def _present(observed: ObservedStackSet | None, waiting: Iterable[str]) -> dict[str, str]:
    """The unit of each account that has an instance."""
    found = observed.instances if observed else ()
    wanted = set(waiting)
    return {each.account_id: each.unit for each in found if each.account_id in wanted}


def _gone(teardown: Teardown, account: Account) -> Iterator[Fact]:
    yield Changed(name=account.name, change=teardown.change())
    yield Worked(name=account.name, value=())


def _delete(name: str, sets: StackSets, operations: Operations) -> Iterator[Fact]:
    """Delete the stack set, if it has no instance any more."""
    observed = sets.observe(name)
    if observed is None or observed.instances or observed.busy:
        return
    try:
        sets.delete(name)
    except ConcurrentChange:
        operations.pause()
        return
    yield Said(text=f"The stack set {name} had no instances left and was deleted.")


def _kept(name: str, reason: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "StackInstanceFailed",
        f"CloudFormation could not delete the account's instance of the stack set {name}: "
        f"{sentence(reason)}",
        hint="Check the events of its stack in the account. A role with policies that others"
        " attached cannot be deleted: detach them, then run again.",
    )
