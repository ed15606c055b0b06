"""What is known of one error, in fields: whom to blame, and what the next step needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from enum import StrEnum

from cloudcraft_onboard.frozen import frozen


class Maker(StrEnum):
    """Who made the credentials, as far as the configuration tells."""

    UNKNOWN = ""
    KEYS = "keys"  # long-term access keys
    SESSION_KEYS = "session keys"  # static keys with a session token
    SSO = "sso"
    LOGIN = "login"  # `aws login`
    WEB_IDENTITY = "web identity"
    PROCESS = "process"  # `credential_process`
    INSTANCE = "instance"  # of EC2, or of a container


def _differing(word: str) -> str:
    """A fact that an account may have for itself; `word` stands for it where accounts differ."""
    return field(default="", metadata={"word": word})


@frozen
class Facts:
    """Facts of one error; empty where unknown.

    `profile` is the one in use, empty for the default chain; `settings_of` the one whose settings
    make the credentials, which is another one where it has a `source_profile`; `given_by` the
    variable or key that gives them. `role` is the ARN of a role to be assumed, `role_from` the
    profile whose `role_arn` it is (empty: the manifest's `assume_role`), `role_option` the
    option that gave it in place of the manifest, `external_id` whether one was sent ("sent",
    "none").

    `permission_set` is one of IAM Identity Center's, `offered` are those of the account, or the
    teams that a manifest's `value` may mean.

    `variable` is an environment variable that is wrong, `leftover` and `also_missing` are such that
    name what is not there, `ca_bundle` is one whose file is missing, `endpoint` one that may send
    requests elsewhere; `value` is what it holds. `key` is a key of the AWS config; `file`, `line`
    and `reason` are what a parser said; `ignored` is how a section should be written.

    `other` is another entry's name or account, `stack` a stack set, `units` where it is rolled out,
    `registration` the ID of one in Cloudcraft.

    `principal`, `action` and `resource` are AWS's words of a denial, `quota` its name of a limit.
    `opt_in` and `unknown_region` are the region where that may be the cause, `missing` the other
    half of credentials, `adding` the command that adds a missing package to this installation,
    `outage` and `own_credentials` are "yes" or empty.
    """

    command: str = ""
    name: str = _differing("NAME")
    account: str = _differing("ACCOUNT_ID")
    other: str = _differing("ANOTHER")
    profile: str = _differing("PROFILE")
    settings_of: str = ""
    maker: Maker = Maker.UNKNOWN
    given_by: str = ""
    sso_session: str = ""
    sso_start_url: str = ""
    permission_set: str = ""
    offered: str = field(default="", metadata={"word": None})
    process: str = ""
    caller: str = _differing("CALLER")
    principal: str = _differing("PRINCIPAL")
    action: str = ""
    resource: str = _differing("RESOURCE")
    role: str = _differing("ROLE_ARN")
    role_from: str = _differing("PROFILE")
    role_option: str = ""
    external_id: str = ""
    management: str = ""
    provider: str = ""
    service: str = ""
    operation: str = ""
    status: str = ""
    code: str = ""
    region: str = _differing("REGION")
    opt_in: str = _differing("REGION")
    variable: str = ""
    value: str = ""
    leftover: str = ""
    also_missing: str = ""
    key: str = ""
    file: str = ""
    line: str = ""
    reason: str = ""
    nearest: str = field(default="", metadata={"word": None})
    quota: str = ""
    missing: str = ""
    ignored: str = field(default="", metadata={"word": None})
    ca_bundle: str = ""
    adding: str = ""
    outage: str = ""
    own_credentials: str = ""
    endpoint: str = ""
    unknown_region: str = _differing("REGION")
    role_name: str = _differing("ROLE")
    stack: str = ""
    units: str = ""
    registration: str = _differing("REGISTRATION_ID")

    def said(self) -> dict[str, str]:
        """The facts that are known, by name."""
        return {name: str(value) for name in NAMES if (value := getattr(self, name))}


NAMES = tuple(each.name for each in fields(Facts))
_WORDS: Mapping[str, str | None] = {
    each.name: each.metadata["word"] for each in fields(Facts) if "word" in each.metadata
}


def common(some: Iterable[Facts]) -> Facts:
    """What several accounts with one cause have in common, of which there is one at least.

    A fact that differs becomes its word, such as PROFILE, or is unknown; those without a word are
    the first account's: any of them will do.
    """
    first, *others = dict.fromkeys(some)
    merged = {name: getattr(first, name) for name in NAMES}
    for name, word in _WORDS.items():
        if any(getattr(other, name) != merged[name] for other in others):
            merged[name] = word or ""
    return Facts(**merged)


def differing(first: Facts, general: Facts) -> dict[str, str]:
    """What the first account says where all together say a word: value to word, longest first."""
    found = {
        getattr(first, name): word
        for name, word in _WORDS.items()
        if word and getattr(first, name) and getattr(general, name) == word
    }
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))
