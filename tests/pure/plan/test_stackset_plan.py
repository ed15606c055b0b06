"""What a stack set needs, as a pure function."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import (
    MANAGED_BY,
    CloudcraftParameters,
    DesiredStackSet,
    ObservedStackSet,
    Organization,
    RoleSpec,
    StackInstance,
    StackSetSpec,
)
from cloudcraft_onboard.model.differences import clauses
from cloudcraft_onboard.model.role_notes import StackSetStays
from cloudcraft_onboard.plan.stackset import (
    SERVICE_MANAGED,
    StackSetPlan,
    desired_stack_set,
    plan_stack_set,
)
from cloudcraft_onboard.show.saved import saved

ORGANIZATION = Organization(management="999999999999", root="r-root")
PARAMETERS = CloudcraftParameters(account_id="912185983511", external_id="e")
A, B, C = "111111111111", "222222222222", "333333333333"


def desired(*units: str) -> DesiredStackSet:
    role = RoleSpec(stackset=StackSetSpec(organizational_units=units))
    return desired_stack_set(role, ORGANIZATION, PARAMETERS, {})


def as_desired(wanted: DesiredStackSet, **statuses: str) -> ObservedStackSet:
    accounts = {"a": A, "b": B, "c": C}
    return ObservedStackSet(
        template=wanted.template,
        parameters=wanted.parameters,
        permission_model=SERVICE_MANAGED,
        auto_deployment=True,
        tags=dict([MANAGED_BY]),
        units=wanted.units,
        instances=tuple(
            StackInstance(account_id=accounts[name], status=status)
            for name, status in statuses.items()
        ),
    )


def test_what_is_as_it_should_be_needs_nothing() -> None:
    wanted = desired()
    assert plan_stack_set(wanted, as_desired(wanted, a="CURRENT"), [A]) == StackSetPlan()


def test_missing_and_outdated_instances_are_made_together() -> None:
    wanted = desired()
    plan = plan_stack_set(wanted, as_desired(wanted, a="CURRENT", b="OUTDATED"), [A, B, C])
    assert (plan.units, plan.accounts, plan.differs) == (("r-root",), (B, C), ())
    assert [(each, change.action.word) for each, change in plan.changes.items()] == [
        (B, "update-role"),
        (C, "create-role"),
    ]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"template": {}}, "template"),
        ({"template": None}, "template"),
        ({"parameters": {"CloudcraftAccountId": "912185983511"}}, "ExternalId"),
        ({"auto_deployment": False}, "automatic deployment"),
    ],
    ids=["template", "not JSON", "parameter", "automatic deployment"],
)
def test_what_differs_updates_every_instance(other: dict[str, object], reason: str) -> None:
    wanted = desired()
    observed = replace(as_desired(wanted, a="CURRENT"), **other)  # type: ignore[arg-type]
    plan = plan_stack_set(wanted, observed, [A])
    assert reason in clauses(plan.differs)
    assert reason in saved(plan.changes[A]).reason
    assert plan.changes[A].action.word == "update-role"


@pytest.mark.parametrize(
    ("other", "reason"),
    [({"tags": {}}, "not made by onboard"), ({"permission_model": "SELF_MANAGED"}, "self-managed")],
    ids=["tag", "permissions"],
)
def test_what_is_not_ours_is_left_alone(other: dict[str, object], reason: str) -> None:
    wanted = desired()
    observed = replace(as_desired(wanted), **other)  # type: ignore[arg-type]
    plan = plan_stack_set(wanted, observed, [A])
    assert plan.conflict is not None
    assert reason in plan.conflict.message
    assert plan == StackSetPlan(conflict=plan.conflict)


def test_a_new_unit_is_filled_whole() -> None:
    observed = as_desired(desired("ou-1"), a="CURRENT")
    plan = plan_stack_set(desired("ou-1", "ou-2"), observed, [A])
    assert (plan.units, plan.accounts, dict(plan.changes)) == (("ou-1", "ou-2"), (), {})


def test_a_unit_that_the_manifest_lacks_stays_and_is_noted() -> None:
    observed = as_desired(desired("ou-1", "ou-2"), a="CURRENT")
    plan = plan_stack_set(desired("ou-1"), observed, [A])
    assert plan.units == ()
    assert plan.notes == (StackSetStays(stack_set="cloudcraft-onboard", units=("ou-2",)),)


def test_an_inoperable_instance_is_for_a_person() -> None:
    wanted = desired()
    plan = plan_stack_set(wanted, as_desired(wanted, a="INOPERABLE"), [A])
    assert "--retain-stacks" in plan.problems[A].hint
    assert plan.units == ()


@given(
    statuses=st.fixed_dictionaries(
        {}, optional=dict.fromkeys("abc", st.sampled_from(["CURRENT", "OUTDATED", "INOPERABLE"]))
    ),
    asked=st.lists(st.sampled_from([A, B, C]), unique=True, min_size=1),
    exists=st.booleans(),
)
def test_without_units_no_operation_reaches_beyond_the_manifests_accounts(
    *, statuses: dict[str, str], asked: list[str], exists: bool
) -> None:
    wanted = desired()
    observed = as_desired(wanted, **statuses) if exists else None
    plan = plan_stack_set(wanted, observed, asked)
    assert set(plan.accounts) <= set(asked)
    assert bool(plan.units) == bool(plan.accounts)
