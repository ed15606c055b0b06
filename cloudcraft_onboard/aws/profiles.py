"""The profiles of the AWS config, and which accounts they lead to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError

from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.errors import CannotStart
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Stage
from cloudcraft_onboard.model.arn import account_of

_ARNS = ("role_arn", "x_principal_arn", "login_session")
"""Settings that hold an ARN in the account: the SDK's own, saml2aws's, `aws login`'s."""
_IDS = ("sso_account_id", "granted_sso_account_id", "aws_account_id")
_PROCESS = re.compile(r"\baws-sso\b.*?(?:arn:[^:\s]*:iam::|(?:--account|-A)[ =])([0-9]{12})\b")
"""The command that aws-sso-cli writes as `credential_process`: for a role, or an account."""


@frozen
class Profile:
    """A profile; `account_id` is None where the config doesn't tell it."""

    name: str
    account_id: str | None


def profiles() -> tuple[Profile, ...]:
    """Every profile of the config and credentials files, in order; contacts nobody.

    The account is the one of `role_arn`, or else of a setting that other tools write beside their
    credentials, such as granted's `granted_sso_account_id`. Raises `CannotStart` for a config that
    cannot be read.
    """
    try:
        found = botocore.session.Session().full_config.get("profiles", {})
    except BotoCoreError as error:
        problem = explain(error, Where(stage=Stage.REACH, profile=None))
        raise CannotStart(problem.message, hint=problem.hint) from error
    return tuple(Profile(name=name, account_id=_account_id(it)) for name, it in found.items())


def of_environment() -> str | None:
    """The profile that the environment names (AWS_PROFILE, AWS_DEFAULT_PROFILE)."""
    name: str | None = botocore.session.Session().profile
    return name


def _account_id(settings: Mapping[str, Any]) -> str | None:
    for key in _ARNS:
        if account_id := account_of(str(settings.get(key, ""))):
            return account_id
    for key in _IDS:
        if re.fullmatch("[0-9]{12}", str(settings.get(key, ""))):
            return str(settings[key])
    process = _PROCESS.search(str(settings.get("credential_process", "")))
    return process[1] if process else None
