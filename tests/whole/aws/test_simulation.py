"""What a plan says that a run would be denied, as IAM itself evaluates it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.model import RoleSpec
from cloudcraft_onboard.model.role_notes import (
    DenialsUnknown,
    Denier,
    RoleNote,
    Unasked,
    WouldBeDenied,
)
from tests.support.aws_proxy import AwsProxy
from tests.support.process import onboard
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import ENTRY, HUB, MEMBER, bring, member, plan, wanted

SPEC = RoleSpec(tags={"team": "platform"})
ASKING = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
READING = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
WRITES = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:TagRole")
NAME = f"role/{ENTRY}"


def empower(org: SandboxWorld, *statements: dict[str, Any]) -> None:
    """Leave the entry role with exactly these statements."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    org.iam(MEMBER).put_role_policy(RoleName=ENTRY, PolicyName="access", PolicyDocument=document)


def told(spec: RoleSpec = SPEC, **fields: Any) -> tuple[RoleNote, ...]:
    """What a plan notes of the account's role."""
    aws = BotoAws(concurrency=1, retries=0, asks=True)
    try:
        account = aws.reach(member(role=spec, **fields))
        changes = plan(account, spec).changes
        observed = account.observe(spec.name)
        return account.would_be_denied(changes, wanted(account, spec), observed)
    finally:
        aws.close()


def test_nothing_is_denied_to_an_administrator(org: SandboxWorld) -> None:
    empower(org, ALL)
    assert told() == ()


def test_what_no_policy_allows_would_be_denied(org: SandboxWorld) -> None:
    empower(org, ASKING, READING)
    assert told() == (WouldBeDenied(actions=WRITES, denier=Denier.NOTHING, identity=NAME),)


