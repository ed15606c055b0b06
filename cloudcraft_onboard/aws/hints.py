"""Adds to what AWS or its SDK said a sentence on what to do about it.

A table of rules, of which the first match wins. A rule matches codes, words of the message, or
the operation; its hint names the next command, policy or option.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.model import RoleSpec, SsoRole, Stage

_DENIAL = re.compile(r"(?:User|Principal): (?P<principal>\S+) is not authorized to perform: ")
_ACTION = re.compile(r"perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?")
_SERVER_FAULT = 500
# `LimitExceeded` is a quota of the account, such as that of its roles: no time heals it.
_THROTTLED = re.compile(r"throttl|TooManyRequests|RequestLimitExceeded|SlowDown", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """What was being done when it went wrong. `target` is the ARN of the role being assumed."""

    stage: Stage
    profile: str | None
    sso: SsoRole | None = None
    call: Call | None = None
    caller: str = ""
    target: str = ""
    profiles: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """All given fields must match. `says` is searched for in the message, ignoring case."""

    hint: str
    codes: frozenset[str] = frozenset()
    says: str = ""
    operation: str = ""

    def fits(self, code: str, message: str, operation: str) -> bool:
        return (
            (not self.codes or code in self.codes)
            and (not self.says or re.search(self.says, message, re.IGNORECASE) is not None)
            and (not self.operation or operation == self.operation)
        )


_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

_RULES = (
    _Rule(
        says=r"account\b.*\b(suspended|closed)|(suspended|closed)\b.*\baccount",
        hint="The AWS account is suspended or closed. Have it reopened, or set `enabled: false`.",
    ),
    _Rule(
        codes=frozenset({"AccountSuspended", "AccountClosed", "AccountNotActive"}),
        hint="The AWS account is suspended or closed. Have it reopened, or set `enabled: false`.",
    ),
    _Rule(
        codes=_DENIED,
        says="service control polic",
        hint=(
            "A service control policy of the organization forbids {action}. Its administrators"
            " must exempt {principal} from it; no permission in the account overrides it."
        ),
    ),
    _Rule(
        codes=_DENIED,
        says="resource control polic",
        hint=(
            "A resource control policy of the organization forbids {action}. Its administrators"
            " must exempt {principal} from it."
        ),
    ),
    _Rule(
        codes=_DENIED,
        says="permissions boundar",
        hint=(
            "The permissions boundary of {principal} does not allow {action}. Allow it there too;"
            " `onboard permissions MANIFEST` prints the policy it needs."
        ),
    ),
    _Rule(
        codes=_DENIED,
        says="session polic",
        hint=(
            "The session policy of {principal} does not allow {action}. Use"
            " credentials without a session policy, or with one that allows it."
        ),
    ),
    _Rule(
        codes=_DENIED,
        says="explicit deny",
        hint="A Deny statement blocks {action} for {principal}. Remove it, or exempt {resource}.",
    ),
    _Rule(
        codes=_DENIED,
        operation="AssumeRole",
        hint=(
            "Check that the role {target} exists and that its trust policy lets {caller} assume it,"
            " and that {caller} may call sts:AssumeRole on it. If the role has another name, set"
            " `assume_role`."
        ),
    ),
    _Rule(
        codes=_DENIED,
        hint=(
            "Allow {principal} to call {action} on {resource}:"
            " `onboard permissions MANIFEST` prints the policy it needs."
        ),
    ),
    _Rule(
        codes=frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"}),
        hint=(
            "The credentials of {source} have expired. Get new ones (`{login}`), then run the same"
            " command again; what is done stays done."
        ),
    ),
    _Rule(
        codes=frozenset({"SSOTokenExpired"}),
        hint="Sign in again: `{login}`.",
    ),
    _Rule(
        codes=frozenset({"LoginExpired"}),
        hint="Sign in again: `aws login{profile_option}`.",
    ),
    _Rule(
        codes=frozenset({"ForbiddenException"}),
        operation="GetRoleCredentials",
        hint=(
            "This user is not assigned the account and permission set of {source} in IAM Identity"
            " Center. Request the assignment, or correct sso_account_id and sso_role_name."
        ),
    ),
    _Rule(
        codes=frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"}),
        hint=(
            "AWS does not recognize the access key of {source}: it was deleted, is inactive, or"
            " belongs to another partition than the region. Check with `aws sts get-caller-identity"
            "{profile_option}`."
        ),
    ),
    _Rule(
        codes=frozenset({"SignatureDoesNotMatch", "RequestTimeTooSkewed"}),
        says=r"signature (expired|not yet current)|skew|too far",
        hint="This computer's clock is wrong. Set it (NTP) and run again.",
    ),
    _Rule(
        codes=frozenset({"SignatureDoesNotMatch", "IncompleteSignature"}),
        hint="The secret access key of {source} does not match its access key ID. Correct it.",
    ),
    _Rule(
        codes=frozenset({"NoCredentials"}),
        hint=(
            "Give {source} credentials with `aws configure sso` or `aws configure`{profile_hint},"
            " or name a profile that has some. Check with `aws configure list{profile_option}`."
        ),
    ),
    _Rule(
        codes=frozenset({"CredentialRetrievalError"}),
        hint=(
            "The command or service that provides the credentials of {source} failed. Try"
            " `aws sts get-caller-identity{profile_option}`."
        ),
    ),
    _Rule(
        codes=frozenset({"MfaRequired"}),
        hint=(
            "onboard does not ask for MFA codes. Run `aws sts get-caller-identity{profile_option}`"
            " first; onboard then uses its session."
        ),
    ),
    _Rule(
        codes=frozenset({"InvalidConfig"}),
        hint="Correct the AWS config file; `aws configure list{profile_option}` shows it.",
    ),
    _Rule(
        codes=frozenset({"SSLError"}),
        hint="If a proxy inspects TLS, set AWS_CA_BUNDLE to its certificates.",
    ),
    _Rule(
        codes=frozenset({"OptInRequired", "SubscriptionRequiredException"}),
        hint="The account is not activated for this service yet. Finish its sign-up in AWS.",
    ),
    _Rule(
        codes=frozenset({"RegionDisabledException"}),
        hint=(
            "AWS STS is switched off in this region. Set another region for {source}"
            " (AWS_DEFAULT_REGION, or `region` in the profile), such as us-east-1."
        ),
    ),
    _Rule(
        codes=frozenset({"LimitExceeded", "LimitExceededException"}),
        says="RolesPerAccount|roles",
        hint=(
            "The account has reached its limit of roles. Delete unused ones, or raise its quota"
            " RolesPerAccount in Service Quotas."
        ),
    ),
    _Rule(
        codes=frozenset({"LimitExceeded", "LimitExceededException"}),
        says="size",
        hint=(
            "The role's inline policies are longer than the 10,240 characters that IAM allows."
            " Delete inline policies that it no longer needs, or name `ReadOnlyAccess`."
        ),
    ),
    _Rule(
        codes=frozenset({"LimitExceeded", "LimitExceededException"}),
        hint=(
            "The role has reached its limit of policies. List fewer under `role.policies`, detach"
            " others, or raise the quota PoliciesPerRole in Service Quotas."
        ),
    ),
    _Rule(
        codes=frozenset(
            {
                "Throttling",
                "ThrottlingException",
                "RequestLimitExceeded",
                "TooManyRequestsException",
                "RequestThrottled",
            }
        ),
        hint=(
            "AWS kept throttling. Run again with a lower --concurrency or"
            " more --retries; what is done stays done."
        ),
    ),
    _Rule(
        codes=frozenset({"MalformedPolicyDocument"}),
        says="principal",
        hint=(
            "AWS does not recognize the account in the trust policy: Cloudcraft's account may"
            " not exist in this partition."
        ),
    ),
    _Rule(
        codes=frozenset({"MalformedPolicyDocument"}),
        hint="IAM rejects Cloudcraft's policy document. Use `ReadOnlyAccess` for now.",
    ),
    _Rule(
        codes=frozenset({"NoSuchEntity"}),
        hint="Correct the name in the manifest, or create it in the account first.",
    ),
    _Rule(
        codes=frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable"}),
        hint="Something else is changing the same role. Run again in a moment.",
    ),
    _Rule(
        codes=frozenset({"UnmodifiableEntity"}),
        hint="The role belongs to an AWS service. Give `role.name` another name.",
    ),
    _Rule(
        codes=frozenset({"DeleteConflict"}),
        hint="Something still uses the role, such as an instance profile. Remove that first.",
    ),
    _Rule(
        codes=frozenset({"ValidationError", "InvalidInput", "ParamValidationError"}),
        hint="AWS rejects a value in the manifest's `role` or `assume_role`. Correct it.",
    ),
)

_FALLBACK = "Try `aws sts get-caller-identity{profile_option}`, then run again."

_NAMES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (sdk.ProfileNotFound, "ProfileNotFound"),
    ((sdk.NoCredentialsError, sdk.PartialCredentialsError), "NoCredentials"),
    ((sdk.SSOError, sdk.TokenRetrievalError, sdk.NoAuthTokenError), "SSOTokenExpired"),
    (sdk.LoginError, "LoginExpired"),
    (sdk.CredentialRetrievalError, "CredentialRetrievalError"),
    (EOFError, "MfaRequired"),
    (sdk.SSLError, "SSLError"),
    (sdk.ParamValidationError, "ParamValidationError"),
    (
        (
            sdk.ConfigParseError,
            sdk.ConfigNotFound,
            sdk.InvalidConfigError,
            sdk.UnknownCredentialError,
            sdk.BaseEndpointResolverError,
            sdk.EndpointProviderError,
            sdk.ValidationError,
        ),
        "InvalidConfig",
    ),
)
"""The SDK's exceptions, with their code in a report; the first match wins."""

