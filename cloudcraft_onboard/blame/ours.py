"""Rows about what the program itself finds wrong: it knows their kind without looking for it."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

WRONG_ACCOUNT = Row(
    name="wrong-account",
    next="Correct `account_id` or `profile`, or set `assume_role` to the role to enter through.",
)
SAME_ACCOUNT = Row(
    name="same-account",
    next="Remove one of the two entries, or correct its profile.",
)
UNKNOWN_ACCOUNT = Row(
    name="unknown-account",
    commands=words("status"),
    next="Add its `account_id` to the manifest, or leave out --no-roles.",
)
TRUST_CONFLICT = Row(
    name="trust-conflict",
    next=(
        "To keep that role, choose a `role.name` other than {role_name}. To take it over, set"
        " `adopt: true` under `role`; it then trusts only Cloudcraft."
    ),
    by=("role_name", "reason"),
)
POLICY_TOO_LONG = Row(
    name="policy-too-long",
    next=(
        "Under `role.policies`, name only one of `cloudcraft:custom` (the shorter one, with"
        " wildcards) and `cloudcraft:minimal`, or `ReadOnlyAccess`, or a managed policy of the"
        " account with the same document."
    ),
    by=("key",),
)
NO_SUCH_POLICY = Row(
    name="no-such-policy",
    next=(
        "Correct '{key}' in the manifest. Names of AWS-managed policies include their path, as"
        " in job-function/ViewOnlyAccess; create the account's own policies first."
    ),
    by=("key",),
)
NO_ACCOUNT_ID = Row(
    name="no-account-id",
    next="Add `account_id` to the account's entry in the manifest.",
)
CREDENTIALS_MOVED = Row(
    name="credentials-moved",
    next="Leave the profile unchanged while onboard runs. Run the same command again.",
)
ROLE_CHANGES = Row(
    name="role-changes",
    next="Another program manages the same role. Stop one of the two, then run again.",
)
ROLE_NOT_THERE_AGAIN = Row(
    name="role-not-there-again",
    next=(
        "AWS may be slow today, or another program manages the same role: stop one of the two."
        " Then run the same command again."
    ),
)
STACK_SET_CHANGES = Row(
    name="stack-set-changes",
    next="Another program manages the same stack set. Stop one of the two, then run again.",
    by=("stack",),
)
STACK_SET_CONFLICT = Row(
    name="stack-set-conflict",
    next="Give `role.stackset.name` another name.",
    by=("stack", "reason"),
)
UNKNOWN_TEAM = Row(
    name="unknown-team",
    next=(
        "In read_access/write_access, give one of its teams ({offered}), a team's ID, or"
        " `everyone`."
    ),
    by=("value",),
)
AMBIGUOUS_TEAM = Row(
    name="ambiguous-team",
    next="Give the ID of the one you mean in read_access/write_access: {offered}.",
    by=("value",),
)
UNKNOWN_CUSTOMER = Row(
    name="unknown-customer",
    next="Create a team in Cloudcraft, or give customer/ID in read_access/write_access.",
)
AMBIGUOUS_CUSTOMER = Row(
    name="ambiguous-customer",
    next="Give the one you mean in read_access/write_access: {offered}.",
)
_WAYS_OUT = (
    "Use that user's API key, or take the account out with `onboard remove` and run again to"
    " register it again with this key."
)
ANOTHER_USERS = Row(
    name="another-users-registration",
    next=_WAYS_OUT,
    by=("code", "reason"),
)
ANOTHER_USERS_STACK_SET = Row(
    name="another-users-in-stack-set",
    next=(
        _WAYS_OUT,
        (
            "Or give it `role.via: assume`, which keeps the external ID of its registration,"
            " {registration}."
        ),
    ),
    by=("stack",),
)
UNLIKE_AWS = Row(
    name="unlike-aws",
    next=(
        "Check AWS_ENDPOINT_URL and proxies: something other than AWS may have answered. If it"
        " was AWS, report this with the output of -vv."
    ),
    by=("operation",),
)
INOPERABLE = Row(
    name="inoperable-instance",
    next=(
        "Delete the instance with `aws cloudformation delete-stack-instances --retain-stacks`,"
        " then its stack in the account by hand, and run again."
    ),
    by=("stack",),
)
NO_INSTANCE = Row(
    name="no-instance",
    next=(
        "Check that the account is in {units} and active (`aws organizations describe-account"
        " --account-id {account}`); an account elsewhere needs `role.via: assume`."
    ),
    by=("stack", "units"),
)
KEPT_INSTANCE = Row(
    name="kept-instance",
    next=(
        "Check the events of its stack in the account. A role with policies that others"
        " attached cannot be deleted: detach them, then run again."
    ),
    by=("stack",),
)
REFUSED_KEY = Row(
    name="refused-key",
    next="Check CLOUDCRAFT_API_KEY: the key is wrong or was revoked.",
    by=("code", "reason"),
)
REFUSED_RIGHTS = Row(
    name="refused-rights",
    next="Use a read-write key of an Owner or Administrator; adding accounts needs a Pro plan.",
    by=("code", "reason"),
)
NOT_FOUND = Row(
    name="not-found",
    next="Check CLOUDCRAFT_BASE_URL.",
    by=("code", "reason"),
)
REDIRECTED = Row(
    name="redirected",
    next="Check CLOUDCRAFT_BASE_URL. Redirects are not followed: they could leak the key.",
    by=("code", "reason"),
)
UNSENDABLE_NAME = Row(
    name="unsendable-name",
    next="Correct the account's name.",
    by=("reason",),
)
UNUSABLE_ID = Row(
    name="unusable-id",
    next="Change or remove this account in Cloudcraft itself.",
    by=("reason",),
)
REFUSED_ROLE = Row(
    name="refused-role",
    next=(
        "Check that no service control policy blocks {region} (if one does, give the account"
        " another `region`), and that the role {role} trusts Cloudcraft with the external ID of"
        " this API key's user."
    ),
    by=("code", "reason"),
)
REFUSED_BY_PLAN = Row(
    name="refused-by-plan",
    next=(
        "Ask the owner of the Cloudcraft account about its plan, or remove accounts that are no"
        " longer needed, then run the same command again."
    ),
    by=("code", "reason"),
)
REFUSED_VALUE = Row(
    name="refused-value",
    next="Change what Cloudcraft names in the account's entry, then run the same command again.",
    by=("code", "reason"),
)
REFUSED_DELETION = Row(
    name="refused-deletion",
    next=(
        "Use a read-write API key of a Cloudcraft Owner or Administrator (CLOUDCRAFT_API_KEY),"
        " or delete {registration} in Cloudcraft."
    ),
    by=("code", "reason"),
)
UNCONFIRMED = Row(
    name="unconfirmed",
    next="Check whether the account is in Cloudcraft, then run the same command again.",
)
OUT_OF_MEMORY = Row(
    name="out-of-memory",
    commands=words("run", "plan", "remove", "status"),
    next="Add memory or lower --concurrency, then run the same command again.",
)
BUG = Row(
    name="bug",
    next="This is a bug in onboard. Please report it with the output of -vv.",
    by=("code", "reason"),
)

ROWS = (
    WRONG_ACCOUNT,
    SAME_ACCOUNT,
    UNKNOWN_ACCOUNT,
    TRUST_CONFLICT,
    POLICY_TOO_LONG,
    NO_SUCH_POLICY,
    NO_ACCOUNT_ID,
    CREDENTIALS_MOVED,
    ROLE_CHANGES,
    ROLE_NOT_THERE_AGAIN,
    STACK_SET_CHANGES,
    STACK_SET_CONFLICT,
    UNKNOWN_TEAM,
    AMBIGUOUS_TEAM,
    UNKNOWN_CUSTOMER,
    AMBIGUOUS_CUSTOMER,
    ANOTHER_USERS,
    ANOTHER_USERS_STACK_SET,
    UNLIKE_AWS,
    INOPERABLE,
    NO_INSTANCE,
    KEPT_INSTANCE,
    REFUSED_KEY,
    REFUSED_RIGHTS,
    NOT_FOUND,
    REDIRECTED,
    UNSENDABLE_NAME,
    UNUSABLE_ID,
    REFUSED_ROLE,
    REFUSED_BY_PLAN,
    REFUSED_VALUE,
    REFUSED_DELETION,
    UNCONFIRMED,
    OUT_OF_MEMORY,
    BUG,
)
