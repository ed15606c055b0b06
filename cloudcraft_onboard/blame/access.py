"""Rows about what is denied: by which policy, to whom, and who can change it."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

DENIED = words(
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"
)

ROWS = (
    Row(
        name="closed",
        says=r"^(AccountSuspended|AccountClosed|AccountNotActive)"
        # Not a role or a user that is called so.
        r"|\baccount (\S+ )?(is|was|has been) (\w+ )?(suspended|closed)"
        r"|\b(suspended|closed) (\w+ )?account\b",
        next="The AWS account is suspended or closed. Have it reopened, or set `enabled: false`.",
    ),
    Row(
        name="scp",
        codes=DENIED,
        says="service control polic",
        next=(
            "A service control policy of the organization forbids {action}. Its administrators"
            " must exempt {principal} from it; no permission in the account overrides it."
        ),
        by=("action", "principal"),
    ),
    Row(
        name="rcp",
        codes=DENIED,
        says="resource control polic",
        next=(
            "A resource control policy of the organization forbids {action}. Its administrators"
            " must exempt {principal} from it."
        ),
        by=("action", "principal"),
    ),
    Row(
        name="boundary",
        codes=DENIED,
        says="permissions boundar",
        next=(
            "The permissions boundary of {principal} does not allow {action}. Allow it there"
            " too; `onboard permissions MANIFEST` prints the policy it needs."
        ),
        by=("action", "principal"),
    ),
    Row(
        name="session-policy",
        codes=DENIED,
        says="session polic",
        next=(
            "The session policy of {principal} does not allow {action}. Use"
            " credentials without a session policy, or with one that allows it."
        ),
        by=("action", "principal"),
    ),
    Row(
        name="vpc-endpoint",
        codes=DENIED,
        says="VPC endpoint polic",
        next=(
            "The policy of the VPC endpoint to AWS does not allow {action}. Its network's"
            " administrators must allow it there."
        ),
        by=("action",),
    ),
    Row(
        name="explicit-deny",
        codes=DENIED,
        says="explicit deny",
        next="A Deny statement blocks {action} for {principal}. Remove it, or exempt {resource}.",
        by=("action", "principal", "resource"),
    ),
    Row(
        name="mfa-code",
        codes=DENIED,
        says="MultiFactorAuthentication failed",
        next=(
            "The MFA device or its code was refused. Run `aws sts get-caller-identity{option}`"
            " first; onboard then uses its session."
        ),
        by=("settings_of",),
    ),
    Row(
        name="assume-role-extras",
        codes=DENIED,
        says="sts:(TagSession|SetSourceIdentity)",
        calls=words("AssumeRole"),
        next=(
            "The trust policy of {role} must allow {action} to {caller} as well, and so must"
            " the policies of {caller}; or take the session tags and the source identity out."
        ),
        by=("action", "role", "caller"),
    ),
    Row(
        name="role-chaining",
        says="role chaining",
        calls=words("AssumeRole"),
        next=(
            "The credentials of {source} are an assumed role's, and with such AWS gives another"
            " role (role chaining) one hour at most. Set `assume_role.duration` to 3600 or"
            " less, or leave it out."
        ),
        by=("profile",),
    ),
    Row(
        name="session-too-long",
        says="DurationSeconds exceeds the MaxSessionDuration",
        calls=words("AssumeRole"),
        next=(
            "`assume_role.duration` is longer than the role allows, an hour unless it says"
            " otherwise. Shorten it, leave it out, or raise the maximum session duration of"
            " {role}."
        ),
        by=("role",),
    ),
    Row(
        name="session-too-large",
        says="^PackedPolicyTooLarge",
        calls=words("AssumeRole"),
        next="List fewer or shorter tags under `assume_role.tags`.",
    ),
    Row(
        name="assume-role",
        codes=DENIED,
        calls=words("AssumeRole"),
        next=(
            (
                "Check that the role {role} exists and that its trust policy lets {caller} assume"
                " it, and that {caller} may call sts:AssumeRole on it."
            ),
            "{external_id_said}",
            (
                "The role is the `role_arn` of profile '{role_from}'.",
                "The role is that of {role_option}: if it has another name, correct the option.",
                "If the role has another name, set `assume_role`.",
            ),
            "If the account is closed, set `enabled: false`.",
        ),
        by=("role", "caller", "role_from"),
    ),
    Row(
        name="organization",
        codes=DENIED,
        services=words("organizations"),
        commands=words("init", "status"),
        next=(
            (
                (
                    "Give a --profile of the management account, which is {management}, or of a"
                    " delegated administrator that allows organizations:Describe* and"
                    " organizations:List*."
                ),
                (
                    "Give a --profile of the management account or of a delegated administrator"
                    " that allows organizations:Describe* and organizations:List*."
                ),
            ),
        ),
        by=("management", "profile"),
    ),
    Row(
        name="denied",
        codes=DENIED,
        next=(
            "Allow {principal} to call {action} on {resource}:"
            " `onboard permissions MANIFEST` prints the policy it needs."
        ),
        by=("action", "principal"),
    ),
)
