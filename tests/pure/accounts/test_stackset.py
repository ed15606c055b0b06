"""Accounts of a stack set: rolled out and torn down by few operations, a word for each account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.facts import Paused
from cloudcraft_onboard.accounts.rollout import roll_out
from cloudcraft_onboard.accounts.stackset import StackSetAccounts
from cloudcraft_onboard.accounts.teardown import observe_teardown, tear_down
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.events import OperationAwaited
from cloudcraft_onboard.model import Account, RoleSpec, StackSetSpec, Via
from cloudcraft_onboard.model.changes import CreateByStackSet, DeleteByStackSet, UpdateInstance
from cloudcraft_onboard.model.role_notes import (
    FormerRole,
    FormerRoleOutside,
    JoinersCovered,
    RoleOfStackSetKept,
    RolledOut,
    StackSetBusy,
)
from cloudcraft_onboard.plan.stackset import desired_stack_set
from tests.pure.accounts.fakes import (
    BEGUN,
    CLOUDCRAFT,
    HUB,
    ONE,
    TWO,
    FakeAws,
    FakeStackSets,
    as_desired,
    changed,
    driven,
    failed,
    handed_back,
    pauses,
    registered,
    sayings,
    snapshot,
    worked,
)

NAME = "cloudcraft-onboard"
ROLE = RoleSpec(via=Via.STACKSET)
THREE = "333333333333"


def group(*account_ids: str, role: RoleSpec = ROLE) -> StackSetAccounts:
    names = {ONE: "A", TWO: "B", THREE: "C", HUB: "Hub"}
    accounts = [Account(name=names[each], account_id=each, role=role) for each in account_ids]
    return StackSetAccounts(role=role, accounts=tuple(accounts))


def world(*present: str, role: RoleSpec = ROLE) -> tuple[FakeStackSets, FakeAws]:
    """A stack set as the manifest wants it, with instances in these accounts; none without."""
    sets = FakeStackSets(members=(ONE, TWO, THREE))
    if present:
        wanted = desired_stack_set(role, sets.organization(), CLOUDCRAFT, {})
        sets.observed = as_desired(wanted, *present)
    aws = FakeAws()
    aws.sets = sets
    return sets, aws


def roll(
    aws: FakeAws, accounts: StackSetAccounts, seen: Snapshot | None = None, *, apply: bool = True
) -> list[Any]:
    said, _ = driven(roll_out(accounts, seen or snapshot(), aws, apply=apply))
    return said


# --- rolling out --------------------------------------------------------------------------------


def test_a_new_stack_set_brings_all_accounts_with_one_operation() -> None:
    sets, aws = world()
    said = roll(aws, group(ONE, TWO))
    assert [call for call in sets.calls if call != "observe"] == [
        "create",
        f"fill r-root {ONE},{TWO}",
    ]
    ready = worked(said)
    assert list(ready) == ["A", "B"]
    assert ready["A"].spec.role_arn == f"arn:aws:iam::{ONE}:role/cloudcraft"
    assert ready["A"].age == 0.0
    (change,) = ready["A"].role_changes
    assert isinstance(change, CreateByStackSet)


def test_a_plan_says_the_same_and_starts_nothing() -> None:
    sets, aws = world()
    ready = worked(roll(aws, group(ONE, TWO), apply=False))
    assert sets.calls == ["observe"]
    assert [type(change) for it in ready.values() for change in it.role_changes] == [
        CreateByStackSet
    ] * 2
    assert ready["A"].notes == (
        RolledOut(stack_set=NAME, region="us-east-1", account_id=HUB),
        JoinersCovered(organizational_units=False),
    )


def test_what_is_there_already_is_ready_at_once() -> None:
    sets, aws = world(ONE, TWO)
    said = roll(aws, group(ONE, TWO), snapshot(registered(), registered(TWO, ident="r2")))
    assert sets.calls == ["observe"]
    assert [it.role_changes for it in worked(said).values()] == [(), ()]


def test_only_the_account_that_lacks_it_gets_an_instance() -> None:
    sets, aws = world(ONE)
    said = roll(aws, group(ONE, TWO))
    assert f"fill r-root {TWO}" in sets.calls
    assert list(worked(said)) == ["A", "B"]


def test_a_difference_updates_every_instance() -> None:
    sets, aws = world(ONE)
    assert sets.observed is not None
    sets.observed = replace(sets.observed, template={})
    said = roll(aws, group(ONE))
    assert "update" in sets.calls
    assert [it.action.word for it in worked(said)["A"].role_changes] == ["update-role"]


def test_an_instance_that_is_behind_is_filled_again() -> None:
    sets, aws = world(ONE)
    assert sets.observed is not None
    (instance,) = sets.observed.instances
    sets.observed = replace(sets.observed, instances=(replace(instance, status="OUTDATED"),))
    said = roll(aws, group(ONE))
    assert worked(said)["A"].role_changes == (UpdateInstance(stack_set=NAME, status="OUTDATED"),)


def test_a_failure_is_its_accounts_alone() -> None:
    sets, aws = world()
    sets.fails[TWO] = "the role exists"
    said = roll(aws, group(ONE, TWO))
    assert list(worked(said)) == ["A"]
    assert failed(said)["B"].message == f"{TWO}: the role exists"


def test_what_was_cancelled_is_pending() -> None:
    sets, aws = world()
    sets.cancels.add(TWO)
    said = roll(aws, group(ONE, TWO))
    assert isinstance(failed(said)["B"], AccountPending)
    assert "failure_tolerance_percentage" in failed(said)["B"].message


def test_an_account_that_no_operation_speaks_of_fails_with_a_way_out() -> None:
    sets, aws = world()
    sets.members = (ONE,)
    said = roll(aws, group(ONE, TWO))
    assert list(worked(said)) == ["A"]
    assert failed(said)["B"].code == "NoStackInstance"


def test_anothers_operation_is_waited_for() -> None:
    sets, aws = world(ONE)
    sets.busy = ["CREATE", "CREATE"]
    said = roll(aws, group(ONE, TWO))
    assert pauses(said) >= 2
    assert list(worked(said)) == ["A", "B"]


def awaited(said: list[Any]) -> list[OperationAwaited]:
    return [fact for fact in said if isinstance(fact, OperationAwaited)]


def test_an_operation_is_named_once_with_those_who_wait_for_it() -> None:
    sets, aws = world()
    sets.looks = 30
    said = roll(aws, group(ONE, TWO))
    assert awaited(said) == [
        OperationAwaited(stack_set=NAME, operation_id="op-0", since=BEGUN, names=("A", "B"))
    ]
    assert pauses(said) == 29


def test_anothers_operation_is_named_too() -> None:
    sets, aws = world(ONE)
    sets.busy = ["CREATE", "CREATE"]
    said = roll(aws, group(ONE, TWO))
    first, own = awaited(said)
    assert (first.operation_id, first.names) == ("op-others", ("B",))
    assert own.operation_id == "op-0"
    paused = [fact.error.message for fact in said if isinstance(fact, Paused)]
    assert "op-others" in paused[0]


def test_a_teardown_names_what_it_waits_for() -> None:
    sets, aws = world(ONE)
    sets.busy = ["UPDATE"]
    said, _ = driven(tear_down(group(ONE), aws))
    assert [each.operation_id for each in awaited(said)] == ["op-others", "op-0"]


def test_a_plan_says_that_another_operation_is_under_way() -> None:
    sets, aws = world(ONE)
    sets.busy = ["UPDATE"]
    ready = worked(roll(aws, group(TWO), apply=False))
    assert StackSetBusy() in ready["B"].notes


def test_whole_units_are_named_before_they_get_it() -> None:
    role = RoleSpec(via=Via.STACKSET, stackset=StackSetSpec(organizational_units=("ou-1",)))
    sets, aws = world()
    said = roll(aws, group(ONE, role=role), apply=False)
    assert sayings(said) == [f"The stack set {NAME} targets ou-1."]
    roll(aws, group(ONE, role=role))
    assert "fill ou-1" in sets.calls


def test_an_account_of_another_users_registration_is_not_broken() -> None:
    sets, aws = world()
    said = roll(aws, group(ONE, TWO), snapshot(registered(external_id="theirs")))
    assert failed(said)["A"].code == "ExternalIdDiffers"
    assert list(worked(said)) == ["B"]
    assert f"fill r-root {TWO}" in sets.calls


def test_a_registration_of_another_role_is_noted() -> None:
    _, aws = world(ONE)
    ready = worked(roll(aws, group(ONE), snapshot(registered(role="older")), apply=False))
    former = FormerRole(arn=f"arn:aws:iam::{ONE}:role/older", entered=False)
    assert former in ready["A"].notes


def test_a_stack_set_of_others_is_everybodys_problem() -> None:
    sets, aws = world(ONE)
    assert sets.observed is not None
    sets.observed = replace(sets.observed, tags={})
    with pytest.raises(AccountError, match="it was not made by onboard"):
        roll(aws, group(ONE, TWO))
    assert sets.calls == ["observe"]


# --- who is handed back: the same for both ways ---------------------------------------------------


@pytest.mark.parametrize("way", ["rollout", "teardown"])
def test_the_management_account_and_datadogs_are_handed_back(way: str) -> None:
    _, aws = world(ONE)
    seen = snapshot(registered(TWO, source="datadog"))
    accounts = group(ONE, TWO, HUB)
    if way == "rollout":
        said = roll(aws, accounts, seen, apply=False)
    else:
        said, _ = driven(observe_teardown(accounts, seen.listing, aws))
    assert handed_back(said) == ["B", "Hub"]
    assert list(worked(said)) == ["A"]


@pytest.mark.parametrize("way", ["rollout", "teardown"])
def test_where_nobody_is_left_aws_is_not_called(way: str) -> None:
    aws = FakeAws()
    seen = snapshot(registered(source="datadog"))
    if way == "rollout":
        said = roll(aws, group(ONE), seen)
    else:
        said, _ = driven(observe_teardown(group(ONE), seen.listing, aws))
    assert handed_back(said) == ["A"]


# --- tearing down -------------------------------------------------------------------------------


def test_there_and_back_again_leaves_no_stack_set() -> None:
    sets, aws = world(ONE, TWO)
    seen = snapshot(registered())
    said, _ = driven(observe_teardown(group(ONE, TWO), seen.listing, aws))
    removals = worked(said)
    assert removals["A"].role_changes == (DeleteByStackSet(stack_set=NAME),)
    assert removals["A"].by_stack_set
    assert [it.id for it in removals["A"].registrations] == ["r1"]
    assert sets.calls == ["observe"], "looking writes nothing"
    said, _ = driven(tear_down(group(ONE, TWO), aws))
    assert changed(said) == ["delete-role", "delete-role"]
    assert worked(said) == {"A": (), "B": ()}
    assert sets.observed is None
    assert sayings(said) == [f"The stack set {NAME} had no instances left and was deleted."]


def test_instances_of_others_keep_the_stack_set() -> None:
    sets, aws = world(ONE, TWO, THREE)
    said, _ = driven(tear_down(group(ONE), aws))
    assert f"empty {ONE}" in sets.calls
    assert (changed(said), sayings(said)) == (["delete-role"], [])
    assert sets.observed is not None
    assert [it.account_id for it in sets.observed.instances] == [TWO, THREE]


def test_one_that_cannot_be_deleted_fails_alone() -> None:
    sets, aws = world(ONE, TWO)
    sets.fails[TWO] = "it has other policies"
    said, _ = driven(tear_down(group(ONE, TWO), aws))
    assert list(worked(said)) == ["A"]
    assert failed(said)["B"].code == "StackInstanceFailed"
    assert "it has other policies." in failed(said)["B"].message


def test_a_teardown_waits_for_others_operations() -> None:
    sets, aws = world(ONE)
    sets.busy = ["UPDATE"]
    said, _ = driven(tear_down(group(ONE), aws))
    assert pauses(said) >= 2
    assert changed(said) == ["delete-role"]


def test_a_role_of_others_stack_set_is_kept() -> None:
    sets, aws = world(ONE)
    assert sets.observed is not None
    sets.observed = replace(sets.observed, tags={})
    said, _ = driven(observe_teardown(group(ONE, TWO), snapshot().listing, aws))
    removals = worked(said)
    assert [type(note) for note in removals["A"].notes] == [RoleOfStackSetKept]
    assert (removals["A"].changes, removals["B"].notes) == ((), ())


def test_the_former_role_of_an_account_that_nobody_enters_stays_with_a_word() -> None:
    _, aws = world(ONE)
    seen = snapshot(registered(role="older"))
    said, _ = driven(observe_teardown(group(ONE), seen.listing, aws))
    note = FormerRoleOutside(arn=f"arn:aws:iam::{ONE}:role/older")
    assert worked(said)["A"].notes == (note,)
