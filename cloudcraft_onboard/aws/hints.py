"""From an error of AWS or of its SDK to an account's problem: what is known of it, in facts.

What the facts mean, and what to do next, is the table's (`blame`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.origin import Origin
from cloudcraft_onboard.aws.surroundings import (
    endpoint_variable,
    of_bundle,
    of_config,
    of_endpoint,
    of_ignored,
    of_missing_profile,
    of_network,
    of_region,
)
from cloudcraft_onboard.blame.facts import Facts, Maker
from cloudcraft_onboard.blame.service import THROTTLED
from cloudcraft_onboard.blame.stacksets import INSTANCE
from cloudcraft_onboard.blame.table import cause_of
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.installation import command_for
from cloudcraft_onboard.model import RoleSpec, Stage

_DENIAL = re.compile(r"(?:User|Principal): (?P<principal>\S+) is not authorized to perform: ")
_ACTION = re.compile(r"perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?")
_QUOTA = re.compile(r"exceed quota for (\w+)")
_PACKAGE = re.compile(r"pip install \W?([\w.-]+(?:\[\w+\])?)")
_PROVIDER = re.compile(r"account for (https?://\S+?)\.?(?:\s|$)")
_SERVER_FAULT = 500
_THROTTLED = re.compile(THROTTLED, re.IGNORECASE)


@frozen
class Where:
    """What was being done when it went wrong.

    `target` is the ARN of the role being assumed; `region` the one that was asked; `profiles` the
    names of all; `external_id` whether one was sent with AssumeRole, `role_option` the option
    that gave the role.
    """

    stage: Stage
    profile: str | None
    call: Call | None = None
    service: str = ""
    caller: str = ""
    target: str = ""
    account: str = ""
    region: str = ""
    external_id: bool = False
    role_option: str = ""
    command: str = ""
    management: str = ""
    role_name: str = ""
    origin: Origin | None = None
    profiles: Sequence[str] = ()

    @property
    def facts(self) -> Facts:
        """What is known before looking at the error."""
        origin = self.origin or Origin()
        return Facts(
            command=self.command,
            endpoint=endpoint_variable(self.call.service if self.call else self.service),
            account=self.account,
            profile=self.profile or "",
            caller=self.caller,
            role=self.target,
            management=self.management,
            role_name=self.role_name,
            service=self.call.service if self.call else self.service,
            settings_of=origin.profile,
            maker=origin.maker,
            given_by=origin.variable,
            sso_session=origin.sso_session,
            sso_start_url=origin.sso_start_url,
            permission_set=origin.permission_set,
            process=origin.process,
            action=", ".join(self.call.actions) if self.call else "",
            role_option=self.role_option,
            external_id=("sent" if self.external_id else "none") if self.target else "",
        )


# --- what the SDK says ---------------------------------------------------------------------------

_NAMES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (sdk.ProfileNotFound, "ProfileNotFound"),
    ((sdk.NoCredentialsError, sdk.PartialCredentialsError), "NoCredentials"),
    ((sdk.SSOError, sdk.TokenRetrievalError, sdk.NoAuthTokenError), "SSOTokenExpired"),
    (sdk.LoginError, "LoginExpired"),
    (sdk.MissingDependencyException, "MissingDependency"),
    (sdk.CredentialRetrievalError, "CredentialRetrievalError"),
    ((EOFError, sdk.RefreshWithMFAUnsupportedError), "MfaRequired"),
    (sdk.SSLError, "SSLError"),
    (sdk.ParamValidationError, "ParamValidationError"),
    (
        (
            sdk.ConfigParseError,
            sdk.ConfigNotFound,
            sdk.InvalidConfigError,
            sdk.InvalidProxiesConfigError,
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
_NETWORK = (*_OUTAGES, OSError)
_LASTING = frozenset({"proxy-login", "ca-bundle-missing"})
"""What looks like an outage, but lasts until somebody fixes it."""


def explain(error: Exception, where: Where) -> AccountError:
    """The account's problem; an outage is `AccountPending`, which a later run continues."""
    if isinstance(error, ClientError):
        return _refused(error, where)
    code = next((name for kinds, name in _NAMES if isinstance(error, kinds)), "")
    outage = isinstance(error, _OUTAGES) and not code
    code = code or type(error).__name__.removesuffix("Error" if outage else "")
    message = excerpt(str(error)) or type(error).__name__
    if where.facts.maker is Maker.PROCESS and message.rstrip().endswith(":"):
        message = f"{message.rstrip()} it printed nothing."
    facts = replace(where.facts, code=code, reason=message)
    if isinstance(error, _NETWORK):
        facts = of_network(of_region(facts, where.region), error)
    else:
        facts = _of_sdk(error, facts, where)
    # The SDK keeps from its message what a proxy answered.
    inner = str(getattr(error, "kwargs", {}).get("error", ""))
    cause = cause_of(code, f"{message} {inner}", facts)
    message = _told(error, message, facts, where)
    if outage and cause.row.name not in _LASTING:
        return AccountPending(where.stage, code, message, cause=cause, transient=True)
    return AccountError(where.stage, code, message, cause=cause)


