"""What a rollout and a teardown share: the accounts of a stack set, and its operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from cloudcraft_onboard.accounts.facts import (
    Fact,
    Failed,
    HandedBack,
    Paused,
    Step,
    Steps,
    Words,
)
from cloudcraft_onboard.accounts.ports import Aws, StackSets
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.events import OperationAwaited, StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, Organization, Problem, RoleSpec, Stage, Via
from cloudcraft_onboard.plan.registration import Listing

V = TypeVar("V")

POLL_SECONDS = 3.0
"""How often an operation is looked at; CloudFormation takes some 20 seconds for an instance."""


@frozen
class StackSetAccounts:
    """One stack set and the accounts that it serves; they all have an ID."""

    role: RoleSpec
    accounts: tuple[Account, ...]

    @property
    def name(self) -> str:
        """The stack set's name."""
        return self.role.stackset.name


Task = Account | StackSetAccounts
"""What one worker does: an account, or the accounts of a stack set."""


def by_stack_set(accounts: Iterable[Account]) -> tuple[StackSetAccounts, ...]:
    """The accounts of each stack set, whose roles are alike by the manifest's rules."""
    groups: dict[str, list[Account]] = {}
    for account in accounts:
        if account.role.via is Via.STACKSET:
            groups.setdefault(account.role.stackset.name, []).append(account)
    return tuple(
        StackSetAccounts(role=group[0].role, accounts=tuple(group)) for group in groups.values()
    )


class Operations:
    """The operations on a stack set; accounts without a result yet are in `waiting`."""

    def __init__(self, name: str, accounts: Iterable[Account]) -> None:
        self.name = name
        self.waiting = {each.account_id: each for each in accounts if each.account_id}
        self._shown = ""
        self._named = ""

    def show(self, step: str) -> Steps[None]:
        """Say once what all accounts wait for."""
        if step != self._shown:
            self._shown = step
            for account in list(self.waiting.values()):
                yield StepStarted(name=account.name, step=step)

    def pause(self, operation_id: str = "") -> Paused:
        """A short wait for an operation."""
        doing = f"operation {operation_id}" if operation_id else "another operation"
        message = f"CloudFormation has not finished {doing} on the stack set {self.name}."
        error = AccountPending(Stage.ROLE, "OperationInProgress", message)
        return Paused(seconds=POLL_SECONDS, error=error)

    def wait(
        self, operation_id: str, since: datetime | None
    ) -> Iterator[OperationAwaited | Paused]:
        """The same, for an operation that is named before."""
        if operation_id and operation_id != self._named:
            self._named = operation_id
            names = tuple(account.name for account in self.waiting.values())
            yield OperationAwaited(
                stack_set=self.name, operation_id=operation_id, since=since, names=names
            )
        yield self.pause(operation_id)

    def check(self, problem: Problem | None) -> None:
        """Raise `AccountError` if there is a problem."""
        if problem is not None:
            raise AccountError.of(problem)

    def failed(self, account_id: str, error: AccountError) -> Failed:
        """The account's result: it failed."""
        return Failed(name=self.waiting.pop(account_id).name, error=error)

    def follow(
        self,
        sets: StackSets,
        operation_id: str,
        account_ids: Collection[str],
        *,
        done: Callable[[str], Iterator[Fact[V]]],
        why: Callable[[str, str], AccountError],
    ) -> Words[V]:
        """A result for each of the accounts once CloudFormation is done with it.

        `done` gives it for a success and takes the account out of `waiting`; `why` makes an error
        of CloudFormation's reason for a failure.
        """
        shown: dict[str, str] = {}
        while True:
            operation = sets.operation(self.name, operation_id)
            for account_id in [each for each in self.waiting if each in account_ids]:
                status, reason = operation.results.get(account_id, ("", ""))
                if status == "SUCCEEDED":
                    yield from done(account_id)
                elif status == "FAILED":
                    yield self.failed(account_id, why(account_id, reason or "no reason given"))
                elif status == "CANCELLED":
                    yield self.failed(account_id, _cancelled(operation_id, reason))
                elif status and shown.get(account_id) != status:
                    shown[account_id] = status
                    step = f"stack instance {status.lower()}"
                    yield StepStarted(name=self.waiting[account_id].name, step=step)
            if operation.ended:
                return
            yield from self.wait(operation_id, operation.since)


@frozen
class OpenStackSet:
    """A stack set, and its accounts that are left for it."""

    operations: Operations
    sets: StackSets
    organization: Organization


def open_stack_set(
    group: StackSetAccounts, listing: Listing, aws: Aws
) -> Generator[Step | HandedBack, None, OpenStackSet | None]:
    """Open a stack set; None if none of its accounts is left for it.

    Accounts that another source brought into Cloudcraft are handed back, and so is the management
    account, which no stack set covers.
    """
    operations = Operations(group.name, group.accounts)
    waiting = operations.waiting
    for account_id in [each for each in waiting if listing.foreign(each)]:
        yield HandedBack(account=waiting.pop(account_id))
    if not waiting:
        return None
    yield from operations.show("reading the stack set")
    sets = aws.stack_sets(group.role.stackset)
    organization = sets.organization()
    management = waiting.pop(organization.management, None)
    if management is not None:
        yield HandedBack(account=management)
    return (
        OpenStackSet(operations=operations, sets=sets, organization=organization)
        if waiting
        else None
    )


def _cancelled(operation_id: str, reason: str) -> AccountPending:
    why = reason or "it was stopped, or more accounts failed than failure_tolerance_percentage"
    return AccountPending(
        Stage.ROLE,
        "Cancelled",
        f"CloudFormation did not reach this account in operation {operation_id}: {sentence(why)}",
    )
