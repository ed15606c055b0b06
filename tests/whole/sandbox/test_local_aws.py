"""The local AWS, and what a manifest makes exist in it, seen through boto3."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from cloudcraft_onboard.aws.organizations import members
from cloudcraft_onboard.errors import OnboardError
from cloudcraft_onboard.model import Account, AssumeRole, RoleSpec, Via
from cloudcraft_onboard.sandbox.options import EXTERNAL_ID
from cloudcraft_onboard.sandbox.policies import POLICIES
from cloudcraft_onboard.sandbox.seed import invented_id
from tests.support.world import MakeWorld, SandboxWorld

CLOUDCRAFT = "912185983511"
MEMBER = "100000000001"
WAY_IN = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
ROLE = f"arn:aws:iam::{MEMBER}:role/cloudcraft"


def member(state: str = "", role: RoleSpec | None = None, name: str = "Member") -> Account:
    return Account(
        name=name,
        account_id=MEMBER,
        assume_role=AssumeRole(role="OrganizationAccountAccessRole"),
        role=role or RoleSpec(),
        tags={"sandbox": state} if state else {},
    )


def whoami(profile: str | None = None) -> str:
    with closing(boto3.Session(profile_name=profile).client("sts")) as sts:
        return sts.get_caller_identity()["Account"]


def can_assume(world: SandboxWorld, **extra: str) -> bool:
    sts = world.sts(CLOUDCRAFT)
    try:
        sts.assume_role(RoleArn=ROLE, RoleSessionName="cloudcraft", **extra)  # type: ignore[arg-type]
    except sts.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_only_the_right_external_id_opens_the_role(make_world: MakeWorld) -> None:
    world = make_world([member("onboarded")])

    assert can_assume(world, ExternalId=EXTERNAL_ID)
    assert not can_assume(world, ExternalId="another")
    assert not can_assume(world)


def test_a_wrong_signature_is_refused(world: SandboxWorld) -> None:
    known = boto3.Session().get_credentials()
    assert known is not None
    session = boto3.Session(known.access_key, "not-the-secret")
    with (
        closing(session.client("iam", endpoint_url=world.aws_url)) as iam,
        pytest.raises(ClientError, match="SignatureDoesNotMatch"),
    ):
        iam.list_roles()


def roles_seen_from_the_hub() -> list[str]:
    """The member's roles, by way of the default profile and the role that it may assume."""
    session = boto3.Session()
    with closing(session.client("sts")) as sts:
        key = sts.assume_role(RoleArn=WAY_IN, RoleSessionName="onboard")["Credentials"]
    secrets = (key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    with closing(boto3.Session(*secrets).client("iam")) as iam:
        return [role["RoleName"] for role in iam.list_roles()["Roles"]]


def test_the_way_into_a_member(make_world: MakeWorld) -> None:
    make_world([member()])

    assert whoami() == "111111111111"
    assert roles_seen_from_the_hub() == ["OrganizationAccountAccessRole"]


@pytest.mark.parametrize("state", ["denied", "unreachable"])
def test_a_way_in_that_is_of_no_use(make_world: MakeWorld, state: str) -> None:
    make_world([member(state)])

    with pytest.raises(ClientError, match="AccessDenied"):
        roles_seen_from_the_hub()


def test_every_profile_is_in_its_account(make_world: MakeWorld) -> None:
    make_world(
        [
            Account(name="Hub", account_id="100000000009", tags={"sandbox": "management"}),
            member(),
            Account(name="Own", profile="own"),
            Account(name="Known", profile="known", account_id="100000000002"),
            Account(name="Lost", profile="lost", tags={"sandbox": "unreachable"}),
        ]
    )

    assert whoami() == "100000000009"
    assert whoami("own") == invented_id("Own")
    assert whoami("known") == "100000000002"
    assert boto3.Session().available_profiles == ["default", "own", "known"]


def test_a_hub_that_is_no_account_of_the_manifest(make_world: MakeWorld) -> None:
    through_hub = Account(
        name="A", account_id=MEMBER, profile="hub", assume_role=AssumeRole(role="Admin")
    )
    make_world([through_hub])

    assert whoami("hub") not in {MEMBER, ""}


def test_an_onboarded_role_is_right(make_world: MakeWorld) -> None:
    spec = RoleSpec(
        path="/audit/",
        policies=("ReadOnlyAccess", "AcmeAudit", "cloudcraft:custom"),
        permissions_boundary=f"arn:aws:iam::{MEMBER}:policy/limits/Boundary",
        max_session_duration=7200,
        tags={"team": "platform"},
    )
    world = make_world([member("onboarded", spec)])
    iam = world.iam(MEMBER)
    role = world.role(MEMBER)
    attached = iam.list_attached_role_policies(RoleName="cloudcraft")["AttachedPolicies"]

    assert role["Arn"] == f"arn:aws:iam::{MEMBER}:role/audit/cloudcraft"
    assert role["Description"] == "Programmatically created IAM role for use with Cloudcraft."
    assert role["MaxSessionDuration"] == 7200
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == spec.permissions_boundary
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{CLOUDCRAFT}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ]
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == {
        "team": "platform",
        "ManagedBy": "cloudcraft-onboard",
    }
    assert {policy["PolicyArn"] for policy in attached} == {
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        f"arn:aws:iam::{MEMBER}:policy/AcmeAudit",
    }
    inline = iam.get_role_policy(RoleName="cloudcraft", PolicyName="cloudcraft-custom")
    assert inline["PolicyDocument"] == POLICIES["custom"]
    assert world.registered == [MEMBER]
    assert world.accounts[0]["roleArn"] == role["Arn"]