def test_what_a_statement_denies_is_told_apart(org: SandboxWorld) -> None:
    forbidden = {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}
    attaching = {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*"}
    empower(org, ASKING, READING, attaching, forbidden)
    assert set(told()) == {
        WouldBeDenied(actions=("iam:CreateRole",), denier=Denier.STATEMENT, identity=NAME),
        WouldBeDenied(actions=("iam:TagRole",), denier=Denier.NOTHING, identity=NAME),
    }


def test_the_resource_is_the_role_that_is_written(org: SandboxWorld) -> None:
    for name, denied in (("cloudcraft", False), ("another", True)):
        arn = f"arn:aws:iam::{MEMBER}:role/{name}"
        empower(org, ASKING, READING, {"Effect": "Allow", "Action": "iam:*", "Resource": arn})
        assert bool(told()) is denied


def test_only_the_actions_of_the_changes_are_asked_for(org: SandboxWorld, aws: BotoAws) -> None:
    empower(org, ALL)
    bring(aws.reach(member(role=SPEC)), SPEC)
    empower(org, ASKING, READING)
    assert told() == ()
    drifted = RoleSpec(tags={"team": "other"})
    assert told(drifted) == (
        WouldBeDenied(actions=("iam:TagRole",), denier=Denier.NOTHING, identity=NAME),
    )


def test_who_may_not_ask_gets_a_note(org: SandboxWorld) -> None:
    empower(org, READING)
    assert told() == (DenialsUnknown(why=Unasked.DENIED),)


def test_a_profiles_own_user_is_asked_for_as_it_is(org: SandboxWorld) -> None:
    policy = {"Version": "2012-10-17", "Statement": [ASKING, READING]}
    org.iam(HUB).put_user_policy(
        UserName="onboard-hub", PolicyName="access", PolicyDocument=json.dumps(policy)
    )
    (note,) = told(account_id=HUB)
    assert note == WouldBeDenied(actions=WRITES, denier=Denier.NOTHING, identity="user/onboard-hub")


def test_a_role_that_nobody_named_is_looked_up(
    org: SandboxWorld, proxy: AwsProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empower(org, ASKING, READING)
    config = tmp_path / "config"
    config.write_text(
        f"[profile own]\nregion = us-east-1\nrole_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\n"
        "source_profile = hub\n[profile hub]\nregion = us-east-1\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    proxy.calm()
    assert told(profile="own", assume_role=None) == (
        WouldBeDenied(actions=WRITES, denier=Denier.NOTHING, identity=NAME),
    )
    assert proxy.calls["SimulatePrincipalPolicy"] == 1
    assert proxy.calls["GetRole"] == 3  # twice the role for Cloudcraft, once its own
    empower(org, ASKING)
    proxy.deny("GetRole", "because no identity-based policy allows it", where=ENTRY)
    empower(org, ASKING, READING)
    assert told(profile="own", assume_role=None) == (DenialsUnknown(why=Unasked.DENIED),)


def test_root_cannot_be_simulated(
    org: SandboxWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", MEMBER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", org.root_secret)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert told(profile=None, assume_role=None) == (DenialsUnknown(why=Unasked.IDENTITY),)


def results(*found: str) -> bytes:
    members = "".join(f"<member>{each}</member>" for each in found)
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
        f"<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>"
        "</SimulatePrincipalPolicyResponse>"
    ).encode()


def result(action: str, decision: str, more: str = "") -> str:
    return f"<EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>{more}"


BY_BOUNDARY = (
    "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false"
    "</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"
)
BY_ORGANIZATION = (
    "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"
    "</OrganizationsDecisionDetail>"
)
UNKNOWN = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>"
IN_PART = f"<ResourceSpecificResults><member>{UNKNOWN}</member></ResourceSpecificResults>"


@pytest.mark.parametrize(
    ("found", "denier"),
    [
        ((result("iam:CreateRole", "implicitDeny", BY_BOUNDARY),), Denier.BOUNDARY),
        ((result("iam:CreateRole", "explicitDeny", BY_ORGANIZATION),), Denier.ORGANIZATION),
        (
            (result("iam:CreateRole", "implicitDeny", BY_BOUNDARY + BY_ORGANIZATION),),
            Denier.ORGANIZATION,
        ),
        ((result("iam:CreateRole", "implicitDeny", UNKNOWN),), None),
        ((result("iam:CreateRole", "explicitDeny", IN_PART),), None),
        ((result("iam:CreateRole", "allowed"),), None),
        ((result("iam:CreateRole", "surprise"),), None),
    ],
)
@pytest.mark.usefixtures("org")
def test_what_denies_is_what_the_answer_says(
    proxy: AwsProxy, found: Sequence[str], denier: Denier | None
) -> None:
    proxy.trouble("SimulatePrincipalPolicy", kind="raw", status=200, body=results(*found))
    wanted_notes = (
        (WouldBeDenied(actions=("iam:CreateRole",), denier=denier, identity=NAME),)
        if denier
        else ()
    )
    assert told() == wanted_notes


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "raw", "status": 200, "body": b"<html>"},
        {"kind": "raw", "status": 200, "body": results("<EvalActionName>x</EvalActionName>")},
        {"kind": "error", "status": 500, "code": "InternalFailure"},
        {"kind": "error", "status": 400, "code": "InvalidInput"},
        {"kind": "drop"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("org")
def test_no_answer_is_a_note_and_no_failure(proxy: AwsProxy, trouble: dict[str, Any]) -> None:
    proxy.trouble("SimulatePrincipalPolicy", **trouble)
    assert told() == (DenialsUnknown(why=Unasked.FAILED),)


MANIFEST = f"""
version: 1
defaults: {{profile: hub, assume_role: {ENTRY}}}
accounts:
  - {{name: Hub, account_id: "{HUB}", tags: {{sandbox: management}}}}
  - {{name: One, account_id: "{MEMBER}"}}
  - {{name: Two, account_id: "333333333333"}}
"""


def test_a_plan_tells_and_a_run_and_a_status_never_ask(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(MANIFEST)
    document = json.dumps({"Version": "2012-10-17", "Statement": [ASKING, READING]})
    for account_id in (MEMBER, "333333333333"):
        world.iam(account_id).put_role_policy(
            RoleName=ENTRY, PolicyName="access", PolicyDocument=document
        )
    manifest, markdown = tmp_path / "manifest.yaml", tmp_path / "plan.md"
    aws_proxy.calm()
    planned = onboard(
        tmp_path, "plan", manifest, "--report", markdown, GITHUB_ACTIONS="true", COLUMNS="200"
    )
    assert planned.code == 0
    said = "A run would be denied iam:AttachRolePolicy, iam:CreateRole and iam:TagRole: no policy"
    assert planned.stdout.count(said) == 1  # grouped
    assert said in markdown.read_text(encoding="utf-8")
    warnings = [line for line in planned.stderr.splitlines() if line.startswith("::warning")]
    assert len(warnings) == 1
    assert "A run would be denied in 2 accounts" in warnings[0]
    by_name = {account["name"]: account for account in planned.accounts}
    assert [note for note in by_name["One"]["notes"] if note.startswith(said)]
    assert by_name["Hub"]["notes"] == []
    assert by_name["One"]["outcome"] == "created"
    assert aws_proxy.calls["SimulatePrincipalPolicy"] == 3
    aws_proxy.calm()
    for arguments in (("plan", manifest, "--no-simulate"), ("status", manifest), ("run", manifest)):
        ended = onboard(tmp_path, *arguments)
        assert "would be denied" not in ended.stdout
    assert aws_proxy.calls["SimulatePrincipalPolicy"] == 0
    onboard(tmp_path, "run", manifest, "--dry-run", "--only", "One")
    assert aws_proxy.calls["SimulatePrincipalPolicy"] == 1
    assert onboard(tmp_path, "run", manifest, "--no-simulate").code == 2
