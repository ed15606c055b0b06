"""Every refusal ends as stage, code and message, with a hint that names what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as sdk

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.model import RoleSpec, Stage
from cloudcraft_onboard.model.changes import DeleteRole
from tests.support.aws_proxy import BOUNDARY, EXPIRED, NO_IDENTITY_POLICY, SCP, THROTTLING, AwsProxy
from tests.support.world import SandboxWorld
from tests.whole.aws.support import ENTRY, HUB, MEMBER, bring, member, opened, wanted

CALLER = "arn:aws:sts::111122223333:assumed-role/OrganizationAccountAccessRole/onboard"


def failed(aws: BotoAws, spec: RoleSpec | None = None) -> AccountError:
    with pytest.raises(AccountError) as caught:
        bring(aws.reach(member()), spec or RoleSpec())
    return caught.value


# --- AccessDenied, in the words of AWS ----------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (
            NO_IDENTITY_POLICY,
            f"Allow {CALLER} to call iam:CreateRole on arn:aws:iam::111122223333:role/cloudcraft",
        ),
        (BOUNDARY, f"The permissions boundary of {CALLER} does not allow iam:CreateRole."),
        (
            "with an explicit deny in a permissions boundary",
            f"The permissions boundary of {CALLER} does not allow iam:CreateRole.",
        ),
        (SCP, "A service control policy of the organization forbids iam:CreateRole."),
        (
            (
                "with an explicit deny in a service control policy: "
                "arn:aws:organizations::111111111111:policy/o-a/service_control_policy/p-b"
            ),
            f"Its administrators must exempt {CALLER}",
        ),
        (
            "because no service control policy allows the iam:CreateRole action",
            "A service control policy of the organization forbids iam:CreateRole.",
        ),
        (
            "with an explicit deny in a resource control policy",
            "A resource control policy of the organization forbids iam:CreateRole.",
        ),
        (
            "because no session policy allows the iam:CreateRole action",
            f"The session policy of {CALLER} does not allow",
        ),
        (
            "with an explicit deny in an identity-based policy",
            f"A Deny statement blocks iam:CreateRole for {CALLER}.",
        ),
    ],
)
def test_denied_creation_says_which_policy_has_to_change(
    proxy: AwsProxy, aws: BotoAws, reason: str, hint: str
) -> None:
    proxy.deny("CreateRole", reason)
    error = failed(aws)
    assert (error.stage, error.code) == (Stage.ROLE, "AccessDenied")
    assert reason in error.message
    assert hint in error.hint


def test_missing_permission_names_action_caller_and_command(
    org: SandboxWorld, aws: BotoAws
) -> None:
    org.iam(MEMBER).delete_role_policy(RoleName=ENTRY, PolicyName="access")
    error = failed(aws)
    assert (error.stage, error.code) == (Stage.ROLE, "AccessDenied")
    assert " to call iam:GetRole on" in error.hint
    assert f"assumed-role/{ENTRY}" in error.hint
    assert "onboard permissions MANIFEST" in error.hint


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (
            "because no identity-based policy allows the sts:AssumeRole action",
            f"that the role arn:aws:iam::{MEMBER}:role/{ENTRY} exists",
        ),
        (
            "because no resource-based policy allows the sts:AssumeRole action",
            f"lets arn:aws:iam::{HUB}:user/onboard-hub assume it",
        ),
        (SCP, "A service control policy of the organization forbids sts:AssumeRole."),
    ],
)
def test_denied_entry_says_where_to_look(
    proxy: AwsProxy, aws: BotoAws, reason: str, hint: str
) -> None:
    proxy.deny("AssumeRole", reason, service="sts")
    error = failed(aws)
    assert (error.stage, error.code) == (Stage.REACH, "AccessDenied")
    assert hint in error.hint


# --- everything else that AWS answers -----------------------------------------------------------

ANSWERS: list[tuple[str, dict[str, Any], str]] = [
    ("CreateRole", EXPIRED, "Get new ones from their source"),  # static keys of its own
    ("AssumeRole", EXPIRED, "The credentials of profile 'hub' have expired."),
    ("CreateRole", THROTTLING, "a lower --concurrency or more --retries"),
    ("AssumeRole", THROTTLING, "a lower --concurrency or more --retries"),
    (
        "GetCallerIdentity",
        {
            "status": 403,
            "code": "InvalidClientTokenId",
            "message": "The security token included in the request is invalid.",
        },
        "does not recognize the access key of profile 'hub'",
    ),
    (
        "GetCallerIdentity",
        {
            "status": 403,
            "code": "SignatureDoesNotMatch",
            "message": "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z",
        },
        "This computer's clock is wrong.",
    ),
    (
        "GetCallerIdentity",
        {
            "status": 403,
            "code": "SignatureDoesNotMatch",
            "message": "The request signature we calculated does not match the signature you "
            "provided. Check your AWS Secret Access Key and signing method.",
        },
        "The secret access key of profile 'hub' does not match its access key ID",
    ),
    (
        "AssumeRole",
        {
            "status": 403,
            "code": "RegionDisabledException",
            "message": "STS is not activated in this region for account:111111111111.",
        },
        "AWS_DEFAULT_REGION",
    ),
    (
        "AssumeRole",
        {"status": 403, "code": "AccessDenied", "message": "The account is suspended."},
        "suspended or closed",
    ),
    (
        "CreateRole",
        {
            "status": 403,
            "code": "OptInRequired",
            "message": "The AWS Access Key Id needs a subscription for the service",
        },
        "not activated for this service",
    ),
    (
        "CreateRole",
        {
            "status": 409,
            "code": "LimitExceeded",
            "message": "Cannot exceed quota for RolesPerAccount: 1000",
        },
        "RolesPerAccount in Service Quotas",
    ),
    (
        "AttachRolePolicy",
        {
            "status": 409,
            "code": "LimitExceeded",
            "message": "Cannot exceed quota for PoliciesPerRole: 10",
        },
        "PoliciesPerRole in Service Quotas",
    ),
    (
        "PutRolePolicy",
        {
            "status": 409,
            "code": "LimitExceeded",
            "message": "Maximum policy size of 10240 bytes exceeded for role cloudcraft",
        },
        "10,240 characters",
    ),
    (
        "CreateRole",
        {
            "status": 400,
            "code": "MalformedPolicyDocument",
            "message": 'Invalid principal in policy: "AWS":"arn:aws-cn:iam::912185983511:root"',
        },
        "may not exist in this partition",
    ),
    (
        "PutRolePolicy",
        {
            "status": 400,
            "code": "MalformedPolicyDocument",
            "message": "Syntax errors in policy.",
        },
        "Cloudcraft's policy document",
    ),
    (
        "CreateRole",
        {"status": 400, "code": "ValidationError", "message": "1 validation error detected"},
        "a value in the manifest's `role`",
    ),
    (
        "CreateRole",
        {"status": 409, "code": "ConcurrentModification", "message": "Request was denied"},
        "Run again in a moment.",
    ),
    (
        "CreateRole",
        {"status": 400, "code": "SomethingNew", "message": "Never seen before"},
        "aws sts get-caller-identity --profile hub",
    ),
]


@pytest.mark.parametrize(
    ("action", "answer", "hint"), ANSWERS, ids=[f"{a}-{e['code']}" for a, e, _ in ANSWERS]
)
def test_answer_of_aws_is_passed_on_with_the_next_step(
    proxy: AwsProxy, aws: BotoAws, action: str, answer: dict[str, Any], hint: str
) -> None:
    proxy.trouble(action, **answer)
    error = failed(aws, RoleSpec(policies=("ReadOnlyAccess", "cloudcraft:minimal")))
    reach = action in {"AssumeRole", "GetCallerIdentity"}
    assert error.stage is (Stage.REACH if reach else Stage.ROLE)
    assert error.code == answer["code"]
    assert error.message == answer["message"]
    assert hint in error.hint
    assert not isinstance(error, AccountPending)


def test_conflict_on_deletion_says_what_uses_the_role(proxy: AwsProxy, aws: BotoAws) -> None:

    proxy.trouble(
        "DeleteRole",
        status=409,
        code="DeleteConflict",
        message="Cannot delete entity, must remove roles from instance profile first.",
    )
    session = aws.reach(member())
    with pytest.raises(AccountError) as caught:
        session.apply(DeleteRole(), wanted(session, RoleSpec()), None)
    assert "instance profile" in caught.value.hint


# --- outages: not the account's fault -----------------------------------------------------------


@pytest.mark.parametrize("action", ["GetCallerIdentity", "AssumeRole", "GetRole", "CreateRole"])
def test_dropped_connection_beyond_the_retries_leaves_the_account_pending(
    proxy: AwsProxy, action: str
) -> None:
    proxy.trouble(action, kind="drop")
    with opened(retries=1) as aws:
        error = failed(aws)
    assert isinstance(error, AccountPending)
    assert proxy.calls[action] == 2
    assert "AWS could not be reached" in error.hint


def test_trouble_of_aws_itself_leaves_the_account_pending(proxy: AwsProxy, aws: BotoAws) -> None:
    proxy.trouble("CreateRole", status=503, code="ServiceFailure", message="Try again later")
    error = failed(aws)
    assert isinstance(error, AccountPending)
    assert "Health Dashboard" in error.hint


# --- what the SDK says before it asks AWS -------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        (sdk.UnauthorizedSSOTokenError(), "SSOTokenExpired", "aws sso login --profile prod"),
        (
            sdk.TokenRetrievalError(provider="sso", error_msg="expired"),
            "SSOTokenExpired",
            "aws sso login --profile prod",
        ),
        (sdk.LoginRefreshRequired(), "LoginExpired", "aws login --profile prod"),
        (EOFError(), "MfaRequired", "aws sts get-caller-identity --profile prod"),
        (sdk.NoCredentialsError(), "NoCredentials", "aws configure list --profile prod"),
        (
            sdk.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
            "NoCredentials",
            "aws configure list --profile prod",
        ),
        (
            sdk.SSLError(endpoint_url="https://x", error=OSError("self-signed")),
            "SSLError",
            "AWS_CA_BUNDLE",
        ),
        (
            sdk.InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]),
            "InvalidConfig",
            "AWS config file",
        ),
        (sdk.InvalidRegionError(region_name="x y"), "InvalidConfig", "AWS config file"),
        (sdk.ConfigParseError(path="config"), "InvalidConfig", "AWS config file"),
        (
            sdk.ParamValidationError(report="too short"),
            "ParamValidationError",
            "a value in the manifest",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_sdks_own_errors_name_the_command_that_helps(
    error: Exception, code: str, hint: str
) -> None:
    where = Where(stage=Stage.REACH, profile="prod", call=Call.GET_CALLER_IDENTITY)
    explained = explain(error, where)
    assert explained.code == code
    assert hint in explained.hint
    assert not isinstance(explained, AccountPending)


def test_permission_set_that_is_not_assigned_is_told_apart() -> None:
    answer: Any = {"Error": {"Code": "ForbiddenException", "Message": "No access"}}
    where = Where(stage=Stage.REACH, profile="prod")
    explained = explain(sdk.ClientError(answer, "GetRoleCredentials"), where)
    assert "sso_role_name" in explained.hint


def test_secrets_in_a_message_are_taken_out() -> None:
    where = Where(stage=Stage.REACH, profile=None)
    error = sdk.CredentialRetrievalError(
        provider="custom-process", error_msg='{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRf"}'
    )
    assert "wJalrXUtnFEMI" not in explain(error, where).message