def _of_sdk(error: Exception, facts: Facts, where: Where) -> Facts:
    """What an error from before a request tells."""
    found = facts
    match error:
        case sdk.ProfileNotFound():
            found = of_missing_profile(facts, str(error.kwargs["profile"]), where.profiles)
        case sdk.ConfigParseError():
            found = of_config(facts, error)
        case sdk.PartialCredentialsError():
            found = replace(facts, missing=str(error.kwargs["cred_var"]))
        case sdk.InvalidConfigError():
            found = _of_settings(facts)
        case sdk.SSOError() | sdk.TokenRetrievalError() | sdk.NoAuthTokenError():
            found = replace(facts, maker=Maker.SSO)
        case sdk.LoginError():
            found = replace(facts, maker=Maker.LOGIN)
        case sdk.MissingDependencyException():
            package = _first(_PACKAGE, facts.reason) or "botocore[crt]"
            found = replace(facts, adding=command_for(package))
        case sdk.ParamValidationError():
            found = _of_configured_role(facts, "", where)
        case _ if facts.maker is Maker.WEB_IDENTITY:  # a token file that cannot be read
            found = _of_configured_role(facts, "AssumeRoleWithWebIdentity", where)
        case _:
            pass
    return found


_BAD_ENDPOINT = re.compile(r"Invalid endpoint: (\S+)")


def _of_settings(facts: Facts) -> Facts:
    """What a setting that the SDK refuses tells: an endpoint, certificates, a missing section."""
    if endpoint := _first(_BAD_ENDPOINT, facts.reason):
        return of_endpoint(facts, endpoint)
    if "CA bundle" in facts.reason:
        return of_bundle(facts)
    return of_ignored(facts, lambda name: f'"{name}"' in facts.reason) or facts


def _told(error: Exception, message: str, facts: Facts, where: Where) -> str:
    """The error's message where the SDK's own leaves out what it knows."""
    match error:
        case sdk.ProfileNotFound():
            return f"{message}."
        case sdk.ConfigParseError() if facts.file:
            line = f", line {facts.line}" if facts.line else ""
            return f"Cannot read the AWS config {facts.file}{line}: {facts.reason}."
        case EOFError():
            source = f"profile '{where.profile}'" if where.profile else "the default chain"
            return f"An MFA code is needed for {source}."
        case _:
            return message


# --- what AWS answers ----------------------------------------------------------------------------


