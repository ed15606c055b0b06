"""Rows about credentials: whose they are, how long they live, and how to get new ones."""

from __future__ import annotations

from cloudcraft_onboard.blame.facts import Maker
from cloudcraft_onboard.blame.row import Row, words

_EXPIRED = r"^(ExpiredToken|TokenRefreshRequired)|token\b.*\b(is|has) expired"
_WEB = words("AssumeRoleWithWebIdentity")
_GITHUB = "In GitHub Actions, the job needs `permissions: id-token: write`."
_DONE = "What is done stays done."

ROWS = (
    Row(
        name="clock",
        says=r"^(RequestTimeTooSkewed|RequestInTheFuture|RequestExpired|SignatureExpired)"
        r"|signature (expired|not yet current)|clock skew|too far in the"
        r"|request time and the (current|server) time",
        next="This computer's clock is wrong. Set it (NTP) and run again.",
    ),
    Row(
        name="root-assumes",
        says="may not be assumed by root",
        next=(
            "The root user of an account cannot assume roles. Give {source} an IAM user's or a"
            " role's credentials instead, such as those of `aws configure sso`."
        ),
        by=("caller", "profile"),
    ),
    # --- web identity (OIDC) ---------------------------------------------------------------------
    Row(
        name="web-identity-expired",
        says=_EXPIRED + r"|token expired",
        calls=_WEB,
        next=(
            ("The token in {value} has expired.", "The web identity token has expired."),
            "Get a new token from its issuer right before the run.",
            _GITHUB,
        ),
        by=("value",),
    ),
    Row(
        name="web-identity-provider",
        says="no openidconnect provider",
        calls=_WEB,
        next=(
            (
                "The account of {role} has no identity provider for {provider}.",
                "The account of {role} has no identity provider for this token.",
            ),
            (
                "Create it in IAM with the audience sts.amazonaws.com, and name it as the federated"
                " principal in the role's trust policy."
            ),
        ),
        by=("provider", "role"),
    ),
    Row(
        name="web-identity-audience",
        says="^InvalidIdentityToken.*audience",
        calls=_WEB,
        next=(
            "The token's `aud` is none of the audiences of the identity provider in IAM. Ask"
            " the token's issuer for sts.amazonaws.com, or add the audience to the provider and"
            " to the trust policy of {role}."
        ),
        by=("role",),
    ),
    Row(
        name="web-identity-denied",
        says="AccessDenied|not authorized",
        calls=_WEB,
        next=(
            "The trust policy of {role} does not accept this token. Check that the role exists,"
            " and that its trust policy allows sts:AssumeRoleWithWebIdentity to the token's"
            " provider, with conditions that its `sub` and `aud` meet."
        ),
        by=("role",),
    ),
    Row(
        name="web-identity-token",
        says="^(InvalidIdentityToken|IDPRejectedClaim|IDPCommunicationError)|token",
        calls=_WEB,
        next=(
            (
                "Get a new token from its issuer, and check it against the trust policy of {role}:"
                " provider, `sub` and `aud`."
            ),
            _GITHUB,
        ),
        by=("role",),
    ),
    Row(
        name="web-identity-file",
        codes=words("CredentialRetrievalError", "UnexpectedAnswer"),
        says="FileNotFoundError|PermissionError|IsADirectoryError|UnicodeDecodeError",
        makers=frozenset({Maker.WEB_IDENTITY}),
        next=(
            (
                "The token file {value}, which {given_by} names, cannot be read.",
                "The file of the web identity token cannot be read.",
            ),
            "Have its issuer write a token there.",
            _GITHUB,
        ),
        by=("value",),
    ),
    Row(
        name="missing-dependency",
        codes=words("MissingDependency"),
        needs=("adding",),
        next="Add the package to this installation: `{adding}`.",
        by=("adding",),
    ),
    # --- what has expired ------------------------------------------------------------------------
    Row(
        name="sso-expired",
        says=_EXPIRED + "|^SSOTokenExpired|^UnauthorizedException",
        makers=frozenset({Maker.SSO}),
        next="Sign in again: `{login}`.",
        by=("sso_session", "sso_start_url"),
    ),
    Row(
        name="login-expired",
        says=_EXPIRED + "|^LoginExpired",
        makers=frozenset({Maker.LOGIN}),
        next="Sign in again: `{login}`.",
        by=("settings_of",),
    ),
    Row(
        name="process-expired",
        says=_EXPIRED,
        makers=frozenset({Maker.PROCESS}),
        next=(
            (
                "The credentials of {source} have expired. Have the program behind its"
                " `credential_process` sign in again, then run the same command again."
            ),
            _DONE,
        ),
        by=("process",),
    ),
    Row(
        name="session-keys-expired",
        says=_EXPIRED,
        makers=frozenset({Maker.SESSION_KEYS}),
        next=(
            "The credentials of {source} have expired.",
            (
                (
                    "Get new ones from the tool that made them ({given_by} holds the old ones),"
                    " then run the same command again."
                ),
                "Get new ones from the tool that made them, then run the same command again.",
            ),
            _DONE,
        ),
        by=("profile", "given_by"),
    ),
    Row(
        name="expired",
        says=_EXPIRED,
        next=(
            (
                "The credentials of {source} have expired. Get new ones from their source,"
                " then run the same command again."
            ),
            _DONE,
        ),
        by=("profile",),
    ),
    # --- what AWS does not know ------------------------------------------------------------------
    Row(
        name="not-offered",
        codes=words("PermissionSetNotOffered"),
        needs=("offered",),
        next=(
            (
                "It offers {offered}: correct `sso.role`, or request the assignment.",
                "Other permission sets are offered: correct `sso.role`, or request the assignment.",
            ),
        ),
        by=("sso_session", "permission_set"),
    ),
    Row(
        name="not-assigned",
        codes=words("PermissionSetNotOffered"),
        next=(
            "The account is not assigned to whoever signed in.",
            "Request the assignment, or correct `account_id`.",
        ),
        by=("sso_session",),
    ),
    Row(
        name="sso-session-missing",
        codes=words("SsoSessionNotFound"),
        next=("Did you mean {nearest}?", "`aws configure sso-session` adds one."),
        by=("sso_session",),
    ),
    Row(
        name="sso-session-half",
        codes=words("SsoSessionIncomplete"),
        next="Add what is missing, or run `aws configure sso-session`.",
        by=("sso_session",),
    ),
    Row(
        name="unassigned",
        says="^(ForbiddenException|AccessDeniedException|ResourceNotFoundException)",
        calls=words("GetRoleCredentials"),
        next=(
            (
                "This user is not assigned the permission set {permission_set} in that account.",
                (
                    "This user is not assigned the account and permission set of {source} in IAM"
                    " Identity Center."
                ),
            ),
            "Request the assignment, or correct sso_account_id and sso_role_name.",
        ),
        by=("sso_session", "sso_start_url", "permission_set"),
    ),
    Row(
        name="bad-session-token",
        says="^(InvalidToken|InvalidSecurity)|token.*(malformed|otherwise invalid)",
        next=(
            "The session token of {source} is cut off, or belongs to other keys. Take access"
            " key, secret key and token together from the tool that made them."
        ),
        by=("profile",),
    ),
    Row(
        name="unknown-key",
        codes=words(
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "AuthFailure",
            "InvalidAccessKeyId",
            "NotAuthorizedException",
        ),
        next=(
            (
                "AWS does not recognize the access key of {source}: it was deleted, is inactive, or"
                " belongs to another partition than the region."
            ),
            (
                "Or the region {opt_in}, where it was used, is not enabled in its account: enable"
                " it, or set another `region` in the profile or AWS_DEFAULT_REGION."
            ),
            "Or {endpoint} sends the request to something other than AWS.",
            "Check with `aws sts get-caller-identity{option}`.",
        ),
        by=("profile", "opt_in"),
    ),
    Row(
        name="wrong-secret",
        codes=words(
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "IncompleteSignature",
            "IncompleteSignatureException",
        ),
        next="The secret access key of {source} does not match its access key ID. Correct it.",
        by=("profile",),
    ),
    Row(
        name="unsigned",
        codes=words("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
        next=(
            "The request arrived without its signature. Check the proxies in between, and"
            " AWS_ENDPOINT_URL."
        ),
    ),
    # --- what is not there -----------------------------------------------------------------------
    Row(
        name="half-credentials",
        codes=words("NoCredentials"),
        needs=("missing",),
        next=(
            "Give {missing} a value as well, or remove the other half of these credentials."
            " `aws configure list{option}` shows what is used."
        ),
        by=("profile", "missing"),
    ),
    Row(
        name="mfa",
        codes=words("MfaRequired"),
        next=(
            "onboard does not ask for MFA codes. Run `aws sts get-caller-identity{option}`"
            " first; onboard then uses its session."
        ),
        by=("settings_of",),
    ),
    Row(
        name="process-failed",
        codes=words("CredentialRetrievalError"),
        makers=frozenset({Maker.PROCESS}),
        next=(
            (
                (
                    "Run the `credential_process` of {source} by itself ({process} ...) to see why"
                    " it fails."
                ),
                "Run the `credential_process` of {source} by itself to see why it fails.",
            ),
            "`aws sts get-caller-identity{option}` fails in the same way.",
        ),
        by=("process",),
    ),
    Row(
        name="instance-credentials",
        codes=words("CredentialRetrievalError", "NoCredentials"),
        makers=frozenset({Maker.INSTANCE}),
        needs=("given_by",),
        next=(
            "{given_by} says where this machine's credentials come from, and nothing usable"
            " answers there. Correct it, or unset it and use other credentials."
        ),
        by=("given_by",),
    ),
    Row(
        name="no-credentials",
        codes=words("NoCredentials"),
        next=(
            "Give {source} credentials with `aws configure sso{option}` or `aws"
            " configure{option}`, or name a profile that has some. Check with `aws configure"
            " list{option}`."
        ),
    ),
    Row(
        name="source-failed",
        codes=words("CredentialRetrievalError"),
        next=(
            "The command or service that provides the credentials of {source} failed. Try"
            " `aws sts get-caller-identity{option}`."
        ),
        by=("maker", "reason"),
    ),
)
