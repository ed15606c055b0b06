"""What `assume_role` says is what AWS is asked for, and a trust policy decides on it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Account, AssumeRole
from tests.support.aws_proxy import AwsProxy
from tests.support.process import onboard
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import ENTRY, HUB, MEMBER, OTHER, hub, member, opened


def entered(account_id: str = MEMBER, **fields: Any) -> Account:
    """An account that is entered with more than a role."""
    return member(account_id, assume_role=AssumeRole(role=ENTRY, **fields))


def trust(org: SandboxWorld, *actions: str, **conditions: str) -> None:
    """Let the way into MEMBER ask for these values."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"},
        "Action": ["sts:AssumeRole", *actions],
        "Condition": {"StringEquals": conditions},
    }
    org.iam(MEMBER).update_assume_role_policy(
        RoleName=ENTRY,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def refusal(aws: BotoAws, account: Account) -> AccountError:
    with pytest.raises(AccountError) as caught:
        aws.reach(account)
    return caught.value


def test_the_trust_policy_itself_refuses_a_wrong_external_id(
    org: SandboxWorld, aws: BotoAws
) -> None:
    trust(org, **{"sts:ExternalId": "the-right-one"})
    assert aws.reach(entered(external_id="the-right-one")).identity.account_id == MEMBER
    wrong = refusal(aws, entered(external_id="the-wrong-one"))
    missing = refusal(aws, entered())
    for problem in (wrong, missing):
        assert problem.code == "AccessDenied"
        assert "the-wrong-one" not in problem.message + problem.hint
    assert "external ID" in wrong.hint
    assert "external ID" in missing.hint
    assert wrong.hint != missing.hint


def test_the_sandboxs_way_in_asks_for_an_external_id(make_world: MakeWorld) -> None:
    asks = {"sandbox": "external-id"}
    make_world([hub(), member(tags=asks), member(OTHER, tags=asks)])
    with opened() as aws:
        right = entered(external_id=f"onboard-{MEMBER}")
        assert aws.reach(right).identity.account_id == MEMBER
        assert refusal(aws, entered(OTHER, external_id=f"onboard-{MEMBER}")).code == "AccessDenied"
        assert refusal(aws, entered()).code == "AccessDenied"


def test_session_name_and_tags_reach_the_trust_policy(org: SandboxWorld, aws: BotoAws) -> None:
    conditions = {"sts:RoleSessionName": "222222222222@ci", "aws:RequestTag/team": "platform"}
    trust(org, "sts:TagSession", **conditions)
    way: dict[str, Any] = {
        "session_name": "222222222222@ci",
        "tags": {"team": "platform", "cost": "1"},
    }
    assert aws.reach(entered(**way)).identity.arn.endswith(f"assumed-role/{ENTRY}/{MEMBER}@ci")
    assert refusal(aws, entered(**{**way, "session_name": "ci"})).code == "AccessDenied"
    assert refusal(aws, entered(**{**way, "tags": {"team": "other"}})).code == "AccessDenied"


def test_tags_that_the_trust_policy_does_not_let_pass_are_named(
    org: SandboxWorld, aws: BotoAws
) -> None:
    trust(org)
    assert aws.reach(entered()).identity.account_id == MEMBER
    problem = refusal(aws, entered(tags={"team": "platform"}))
    assert problem.code == "AccessDenied"
    assert "sts:TagSession" in problem.hint


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"duration": 900}, "DurationSeconds=900"),
        ({"source_identity": "platform@x"}, "SourceIdentity=platform%40x"),
        ({"external_id": "a:b/c"}, "ExternalId=a%3Ab%2Fc"),
        ({}, "RoleSessionName=cloudcraft-onboard"),
    ],
    ids=str,
)
def test_aws_is_asked_for_just_that(
    proxy: AwsProxy, aws: BotoAws, fields: dict[str, Any], asked: str
) -> None:
    assert aws.reach(entered(**fields)).identity.account_id == MEMBER
    proxy.trouble("AssumeRole", code="Seen", status=400, where=asked)
    assert refusal(aws, entered(**fields)).code == "Seen"
    proxy.calm()
    names = ("DurationSeconds", "SourceIdentity", "ExternalId", "Tags")
    for name in names:
        proxy.trouble("AssumeRole", code="TooMuch", status=400, where=f"{name}=")
    if not fields:
        assert aws.reach(entered()).identity.account_id == MEMBER


