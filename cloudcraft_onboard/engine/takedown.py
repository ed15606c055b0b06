"""The way back of roles that a stack set brought: one operation deletes many accounts' instances.

The role goes with its instance's stack, and the stack set itself with its last instance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.ports import Aws, StackSets
from cloudcraft_onboard.engine.watch import Watch, raise_problem
from cloudcraft_onboard.errors import AccountError, Raced
from cloudcraft_onboard.events import Event, Said
from cloudcraft_onboard.model import (
    Account,
    Action,
    Change,
    ObservedStackSet,
    Organization,
    Problem,
    RoleSpec,
    Stage,
)
from cloudcraft_onboard.plan.stackset import not_ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A stack set as it was found, None where there is none."""

    organization: Organization
    observed: ObservedStackSet | None
    conflict: Problem | None

    def removal(self, account_id: str, name: str) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """What takes the role out of an account, and notes on what stays."""
        found = self.observed.instances if self.observed else ()
        if not any(instance.account_id == account_id for instance in found):
            return (), ()
        if self.conflict:
            return (), (f"Its role is kept: {self.conflict.message}",)
        reason = f"with its instance of the stack set {name}"
        return (Change(action=Action.DELETE_ROLE, reason=reason),), ()


class Standings:
    """Stack sets as they are, each looked at once, whoever asks first."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._known: dict[str, Standing | AccountError] = {}

    def of(self, role: RoleSpec) -> Standing:
        """The stack set of a role. Raises `AccountError`, the same for all who ask."""
        name = role.stackset.name
        with self._lock:
            if name not in self._known:
                try:
                    self._known[name] = self._look(role)
                except AccountError as error:
                    self._known[name] = error
            known = self._known[name]
        if isinstance(known, AccountError):
            raise type(known)(known.stage, known.code, known.message, hint=known.hint)
        return known

    def _look(self, role: RoleSpec) -> Standing:
        sets = self._aws.stack_sets(role.stackset)
        observed = sets.observe(role.stackset.name)
        return Standing(
            organization=sets.organization(),
            observed=observed,
            conflict=not_ours(role.stackset.name, observed) if observed else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeDown:
    """One stack set, and the accounts that are to lose their instance of it."""

    role: RoleSpec
    accounts: tuple[Account, ...]

    def run(
        self,
        aws: Aws,
        control: Control,
        *,
        emit: Callable[[Event], None],
        gone: Callable[[Account], None],
        failed: Callable[[Account, Exception], None],
    ) -> None:
        """See every account gone or failed, whatever happens."""
        name = self.role.stackset.name
        waiting = {each.account_id: each for each in self.accounts if each.account_id}
        watch = Watch(name, waiting, control, emit)
        try:
            watch.show("deleting the stack instance")
            sets = aws.stack_sets(self.role.stackset)
            self._empty(sets, watch, gone, failed)
            self._delete(sets, watch, emit)
        except Exception as error:  # noqa: BLE001 - it is the problem of every account that waits
            for account_id in list(waiting):
                failed(waiting.pop(account_id), error)

    def _empty(
        self,
        sets: StackSets,
        watch: Watch,
        gone: Callable[[Account], None],
        failed: Callable[[Account, Exception], None],
    ) -> None:
        spec, waiting = self.role.stackset, watch.waiting
        tried: set[str] = set()
        while waiting:
            observed = sets.observe(spec.name)
            if observed is not None:
                raise_problem(not_ours(spec.name, observed))
            found = observed.instances if observed else ()
            present = [each for each in found if each.account_id in waiting]
            for account_id in [e for e in waiting if e not in {p.account_id for p in present}]:
                gone(waiting.pop(account_id))
            if observed is not None and observed.busy:
                watch.pause()
                continue
            for account_id in tried & set(waiting):
                failed(waiting.pop(account_id), _kept(spec.name, "it does not say why"))
            left = [each for each in present if each.account_id in waiting]
            if not left:
                return
            units = tuple(dict.fromkeys(each.unit for each in left if each.unit))
            units = units or (observed.units if observed else ())
            account_ids = [each.account_id for each in left]
            try:
                operation_id = sets.empty(spec.name, units, account_ids)
            except Raced:
                watch.pause()
                continue
            tried |= set(account_ids)
            watch.follow(
                sets,
                operation_id,
                account_ids,
                done=lambda account_id: gone(waiting.pop(account_id)),
                failed=lambda account_id, error: failed(waiting.pop(account_id), error),
                explain=lambda reason: _kept(spec.name, reason),
            )

    def _delete(self, sets: StackSets, watch: Watch, emit: Callable[[Event], None]) -> None:
        """Delete the stack set, if it has no instance any more."""
        name = self.role.stackset.name
        observed = sets.observe(name)
        if observed is None or observed.instances or observed.busy:
            return
        try:
            sets.delete(name)
        except Raced:
            watch.pause()
            return
        emit(Said(text=f"The stack set {name} had no instance left and is deleted."))


def take_downs(accounts: Iterable[Account]) -> tuple[TakeDown, ...]:
    """The accounts by their stack set."""
    groups: dict[str, list[Account]] = {}
    for account in accounts:
        groups.setdefault(account.role.stackset.name, []).append(account)
    return tuple(TakeDown(role=group[0].role, accounts=tuple(group)) for group in groups.values())


def _kept(name: str, reason: str) -> AccountError:
    return AccountError(
        Stage.ROLE,
        "StackInstanceFailed",
        f"CloudFormation could not delete the account's instance of the stack set {name}: {reason}",
        hint="Look at the events of its stack in the account. A role that holds policies which"
        " others attached cannot be deleted: detach them, then run again.",
    )
