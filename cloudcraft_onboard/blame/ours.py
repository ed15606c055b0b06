"""Rows about what the program itself finds wrong: it knows their kind without looking for it."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

WRONG_ACCOUNT = Row(
    name="wrong-account",
    next=(
        ("Correct `account_id` or `profile`, or set `assume_role` to the role to enter through."),
    ),
)
SAME_ACCOUNT = Row(
    name="same-account",
    next=("Remove one of the two entries, or correct its profile.",),
)
UNKNOWN_ACCOUNT = Row(
    name="unknown-account",
    commands=words("status"),
    next=("Add its `account_id` to the manifest, or leave out --no-roles.",),
)
TRUST_CONFLICT = Row(
    name="trust-conflict",
    next=(
        (
            "To keep that role, choose a `role.name` other than {role_name}. To take it over, set"
            " `adopt: true` under `role`; it then trusts only Cloudcraft."
        ),
    ),
    by=("role_name", "reason"),
)
NO_SUCH_POLICY = Row(
    name="no-such-policy",
    next=(
        (
            "Correct '{key}' in the manifest. Names of AWS-managed policies include their path, as"
            " in job-function/ViewOnlyAccess; create the account's own policies first."
        ),
    ),
    by=("key",),
)
UNLIKE_AWS = Row(
    name="unlike-aws",
    next=(
        (
            "Check AWS_ENDPOINT_URL and proxies: something other than AWS may have answered. If it"
            " was AWS, report this with the output of -vv."
        ),
    ),
    by=("operation",),
)
INOPERABLE = Row(
    name="inoperable-instance",
    next=(
        (
            "Delete the instance with `aws cloudformation delete-stack-instances --retain-stacks`,"
            " then its stack in the account by hand, and run again."
        ),
    ),
    by=("stack",),
)
NO_INSTANCE = Row(
    name="no-instance",
    next=(
        (
            "Check that the account is in {units} and active (`aws organizations describe-account"
            " --account-id {account}`); an account elsewhere needs `role.via: assume`."
        ),
    ),
    by=("stack", "units"),
)
KEPT_INSTANCE = Row(
    name="kept-instance",
    next=(
        (
            "Check the events of its stack in the account. A role with policies that others"
            " attached cannot be deleted: detach them, then run again."
        ),
    ),
    by=("stack",),
)
REFUSED_ROLE = Row(
    name="refused-role",
    next=(
        (
            "Check that no service control policy blocks {region} (if one does, give the account"
            " another `region`), and that the role {role} trusts Cloudcraft with the external ID of"
            " this API key's user."
        ),
    ),
    by=("code", "reason"),
)
REFUSED_BY_PLAN = Row(
    name="refused-by-plan",
    next=(
        (
            "Ask the owner of the Cloudcraft account about its plan, or take accounts out that are"
            " not needed any more, then run the same command again."
        ),
    ),
    by=("code", "reason"),
)
REFUSED_VALUE = Row(
    name="refused-value",
    next=(
        ("Change what Cloudcraft names in the account's entry, then run the same command again."),
    ),
    by=("code", "reason"),
)
REFUSED_DELETION = Row(
    name="refused-deletion",
    next=(
        (
            "Use a read-write API key of a Cloudcraft Owner or Administrator (CLOUDCRAFT_API_KEY),"
            " or delete {registration} in Cloudcraft."
        ),
    ),
    by=("code", "reason"),
)

ROWS = (
    WRONG_ACCOUNT,
    SAME_ACCOUNT,
    UNKNOWN_ACCOUNT,
    TRUST_CONFLICT,
    NO_SUCH_POLICY,
    UNLIKE_AWS,
    INOPERABLE,
    NO_INSTANCE,
    KEPT_INSTANCE,
    REFUSED_ROLE,
    REFUSED_BY_PLAN,
    REFUSED_VALUE,
    REFUSED_DELETION,
)
