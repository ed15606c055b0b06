"""Rows about CloudFormation's stack sets, and what it says of a single account."""

from __future__ import annotations

from cloudcraft_onboard.blame.row import Row, words

INSTANCE = "StackInstanceFailed"
"""The code of an account whose stack could not be made; its reason is CloudFormation's."""

_INSTANCE = words(INSTANCE)
_SERVICES = words("cloudformation", "organizations")
_COMMANDS = words("run", "plan", "remove", "status", "")
_ALLOW = (
    "Let CloudFormation work in the organization's accounts: in the management account, run"
    " `aws cloudformation activate-organizations-access{option}`."
)

ROWS = (
    Row(
        name="instance-access",
        codes=_INSTANCE,
        says=r"should have '.*' role|trust relationship to role",
        next=(
            "CloudFormation cannot enter the account: either its trusted access is off (in the"
            " management account, run `aws cloudformation activate-organizations-access`), or"
            " the account has left the organization or is suspended. Check with `aws"
            " organizations describe-account --account-id {account}`; set `enabled: false` if"
            " it is gone."
        ),
    ),
    Row(
        name="instance-role-exists",
        codes=_INSTANCE,
        says="already exists",
        next=(
            "The account already has a role {role_name}, which CloudFormation cannot take over."
            " Delete it first, give `role.name` another name, or give the account `role.via:"
            " assume`."
        ),
        by=("role_name",),
    ),
    Row(
        name="instance-policy",
        codes=_INSTANCE,
        says=r"not attachable|policy.*(does not|doesn't) exist|NoSuchEntity",
        next=(
            "A policy in the manifest does not exist: plain names under `role.policies` are"
            " AWS-managed ones, and the `permissions_boundary` must be created in the account"
            " first."
        ),
    ),
    Row(
        name="instance-denied",
        codes=_INSTANCE,
        says=r"service control polic|explicit deny|not authorized|access ?denied",
        next=(
            "Something in the account, usually a service control policy, blocks CloudFormation."
            " Exempt the roles stacksets-exec-* from it."
        ),
    ),
    Row(
        name="instance-closed",
        codes=_INSTANCE,
        says="suspended|closed",
        next="The AWS account is suspended or closed. Have it reopened, or set `enabled: false`.",
    ),
    Row(
        name="instance-quota",
        codes=_INSTANCE,
        says=r"cannot exceed quota|LimitExceeded|limit exceeded",
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
        by=("quota",),
    ),
    Row(
        name="instance",
        codes=_INSTANCE,
        next=(
            "Check the events of the stack StackSet-{stack}-... in the account, region"
            " {region}. Fix the cause, then run again."
        ),
        by=("stack", "region", "reason"),
    ),
    Row(
        name="no-cloudformation",
        says="unsupported service|unable to parse",
        services=_SERVICES,
        commands=_COMMANDS,
        next=(
            "Check AWS_ENDPOINT_URL: what answers there is not CloudFormation (the sandbox has"
            " none)."
        ),
    ),
    Row(
        name="trusted-access",
        says="enable organizations access",
        services=_SERVICES,
        next=_ALLOW,
        by=("profile",),
    ),
    Row(
        name="not-delegated",
        says="not a delegated administrator",
        services=_SERVICES,
        next=(
            "The account of {source} is not registered for stack sets, or its identity lacks"
            " organizations:ListDelegatedAdministrators. In the management account, run `aws"
            " organizations register-delegated-administrator --account-id {account}"
            " --service-principal member.org.stacksets.cloudformation.amazonaws.com`. If"
            " {source} is the management account's, set `role.stackset.admin: self` instead."
        ),
        by=("profile",),
    ),
    Row(
        name="not-management",
        says="^(?!AccessDenied).*(management account or delegated|master or delegated)",
        services=_SERVICES,
        next=(
            "Stack sets for an organization are made in its management account. Set"
            " `defaults.profile` to a profile of that account. If {account} is a delegated"
            " administrator, set `role.stackset.admin: delegated` instead."
        ),
        by=("profile",),
    ),
    Row(
        name="no-organization-for-stack-sets",
        says="AWSOrganizationsNotInUse",
        services=_SERVICES,
        commands=words("run", "plan", "remove", ""),
        next=(
            "The account of {source} is not in an organization. Set `defaults.profile` to a"
            " profile of the management account, or give the accounts `role.via: assume`."
        ),
        by=("profile",),
    ),
    Row(
        name="organizational-unit",
        says="^(?!AccessDenied).*organizational ?unit",
        services=_SERVICES,
        commands=words("run", "plan", "remove", ""),
        next=(
            "Correct `role.stackset.organizational_units`: the organization may not have such"
            " units."
        ),
    ),
)
