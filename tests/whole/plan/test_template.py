"""The template in CloudFormation, in cfn-lint, and with Cloudcraft's documents."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudcraft_onboard.app.template import template
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import CannotStart, OnboardError, UsageError
from cloudcraft_onboard.model import Account, RoleSpec
from cloudcraft_onboard.plan.diff import plan_role
from cloudcraft_onboard.plan.template import CAPABILITY, as_yaml
from cloudcraft_onboard.settings import Selection
from tests.pure.plan.test_template import (
    CLOUDCRAFT,
    DOCUMENTS,
    EXTERNAL_ID,
    PLAIN,
    RICH,
    SPECS,
    made,
    wanted,
)
from tests.support.world import MakeWorld

if TYPE_CHECKING:
    from tests.support.stacksets import Company


@SPECS
def test_a_stack_of_it_makes_the_role_that_the_direct_way_wants(
    company: Company, monkeypatch: pytest.MonkeyPatch, spec: RoleSpec
) -> None:
    iam = company.client("iam")
    for name in ("own", "boundary"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(DOCUMENTS["custom"]))
    company.client("cloudformation").create_stack(
        StackName="cloudcraft",
        TemplateBody=as_yaml(made(spec)),
        Capabilities=[CAPABILITY],
        Parameters=[
            {"ParameterKey": "CloudcraftAccountId", "ParameterValue": CLOUDCRAFT},
            {"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID},
        ],
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", company.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    aws = BotoAws(concurrency=1, retries=0)
    session = aws.reach(Account(name="Here", profile=None))
    observed = session.observe(spec.name, inline=True)
    assert observed is not None
    assert plan_role(wanted(spec, session.identity), observed).changes == ()

    company.drop_role(spec.name)
    direct = wanted(spec, session.identity)
    for change in plan_role(direct, None).changes:
        session.apply(change, direct, None)
    by_hand = session.observe(spec.name, inline=True)
    assert by_hand is not None
    assert (by_hand.tags, by_hand.path) == (observed.tags, observed.path)
    assert sorted(by_hand.attached) == sorted(observed.attached)
    aws.close()


def test_it_passes_cfn_lint(tmp_path: Path) -> None:
    for name, spec in {"plain": PLAIN, "rich": RICH}.items():
        (tmp_path / f"{name}.yaml").write_text(as_yaml(made(spec)), encoding="utf-8")
        (tmp_path / f"{name}.json").write_text(json.dumps(made(spec)), encoding="utf-8")
    files = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


# --- the command --------------------------------------------------------------------------------

MANIFEST = """
version: 1
accounts:
  - {name: A, account_id: "111122223333", role: {via: existing}}
  - {name: B, account_id: "111122223334"}
  - {name: C, account_id: "111122223335", role: {max_session_duration: 7200}}
  - {name: Legacy, account_id: "111122223336", enabled: false, role: {name: other}}
"""


def printed(tmp_path: Path, text: str, *only: str, output: str = "json") -> Any:
    path = tmp_path / "manifest.yaml"
    path.write_text(text, encoding="utf-8")
    return template(str(path), Selection(only=only), output)


def test_one_template_for_accounts_that_agree_whoever_makes_their_role(tmp_path: Path) -> None:
    found = json.loads(printed(tmp_path, MANIFEST, "A", "B"))
    assert found == made(RoleSpec())
    assert printed(tmp_path, MANIFEST, "A", output="yaml") == as_yaml(found)


def test_accounts_that_differ_need_a_selection(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 different roles") as raised:
        printed(tmp_path, MANIFEST)
    named = re.findall(r"--only (\d+) \((\d)", raised.value.hint)
    assert named == [("111122223333", "2"), ("111122223335", "1")]
    assert all(printed(tmp_path, MANIFEST, account) for account, _ in named)


def test_a_disabled_account_alone_has_a_template_too(tmp_path: Path) -> None:
    assert '"other"' in printed(tmp_path, MANIFEST, "Legacy")


OWN = '{version: 1, accounts: [{name: A, profile: a, role: {policies: ["cloudcraft:custom"]}}]}'


def test_without_a_key_the_documents_are_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="from Cloudcraft takes the API key"):
        printed(tmp_path, OWN)


def test_cloudcrafts_documents_are_read_with_the_key(tmp_path: Path, make_world: MakeWorld) -> None:
    world = make_world()
    found = json.loads(printed(tmp_path, OWN))
    (policy,) = found["Resources"]["CloudcraftRole"]["Properties"]["Policies"]
    assert policy["PolicyName"] == "cloudcraft-custom"
    assert [request.path for request in world.requests()] == [
        "/aws/account/iamParameters/policy/custom"
    ]


def test_a_role_that_iam_would_refuse_is_not_printed(tmp_path: Path, make_world: MakeWorld) -> None:
    world = make_world()
    action = [f"ec2:DescribeSomethingQuiteLong{number}" for number in range(400)]
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    world.fault(
        method="GET",
        path="policy/custom$",
        answer={"status": 200, "body": {"Version": "2012-10-17", "Statement": [statement]}},
    )
    with pytest.raises(OnboardError, match="10,240"):
        printed(tmp_path, OWN)
