"""`remove`: the plan of it, then registrations at Cloudcraft's pace, then each account's role.

An account that was left half way is finished by the next run, which finds its role without a
registration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from cloudcraft_onboard.accounts.entry import Claims, Snapshot
from cloudcraft_onboard.accounts.facts import Words, Worked
from cloudcraft_onboard.accounts.removal import (
    Notes,
    Removal,
    Scope,
    needs_aws,
    observe_account,
    remove_roles,
)
from cloudcraft_onboard.accounts.stackset import StackSetAccounts, Task, by_stack_set
from cloudcraft_onboard.accounts.teardown import observe_teardown, tear_down
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.core import Core
from cloudcraft_onboard.engine.driver import Driver, Tools
from cloudcraft_onboard.engine.messages import Job, job_of, job_of_all
from cloudcraft_onboard.engine.observe import Observation
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.unregister import RemovalTask, Unregister
from cloudcraft_onboard.errors import CannotStart, Interrupted
from cloudcraft_onboard.events import StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, Note, Outcome, Registration, Result, RoleSpec, Via
from cloudcraft_onboard.model.notes import Outage, Stop
from cloudcraft_onboard.plan.registration import Listing, unlisted

T = TypeVar("T")
V = TypeVar("V")


@frozen
class RemovalPlan:
    """Every account's result as it would be, and what is to be done to those that change."""

    results: tuple[Result, ...]
    removals: tuple[Removal, ...]

    @property
    def registrations(self) -> int:
        """How many registrations are to be deleted."""
        return sum(len(removal.registrations) for removal in self.removals)

    @property
    def roles(self) -> int:
        """How many roles are to be deleted."""
        return sum(bool(removal.role_changes) for removal in self.removals)


def plan_removals(
    accounts: Sequence[Account],
    snapshot: Snapshot,
    tools: Tools,
    limits: Limits,
    results: Results,
    *,
    scope: Scope,
) -> RemovalPlan:
    """What a removal would do with each account, in the accounts' order; writes nothing."""
    enabled = [account for account in accounts if account.enabled]
    claims = Claims(enabled)
    stack_sets = by_stack_set(account for account in enabled if needs_aws(account, scope))
    singles = [a for a in enabled if a.role.via is not Via.STACKSET or not needs_aws(a, scope)]

    def work(task: Task) -> Words[Removal]:
        if isinstance(task, StackSetAccounts):
            yield from observe_teardown(task, snapshot.listing, tools.aws)
            return
        removal = yield from observe_account(task, snapshot, tools.aws, claims, scope)
        yield Worked(name=task.name, value=removal)

    jobs: list[Job[Task]] = [*map(job_of_all, stack_sets), *map(job_of, singles)]
    found = _observe(jobs, work, tools, limits, results, job_of=job_of, result_of=_as_planned)
    removals = [
        replace(found[each.name], seconds=results.so_far(each.name).seconds)
        for each in enabled
        if each.name in found
    ]
    return RemovalPlan(
        results=results.all(tools.control.note),
        removals=tuple(each for each in removals if each.changes),
    )


def remove_accounts(
    removals: Sequence[Removal], tools: Tools, limits: Limits, results: Results, scope: Scope
) -> tuple[Result, ...]:
    """Delete what a plan found; the results in the plan's order."""

    def work(task: RemovalTask) -> Words[Notes]:
        if isinstance(task, StackSetAccounts):
            yield from tear_down(task, tools.aws)
            return
        notes = yield from remove_roles(task, tools.aws, scope)
        yield Worked(name=task.account.name, value=notes)

    core = Core(
        Unregister(removals), results, pace=tools.pace, control=tools.control, limits=limits
    )
    Driver(core, tools, work).run(())
    return results.all(tools.control.note)


