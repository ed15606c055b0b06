"""What an AWS worker does with a job, against the simulated accounts."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from cloudcraft_onboard.accounts.account import RoleState, ready_of
from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.facts import Changed, Failed, Worked
from cloudcraft_onboard.accounts.removal import Removal
from cloudcraft_onboard.accounts.stackset import StackSetAccounts
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Job, Message
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.model import Account, Change, Stage, Trust, Via
from cloudcraft_onboard.model.changes import CreateRole, DeleteRole, NewRole
from cloudcraft_onboard.model.notes import Stop
from tests.simulation.loop import Loop, Wait
from tests.simulation.seeds import Role
from tests.simulation.world import AwsWorld

Put = Callable[[Message[Any]], None]
Steps = Generator[Wait, Any, None]

MADE = CreateRole(
    role=NewRole(
        trust=Trust(account_id="912185983511", external_id="4414aef4", partition="aws"),
        path="/",
        max_session_duration=3600,
        permissions_boundary=None,
        tags={},
    )
)
DELETED = DeleteRole()


class Worker:
    """The work of one run; `removing`: it takes roles away."""

    removing = False

    def __init__(self, run: str, loop: Loop, aws: AwsWorld) -> None:
        self.accounts = aws.accounts
        self._run = run
        self._loop = loop
        self._aws = aws

    def work(self, task: Any, control: Control, put: Put) -> Steps:
        raise NotImplementedError

    def _step(self, control: Control) -> Steps:
        """Before each step a worker looks whether the run ends at once."""
        if control.abandoning:
            raise AccountPending(Stage.ROLE, "Stopped", (control.kind or Stop.BUDGET).value)
        yield self._loop.sleep(self._aws.latency())


class Onboarding(Worker):
    """Makes roles."""

    def __init__(self, run: str, loop: Loop, aws: AwsWorld, snapshot: Snapshot) -> None:
        super().__init__(run, loop, aws)
        self._snapshot = snapshot

    def jobs(self) -> tuple[Job[Any], ...]:
        """Accounts one by one; those of the stack set together."""
        singles = tuple(a for a in self.accounts if a.role.via is not Via.STACKSET)
        group = tuple(a for a in self.accounts if a.role.via is Via.STACKSET)
        jobs = [(group,)] if group else []
        return tuple(
            Job(names=tuple(each.name for each in accounts), task=accounts)
            for accounts in (*(g for (g,) in jobs), *((single,) for single in singles))
        )

    def work(self, task: tuple[Account, ...], control: Control, put: Put) -> Steps:
        for account in task:
            try:
                yield from self._bring(account, control, put)
            except AccountPending:
                raise
            except AccountError as error:
                if len(task) == 1:
                    raise
                put(Failed(name=account.name, error=error))

    def _bring(self, account: Account, control: Control, put: Put) -> Steps:
        account_id, aws = account.account_id or "", self._aws
        yield from self._step(control)
        if not aws.calm:
            self._fail(account_id)
        made = aws.roles.get(account_id)
        changes: tuple[Change, ...] = ()
        age = None if made is None else self._loop.now - made
        if made is None:
            yield from self._step(control)
            if account_id not in aws.roles:
                aws.roles[account_id] = self._loop.now
                aws.made_by[account_id] = self._run
                put(Changed(name=account.name, change=MADE))
                changes = (MADE,)
            age = 0.0
        role = RoleState(
            account_id=account_id, arn=account.expected_role_arn or "", changes=changes, age=age
        )
        ready = ready_of(account, self._snapshot, (None, None), role)
        put(Worked(name=account.name, value=ready))

    def _fail(self, account_id: str) -> None:
        plan = self._aws.plan_of(account_id)
        tries = self._aws.tries.get((self._run, account_id), 0)
        self._aws.tries[self._run, account_id] = tries + 1
        match plan.role:
            case Role.DENIED:
                raise AccountError(Stage.REACH, "AccessDenied", "not allowed")
            case Role.THROTTLED if tries < plan.transient:
                raise AccountError(Stage.ROLE, "Throttling", "too fast", transient=True)
            case Role.CRASH:
                raise ZeroDivisionError("a bug in a worker")
            case Role.PENDING:
                raise AccountPending(Stage.REACH, "Unreachable", "AWS is out of reach")


class Offboarding(Worker):
    """Takes roles away."""

    removing = True

    def work(self, task: Removal | StackSetAccounts, control: Control, put: Put) -> Steps:
        accounts = task.accounts if isinstance(task, StackSetAccounts) else (task.account,)
        for account in accounts:
            yield from self._step(control)
            if self._aws.roles.pop(account.account_id or "", None) is not None:
                put(Changed(name=account.name, change=DELETED))
            put(Worked(name=account.name, value=()))
