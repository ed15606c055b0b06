"""The printed policies suffice where IAM is enforced, and nothing less does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cloudcraft_onboard.app.permissions import advice, permissions
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.cli import permissions as command
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Account, RoleSpec
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
    managed, former = permissions(manifest(tmp_path, MANIFEST)).account["Statement"]
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
    statement, former = needed.operator["Statement"]
    assert former["Resource"] == ["arn:aws:iam::*:role/*"]
    assert statement["Resource"] == [
        "arn:aws:iam::*:role/cloudcraft",
        "arn:aws:iam::222222222222:role/other",
        "arn:aws:iam::222222222222:role/x/other",
    ]
    assert "iam:PutRolePolicy" not in statement["Action"]
    assert "iam:PutRolePermissionsBoundary" not in statement["Action"]


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
    role, _ = needed.account["Statement"]
    assert "iam:CreateRole" in role["Action"]


def test_policy_that_iam_would_not_take_in_one_piece_is_announced(tmp_path: Path) -> None:
    accounts = "\n".join(f'  - {{name: a{n}, account_id: "2{n:011d}"}}' for n in range(150))
    text = f"version: 1\ndefaults: {{assume_role: {ENTRY}}}\naccounts:\n{accounts}"
    said = advice(permissions(manifest(tmp_path, text)))
    assert any("IAM allows 6,144 in one policy" in sentence for sentence in said)


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