def plan_unlisted(
    accounts: Sequence[Account], listing: Listing, tools: Tools, limits: Limits
) -> RemovalPlan:
    """What deletes the registrations of AWS accounts that none of `accounts` is; reads only.

    `accounts` are all of the manifest's, the disabled ones too.

    Raises:
        CannotStart: the ID of one of them cannot be found out.
        Interrupted: before all of them were.
    """
    found = unlisted(listing, _known(accounts, tools, limits))
    names = Counter(registrations[0].name for registrations in found)
    removals = tuple(
        Removal(
            account=_stand_in(registrations[0], unique=names[registrations[0].name] == 1),
            account_id=registrations[0].account_id,
            registrations=registrations,
            role_arn=registrations[0].role_arn,
        )
        for registrations in found
    )
    return RemovalPlan(
        results=tuple(removal.result(removal.changes) for removal in removals), removals=removals
    )


def put_off(results: Sequence[Result], why: Note) -> tuple[Result, ...]:
    """A plan's results when nothing of it is done: what was to be removed is pending."""
    return tuple(_put_off(result, why) for result in results)


# --- inside -------------------------------------------------------------------------------------


def _known(accounts: Sequence[Account], tools: Tools, limits: Limits) -> frozenset[str]:
    """The AWS account IDs of all entries; those known by their profile only are reached for it."""
    known = {account.account_id for account in accounts if account.account_id}
    nameless = [account for account in accounts if not account.account_id]
    # A disabled entry's account counts as listed, too.
    results = Results([replace(account, enabled=True) for account in nameless])

    def reach(account: Account) -> Words[str]:
        yield StepStarted(name=account.name, step="reaching the account")
        account_id = tools.aws.reach(account).identity.account_id
        yield Worked(name=account.name, value=account_id)

    found = _observe(
        map(job_of, nameless), reach, tools, limits, results, job_of=job_of, result_of=_as_it_is
    )
    unknown = [account.name for account in nameless if account.name not in found]
    if unknown and tools.control.kind is Stop.INTERRUPTED:
        raise Interrupted("Interrupted before it was known which registrations are unlisted.")
    if unknown:
        note = tools.control.note
        raise _unknown([each for each in results.all(note) if each.name in unknown])
    return frozenset(known | set(found.values()))


def _observe(
    jobs: Iterable[Job[T]],
    work: Callable[[T], Words[V]],
    tools: Tools,
    limits: Limits,
    results: Results,
    *,
    job_of: Callable[[Account], Job[T]],
    result_of: Callable[[Result, V], Result],
) -> dict[str, V]:
    """What the workers find, by account name."""
    core = Observation(
        results, job_of=job_of, result_of=result_of, control=tools.control, limits=limits
    )
    Driver(core, tools, work).run(jobs)
    return core.found


def _as_planned(so_far: Result, removal: Removal) -> Result:
    """The account's result as it would be."""
    return replace(removal, seconds=so_far.seconds).result(removal.changes)


def _as_it_is(so_far: Result, _account_id: str) -> Result:
    """No more is known of the account's result."""
    return so_far


def _unknown(left: Sequence[Result]) -> CannotStart:
    first = next((result for result in left if result.error), left[0])
    outages = [note.why for note in first.notes if isinstance(note, Outage)]
    why = first.error.message if first.error else " ".join(outages) or Stop.BUDGET.value
    way_out = f"{first.error.hint} " if first.error else ""
    names = ", ".join(result.name for result in left)
    return CannotStart(
        f"Nothing was deleted: the AWS account IDs of {names} are unknown, so their registrations "
        f"could be mistaken for unlisted ones. {first.name}: {sentence(why)}",
        hint=f"{way_out}Or add `account_id` to these entries.",
    )


def _stand_in(registration: Registration, *, unique: bool) -> Account:
    """An entry such as the manifest would have for it; Cloudcraft doesn't tell its region."""
    account_id = registration.account_id
    name = registration.name if unique else f"{registration.name} ({account_id})".strip()
    return Account(
        name=name,
        account_id=account_id,
        region="",
        role=RoleSpec(via=Via.EXISTING),
        line=0,
    )


def _put_off(result: Result, why: Note) -> Result:
    if not result.changes:
        return result
    return replace(result, outcome=Outcome.PENDING, changes=(), notes=(*result.notes, why))
