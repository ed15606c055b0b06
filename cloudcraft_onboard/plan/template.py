"""The role as a CloudFormation template: the role of the direct way, its values left open.

The template is made from the same `DesiredRole`, with CloudFormation's own placeholders where the
direct way has an account, a partition and Cloudcraft's parameters. So both cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from cloudcraft_onboard.model import MANAGED_BY, DesiredRole, Identity, RoleSpec, Trust
from cloudcraft_onboard.model.arn import is_arn
from cloudcraft_onboard.plan.diff import desired_role
from cloudcraft_onboard.plan.trust import trust_document

ACCOUNT_PARAMETER = "CloudcraftAccountId"
EXTERNAL_ID_PARAMETER = "ExternalId"
ROLE = "CloudcraftRole"
"""The role's logical ID in the template."""

CAPABILITY = "CAPABILITY_NAMED_IAM"
"""What CloudFormation wants to have acknowledged for a role with a name of its own."""

_PARTITION = "${AWS::Partition}"
_ACCOUNT = "${AWS::AccountId}"
_PLACEHOLDER = re.compile(r"\$\{([\w:]+)\}")
_SOURCE = "of GET https://api.cloudcraft.co/aws/account/iamParameters"


def template_role(spec: RoleSpec, documents: Mapping[str, Mapping[str, Any]]) -> DesiredRole:
    """The role that the manifest asks for, placeholders for what differs from place to place."""
    here = Identity(account_id=_ACCOUNT, partition=_PARTITION, arn="")
    trust = Trust(
        account_id=f"${{{ACCOUNT_PARAMETER}}}",
        external_id=f"${{{EXTERNAL_ID_PARAMETER}}}",
        partition=_PARTITION,
    )
    return desired_role(spec, here, trust, documents)


def role_template(role: DesiredRole) -> dict[str, Any]:
    """The template of a `template_role`, as plain data that JSON can hold.

    A plain name is AWS's own policy where it is to be attached, and the account's where it is the
    boundary: CloudFormation cannot try one and then the other, as the direct way does.
    """
    properties: dict[str, Any] = {
        "RoleName": role.name,
        "Path": role.path,
        "Description": role.description,
        "MaxSessionDuration": role.max_session_duration,
        "AssumeRolePolicyDocument": _filled(trust_document(role.trust)),
    }
    if role.policies:
        properties["ManagedPolicyArns"] = [
            _arn(policy.name, policy.arns[0]) for policy in role.policies
        ]
    if role.permissions_boundary:
        boundary = role.permissions_boundary
        properties["PermissionsBoundary"] = _arn(boundary.name, boundary.arns[-1])
    if role.inline:
        properties["Policies"] = [
            {"PolicyName": name, "PolicyDocument": dict(document)}
            for name, document in role.inline.items()
        ]
    tags = {**role.tags, MANAGED_BY[0]: MANAGED_BY[1]}
    properties["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The IAM role with which Cloudcraft reads this account.",
        "Parameters": {
            ACCOUNT_PARAMETER: {
                "Type": "String",
                "Description": f"Cloudcraft's AWS account, the accountId {_SOURCE}",
                "AllowedPattern": "^[0-9]{12}$",
            },
            EXTERNAL_ID_PARAMETER: {
                "Type": "String",
                "Description": f"The externalId {_SOURCE}",
                "AllowedPattern": "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
            },
        },
        "Resources": {ROLE: {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {
            "RoleArn": {
                "Description": "The role to register with Cloudcraft",
                "Value": {"Fn::GetAtt": [ROLE, "Arn"]},
            }
        },
    }


def as_yaml(template: Mapping[str, Any]) -> str:
    """The template for people, with CloudFormation's short forms such as `!Sub`."""
    return yaml.dump(template, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _arn(name: str, arn: str) -> Any:
    """An ARN in the manifest is used literally, even if it looks like a placeholder."""
    return name if is_arn(name) else _filled(arn)


def _filled(value: Any) -> Any:
    """Texts with placeholders become CloudFormation's functions that fill them."""
    if isinstance(value, Mapping):
        return {key: _filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    if not isinstance(value, str) or not _PLACEHOLDER.search(value):
        return value
    alone = _PLACEHOLDER.fullmatch(value)
    return {"Ref": alone[1]} if alone else {"Fn::Sub": value}


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, functions written with their tag."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
    match data:
        case {"Ref": str(name), **rest} if not rest:
            return dumper.represent_scalar("!Ref", name)
        case {"Fn::Sub": str(text), **rest} if not rest:
            return dumper.represent_scalar("!Sub", text)
        case {"Fn::GetAtt": [str(resource), str(attribute)], **rest} if not rest:
            return dumper.represent_scalar("!GetAtt", f"{resource}.{attribute}")
    return dumper.represent_dict(data.items())


_Dumper.add_representer(dict, _mapping)
