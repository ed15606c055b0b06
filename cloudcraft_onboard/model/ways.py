"""The ways into an account besides a profile that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cloudcraft_onboard.frozen import frozen

SESSION_NAME = "cloudcraft-onboard"
"""What CloudTrail calls the sessions of assumed roles, unless the manifest says otherwise."""

SSO_CACHE = "cloudcraft_onboard_cache"
"""A setting of the sandbox's `[sso-session]`: the folder of its token.

The AWS CLI's own is found by the session's name, and one of the user's has that name, too.
"""


@frozen
class AssumeRole:
    """A role that is assumed in the account (`assume_role`), with what `sts:AssumeRole` is told.

    `role` is a name or an ARN; `duration` is in seconds, None for AWS's default of one hour. The
    account's ID has already taken the place of `{account_id}`. `by_option`: `--assume-role` gave
    the role in place of the manifest.
    """

    role: str
    external_id: str | None = None
    session_name: str = SESSION_NAME
    duration: int | None = None
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    by_option: bool = field(default=False, compare=False)

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions that both the caller's policy and the role's trust policy must allow.

        Source: IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions
        taken with assumed roles".
        """
        tagged = ("sts:TagSession",) if self.tags else ()
        named = ("sts:SetSourceIdentity",) if self.source_identity else ()
        return ("sts:AssumeRole", *tagged, *named)


@frozen
class SsoRole:
    """A permission set of IAM Identity Center (`sso`), in place of a profile and a role.

    `session` is an `[sso-session]` of the AWS config, `role` the permission set's name.
    """

    session: str
    role: str