@pytest.mark.parametrize(
    ("state", "principals", "registered"),
    [
        ("role", {CLOUDCRAFT}, 0),
        ("onboarded", {CLOUDCRAFT}, 1),
        ("doubled", {CLOUDCRAFT}, 2),
        ("drifted", {CLOUDCRAFT}, 1),
        ("foreign-trust", {"999999999999"}, 0),
        ("shared-trust", {CLOUDCRAFT, "999999999999"}, 0),
        ("foreign-trust management", {"999999999999"}, 0),
    ],
)
def test_states_to_start_from(
    make_world: MakeWorld, state: str, principals: set[str], registered: int
) -> None:
    world = make_world([member(state)])
    statements = world.role(MEMBER)["AssumeRolePolicyDocument"]["Statement"]

    assert {s["Principal"]["AWS"].split(":")[4] for s in statements} == principals
    assert world.registered == [MEMBER] * registered
    assert can_assume(world, ExternalId=EXTERNAL_ID) is (
        CLOUDCRAFT in principals and state != "drifted"
    )


def test_a_role_made_by_somebody_else_needs_no_profile(make_world: MakeWorld) -> None:
    world = make_world(
        [Account(name="A", account_id=MEMBER, role=RoleSpec(via=Via.EXISTING), profile="none")]
    )

    assert can_assume(world, ExternalId=EXTERNAL_ID)
    assert "none" not in boto3.Session().available_profiles


def test_a_policy_that_is_nowhere_cannot_be_attached(make_world: MakeWorld) -> None:
    world = make_world([member("role")])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        world.iam(MEMBER).attach_role_policy(
            RoleName="cloudcraft", PolicyArn="arn:aws:iam::aws:policy/Nonesuch"
        )


def test_a_job_functions_policy_is_awss_own(make_world: MakeWorld) -> None:
    policy = "job-function/ViewOnlyAccess"
    world = make_world([member("onboarded", RoleSpec(policies=(policy,)))])
    attached = world.iam(MEMBER).list_attached_role_policies(RoleName="cloudcraft")

    arns = [found["PolicyArn"] for found in attached["AttachedPolicies"]]
    assert arns == [f"arn:aws:iam::aws:policy/{policy}"]
    assert not world.iam(MEMBER).list_policies(Scope="Local")["Policies"]


def test_the_organization_has_the_manifests_accounts(make_world: MakeWorld) -> None:
    make_world([Account(name="Hub", account_id="100000000009"), member(name="Payments")])
    with closing(boto3.Session().client("organizations")) as client:
        accounts = client.list_accounts()["Accounts"]
        master = client.describe_organization()["Organization"]["MasterAccountId"]

    assert {account["Id"]: account["Name"] for account in accounts} == {
        "100000000009": "Hub",
        MEMBER: "Payments",
    }
    assert master == "100000000009"


def test_a_member_is_told_nothing_of_the_organization(make_world: MakeWorld) -> None:
    hub = Account(name="Hub", profile="hub", account_id="100000000009")
    make_world([replace(hub, tags={"sandbox": "management"}), own("other")])
    for profile, allowed in (("hub", True), ("other", False)):
        with closing(boto3.Session(profile_name=profile).client("organizations")) as client:
            if allowed:
                assert client.list_accounts()["Accounts"]
                continue
            with pytest.raises(ClientError, match="AccessDeniedException"):
                client.list_accounts()
            told = client.describe_organization()["Organization"]
            assert told["MasterAccountId"] == "100000000009"  # which AWS tells any of its accounts
            with pytest.raises(OnboardError) as caught:
                members(client, (), profile)
            assert "management account, which is 100000000009" in caught.value.hint


def test_a_caller_whom_a_role_is_denied_is_named(make_world: MakeWorld) -> None:
    world = make_world([member("onboarded")])
    caller = f"arn:aws:iam::{MEMBER}:root"
    for name in ("cloudcraft", "nobody"):  # one that trusts somebody else, and none at all
        role = f"arn:aws:iam::{MEMBER}:role/{name}"
        with pytest.raises(ClientError, match="AccessDenied") as caught:
            world.sts(MEMBER).assume_role(RoleArn=role, RoleSessionName="me")
        asked = f"sts:AssumeRole on resource: {role}"
        said = caught.value.response["Error"]["Message"]
        assert said == f"User: {caller} is not authorized to perform: {asked}"


def own(profile: str) -> Account:
    return Account(name=profile, profile=profile)


def test_the_tag_ou_says_where_in_the_organization_an_account_is(make_world: MakeWorld) -> None:
    hub = Account(name="Hub", account_id="100000000009", tags={"sandbox": "management strangers"})
    payments = replace(member(), tags={"ou": "Prod/Shop"})
    closed = Account(
        name="Closed",
        account_id="100000000002",
        tags={"ou": "Root/Prod/Shop", "sandbox": "closed"},
    )
    world = make_world([hub, payments, closed])
    with closing(boto3.Session().client("organizations")) as client:
        found = {m.name: (m.path, m.state) for m in members(client)}

    assert found == {
        "Hub": (("Root",), "ACTIVE"),
        "Member": (("Root", "Prod", "Shop"), "ACTIVE"),
        "Closed": (("Root", "Prod", "Shop"), "SUSPENDED"),
        "Skunkworks": (("Root", "Labs"), "ACTIVE"),
        "Mobile App": (("Root", "Prod"), "ACTIVE"),
    }
    assert world.registered == ["200000000002", "200000000003"]


def test_a_new_beginning_forgets_everything(make_world: MakeWorld) -> None:
    world = make_world([member("onboarded")])
    make_world()

    assert world.iam(MEMBER).list_roles()["Roles"] == []
    assert world.registered == []