def _refused(error: ClientError, where: Where) -> AccountError:
    code = excerpt(str(error.response["Error"].get("Code", "Unknown")), 100)
    message = excerpt(str(error.response["Error"].get("Message") or error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    transient = _THROTTLED.search(code) is not None
    outage = status >= _SERVER_FAULT and not transient and "limit" not in code.lower()
    said, denied = _ACTION.search(message), _DENIAL.search(message)
    facts = where.facts
    facts = replace(
        facts,
        code=code,
        reason=message,
        status=str(status or ""),
        outage="yes" if outage else "",
        operation=error.operation_name,
        action=(said and said["action"]) or facts.action or error.operation_name,
        resource=(said and said["resource"]) or "",
        principal=(denied and denied["principal"]) or "",
        quota=_first(_QUOTA, message),
        provider=_first(_PROVIDER, message),
    )
    facts = of_region(facts, where.region)
    facts = _of_configured_role(facts, error.operation_name, where)
    cause = cause_of(code, message, facts)
    if outage:
        service = facts.service or _service_of(error.operation_name)
        call = ":".join(filter(None, (service, error.operation_name)))
        told = f"AWS answered {call} with {status} ({code}): {sentence(message)}"
        return AccountPending(where.stage, code, told, cause=cause, transient=True)
    return AccountError(where.stage, code, message, cause=cause, transient=transient)


def _service_of(operation: str) -> str:
    methods: Mapping[str, str] = {call.method.replace("_", ""): call.service for call in Call}
    return methods.get(operation.lower(), "")


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


_TOKEN = re.compile("webIdentityToken", re.IGNORECASE)
_ASSUMING = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"})
_KEYS = (
    # AWS's or the SDK's word for a parameter, the key of the config, and that of `assume_role`.
    (r"duration_?seconds", "duration_seconds", "duration"),
    (r"role_?session_?name", "role_session_name", "session_name"),
    (r"external_?id", "external_id", "external_id"),
    (r"serial_?number|token_?code|MFA", "mfa_serial", ""),
    (r"source_?identity", "", "source_identity"),
    (r"\btags?\b", "", "tags"),
    (r"role_?arn|\barn\b", "role_arn", "role"),
)


def _of_configured_role(facts: Facts, operation: str, where: Where) -> Facts:
    """Blame for a role that the SDK assumes by itself goes to the profile that says so."""
    if operation not in _ASSUMING and operation:
        return facts
    index = 2 if where.target else 1
    words = next((each for each in _KEYS if re.search(each[0], facts.reason, re.IGNORECASE)), None)
    key = words[index] if words else ""
    if where.target:
        return replace(facts, key=key)
    roles = where.origin.roles if where.origin else ()
    if not roles:
        return replace(facts, key=key)
    fitting = [role for role in roles if role.arn == facts.resource] or [
        role for role in roles if key in role.keys
    ]
    role = (fitting or list(roles))[0]
    if _TOKEN.search(facts.reason):  # it is the token that is wrong, or empty
        return replace(facts, operation="AssumeRoleWithWebIdentity", role=role.arn)
    token_file = where.origin.token_file if where.origin else ""
    given_by = facts.given_by or f"`web_identity_token_file` of profile '{role.profile}'"
    return replace(
        facts,
        key=key,
        role=role.arn,
        role_from=role.profile,
        variable="" if role.profile else "AWS_ROLE_ARN",
        value=token_file,
        given_by=given_by if token_file else facts.given_by,
        external_id="sent" if "external_id" in role.keys else "none",
    )


# --- what CloudFormation says of an account -------------------------------------------------------


def explain_instance(role: RoleSpec, reason: str, account: str) -> AccountError:
    """Explain why CloudFormation could not create the role in an account."""
    reason = excerpt(reason)
    facts = Facts(
        account=account,
        code=INSTANCE,
        reason=reason,
        role_name=role.name,
        stack=role.stackset.name,
        region=role.stackset.region,
        quota=_first(_QUOTA, reason),
    )
    message = f"CloudFormation could not create the role in the account: {sentence(reason)}"
    return AccountError(Stage.ROLE, INSTANCE, message, cause=cause_of(INSTANCE, reason, facts))
