"""The diff: applying its changes leaves nothing to change, and nothing unknown is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import (
    MANAGED_BY,
    Account,
    Action,
    Change,
    DesiredRole,
    Identity,
    ObservedRole,
    RoleSpec,
    Stage,
    Trust,
    Via,
)
from cloudcraft_onboard.model.changes import (
    AttachPolicy,
    CreateRole,
    PutPolicy,
    RoleChange,
    TagRole,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.model.role_notes import (
    BoundaryKept,
    NotMadeHere,
    PoliciesKept,
    RoleKept,
    RoleNotMoved,
)
from cloudcraft_onboard.plan.diff import (
    DESCRIPTION,
    desired_role,
    needed_documents,
    plan_removal,
    plan_role,
)
from cloudcraft_onboard.plan.trust import trust_document
from cloudcraft_onboard.show.saved import saved

ACCOUNT = "111122223333"
IDENTITY = Identity(
    account_id=ACCOUNT, partition="aws", arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/x"
)
TRUST = Trust(account_id="912185983511", external_id="4414aef4", partition="aws")
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MINE = dict((MANAGED_BY,))
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "minimal": {
        "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeTags"], "Resource": "*"}]
    },
    "custom": {"Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"}]},
}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"


def desired(**spec: Any) -> DesiredRole:
    return desired_role(RoleSpec(**spec), IDENTITY, TRUST, DOCUMENTS)


def made(role: DesiredRole, **differences: Any) -> ObservedRole:
    """The role as it is right after it was made here, with some differences."""
    right = ObservedRole(
        arn=f"arn:aws:iam::{ACCOUNT}:role{role.path}{role.name}",
        path=role.path,
        description=role.description,
        max_session_duration=role.max_session_duration,
        permissions_boundary=role.permissions_boundary.arns[-1]
        if role.permissions_boundary
        else None,
        tags={**role.tags, **MINE},
        trust=trust_document(role.trust),
        attached=tuple(policy.arns[0] for policy in role.policies),
        inline=dict(role.inline),
    )
    return replace(right, **differences)


def words(changes: tuple[Change, ...]) -> list[str]:
    return [change.action.word for change in changes]


def subjects(changes: tuple[Change, ...]) -> list[str]:
    return [saved(change).subject for change in changes]


# --- the desired role ---------------------------------------------------------------------------


def test_seed_values_are_those_of_cloudcrafts_guide() -> None:
    role = desired()
    assert (role.name, role.path, role.max_session_duration) == ("cloudcraft", "/", 3600)
    assert role.description == "Programmatically created IAM role for use with Cloudcraft."
    assert [policy.arns[0] for policy in role.policies] == [READ_ONLY]


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn", "aws-eusc"])
def test_plain_names_become_arns_of_the_reached_partition(partition: str) -> None:
    spec = RoleSpec(
        policies=("job-function/ViewOnlyAccess", "arn:aws:iam::1:policy/x"),
        permissions_boundary="edge",
    )
    role = desired_role(spec, replace(IDENTITY, partition=partition), TRUST, {})
    view_only, exact = role.policies
    assert view_only.arns == (
        f"arn:{partition}:iam::aws:policy/job-function/ViewOnlyAccess",
        f"arn:{partition}:iam::{ACCOUNT}:policy/job-function/ViewOnlyAccess",
    )
    assert exact.arns == ("arn:aws:iam::1:policy/x",)
    assert role.permissions_boundary is not None
    assert role.permissions_boundary.arns[-1] == f"arn:{partition}:iam::{ACCOUNT}:policy/edge"


def test_documents_are_asked_for_only_where_an_account_needs_them() -> None:
    minimal = RoleSpec(policies=("cloudcraft:minimal", "ReadOnlyAccess"))
    custom = RoleSpec(policies=("cloudcraft:custom",))
    accounts = [
        Account(name="a", role=minimal),
        Account(name="b"),
        Account(name="c", role=custom, enabled=False),
        Account(name="d", role=replace(custom, via=Via.EXISTING)),
    ]
    assert needed_documents(accounts) == {"minimal"}
    assert needed_documents([Account(name="b")]) == frozenset()


# --- one difference at a time -------------------------------------------------------------------


def test_missing_role_is_created_with_everything_then_given_its_policies() -> None:
    role = desired(policies=("ReadOnlyAccess", "cloudcraft:minimal"), tags={"team": "x"})
    plan = plan_role(role, None)
    assert words(plan.changes) == ["create-role", "attach-policy", "put-policy"]
    assert subjects(plan.changes) == ["", READ_ONLY, "cloudcraft-minimal"]


def test_role_as_made_here_needs_nothing() -> None:
    role = desired(
        policies=("ReadOnlyAccess", "cloudcraft:minimal"),
        permissions_boundary="edge",
        tags={"team": "x"},
        path="/security/",
    )
    plan = plan_role(role, made(role))
    assert (plan.changes, plan.notes, plan.conflict) == ((), (), None)


@pytest.mark.parametrize(
    ("difference", "action", "reason"),
    [
        (
            {"max_session_duration": 7200},
            Action.UPDATE_ROLE,
            "maximum session duration is 7200 s, not 3600 s",
        ),
        (
            {"permissions_boundary": None},
            Action.UPDATE_ROLE,
            "permissions boundary is missing, not edge",
        ),
        (
            {"permissions_boundary": READ_ONLY, "max_session_duration": 7200},
            Action.UPDATE_ROLE,
            (
                "maximum session duration is 7200 s, not 3600 s;"
                f" permissions boundary is {READ_ONLY}, not edge"
            ),
        ),
        ({"tags": {**MINE, "team": "old"}}, Action.TAG_ROLE, "tag team differs"),
        ({"tags": {}}, Action.TAG_ROLE, "tag team differs"),
        ({"attached": ()}, Action.ATTACH_POLICY, "missing from the role"),
        ({"inline": {}}, Action.PUT_POLICY, "missing from the role"),
        (
            {"inline": {"cloudcraft-minimal": DOCUMENTS["custom"]}},
            Action.PUT_POLICY,
            "Cloudcraft's document differs",
        ),
        (
            {"trust": trust_document(replace(TRUST, external_id="older"))},
            Action.UPDATE_TRUST,
            "external ID differs",
        ),
    ],
)
def test_each_difference_is_one_change(
    difference: dict[str, Any], action: Action, reason: str
) -> None:
    role = desired(
        policies=("ReadOnlyAccess", "cloudcraft:minimal"),
        permissions_boundary="edge",
        tags={"team": "x"},
    )
    (change,) = plan_role(role, made(role, **difference)).changes
    assert (change.action, saved(change).reason) == (action, reason)


def test_policy_of_the_account_satisfies_a_plain_name() -> None:
    role = desired(policies=("Auditors",))
    own = f"arn:aws:iam::{ACCOUNT}:policy/Auditors"
    assert not plan_role(role, made(role, attached=(own,))).changes


def test_managed_by_is_never_given_to_an_existing_role() -> None:
    role = desired(adopt=True)
    assert not plan_role(role, made(role, tags={})).changes


# --- what is left alone -------------------------------------------------------------------------


def test_what_the_manifest_does_not_name_stays_and_is_mentioned() -> None:
    role = desired(policies=("ReadOnlyAccess", "cloudcraft:minimal"))
    observed = made(
        role,
        path="/elsewhere/",
        permissions_boundary=BOUNDARY,
        attached=(READ_ONLY, "arn:aws:iam::aws:policy/SecurityAudit"),
        inline={**role.inline, "cloudcraft-custom": {}},
        tags={**MINE, "owner": "somebody"},
    )
    plan = plan_role(role, observed)
    assert plan.changes == ()
    assert plan.notes == (
        RoleNotMoved(path="/elsewhere/", wanted="/"),
        BoundaryKept(boundary=BOUNDARY),
        PoliciesKept(
            attached=("arn:aws:iam::aws:policy/SecurityAudit",), inline=("cloudcraft-custom",)
        ),
    )


def test_the_description_is_no_difference() -> None:
    role = desired()
    assert plan_role(role, made(role, description="by Terraform")).changes == ()


FOREIGN = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "sts:AssumeRole",
    }
}


def test_foreign_trust_is_a_conflict_with_the_way_out() -> None:
    role = desired()
    plan = plan_role(role, made(role, trust=FOREIGN, description="theirs", attached=()))
    assert plan.changes == ()
    assert plan.conflict is not None
    assert (plan.conflict.stage, plan.conflict.code) == (Stage.ROLE, "TrustConflict")
    assert "it trusts account 999999999999" in plan.conflict.message
    assert "`adopt: true`" in plan.conflict.hint


def test_adopt_makes_a_foreign_trust_the_wanted_one_and_says_whose_it_was() -> None:
    role = desired(adopt=True)
    (change,) = plan_role(role, made(role, trust=FOREIGN)).changes
    assert change.action is Action.UPDATE_TRUST
    reason = "taken over (`adopt: true`), though it trusts account 999999999999"
    assert saved(change).reason == reason


def test_inline_documents_beyond_iams_limit_are_refused_with_a_way_out() -> None:
    actions = [f"service{number}:DescribeSomethingVeryLong" for number in range(400)]
    long = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    role = desired_role(
        RoleSpec(policies=("cloudcraft:minimal",)), IDENTITY, TRUST, {"minimal": long}
    )
    for observed in (None, made(role)):
        plan = plan_role(role, observed)
        assert plan.changes == ()
        assert plan.conflict is not None
        assert plan.conflict.code == "PolicyTooLong"
        assert "10,240" in plan.conflict.message
        assert "`cloudcraft:custom`" in plan.conflict.hint


# --- removal ------------------------------------------------------------------------------------


def removal(role: DesiredRole, observed: ObservedRole | None, **options: bool) -> Any:
    return plan_removal(role, observed, **{"force": False, **options})


def test_role_made_here_is_emptied_and_deleted() -> None:
    role = desired(policies=("ReadOnlyAccess", "cloudcraft:minimal"))
    plan = removal(role, made(role))
    assert words(plan.changes) == ["detach-policy", "detach-policy", "delete-role"]
    assert subjects(plan.changes) == [READ_ONLY, "cloudcraft-minimal", ""]
    assert removal(role, None).changes == ()


@pytest.mark.parametrize(
    ("differences", "options", "why"),
    [
        ({"tags": {}}, {}, NotMadeHere()),
        ({"tags": {}}, {"force": True}, NotMadeHere()),
        ({"tags": {"ManagedBy": "terraform"}}, {"force": True}, NotMadeHere()),
        ({"attached": (READ_ONLY, BOUNDARY)}, {}, PoliciesKept(attached=(BOUNDARY,))),
        ({"inline": {"theirs": {}}}, {}, PoliciesKept(inline=("theirs",))),
    ],
)
def test_role_is_kept_and_the_note_says_why(
    differences: dict[str, Any], options: dict[str, bool], why: NotMadeHere | PoliciesKept
) -> None:
    role = desired()
    plan = removal(role, made(role, **differences), **options)
    assert plan.changes == ()
    assert plan.notes == (RoleKept(arn=made(role).arn, why=why),)


def test_force_takes_other_policies_with_it() -> None:
    role = desired()
    plan = removal(role, made(role, attached=(READ_ONLY, BOUNDARY)), force=True)
    assert subjects(plan.changes) == [READ_ONLY, BOUNDARY, ""]


# --- as a property ------------------------------------------------------------------------------


class Iam:
    """What IAM makes of the changes: one role, on which each change has its own effect only."""

    def __init__(self, role: ObservedRole | None) -> None:
        self.role = role

    def apply(self, change: RoleChange, wanted: DesiredRole) -> None:
        if isinstance(change, CreateRole):
            assert self.role is None
            self.role = replace(made(wanted), attached=(), inline={})
            return
        assert self.role is not None
        role = self.role
        boundary = wanted.permissions_boundary
        match change:
            case UpdateTrust():
                self.role = replace(role, trust=trust_document(wanted.trust))
            case UpdateRole():
                kept = role.permissions_boundary
                self.role = replace(
                    role,
                    description=wanted.description,
                    max_session_duration=wanted.max_session_duration,
                    permissions_boundary=boundary.arns[-1] if boundary else kept,
                )
            case TagRole():
                self.role = replace(role, tags={**role.tags, **change.after})
            case AttachPolicy():
                self.role = replace(role, attached=(*role.attached, change.policy.arns[0]))
            case PutPolicy():
                inline = {**role.inline, change.name: wanted.inline[change.name]}
                self.role = replace(role, inline=inline)
            case _:
                raise AssertionError(change)


names = st.sampled_from(
    ["ReadOnlyAccess", "Auditors", BOUNDARY, "cloudcraft:minimal", "cloudcraft:custom"]
)
specs = st.builds(
    RoleSpec,
    policies=st.lists(names, max_size=4).map(tuple),
    permissions_boundary=st.none() | st.sampled_from(["edge", BOUNDARY]),
    max_session_duration=st.sampled_from([3600, 43200]),
    tags=st.dictionaries(st.sampled_from(["team", "env", "ManagedBy"]), st.text(max_size=3)),
    adopt=st.booleans(),
    path=st.sampled_from(["/", "/x/"]),
)
trusts = st.sampled_from(
    [
        trust_document(TRUST),
        trust_document(replace(TRUST, external_id="older")),
        FOREIGN,
        {"Statement": []},
    ]
)
roles = st.builds(
    ObservedRole,
    arn=st.just(f"arn:aws:iam::{ACCOUNT}:role/cloudcraft"),
    path=st.sampled_from(["/", "/x/"]),
    description=st.sampled_from(["", DESCRIPTION]),
    max_session_duration=st.sampled_from([3600, 7200]),
    permissions_boundary=st.none() | st.just(BOUNDARY),
    tags=st.dictionaries(st.sampled_from(["team", "env", "ManagedBy"]), st.text(max_size=3)),
    trust=trusts,
    attached=st.lists(st.sampled_from([READ_ONLY, BOUNDARY]), unique=True).map(tuple),
    inline=st.dictionaries(
        st.sampled_from(["cloudcraft-minimal", "cloudcraft-custom", "theirs"]),
        st.sampled_from(list(DOCUMENTS.values())),
    ),
)


@given(specs, st.none() | roles)
def test_applying_the_plan_leaves_nothing_to_plan(
    spec: RoleSpec, observed: ObservedRole | None
) -> None:
    wanted = desired_role(spec, IDENTITY, TRUST, DOCUMENTS)
    plan = plan_role(wanted, observed)
    if plan.conflict is not None:
        assert not spec.adopt
        assert plan.changes == ()
        return
    iam = Iam(observed)
    for change in plan.changes:
        assert saved(change).reason
        iam.apply(change, wanted)
    again = plan_role(wanted, iam.role)
    assert (again.changes, again.conflict) == ((), None)
    if observed is not None and iam.role is not None:
        assert set(observed.attached) <= set(iam.role.attached)
        assert set(observed.inline) <= set(iam.role.inline)
        assert set(observed.tags) <= set(iam.role.tags)
        assert observed.tags.get("ManagedBy") == iam.role.tags.get("ManagedBy")
