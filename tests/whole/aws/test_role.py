"""Roles in a real IAM: made, mended, left alone, taken away; the calls that it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.role import observe
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.model import MANAGED_BY, RoleSpec, Stage, Trust
from cloudcraft_onboard.model.changes import DeleteRole
from cloudcraft_onboard.model.role_notes import PoliciesKept, RoleKept
from cloudcraft_onboard.plan.documents import same
from cloudcraft_onboard.plan.trust import trust_document
from tests.support.aws_proxy import AwsProxy
from tests.support.world import SandboxWorld
from tests.whole.aws.support import (
    CLOUDCRAFT,
    DOCUMENTS,
    ENTRY,
    MEMBER,
    READ_ONLY,
    bring,
    member,
    opened,
    plan,
    take_away,
    wanted,
    words,
)

EVERYTHING = RoleSpec(
    path="/security/",
    policies=("ReadOnlyAccess", "service-role/AWSLambdaRole", "Auditors", "cloudcraft:minimal"),
    permissions_boundary="Edge",
    max_session_duration=7200,
    tags={"team": "platform"},
)
ANY = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
OLDER = json.dumps(
    trust_document(Trust(account_id=CLOUDCRAFT, external_id="older", partition="aws"))
)


@pytest.fixture
def own_policies(org: SandboxWorld) -> SandboxWorld:
    """The policies of the account itself that `EVERYTHING` names."""
    for name in ("Auditors", "Edge"):
        org.iam(MEMBER).create_policy(PolicyName=name, PolicyDocument=ANY)
    return org


def test_role_is_made_as_cloudcrafts_guide_says(org: SandboxWorld, aws: BotoAws) -> None:
    changes = bring(aws.reach(member()), RoleSpec())
    assert words(changes) == ["create-role", "attach-policy"]
    role = org.iam(MEMBER).get_role(RoleName="cloudcraft")["Role"]
    assert role["Description"] == "Programmatically created IAM role for use with Cloudcraft."
    assert role["MaxSessionDuration"] == 3600
    assert role["Tags"] == [{"Key": "ManagedBy", "Value": "cloudcraft-onboard"}]
    trust: Any = role["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::912185983511:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "4414aef4"}}


def test_everything_a_manifest_can_ask_for_is_made_once(
    own_policies: SandboxWorld, aws: BotoAws
) -> None:
    session = aws.reach(member())
    made = bring(session, EVERYTHING)
    assert words(made) == ["create-role", *3 * ["attach-policy"], "put-policy"]
    iam = own_policies.iam(MEMBER)
    role = iam.get_role(RoleName="cloudcraft")["Role"]
    assert role["Path"] == "/security/"
    assert role["MaxSessionDuration"] == 7200
    boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == f"arn:aws:iam::{MEMBER}:policy/Edge"
    assert {tag["Key"] for tag in role["Tags"]} == {"ManagedBy", "team"}
    attached = iam.list_attached_role_policies(RoleName="cloudcraft")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [
        READ_ONLY,
        "arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
        f"arn:aws:iam::{MEMBER}:policy/Auditors",
    ]
    inline = iam.get_role_policy(RoleName="cloudcraft", PolicyName="cloudcraft-minimal")
    document: Any = inline["PolicyDocument"]
    assert same(document, DOCUMENTS["minimal"])
    assert not plan(session, EVERYTHING).changes
    assert not plan(session, EVERYTHING).notes


def test_unchanged_role_costs_two_reads_and_no_write(proxy: AwsProxy, aws: BotoAws) -> None:
    bring(aws.reach(member()), RoleSpec())
    proxy.calm()
    session = aws.reach(member())
    assert bring(session, RoleSpec()) == ()
    assert dict(proxy.calls) == {"AssumeRole": 1, "GetRole": 1, "ListAttachedRolePolicies": 1}


def test_every_drift_is_mended_by_its_own_action(own_policies: SandboxWorld, aws: BotoAws) -> None:
    session = aws.reach(member())
    bring(session, EVERYTHING)
    iam = own_policies.iam(MEMBER)
    name = "cloudcraft"
    iam.update_role(RoleName=name, Description="by hand", MaxSessionDuration=3600)
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.tag_role(RoleName=name, Tags=[{"Key": "team", "Value": "other"}])
    iam.detach_role_policy(RoleName=name, PolicyArn=READ_ONLY)
    iam.put_role_policy(RoleName=name, PolicyName="cloudcraft-minimal", PolicyDocument=ANY)
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    changes = bring(session, EVERYTHING)
    assert words(changes) == [
        "update-trust",
        "update-role",
        "tag-role",
        "attach-policy",
        "put-policy",
    ]
    assert not plan(session, EVERYTHING).changes
    assert own_policies.role(MEMBER)["Description"] == "by hand"


def test_boundary_alone_is_put_without_touching_the_rest(
    own_policies: SandboxWorld, proxy: AwsProxy, aws: BotoAws
) -> None:
    session = aws.reach(member())
    bring(session, EVERYTHING)
    own_policies.iam(MEMBER).delete_role_permissions_boundary(RoleName="cloudcraft")
    proxy.calm()
    assert words(bring(session, EVERYTHING)) == ["update-role"]
    assert "UpdateRole" not in proxy.calls
    assert not plan(session, EVERYTHING).changes


def test_policy_that_is_nowhere_names_both_places_and_the_way_out(aws: BotoAws) -> None:
    spec = RoleSpec(policies=("ViewOnlyAccess",))
    with pytest.raises(AccountError) as caught:
        bring(aws.reach(member()), spec)
    assert (caught.value.stage, caught.value.code) == (Stage.ROLE, "NoSuchEntity")
    assert "arn:aws:iam::aws:policy/ViewOnlyAccess" in caught.value.message
    assert f"arn:aws:iam::{MEMBER}:policy/ViewOnlyAccess" in caught.value.message
    assert "job-function/ViewOnlyAccess" in caught.value.hint


def test_boundary_that_is_nowhere_is_refused_before_there_is_a_role(
    org: SandboxWorld, aws: BotoAws
) -> None:
    with pytest.raises(AccountError, match="There is no policy"):
        bring(aws.reach(member()), RoleSpec(permissions_boundary="Nope"))
    assert [r["RoleName"] for r in org.iam(MEMBER).list_roles()["Roles"]] == [ENTRY]


def test_long_lists_are_read_to_their_end(aws: BotoAws) -> None:
    """The local AWS gives everything in one page; its answers are cut in two here."""
    session: Any = aws.reach(member())
    bring(session, RoleSpec(policies=("ReadOnlyAccess", "SecurityAudit")))

    def call(made: Call, **parameters: Any) -> Mapping[str, Any]:
        marker = parameters.pop("Marker", None)
        answer = session._call(made, **parameters)
        if made is not Call.LIST_ATTACHED:
            return dict(answer)
        first, second = answer["AttachedPolicies"]
        if marker is None:
            return {"AttachedPolicies": [first], "IsTruncated": True, "Marker": "next"}
        assert marker == "next"
        return {"AttachedPolicies": [second], "IsTruncated": False}

    observed = observe(call, "cloudcraft", inline=False)
    assert observed is not None
    assert observed == session.observe("cloudcraft")
    assert len(observed.attached) == 2


# --- others at work at the same time ------------------------------------------------------------


def test_role_made_by_somebody_else_meanwhile_is_a_race(aws: BotoAws) -> None:
    session = aws.reach(member())
    create, *_ = bring(session, RoleSpec())
    with pytest.raises(ConcurrentChange):
        session.apply(create, wanted(session, RoleSpec()), None)


def test_role_that_vanished_meanwhile_is_a_race(org: SandboxWorld, aws: BotoAws) -> None:
    session = aws.reach(member())
    spec = RoleSpec(policies=("ReadOnlyAccess", "cloudcraft:minimal"), tags={"team": "x"})
    org.iam(MEMBER).create_role(
        RoleName="cloudcraft", AssumeRolePolicyDocument=OLDER, MaxSessionDuration=7200
    )
    changes = plan(session, spec).changes
    assert words(changes) == [
        "update-trust",
        "update-role",
        "tag-role",
        "attach-policy",
        "put-policy",
    ]
    org.iam(MEMBER).delete_role(RoleName="cloudcraft")
    for change in changes:
        with pytest.raises(ConcurrentChange):
            session.apply(change, wanted(session, spec), None)


def test_policies_that_somebody_attached_meanwhile_make_deleting_a_race(aws: BotoAws) -> None:
    session = aws.reach(member())
    bring(session, RoleSpec())
    with pytest.raises(ConcurrentChange):
        session.apply(DeleteRole(), wanted(session, RoleSpec()), None)


def test_collision_with_another_write_is_tried_again(org: SandboxWorld, proxy: AwsProxy) -> None:
    proxy.trouble(
        "UpdateAssumeRolePolicy",
        status=409,
        code="ConcurrentModification",
        message="Multiple requests to change this object were submitted simultaneously.",
        times=1,
    )
    with opened(retries=1) as aws:
        session = aws.reach(member())
        org.iam(MEMBER).create_role(RoleName="cloudcraft", AssumeRolePolicyDocument=OLDER)
        assert "update-trust" in words(bring(session, RoleSpec()))
    assert proxy.calls["UpdateAssumeRolePolicy"] == 2


def test_lost_answer_to_a_write_does_no_harm(proxy: AwsProxy) -> None:
    for action in ("AttachRolePolicy", "PutRolePolicy"):
        proxy.trouble(action, kind="lost", times=1)
    spec = RoleSpec(policies=("ReadOnlyAccess", "cloudcraft:custom"))
    with opened(retries=2) as aws:
        session = aws.reach(member())
        bring(session, spec)
        assert not plan(session, spec).changes


# --- the way back -------------------------------------------------------------------------------


def test_role_made_here_is_removed_with_all_that_the_manifest_gave_it(
    own_policies: SandboxWorld, aws: BotoAws
) -> None:
    session = aws.reach(member())
    bring(session, EVERYTHING)
    removed = take_away(session, EVERYTHING)
    assert words(removed.changes) == [*4 * ["detach-policy"], "delete-role"]
    assert [r["RoleName"] for r in own_policies.iam(MEMBER).list_roles()["Roles"]] == [ENTRY]
    assert take_away(session, EVERYTHING).changes == ()
    desired = wanted(session, EVERYTHING)
    for change in removed.changes:
        session.apply(change, desired, None)


def test_role_with_policies_of_others_is_kept(org: SandboxWorld, aws: BotoAws) -> None:
    session = aws.reach(member())
    bring(session, RoleSpec())
    org.iam(MEMBER).put_role_policy(RoleName="cloudcraft", PolicyName="theirs", PolicyDocument=ANY)
    (note,) = take_away(session, RoleSpec()).notes
    assert isinstance(note, RoleKept)
    assert note.why == PoliciesKept(inline=("theirs",))
    assert session.observe("cloudcraft") is not None


# --- as a property ------------------------------------------------------------------------------

specs = st.builds(
    RoleSpec,
    policies=st.lists(
        st.sampled_from(["ReadOnlyAccess", "Auditors", "cloudcraft:minimal", "cloudcraft:custom"]),
        max_size=3,
    ).map(tuple),
    permissions_boundary=st.none() | st.just("Edge"),
    max_session_duration=st.sampled_from([3600, 43200]),
    tags=st.dictionaries(st.sampled_from(["team", "env"]), st.sampled_from(["a", "b"])),
    adopt=st.just(value=True),
)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=specs, after=specs)
def test_any_role_becomes_any_other_and_then_nothing_is_left_to_do(
    own_policies: SandboxWorld, before: RoleSpec, after: RoleSpec
) -> None:
    assert own_policies.aws_url
    with opened() as aws:
        session = aws.reach(member())
        for spec in (before, after):
            bring(session, spec)
            assert not plan(session, spec).changes
        observed = session.observe("cloudcraft")
        assert observed is not None
        assert observed.tags[MANAGED_BY[0]] == MANAGED_BY[1]
