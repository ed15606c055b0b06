"""`run` and `plan`: each account's AWS side, then its registration; a plan writes nothing.

AWS workers never wait for Cloudcraft's limit, so every AWS problem of a large run shows in its
first minutes, and the rest of the time is pure pace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cloudcraft_onboard.engine.account import Claims, Snapshot, work_account
from cloudcraft_onboard.engine.driver import Driver, Fact, Tools
from cloudcraft_onboard.engine.messages import Job, Worked
from cloudcraft_onboard.engine.register import Register
from cloudcraft_onboard.engine.requests import Limits, Requests
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.stackset import Rollout, roll_out, rollouts
from cloudcraft_onboard.model import Account, Result, Via


def onboard_accounts(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    tools: Tools,
    limits: Limits,
    results: Results,
    *,
    settle: float = 10.0,
    apply: bool,
) -> tuple[Result, ...]:
    """Bring each account to its desired state (`apply`), or find out what that takes.

    `settle` is how old a new role must be, in seconds, before Cloudcraft is asked to check it.
    `results` always has what is known so far. The results come in the accounts' order.
    """
    enabled = [account for account in accounts if account.enabled]
    claims = Claims(enabled)
    stack_sets = rollouts(enabled)
    singles = [account for account in enabled if account.role.via is not Via.STACKSET]

    def work(task: Account | Rollout) -> Iterator[Fact]:
        if isinstance(task, Account):
            ready = yield from work_account(task, snapshot, tools.aws, claims, apply=apply)
            yield Worked(name=task.name, value=ready)
            return
        for fact in roll_out(task, snapshot, tools.aws, tools.control, apply=apply):
            if isinstance(fact, Account):
                yield from work(fact)
            else:
                yield fact

    # Stack sets come first, each with a worker of its own: CloudFormation takes its time.
    jobs = (*map(_stack_set_job, stack_sets), *map(job_of, singles))
    core = Requests(
        Register(apply=apply, settle=settle),
        results,
        pace=tools.pace,
        limits=limits.more_at_a_time(len(stack_sets)),
    )
    Driver(core, tools, work).run(jobs)
    return results.all(core.note)


def job_of(account: Account) -> Job:
    """One account as a worker's job."""
    return Job(names=(account.name,), task=account)


def _stack_set_job(rollout: Rollout) -> Job:
    return Job(names=tuple(each.name for each in rollout.accounts), task=rollout)
