"""Rows about what AWS's services cannot do now, or never do."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

_LIMIT = words("LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException")
_VALUE = words("ValidationError", "InvalidInput", "ParamValidationError", "ValidationException")

THROTTLED = (
    r"^(\w*throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded"
    r"|PriorRequestNotComplete|TransactionInProgressException|429)\b"
)

ROWS = (
    Row(
        name="organizations-throttled",
        says=THROTTLED,
        services=words("organizations"),
        commands=words("init", "status"),
        next=(
            "AWS limits these calls for the whole organization; others use them as well. Try"
            " again in a few minutes."
        ),
    ),
    Row(
        name="throttled",
        says=THROTTLED,
        next=(
            "AWS kept throttling.",
            (
                "Run again with {slower}; what is done stays done.",
                (
                    "Something else sends many requests at the same time. Run the same command"
                    " again in a few minutes."
                ),
            ),
        ),
        by=("service",),
    ),
    Row(
        name="region-disabled",
        codes=words("RegionDisabledException"),
        next=(
            (
                (
                    "AWS STS is switched off in {region} for that account. Set another region for"
                    " {source} (AWS_DEFAULT_REGION, or `region` in the profile), such as us-east-1."
                ),
                (
                    "AWS STS is switched off in this region. Set another region for {source}"
                    " (AWS_DEFAULT_REGION, or `region` in the profile), such as us-east-1."
                ),
            ),
        ),
        by=("region", "profile"),
    ),
    Row(
        name="not-signed-up",
        codes=words("OptInRequired", "SubscriptionRequiredException", "NotSignedUp"),
        next=(
            "The account is not activated for this service yet. Finish its sign-up in AWS.",
            "Or its region {opt_in} is not enabled: enable it, or set another `region`.",
        ),
        by=("opt_in",),
    ),
    # --- quotas, by the name that AWS gives them -------------------------------------------------
    Row(
        name="quota-roles",
        codes=_LIMIT,
        says="RolesPerAccount",
        next=(
            "The account has reached its limit of roles. Delete unused ones, or raise its quota"
            " RolesPerAccount in Service Quotas."
        ),
    ),
    Row(
        name="quota-policies",
        codes=_LIMIT,
        says="PoliciesPerRole",
        next=(
            "The role has reached its limit of policies. List fewer under `role.policies`,"
            " detach others, or raise the quota PoliciesPerRole in Service Quotas."
        ),
    ),
    Row(
        name="quota-tags",
        codes=words(*_LIMIT, "InvalidInput", "TooManyTagsException"),
        says="TagsPerRole|(number of|too many) tags|tags.*(limit|exceed)",
        next=(
            "The role has reached its limit of 50 tags, with the one that onboard adds. List"
            " fewer under `role.tags`, or remove others from the role."
        ),
    ),
    Row(
        name="quota-trust",
        codes=_LIMIT,
        says="ACLSizePerRole",
        next=(
            "The role's trust policy is longer than the account allows. Raise its quota"
            " ACLSizePerRole (role trust policy length) in Service Quotas."
        ),
    ),
    Row(
        name="quota-inline",
        codes=_LIMIT,
        says=r"policy size|PolicySize",
        next=(
            "The role's inline policies are longer than the 10,240 characters that IAM allows."
            " Delete inline policies that it no longer needs, or name `ReadOnlyAccess`."
        ),
    ),
    Row(
        name="quota",
        codes=_LIMIT,
        next=(
            (
                (
                    "The account has reached its limit {quota}. Free some of it, or raise that"
                    " quota in Service Quotas."
                ),
                (
                    "The account has reached a limit of AWS. Free some of it, or raise the quota in"
                    " Service Quotas."
                ),
            ),
        ),
        by=("quota", "operation"),
    ),
    # --- roles and policies ----------------------------------------------------------------------
    Row(
        name="foreign-partition",
        codes=words("MalformedPolicyDocument"),
        says="principal",
        next=(
            "AWS does not recognize the account in the trust policy: Cloudcraft's account may"
            " not exist in this partition."
        ),
    ),
    Row(
        name="policy-document",
        codes=words("MalformedPolicyDocument"),
        next="IAM rejects Cloudcraft's policy document. Use `ReadOnlyAccess` for now.",
    ),
    Row(
        name="missing-entity",
        codes=words("NoSuchEntity"),
        next="Correct the name in the manifest, or create it in the account first.",
        by=("operation", "reason"),
    ),
    Row(
        name="role-name-taken",
        codes=words("EntityAlreadyExists"),
        next=(
            "IAM has a role {role_name} in other letter case as well, or one that is just being"
            " deleted or made: names are unique whatever their case. `aws iam list-roles` shows"
            " it; delete it, or give `role.name` another name."
        ),
        by=("role_name",),
    ),
    Row(
        name="busy-role",
        codes=words("ConcurrentModification", "EntityTemporarilyUnmodifiable"),
        next="Something else is changing the same role. Run again in a moment.",
    ),
    Row(
        name="service-role",
        codes=words("UnmodifiableEntity"),
        next="The role belongs to an AWS service. Give `role.name` another name.",
        by=("role_name",),
    ),
    Row(
        name="role-in-use",
        codes=words("DeleteConflict"),
        next="Something still uses the role, such as an instance profile. Remove that first.",
    ),
    Row(
        name="assume-role-value",
        codes=_VALUE,
        calls=words("AssumeRole"),
        next=(
            (
                "AWS rejects `{key}` of `assume_role` in the manifest. Correct it.",
                "AWS rejects a value of `assume_role` in the manifest. Correct it.",
            ),
        ),
        by=("key", "reason"),
    ),
    Row(
        name="manifest-value",
        codes=_VALUE,
        next="AWS rejects a value in the manifest's `role` or `assume_role`. Correct it.",
        by=("operation", "reason"),
    ),
    Row(
        name="no-organization",
        codes=words("AWSOrganizationsNotInUseException"),
        commands=words("init", "status"),
        next="Give another --profile, or take the accounts from --profiles 'GLOB'.",
        by=("profile",),
    ),
    Row(
        name="not-aws",
        says=r"^(UnexpectedAnswer|ResponseParserError|\d{3}|Unknown|)(:|$)",
        next=(
            (
                "{endpoint} is set: what answers there may not be AWS. Unset it, or correct it.",
                "Something other than AWS may have answered: check the proxies in between.",
            ),
            "If it was AWS, report this with the output of -vv.",
        ),
        by=("endpoint", "service", "operation"),
    ),
)

OUTAGE = Row(
    name="aws-itself",
    needs=("outage",),
    next="AWS itself is having problems. Check the AWS Health Dashboard, then run again.",
    by=("service", "operation", "status"),
)

FALLBACK = Row(
    name="unknown",
    next="Try `aws sts get-caller-identity{option}`, then run again.",
    by=("code", "operation", "reason"),
)
