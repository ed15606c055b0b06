"""Who makes the credentials of a profile, as the AWS config and the environment tell."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from cloudcraft_onboard.blame.facts import Maker
from cloudcraft_onboard.frozen import frozen

_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - a variable's name
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")

OF_THEIR_OWN = ("AWS_ACCESS_KEY_ID", _TOKEN_FILE, *_CONTAINER)
"""Variables that give credentials without a profile."""


@frozen
class ConfiguredRole:
    """A role that the SDK assumes because a profile says so; `keys` are that profile's."""

    profile: str
    arn: str
    keys: frozenset[str]


@frozen
class Origin:
    """Where a source of credentials begins: at the end of its chain of `source_profile`.

    `profile` is the one whose settings make the credentials, empty for the environment's;
    `variable` the variable that gives them; `roles` what the SDK assumes on the way, outermost
    first; `process` the program of a `credential_process`; `token_file` that of a web identity.
    """

    maker: Maker = Maker.UNKNOWN
    profile: str = ""
    variable: str = ""
    sso_session: str = ""
    sso_start_url: str = ""
    permission_set: str = ""
    process: str = ""
    token_file: str = ""
    roles: Sequence[ConfiguredRole] = ()


def origin(profiles: Mapping[str, Mapping[str, Any]], profile: str | None) -> Origin:
    """Follow the settings of a profile (None: the default chain), in the SDK's order."""
    if profile is None and "AWS_ACCESS_KEY_ID" in os.environ:
        token = "AWS_SESSION_TOKEN"  # noqa: S105 - a variable's name
        given = token in os.environ or "AWS_SECURITY_TOKEN" in os.environ
        maker = Maker.SESSION_KEYS if given else Maker.KEYS
        return Origin(maker=maker, variable=token if given else "AWS_ACCESS_KEY_ID")
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    found = _follow(profiles, name or "default")
    if found.maker is not Maker.UNKNOWN or profile is not None:
        return found
    if _TOKEN_FILE in os.environ:
        return Origin(
            maker=Maker.WEB_IDENTITY,
            variable=_TOKEN_FILE,
            token_file=os.environ[_TOKEN_FILE],
            roles=(
                ConfiguredRole(
                    profile="", arn=os.environ.get("AWS_ROLE_ARN", ""), keys=frozenset()
                ),
            ),
        )
    variable = next((name for name in _CONTAINER if name in os.environ), "")
    return Origin(maker=Maker.INSTANCE, variable=variable)


def _follow(profiles: Mapping[str, Mapping[str, Any]], name: str) -> Origin:
    roles: list[ConfiguredRole] = []
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        settings = {key: str(value) for key, value in profiles.get(name, {}).items()}
        if not (role := settings.get("role_arn", "")) or name in [each.profile for each in roles]:
            return _end(profiles, name, settings, roles)
        roles.append(ConfiguredRole(profile=name, arn=role, keys=frozenset(settings)))
        if file := settings.get("web_identity_token_file", ""):
            return Origin(
                maker=Maker.WEB_IDENTITY, profile=name, token_file=file, roles=tuple(roles)
            )
        source = settings.get("source_profile", "")
        if not source:
            return Origin(maker=Maker.INSTANCE, profile=name, roles=tuple(roles))
        if source == name:  # the profile's own keys assume its role
            return _end(profiles, name, settings, roles)
        name = source
    return Origin(profile=name, roles=tuple(roles))


def _end(
    profiles: Mapping[str, Mapping[str, Any]],
    name: str,
    settings: Mapping[str, str],
    roles: Sequence[ConfiguredRole],
) -> Origin:
    """The profile at the end of the chain."""
    maker = Maker.UNKNOWN
    if "sso_session" in settings or "sso_start_url" in settings or "sso_account_id" in settings:
        maker = Maker.SSO
    elif "login_session" in settings:
        maker = Maker.LOGIN
    elif "credential_process" in settings:
        maker = Maker.PROCESS
    elif "aws_access_key_id" in settings:
        temporary = "aws_session_token" in settings or "aws_security_token" in settings
        maker = Maker.SESSION_KEYS if temporary else Maker.KEYS
    return Origin(
        maker=maker,
        profile=name if name in profiles else "",
        sso_session=settings.get("sso_session", ""),
        sso_start_url=settings.get("sso_start_url", ""),
        permission_set=settings.get("sso_role_name", ""),
        process=settings.get("credential_process", "").split(" ", 1)[0],
        roles=tuple(roles),
    )
