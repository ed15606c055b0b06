"""The template says what the direct way makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import DesiredRole, Identity, RoleSpec, Trust
from cloudcraft_onboard.plan.diff import desired_role
from cloudcraft_onboard.plan.template import as_yaml, role_template, template_role

CLOUDCRAFT, EXTERNAL_ID = "912185983511", "4414aef4-1f35"
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "custom": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "s3:GetBucketTagging",
                "Resource": "arn:aws:s3:::${aws:username}",
            },
        ],
    }
}
PLAIN = RoleSpec()
RICH = RoleSpec(
    name="cc+reader",
    path="/teams/cloud/",
    policies=("ReadOnlyAccess", "arn:aws:iam::123456789012:policy/own", "cloudcraft:custom"),
    permissions_boundary="boundary",
    max_session_duration=7200,
    tags={"team": "core", "version": "2012-10-17", "yes": "no"},
)
SPECS = pytest.mark.parametrize("spec", [PLAIN, RICH], ids=["plain", "rich"])


def made(spec: RoleSpec) -> dict[str, Any]:
    return role_template(template_role(spec, DOCUMENTS))


def wanted(spec: RoleSpec, identity: Identity) -> DesiredRole:
    trust = Trust(account_id=CLOUDCRAFT, external_id=EXTERNAL_ID, partition="aws")
    return desired_role(spec, identity, trust, DOCUMENTS)


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms as their long ones."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode)
    text = loader.construct_scalar(node)
    if tag == "GetAtt":
        return {"Fn::GetAtt": str(text).split(".")}
    return {tag if tag == "Ref" else f"Fn::{tag}": text}


_Loader.add_multi_constructor("!", _long_form)

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40)


@given(tags=st.dictionaries(WORDS, WORDS, max_size=5), path=WORDS, duration=st.integers())
def test_yaml_and_json_say_the_same(tags: dict[str, str], path: str, duration: int) -> None:
    spec = RoleSpec(path=path, tags=tags, max_session_duration=duration)
    assert yaml.load(as_yaml(made(spec)), Loader=_Loader) == made(spec)


def test_what_the_manifest_gives_by_arn_is_taken_by_its_letters() -> None:
    arn = "arn:aws-us-gov:iam::123456789012:policy/${AWS::Partition}/own"
    properties = made(RoleSpec(policies=(arn,), permissions_boundary=arn))["Resources"][
        "CloudcraftRole"
    ]["Properties"]
    assert (properties["ManagedPolicyArns"], properties["PermissionsBoundary"]) == ([arn], arn)
