"""The manifest's shape: the model that validates, and that the JSON Schema is generated from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError

from cloudcraft_onboard.manifest import rules
from cloudcraft_onboard.manifest.values import (
    Access,
    AccountId,
    Boundary,
    EntrySeconds,
    ExternalId,
    Path,
    Percentage,
    PermissionSet,
    Policy,
    Region,
    Role,
    RoleName,
    Seconds,
    SelectionKey,
    SelectionValue,
    SessionName,
    SessionTagKey,
    SourceIdentity,
    StackSetName,
    TagKey,
    TagValue,
    Target,
    Text,
    Tolerance,
    editor,
    exactly_one,
    obeys,
    unless,
)
from cloudcraft_onboard.model import SESSION_NAME

NAME_OR_MAPPING = "name_or_mapping"
"""The error type of what is neither a role's name nor a mapping."""


def _none_is_empty(value: Any) -> Any:
    """A key whose value is left out, `tags:`, is an empty mapping."""
    return {} if value is None else value


class Shape(BaseModel):
    """A mapping of the manifest: no keys but the ones named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self) -> dict[str, Any]:
        """The keys that are written in the manifest, with their values."""
        return {key: getattr(self, key) for key in self.model_fields_set}


class StackSet(Shape):
    """The service-managed CloudFormation stack set that rolls the role out."""

    name: StackSetName = Field(
        default="cloudcraft-onboard",
        description="The stack set's name.",
        examples=["cloudcraft-onboard"],
    )
    organizational_units: Annotated[
        tuple[Target, ...],
        obeys(rules.once),
        unless(rules.too_many_units),
        editor(maxItems=rules.MAX_UNITS),
    ] = Field(
        default=(),
        description="Roots or organizational units that get the role. Without any, only the "
        "manifest's accounts get it.",
        examples=[["r-ab12"], ["ou-ab12-11111111"]],
    )
    admin: Literal["self", "delegated"] = Field(
        default="self",
        description="Whose credentials are used: `self` for the management account's, `delegated` "
        "for those of a delegated administrator.",
    )
    max_concurrent_percentage: Percentage = Field(
        default=100, description="Percentage of the accounts that AWS works on at the same time."
    )
    failure_tolerance_percentage: Tolerance = Field(
        default=10, description="Percentage of the accounts that may fail before AWS stops."
    )


class RoleShape(Shape):
    """The IAM role that Cloudcraft reads an account with."""

    name: RoleName = Field(
        default="cloudcraft", description="The role's name.", examples=["cloudcraft"]
    )
    path: Path = Field(
        default="/", description="The role's IAM path.", examples=["/", "/teams/cloud/"]
    )
    policies: Annotated[
        tuple[Policy, ...],
        obeys(rules.once),
        unless(rules.too_many_policies),
        editor(maxItems=rules.MAX_POLICIES),
    ] = Field(
        default=("ReadOnlyAccess",),
        description="Policies to attach to the role: names of AWS-managed policies, policy ARNs, "
        "or Cloudcraft's own `cloudcraft:minimal` and `cloudcraft:custom`.",
        examples=[["ReadOnlyAccess"], ["cloudcraft:minimal"]],
    )
    permissions_boundary: Boundary | None = Field(
        default=None,
        description="The role's permissions boundary: a policy's ARN, or its name if each account "
        "has its own.",
        examples=["boundary", "arn:aws:iam::111122223333:policy/boundary"],
    )
    max_session_duration: Seconds = Field(
        default=3600, description="How long a session of the role may last, in seconds."
    )
    tags: Annotated[
        dict[TagKey, TagValue],
        obeys(rules.role_tags),
        unless(rules.too_many_role_tags),
        BeforeValidator(_none_is_empty),
    ] = Field(
        default_factory=dict,
        description="The role's tags. An account's tags are added to those of the defaults; if "
        "both set a key, the account's value wins.",
        examples=[{"team": "platform"}],
    )
    adopt: StrictBool = Field(
        default=False, description="Take over an existing role that trusts somebody else."
    )
    via: Literal["assume", "stackset", "existing"] = Field(
        default="assume",
        description="Who makes the role: `assume` for onboard itself, `stackset` for a "
        "CloudFormation StackSet, `existing` for somebody else (such as Terraform); onboard then "
        "only registers it.",
    )
    partition: Literal[
        "aws",
        "aws-cn",
        "aws-us-gov",
        "aws-eusc",
        "aws-iso",
        "aws-iso-b",
        "aws-iso-e",
        "aws-iso-f",
    ] = Field(default="aws", description="The AWS partition, for `via: existing`.")
    stackset: Annotated[StackSet, BeforeValidator(_none_is_empty)] = Field(
        default=StackSet(), description="The stack set, for `via: stackset`."
    )


class AssumeRoleShape(Shape):
    """The role to assume in an account, and what `sts:AssumeRole` is told besides."""

    role: Role | None = Field(
        default=None,
        description="The role's name or ARN.",
        examples=["OrganizationAccountAccessRole", "AWSControlTowerExecution"],
    )
    external_id: ExternalId | None = Field(
        default=None,
        description="The external ID that the role's trust policy asks for. `{account_id}` stands "
        "for the account's ID.",
        examples=["onboard-{account_id}"],
    )
    session_name: SessionName = Field(
        default=SESSION_NAME,
        description="The session's name, as CloudTrail shows it. `{account_id}` stands for the "
        "account's ID.",
        examples=[SESSION_NAME],
    )
    duration: EntrySeconds | None = Field(
        default=None,
        description="How long the session may last, in seconds: no longer than the role's maximum "
        "and, where the caller is an assumed role itself, one hour.",
        examples=[3600],
    )
    source_identity: SourceIdentity | None = Field(
        default=None,
        description="The session's source identity. It needs `sts:SetSourceIdentity`.",
        examples=["platform-team"],
    )
    tags: Annotated[
        dict[SessionTagKey, TagValue],
        obeys(rules.session_tags),
        unless(rules.too_many_session_tags),
        BeforeValidator(_none_is_empty),
    ] = Field(
        default_factory=dict,
        description="The session's tags, which need `sts:TagSession`. An account's tags are added "
        "to those of the defaults; if both set a key, the account's value wins.",
        examples=[{"team": "platform"}],
    )


def _name_is_mapping(value: Any) -> Any:
    """A role's plain name or ARN is a mapping that says nothing else."""
    if isinstance(value, str):
        return {"role": value}
    if value is None or isinstance(value, dict):
        return value
    scalar = isinstance(value, (bool, int, float))
    raise PydanticCustomError("string_type" if scalar else NAME_OR_MAPPING, "of another type")