def test_a_session_as_short_as_aws_allows_is_not_renewed_at_each_call(
    proxy: AwsProxy, aws: BotoAws
) -> None:
    session = aws.reach(entered(duration=900))
    for _ in range(3):
        session.observe("cloudcraft")
    assert proxy.calls["AssumeRole"] == 1


def test_a_duration_that_aws_refuses_is_named(make_world: MakeWorld) -> None:
    world = make_world([hub(), member(), member(OTHER)])
    config = Path(os.environ["AWS_CONFIG_FILE"])
    config.write_text(
        f"{config.read_text()}\n[profile chained]\nsource_profile = hub\n"
        f"role_arn = arn:aws:iam::{MEMBER}:role/{ENTRY}\n"
    )
    world.iam(OTHER).update_role(RoleName=ENTRY, MaxSessionDuration=43200)
    with opened() as aws:
        longer = refusal(aws, entered(duration=3601))
        chained = refusal(aws, replace(entered(OTHER, duration=3601), profile="chained"))
        assert aws.reach(entered(OTHER, duration=3601)).identity.account_id == OTHER
    assert longer.code == chained.code == "ValidationError"
    assert "`assume_role.duration`" in longer.hint
    assert "maximum session duration" in longer.hint
    assert "role chaining" in chained.hint
    assert "profile 'chained'" in chained.hint


def test_too_many_large_tags_are_named(proxy: AwsProxy, aws: BotoAws) -> None:
    said = "Packed size of session tags consumes 105% of allotted space."
    proxy.trouble("AssumeRole", code="PackedPolicyTooLarge", message=said)
    assert "`assume_role.tags`" in refusal(aws, entered(tags={"a": "b"})).hint


def test_a_plan_enters_through_a_role_that_only_reads(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world([hub(), member(assume_role=AssumeRole(role=ENTRY, external_id="corp"))])
    iam = world.iam(MEMBER)
    trusted = json.dumps(iam.get_role(RoleName=ENTRY)["Role"]["AssumeRolePolicyDocument"])
    iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=trusted)
    reads = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [reads]}
    iam.put_role_policy(RoleName="Reader", PolicyName="reads", PolicyDocument=json.dumps(document))
    iam.delete_role_policy(RoleName=ENTRY, PolicyName="access")
    manifest = tmp_path / "org.yaml"
    manifest.write_text(
        "version: 1\n"
        f"defaults: {{profile: hub, assume_role: {{role: {ENTRY}, external_id: corp}}}}\n"
        f'accounts:\n  - {{name: A, account_id: "{MEMBER}"}}\n'
    )
    arn = "arn:aws:iam::{account_id}:role/Reader"
    for role in ("Reader", arn):
        planned = onboard(tmp_path / "plan", "plan", manifest, "--assume-role", role)
        assert planned.outcomes == ["created"]
    status = onboard(tmp_path / "status", "status", manifest, "--assume-role", "Reader")
    assert status.accounts[0]["state"] == "missing"
    ran = onboard(tmp_path / "run", "run", manifest, "--assume-role", "Reader")
    assert ran.accounts[0]["error"]["code"] == "AccessDenied"
    assert "CreateRole" in ran.accounts[0]["error"]["message"]
    assert onboard(tmp_path / "own", "plan", manifest).outcomes == ["failed"]
    typo = onboard(tmp_path / "typo", "plan", manifest, "--assume-role", "Raeder")
    assert typo.outcomes == ["failed"]
    hint = typo.accounts[0]["error"]["hint"]
    assert "The role is that of --assume-role: if it has another name, correct the option." in hint
    assert "set `assume_role`" not in hint
    manifest.write_text(manifest.read_text().replace(ENTRY, "Raeder"))
    (denied,) = onboard(tmp_path / "manifest", "plan", manifest).accounts
    assert "set `assume_role`" in denied["error"]["hint"]
    assert "--assume-role" not in denied["error"]["hint"]


@pytest.mark.parametrize("command", ["run", "plan", "remove", "status"])
def test_a_role_that_is_none_is_wrong_usage_for_every_command(
    world: SandboxWorld, tmp_path: Path, command: str
) -> None:
    manifest = tmp_path / "org.yaml"
    manifest.write_text('version: 1\naccounts: [{name: A, account_id: "111122223333"}]\n')
    ended = onboard(tmp_path / "run", command, manifest, "--assume-role", "path/Reader")
    assert ended.code == 2
    assert "--assume-role" in ended.stderr
    assert world.requests() == []
