"""`run` and `plan`: each account's AWS side, then its registration; a plan writes nothing.

AWS workers never wait for Cloudcraft's limit, so every AWS problem of a large run shows in its
first minutes, and the rest of the time is pure pace.
"""

from __future__ import annotations

from collections.abc import Sequence

from cloudcraft_onboard.accounts.account import RoleReady, work_account
from cloudcraft_onboard.accounts.entry import Claims, Snapshot
from cloudcraft_onboard.accounts.facts import Words, Worked
from cloudcraft_onboard.accounts.rollout import roll_out
from cloudcraft_onboard.accounts.stackset import StackSetAccounts, Task, by_stack_set
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.core import Core
from cloudcraft_onboard.engine.driver import Driver, Tools
from cloudcraft_onboard.engine.messages import job_of, job_of_all
from cloudcraft_onboard.engine.register import Register
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.model import Account, Result, Via


def onboard_accounts(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    tools: Tools,
    limits: Limits,
    results: Results,
    *,
    settle: float | None = None,
    apply: bool,
) -> tuple[Result, ...]:
    """Bring each account to its desired state (`apply`), or find out what that takes.

    `settle` is how old a new role must be, in seconds, before Cloudcraft is asked to check it;
    None: it is found out.
    `results` always has what is known so far. The results come in the accounts' order.
    """
    enabled = [account for account in accounts if account.enabled]
    claims = Claims(enabled)
    stack_sets = by_stack_set(enabled)
    singles = [account for account in enabled if account.role.via is not Via.STACKSET]

    def work(task: Task) -> Words[RoleReady]:
        if isinstance(task, StackSetAccounts):
            yield from roll_out(task, snapshot, tools.aws, apply=apply)
            return
        ready = yield from work_account(task, snapshot, tools.aws, claims, apply=apply)
        yield Worked(name=task.name, value=ready)

    core = Core(
        Register(apply=apply),
        results,
        pace=tools.pace,
        control=tools.control,
        limits=limits.more_at_a_time(len(stack_sets)),
        settle=settle,
        known=snapshot.listing,
    )
    # Stack sets come first, each with a worker of its own: CloudFormation takes its time.
    Driver(core, tools, work).run((*map(job_of_all, stack_sets), *map(job_of, singles)))
    return results.all(tools.control.note)