_OUTAGES = (sdk.ConnectionError, sdk.HTTPClientError)


def explain(error: Exception, where: Where) -> AccountError:
    """The account's problem; an outage is `AccountPending`, which a later run continues."""
    if isinstance(error, ClientError):
        return _refused(error, where)
    code = next((name for kinds, name in _NAMES if isinstance(error, kinds)), "")
    message = excerpt(str(error)) or type(error).__name__
    if isinstance(error, sdk.ProfileNotFound):
        hint = _nearest(str(error.kwargs["profile"]), where)
        return AccountError(where.stage, code, f"{message}.", hint=hint)
    if not code and isinstance(error, _OUTAGES):
        return AccountPending(
            where.stage,
            type(error).__name__.removesuffix("Error"),
            message,
            hint="AWS could not be reached. Check the network and proxies, then run again.",
            transient=True,
        )
    code = code or type(error).__name__
    if code == "MfaRequired":
        message = f"An MFA code is needed for {_source(where)}."
    return AccountError(where.stage, code, message, hint=_hint(code, message, "", where))


def _refused(error: ClientError, where: Where) -> AccountError:
    code = excerpt(str(error.response["Error"].get("Code", "Unknown")), 100)
    message = excerpt(str(error.response["Error"].get("Message") or error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    hint = _hint(code, message, error.operation_name, where)
    throttled = "throttl" in code.lower() or "limit" in code.lower()
    if status >= _SERVER_FAULT and not throttled:
        hint = "AWS itself is having problems. Check the AWS Health Dashboard, then run again."
        return AccountPending(where.stage, code, message, hint=hint, transient=True)
    transient = _THROTTLED.search(code) is not None
    return AccountError(where.stage, code, message, hint=hint, transient=transient)


def _hint(code: str, message: str, operation: str, where: Where) -> str:
    rule = next((rule for rule in _RULES if rule.fits(code, message, operation)), None)
    said = _ACTION.search(message)
    denied = _DENIAL.search(message)
    option = f" --profile {where.profile}" if where.profile else ""
    actions = where.call.actions if where.call else ()
    return (rule.hint if rule else _FALLBACK).format(
        action=(said and said["action"]) or ", ".join(actions) or operation,
        resource=(said and said["resource"]) or "the role",
        principal=(denied and denied["principal"]) or where.caller or "the caller",
        caller=where.caller or (denied and denied["principal"]) or "the caller",
        target=where.target or (said and said["resource"]) or "to be assumed",
        source=_source(where),
        login=_login(where, option),
        profile_option=option,
        profile_hint=f" with{option}" if option else "",
    )


def _login(where: Where, option: str) -> str:
    if where.sso:
        return f"aws sso login --sso-session {shlex.quote(where.sso.session)}"
    return f"aws sso login{option}"


def _source(where: Where) -> str:
    if where.sso:
        return f"the IAM Identity Center session '{where.sso.session}'"
    return f"profile '{where.profile}'" if where.profile else "the default credential chain"


def _nearest(name: str, where: Where) -> str:
    """What to do about a missing profile that the manifest, an option or the environment names."""
    shown = "`aws configure list-profiles` shows all profiles."
    if names := get_close_matches(name, where.profiles, n=3, cutoff=0.5):
        return f"Did you mean {' or '.join(names)}? {shown}"
    if where.profile is None:
        return f"Correct AWS_PROFILE, or unset it. {shown}"
    out = ", or leave it out: the environment has credentials of its own"
    given = any(variable in os.environ for variable in _CREDENTIALS)
    return f"Correct the profile's name{out if given else ''}. {shown}"


_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that give credentials without a profile."""


_LOOK_AT_THE_STACK = (
    "Check the events of the stack StackSet-{name}-... in the account, region {region}. Fix the"
    " cause, then run again."
)
_REASONS = {
    r"already exists": (
        "The account already has a role {role}, which CloudFormation cannot take over. Delete it"
        " first, give `role.name` another name, or give the account `role.via: assume`."
    ),
    r"not attachable|policy.*(does not|doesn't) exist|NoSuchEntity": (
        "A policy in the manifest does not exist: plain names under `role.policies` are AWS-managed"
        " ones, and the `permissions_boundary` must be created in the account first."
    ),
    r"service control polic|explicit deny|not authorized|access ?denied": (
        "Something in the account, usually a service control policy, blocks CloudFormation."
        " Exempt the roles stacksets-exec-* from it."
    ),
    r"suspended|closed": (
        "The AWS account is suspended or closed. Have it reopened, or set `enabled: false`."
    ),
}
"""CloudFormation's reasons for a failed instance, and what to do; the first match wins."""


def explain_instance(role: RoleSpec, reason: str) -> AccountError:
    """Explain why CloudFormation could not create the role in an account."""
    reason = excerpt(reason)
    said = (hint for words, hint in _REASONS.items() if re.search(words, reason, re.IGNORECASE))
    hint = next(said, _LOOK_AT_THE_STACK).format(
        role=role.name, name=role.stackset.name, region=role.stackset.region
    )
    message = f"CloudFormation could not create the role in the account: {sentence(reason)}"
    return AccountError(Stage.ROLE, "StackInstanceFailed", message, hint=hint)