AssumeRoleEntry = Annotated[
    AssumeRoleShape,
    BeforeValidator(_name_is_mapping, json_schema_input_type=Role | AssumeRoleShape),
]


class SsoShape(Shape):
    """IAM Identity Center, in place of a profile and a role to assume."""

    session: Text | None = Field(
        default=None,
        description="An `[sso-session]` of the AWS config, to which `aws sso login --sso-session` "
        "has signed in.",
        examples=["corp"],
    )
    role: PermissionSet | None = Field(
        default=None,
        description="The name of a permission set that is assigned in the account.",
        examples=["AdministratorAccess"],
    )


class Common(Shape):
    """What the defaults and each account can say."""

    profile: Text | None = Field(
        default=None,
        description="The AWS profile to take credentials from. Without one, the SDK's default "
        "chain is used.",
        examples=["org-admin"],
    )
    assume_role: AssumeRoleEntry | None = Field(
        default=None,
        description="The role to assume in an account given by `account_id`: its name or ARN, or "
        "a mapping with more. An account's mapping is merged into that of the defaults; a plain "
        "name replaces the role alone.",
        examples=["OrganizationAccountAccessRole", {"role": "Onboard", "external_id": "corp"}],
    )
    sso: SsoShape | None = Field(
        default=None,
        description="Take credentials from IAM Identity Center, in place of `profile` and "
        "`assume_role`. Needs `account_id`.",
        examples=[{"session": "corp", "role": "AdministratorAccess"}],
    )
    region: Region = Field(
        default="us-east-1",
        description="The region from which Cloudcraft checks the account.",
        examples=["us-east-1", "eu-west-1"],
    )
    role: Annotated[RoleShape, BeforeValidator(_none_is_empty)] = Field(
        default=RoleShape(), description="The role with which Cloudcraft reads the account."
    )
    read_access: Access | None = Field(
        default=None,
        description="Who may see the account in Cloudcraft: teams by name or ID (`Platform`, "
        "`team/ID`), `everyone` (all users of the customer), or `customer/ID`. Without this key, "
        "Cloudcraft's setting is kept; an empty list removes access.",
        examples=[["everyone"], ["Platform"]],
    )
    write_access: Access | None = Field(
        default=None,
        description="Who may change the account in Cloudcraft, given as in `read_access`.",
        examples=[["Platform"]],
    )


class AccountShape(Common):
    """One AWS account."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["profile"]}, {"required": ["account_id"]}]}
    )

    name: Text = Field(description="The account's name in Cloudcraft.", examples=["Production"])
    account_id: AccountId | None = Field(
        default=None,
        description="The account's ID: 12 digits, in quotes.",
        examples=["111122223333"],
    )
    enabled: StrictBool = Field(default=True, description="If false, runs skip the account.")
    tags: Annotated[dict[SelectionKey, SelectionValue], BeforeValidator(_none_is_empty)] = Field(
        default_factory=dict,
        description="Tags to select accounts by: `--only KEY=VALUE`, `--exclude KEY=VALUE`.",
        examples=[{"env": "prod"}],
    )


def _some(value: tuple[AccountShape, ...]) -> str | None:
    return None if value else "the list is empty; a manifest needs at least one account"


class ManifestShape(Shape):
    """Accounts to connect to Cloudcraft."""

    model_config = ConfigDict(title="onboard manifest")

    version: Annotated[StrictInt, obeys(exactly_one), editor(const=1)] = Field(
        description="The version of the manifest format."
    )
    defaults: Annotated[Common, BeforeValidator(_none_is_empty)] = Field(
        default=Common(), description="Defaults for every account that does not override them."
    )
    accounts: Annotated[tuple[AccountShape, ...], obeys(_some), editor(minItems=1)] = Field(
        description="The accounts, in the order in which they are reported."
    )


def json_schema() -> dict[str, Any]:
    """The manifest as a JSON Schema, draft 2020-12."""
    schema = ManifestShape.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
