"""An operation of a stack set, followed for the accounts that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.ports import StackSets
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.events import Event, StepStarted
from cloudcraft_onboard.model import Account, Problem, Stage

POLL_SECONDS = 3.0
"""How often CloudFormation is asked how far it is; an instance takes it some 20 seconds."""


class Watch:
    """Waits for AWS; `waiting` are the accounts by ID, and who concludes one takes it out."""

    def __init__(
        self,
        name: str,
        waiting: dict[str, Account],
        control: Control,
        emit: Callable[[Event], None],
    ) -> None:
        self.name = name
        self.waiting = waiting
        self._control = control
        self._emit = emit
        self._shown = ""

    def show(self, step: str) -> None:
        """Tell the listeners what all accounts wait for, once."""
        if step == self._shown:
            return
        self._shown = step
        for account in self.waiting.values():
            self._emit(StepStarted(name=account.name, step=step))

    def pause(self, operation_id: str = "") -> None:
        """Wait a little. Raises `AccountPending` when the run is stopped."""
        if self._control.may_start() and not self._control.stopped.wait(POLL_SECONDS):
            return
        doing = f"operation {operation_id}" if operation_id else "an operation"
        raise AccountPending(
            Stage.ROLE,
            "OperationInProgress",
            f"CloudFormation is not done with {doing} of the stack set {self.name}",
        )

    def follow(
        self,
        sets: StackSets,
        operation_id: str,
        account_ids: Collection[str],
        *,
        done: Callable[[str], None],
        failed: Callable[[str, Exception], None],
        explain: Callable[[str], AccountError],
    ) -> None:
        """Hand over each of the accounts as CloudFormation is done with it.

        `explain` turns CloudFormation's reason into an account's problem. Returns when the
        operation has ended; raises `AccountPending` when the run is stopped before.
        """
        shown: dict[str, str] = {}
        while True:
            operation = sets.operation(self.name, operation_id)
            for account_id in [each for each in self.waiting if each in account_ids]:
                status, reason = operation.results.get(account_id, ("", ""))
                if status == "SUCCEEDED":
                    done(account_id)
                elif status == "FAILED":
                    failed(account_id, explain(reason or "it gives no reason"))
                elif status == "CANCELLED":
                    failed(account_id, _cancelled(operation_id, reason))
                elif status and shown.get(account_id) != status:
                    shown[account_id] = status
                    step = f"stack instance {status.lower()}"
                    self._emit(StepStarted(name=self.waiting[account_id].name, step=step))
            if operation.ended:
                return
            self.pause(operation_id)


def raise_problem(problem: Problem | None) -> None:
    """Raise `AccountError` if there is a problem."""
    if problem is not None:
        raise error_of(problem)


def error_of(problem: Problem) -> AccountError:
    """A problem as what is raised for it."""
    return AccountError(problem.stage, problem.code, problem.message, hint=problem.hint)


def _cancelled(operation_id: str, reason: str) -> AccountPending:
    why = reason or "it was stopped, or more accounts failed than failure_tolerance_percentage"
    return AccountPending(
        Stage.ROLE,
        "Cancelled",
        f"CloudFormation did not come to this account in operation {operation_id}: {why}",
    )
