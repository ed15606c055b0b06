"""Every call that is made to AWS for a manifest, and the permissions each one needs.

The one table: the code makes its calls by these words, and `onboard permissions` prints its
policies from them, so neither can know a call that the other doesn't.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from cloudcraft_onboard.model import RoleSpec
from cloudcraft_onboard.model.arn import Arn, is_arn


def _always(_: RoleSpec) -> bool:
    return True


def _never(_: RoleSpec) -> bool:
    return False


def _attaches(role: RoleSpec) -> bool:
    return bool(role.attached)


def _puts(role: RoleSpec) -> bool:
    return bool(role.documents)


def _bounds(role: RoleSpec) -> bool:
    return role.permissions_boundary is not None


class Call(Enum):
    """One operation: its service, boto3's method, the IAM actions it takes, which roles need it.

    Creating a role with tags takes `iam:TagRole` too, and with a boundary
    `iam:PutRolePermissionsBoundary` (Service Authorization Reference, IAM).
    """

    GET_CALLER_IDENTITY = ("sts", "get_caller_identity", (), _never)
    ASSUME_ROLE = ("sts", "assume_role", ("sts:AssumeRole",), _never)
    # The portal of IAM Identity Center asks for a token, not for permissions.
    LIST_SSO_ACCOUNTS = ("sso", "list_accounts", (), _never)
    LIST_SSO_ROLES = ("sso", "list_account_roles", (), _never)
    GET_ROLE_CREDENTIALS = ("sso", "get_role_credentials", (), _never)
    GET_ROLE = ("iam", "get_role", ("iam:GetRole",), _always)
    LIST_ATTACHED = (
        "iam",
        "list_attached_role_policies",
        ("iam:ListAttachedRolePolicies",),
        _always,
    )
    # `remove` looks for inline policies of others in every role.
    LIST_INLINE = ("iam", "list_role_policies", ("iam:ListRolePolicies",), _always)
    GET_INLINE = ("iam", "get_role_policy", ("iam:GetRolePolicy",), _puts)
    CREATE_ROLE = ("iam", "create_role", ("iam:CreateRole", "iam:TagRole"), _always)
    UPDATE_TRUST = (
        "iam",
        "update_assume_role_policy",
        ("iam:UpdateAssumeRolePolicy",),
        _always,
    )
    UPDATE_ROLE = ("iam", "update_role", ("iam:UpdateRole",), _always)
    PUT_BOUNDARY = (
        "iam",
        "put_role_permissions_boundary",
        ("iam:PutRolePermissionsBoundary",),
        _bounds,
    )
    TAG_ROLE = ("iam", "tag_role", ("iam:TagRole",), _always)
    ATTACH = ("iam", "attach_role_policy", ("iam:AttachRolePolicy",), _attaches)
    PUT_INLINE = ("iam", "put_role_policy", ("iam:PutRolePolicy",), _puts)
    DETACH = ("iam", "detach_role_policy", ("iam:DetachRolePolicy",), _attaches)
    DELETE_INLINE = ("iam", "delete_role_policy", ("iam:DeleteRolePolicy",), _puts)
    DELETE_ROLE = ("iam", "delete_role", ("iam:DeleteRole",), _always)

    # What a plan asks, for itself.
    SIMULATE = ("iam", "simulate_principal_policy", ("iam:SimulatePrincipalPolicy",), _never)

    # Stack sets, by whoever administers them.
    DESCRIBE_ORGANIZATION = (
        "organizations",
        "describe_organization",
        # By the second one CloudFormation finds out whether the caller may act for all accounts.
        ("organizations:DescribeOrganization", "organizations:ListDelegatedAdministrators"),
        _never,
    )
    LIST_ROOTS = ("organizations", "list_roots", ("organizations:ListRoots",), _never)
    CREATE_STACK_SET = (
        "cloudformation",
        "create_stack_set",
        ("cloudformation:CreateStackSet", "cloudformation:TagResource"),
        _never,
    )
    DESCRIBE_STACK_SET = (
        "cloudformation",
        "describe_stack_set",
        ("cloudformation:DescribeStackSet",),
        _never,
    )
    UPDATE_STACK_SET = (
        "cloudformation",
        "update_stack_set",
        ("cloudformation:UpdateStackSet", "cloudformation:TagResource"),
        _never,
    )
    DELETE_STACK_SET = (
        "cloudformation",
        "delete_stack_set",
        ("cloudformation:DeleteStackSet",),
        _never,
    )
    LIST_INSTANCES = (
        "cloudformation",
        "list_stack_instances",
        ("cloudformation:ListStackInstances",),
        _never,
    )
    CREATE_INSTANCES = (
        "cloudformation",
        "create_stack_instances",
        ("cloudformation:CreateStackInstances",),
        _never,
    )
    DELETE_INSTANCES = (
        "cloudformation",
        "delete_stack_instances",
        ("cloudformation:DeleteStackInstances",),
        _never,
    )
    LIST_OPERATIONS = (
        "cloudformation",
        "list_stack_set_operations",
        ("cloudformation:ListStackSetOperations",),
        _never,
    )
    DESCRIBE_OPERATION = (
        "cloudformation",
        "describe_stack_set_operation",
        ("cloudformation:DescribeStackSetOperation",),
        _never,
    )
    LIST_RESULTS = (
        "cloudformation",
        "list_stack_set_operation_results",
        ("cloudformation:ListStackSetOperationResults",),
        _never,
    )

    def __init__(
        self,
        service: str,
        method: str,
        actions: tuple[str, ...],
        needed_by: Callable[[RoleSpec], bool],
    ) -> None:
        self.service = service
        self.method = method
        self.actions = actions
        self.needed_by = needed_by

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method.partition("_")[0] in {"assume", "describe", "get", "list", "simulate"}


ORGANIZATION = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
    "organizations:DescribeOrganizationalUnit",
    "organizations:ListParents",
)
"""What `--organization` of `init` and `status` reads."""


def entry_role_arn(role_name: str, account_id: str, partition: str) -> str:
    """The role to assume in an account; `AssumeRole.role` is its name or its ARN."""
    if is_arn(role_name):
        return role_name
    return str(Arn.role(partition, account_id, role_name.lstrip("/")))
