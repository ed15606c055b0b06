"""CloudFormation's side of a stack set: what is sent, what is read, what refusals become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.aws.stackset import BotoStackSets
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.model import (
    MANAGED_BY,
    CloudcraftParameters,
    DesiredStackSet,
    RoleSpec,
    StackSetSpec,
)
from cloudcraft_onboard.plan.stackset import desired_stack_set, plan_stack_set

if TYPE_CHECKING:
    from tests.support.stacksets import Company

NAME = "cloudcraft-onboard"
Connect = Callable[[StackSetSpec], BotoStackSets]


@pytest.fixture
def connect(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", company.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    aws = BotoAws(concurrency=1, retries=0)
    yield aws.stack_sets
    aws.close()


def desired(sets: BotoStackSets, spec: StackSetSpec) -> DesiredStackSet:
    parameters = CloudcraftParameters(account_id="912185983511", external_id="an-id")
    return desired_stack_set(RoleSpec(stackset=spec), sets.organization(), parameters, {})


def test_what_was_made_is_observed_as_desired(company: Company, connect: Connect) -> None:
    accounts = [company.member(name) for name in "abc"]
    spec = StackSetSpec(max_concurrent_percentage=50, failure_tolerance_percentage=20)
    sets = connect(spec)
    assert sets.observe(NAME) is None
    wanted = desired(sets, spec)
    sets.create(wanted)
    sets.create(wanted)  # somebody else was faster
    operation_id = sets.fill(NAME, wanted.units, accounts)
    seen = sets.operation(NAME, operation_id)
    assert {status for status, _ in seen.results.values()} == {"SUCCEEDED", "RUNNING", "PENDING"}
    while not seen.ended:
        seen = sets.operation(NAME, operation_id)
    observed = sets.observe(NAME)
    assert observed is not None
    assert observed.tags == dict([MANAGED_BY])
    assert (observed.busy, observed.units) == ("", (company.root,))
    assert {each.account_id for each in observed.instances} == set(accounts)
    assert plan_stack_set(wanted, observed, accounts).changes == {}


def test_an_operation_in_progress_is_seen_and_keeps_others_out(
    company: Company, connect: Connect
) -> None:
    accounts = [company.member(name) for name in "abc"]
    spec = StackSetSpec()
    sets = connect(spec)
    wanted = desired(sets, spec)
    sets.create(wanted)
    sets.fill(NAME, wanted.units, accounts)
    company.aws.pace = 0
    for start in (
        lambda: sets.fill(NAME, wanted.units, accounts),
        lambda: sets.update(wanted),
        lambda: sets.empty(NAME, wanted.units, accounts),
        lambda: sets.delete(NAME),
    ):
        with pytest.raises(ConcurrentChange):
            start()
    observed = sets.observe(NAME)
    assert observed is not None
    assert observed.busy == "CREATE"
    (begun,) = company.aws.kept[NAME].operations
    assert (observed.busy_id, observed.busy_since) == (begun.id, begun.begun_at)
    assert sets.operation(NAME, begun.id).since == begun.begun_at
    assert observed.changed_at is not None


def test_how_the_manifest_wants_it_done_is_what_is_asked_for(
    company: Company, connect: Connect
) -> None:
    account_id = company.member("a")
    spec = StackSetSpec(max_concurrent_percentage=50, failure_tolerance_percentage=20)
    sets = connect(spec)
    sets.create(desired(sets, spec))
    sets.fill(NAME, [company.root], [account_id])
    asked = dict(company.aws.asked)
    made = asked["create_stack_set"]
    assert made["PermissionModel"] == "SERVICE_MANAGED"
    assert made["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert made["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert made["CallAs"] == "SELF"
    filled = asked["create_stack_instances"]
    assert filled["Regions"] == ["us-east-1"]
    assert filled["OperationPreferences"] == {
        "MaxConcurrentPercentage": 50,
        "FailureTolerancePercentage": 20,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    }


def test_a_delegated_administrator_says_so(company: Company, connect: Connect) -> None:
    company.aws.delegated.add("123456789012")
    connect(StackSetSpec(admin="delegated")).observe(NAME)
    assert {given["CallAs"] for _, given in company.aws.asked} == {"DELEGATED_ADMIN"}


def test_named_units_need_no_look_for_the_root(connect: Connect) -> None:
    organization = connect(StackSetSpec(organizational_units=("ou-ab12-11111111",))).organization()
    assert organization.management == "123456789012"


def test_a_template_that_is_no_json_is_another_one(company: Company, connect: Connect) -> None:
    company.client("cloudformation").create_stack_set(StackSetName=NAME, TemplateBody="Outputs: {}")
    observed = connect(StackSetSpec()).observe(NAME)
    assert observed is not None
    assert observed.template is None


def test_an_empty_stack_set_can_be_deleted_twice(connect: Connect) -> None:
    spec = StackSetSpec()
    sets = connect(spec)
    sets.create(desired(sets, spec))
    sets.delete(NAME)
    assert sets.observe(NAME) is None
    sets.delete(NAME)


def test_trusted_access_that_is_missing_is_said(company: Company, connect: Connect) -> None:
    company.aws.trusted = False
    with pytest.raises(AccountError, match="enable organizations access") as raised:
        connect(StackSetSpec()).observe(NAME)
    assert "aws cloudformation activate-organizations-access`" in raised.value.hint


def test_a_member_account_is_told_who_makes_stack_sets(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.stacksets.MANAGEMENT", "999999999999")
    with pytest.raises(AccountError, match="management account or delegated admin") as raised:
        connect(StackSetSpec()).observe(NAME)
    assert "123456789012" in raised.value.hint
    assert "role.stackset.admin: delegated" in raised.value.hint


def test_an_account_outside_of_any_organization_is_told(company: Company, connect: Connect) -> None:
    company.client("organizations").delete_organization()
    with pytest.raises(AccountError) as raised:
        connect(StackSetSpec()).organization()
    assert raised.value.code == "AWSOrganizationsNotInUseException"
    assert "role.via: assume" in raised.value.hint
