"""Removes roles that a stack set rolled out: one operation deletes many accounts' instances.

The role goes with its instance's stack, and the stack set itself with its last instance.
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudcraft_onboard.accounts.facts import Changed, Words, Worked
from cloudcraft_onboard.accounts.ports import Aws, StackSets
from cloudcraft_onboard.accounts.removal import Notes, Removal, RoleRemoval, removal_of
from cloudcraft_onboard.accounts.stackset import (
    Operations,
    StackSetAccounts,
    open_stack_set,
)
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.model import Account, Note, ObservedStackSet, Stage
from cloudcraft_onboard.model.changes import DeleteByStackSet
from cloudcraft_onboard.model.role_notes import FormerRoleOutside, RoleOfStackSetKept
from cloudcraft_onboard.plan.registration import Listing, former_roles
from cloudcraft_onboard.plan.stackset import not_ours


def observe_teardown(group: StackSetAccounts, listing: Listing, aws: Aws) -> Words[Removal]:
    """Find out what there is of the accounts; reads only.

    Accounts that it is not for are handed back (`open_stack_set`). Raises `AccountError`, the
    problem of every account without a result.
    """
    opened = yield from open_stack_set(group, listing, aws)
    if opened is None:
        return
    waiting = opened.operations.waiting
    observed = opened.sets.observe(group.name)
    conflict = not_ours(group.name, observed) if observed else None
    present = _present(observed, waiting)
    for account_id, account in waiting.items():
        former = former_roles(listing.of(account_id), account.role.name)
        notes: list[Note] = [FormerRoleOutside(arn=str(arn)) for arn in former]
        changes: tuple[DeleteByStackSet, ...] = ()
        if account_id in present and conflict:
            notes.append(RoleOfStackSetKept(problem=conflict))
        elif account_id in present:
            changes = (DeleteByStackSet(stack_set=group.name),)
        role = RoleRemoval(changes=changes, kept=tuple(notes), by_stack_set=True)
        removal = removal_of(account, account_id, listing, role)
        yield Worked(name=account.name, value=removal)


def tear_down(group: StackSetAccounts, aws: Aws) -> Words[Notes]:
    """Delete the accounts' instances; each account's result once CloudFormation is done with it.

    Raises `AccountError`, the problem of every account without a result.
    """
    operations = Operations(group.name, group.accounts)
    yield from operations.show("deleting the stack instance")
    sets = aws.stack_sets(group.role.stackset)
    yield from _empty(sets, operations)
    yield from _delete(group.name, sets, operations)


def _empty(sets: StackSets, operations: Operations) -> Words[Notes]:
    name, waiting = operations.name, operations.waiting
    tried: set[str] = set()

    def done(account_id: str) -> Words[Notes]:
        yield from _gone(name, waiting.pop(account_id))

    def why(_account_id: str, reason: str) -> AccountError:
        return _kept(name, reason)

    while waiting:
        observed = sets.observe(name)
        operations.check(not_ours(name, observed) if observed else None)
        present = _present(observed, waiting)
        for account_id in [each for each in waiting if each not in present]:
            yield from _gone(name, waiting.pop(account_id))
        if observed is not None and observed.busy:
            yield from operations.wait(observed.busy_id, observed.busy_since)
            continue
        for account_id in tried & set(waiting):
            yield operations.failed(account_id, _kept(name, "no reason given"))
        left = [account_id for account_id in present if account_id in waiting]
        if not left:
            return
        units = tuple(dict.fromkeys(present[each] for each in left if present[each]))
        units = units or (observed.units if observed else ())
        try:
            operation_id = sets.empty(name, units, left)
        except ConcurrentChange:
            yield operations.pause()
            continue
        tried |= set(left)
        yield from operations.follow(sets, operation_id, left, done=done, why=why)


def _present(observed: ObservedStackSet | None, waiting: Iterable[str]) -> dict[str, str]:
    """The unit of each account that has an instance."""
    found = observed.instances if observed else ()
    wanted = set(waiting)
    return {each.account_id: each.unit for each in found if each.account_id in wanted}


def _gone(name: str, account: Account) -> Words[Notes]:
    yield Changed(name=account.name, change=DeleteByStackSet(stack_set=name))
    yield Worked(name=account.name, value=())


def _delete(name: str, sets: StackSets, operations: Operations) -> Words[Notes]:
    """Delete the stack set, if it has no instance any more."""
    observed = sets.observe(name)
    if observed is None or observed.instances or observed.busy:
        return
    try:
        sets.delete(name)
    except ConcurrentChange:
        yield operations.pause()
        return
    yield Said(text=f"The stack set {name} had no instances left and was deleted.")


def _kept(name: str, reason: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "StackInstanceFailed",
        f"CloudFormation could not delete the account's instance of the stack set {name}: "
        f"{sentence(reason)}",
        cause=Cause(row=ours.KEPT_INSTANCE, facts=Facts(stack=name, reason=reason)),
    )
