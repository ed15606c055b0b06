"""Rows about settings of this machine: AWS config, variables, network."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

_CONFIG = words("InvalidConfig")
_OUT_OF_REACH = words(
    "EndpointConnection", "ConnectTimeout", "ReadTimeout", "ConnectionClosed", "HTTPClient"
)

ROWS = (
    # --- the AWS config --------------------------------------------------------------------------
    Row(
        name="config-missing",
        codes=words("ProfileNotFound"),
        needs=("leftover",),
        next=(
            "{leftover} names {value}, which is not there: a sandbox that has ended leaves such"
            " variables behind. Unset it, or correct it."
        ),
        by=("leftover", "value"),
    ),
    Row(
        name="profile-ignored",
        codes=words("ProfileNotFound", "InvalidConfig", "SsoSessionNotFound"),
        needs=("ignored",),
        next=(
            (
                (
                    "It is there, but the SDK does not read its section as it is written: write"
                    " {ignored} in line {line} of {file}."
                ),
                (
                    "It is there, but the SDK does not read its section as it is written: write"
                    " {ignored} in {file}."
                ),
            ),
        ),
        by=("file", "line"),
    ),
    Row(
        name="config-unreadable",
        codes=words("InvalidConfig"),
        needs=("file",),
        next=(
            (
                "Correct line {line} of {file}, so that `aws configure list-profiles` works.",
                "Correct {file}, so that `aws configure list-profiles` works.",
            ),
        ),
        by=("file", "line"),
    ),
    Row(
        name="profile-missing",
        codes=words("ProfileNotFound"),
        next=(
            (
                "Did you mean {nearest}?",
                "Correct {variable}, or unset it.",
                "Correct the profile's name{or_leave_out}.",
            ),
            "`aws configure list-profiles` shows all profiles.",
            "{variable} names this one.",
            "And {also_missing} names a file that is not there.",
        ),
        by=("variable",),
    ),
    Row(
        name="source-profile",
        codes=words("InvalidConfig"),
        says="source_profile|infinite loop",
        next=(
            "Correct `source_profile` in the AWS config file: it names the profile that has"
            " credentials; `aws configure list-profiles` shows all."
        ),
        by=("reason",),
    ),
    Row(
        name="config-value",
        codes=words(
            "ValidationError", "InvalidInput", "ParamValidationError", "ValidationException"
        ),
        needs=("role_from",),
        next=(
            (
                "Correct `{key}` of profile '{role_from}' in the AWS config.",
                "Correct profile '{role_from}' in the AWS config: AWS rejects a value of it.",
            ),
        ),
        by=("role_from", "key"),
    ),
    Row(
        name="environment-value",
        codes=words(
            "ValidationError", "InvalidInput", "ParamValidationError", "ValidationException"
        ),
        needs=("variable",),
        next="Correct {variable}: AWS rejects its value.",
        by=("variable",),
    ),
    Row(
        name="indented",
        codes=_CONFIG,
        says=r"region_name '[^']*\n",
        next=(
            "In the AWS config file, the line after `region` of {source} is indented, and so is"
            " taken for a part of it. Start it in the first column."
        ),
        by=("profile",),
    ),
    Row(
        name="bad-region",
        says="^(InvalidConfig|EndpointConnection).*region_name|must specify a region",
        next=(
            "Correct the region of {source}: `region` in the AWS config file or"
            " AWS_DEFAULT_REGION; such as us-east-1."
        ),
        by=("profile",),
    ),
    # --- the network -----------------------------------------------------------------------------
    Row(
        name="proxy-login",
        codes=words("ProxyConnection"),
        says=r"\b407\b",
        next=(
            (
                (
                    "The proxy in {variable} asks for a user name and password. Put them into its"
                    " address (http://USER:PASSWORD@HOST:PORT), or exempt AWS with NO_PROXY."
                ),
                (
                    "The proxy asks for a user name and password. Put them into its address"
                    " (http://USER:PASSWORD@HOST:PORT), or exempt AWS with NO_PROXY."
                ),
            ),
        ),
        by=("variable",),
    ),
    Row(
        name="proxy",
        codes=words("ProxyConnection", "InvalidProxiesConfig"),
        next=(
            (
                "{variable} names the proxy. Correct it, unset it, or exempt AWS with NO_PROXY.",
                "Correct the proxy, or exempt AWS with NO_PROXY.",
            ),
        ),
        by=("variable",),
    ),
    Row(
        name="ca-bundle-missing",
        needs=("ca_bundle",),
        next=(
            (
                (
                    "{ca_bundle} names {value}, which is not a file of certificates. Correct it, or"
                    " unset it."
                ),
                "{ca_bundle} does not name a file of certificates. Correct or remove it.",
            ),
        ),
        by=("ca_bundle", "value"),
    ),
    Row(
        name="endpoint-without-tls",
        codes=words("SSLError"),
        says="WRONG_VERSION_NUMBER|record layer|http request",
        needs=("leftover",),
        next=(
            "{leftover} points to {value}, which does not speak TLS: write it with http://, or"
            " unset it."
        ),
        by=("leftover", "value"),
    ),
    Row(
        name="endpoint-invalid",
        codes=words("InvalidConfig"),
        says="Invalid endpoint",
        needs=("leftover",),
        next="{leftover} is not an address: write it with http:// or https://, or unset it.",
        by=("leftover", "value"),
    ),
    Row(
        name="certificates",
        codes=words("SSLError"),
        next=(
            (
                (
                    "If a proxy inspects TLS, its certificates belong in {value}, which"
                    " {variable} names, or into a file that AWS_CA_BUNDLE names."
                ),
                "If a proxy inspects TLS, set AWS_CA_BUNDLE to its certificates.",
            ),
        ),
        by=("variable",),
    ),
    Row(
        name="leftover-endpoint",
        codes=_OUT_OF_REACH,
        needs=("leftover",),
        next=(
            "AWS could not be reached: {leftover} points to {value}. A sandbox that has ended"
            " leaves such variables behind: unset it, or correct it, then run again."
        ),
        by=("leftover", "value"),
    ),
    Row(
        name="unknown-region",
        codes=_OUT_OF_REACH,
        needs=("unknown_region",),
        next=(
            "Is there a region {unknown_region}? Correct `region` in the profile or"
            " AWS_DEFAULT_REGION; such as us-east-1."
        ),
        by=("unknown_region",),
    ),
    Row(
        name="unreachable",
        codes=_OUT_OF_REACH,
        next="AWS could not be reached. Check the network and proxies, then run again.",
    ),
    Row(
        name="web-identity-role",
        codes=words("InvalidConfig"),
        says="no role ARN configured",
        next=(
            (
                (
                    "Set AWS_ROLE_ARN to the ARN of the role that the token is for, or unset"
                    " {given_by}."
                ),
                "Set `role_arn` of {source} to the ARN of the role that the token is for.",
            ),
        ),
    ),
    Row(
        name="sso-settings",
        codes=words("InvalidConfig"),
        says=r"\bsso[-_](session|start_url|region|account_id|role_name)|\bSSO\b",
        next="Correct the SSO settings in the AWS config; `aws configure sso{option}` writes them.",
        by=("sso_session", "sso_start_url", "reason"),
    ),
    Row(
        name="config",
        codes=_CONFIG,
        next="Correct the AWS config file; `aws configure list{option}` shows it.",
        by=("reason",),
    ),
)
