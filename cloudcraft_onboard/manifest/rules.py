"""What AWS and Cloudcraft accept, each rule as (pattern for editors, explanation for people).

A rule takes a value and says what is wrong with it, or None. Sources: the API references of IAM
(CreateRole, Tag, AttachRolePolicy), STS (AssumeRole), IAM Identity Center (CreatePermissionSet),
CloudFormation (CreateStackSet) and Organizations (Parent).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Sized
from difflib import get_close_matches
from functools import lru_cache

from cloudcraft_onboard.manifest.source import quoted
from cloudcraft_onboard.model import MANAGED_BY
from cloudcraft_onboard.model.arn import is_arn

ACCOUNT_ID = r"^[0-9]{12}$"
REGION = (
    r"^[a-z]{2,5}(-[a-z]{2,5})?-"
    r"(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9][0-9]?$"
)
ROLE_NAME = r"^[A-Za-z0-9_+=,.@-]{1,64}$"
PATH = r"^/([\x21-\x7e]+/)?$"
ROLE_ARN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/([\x21-\x7e]+/)?[A-Za-z0-9_+=,.@-]{1,64}$"
ROLE = f"{ROLE_NAME}|{ROLE_ARN}"
POLICY_NAME = r"^([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}$"
POLICY_ARN = (
    r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([\x21-\x7e]+/)?[A-Za-z0-9_+=,.@-]{1,128}$"
)
BOUNDARY = f"{POLICY_NAME}|{POLICY_ARN}"
POLICY = f"{POLICY_NAME}|^cloudcraft:(minimal|custom)$|{POLICY_ARN}"
TAG_TEXT = r"^[^!\x22#$%&'()*,;<>?\[\\\]^`{|}~\x00-\x1f\x7f]*$"
TARGET = r"^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$"
STACK_SET = r"^[A-Za-z][A-Za-z0-9-]{0,127}$"
NOT_BLANK = r"\S"
EXTERNAL_ID = r"^([A-Za-z0-9_+=,.@:/-]|\{account_id\})+$"
SESSION_NAME = r"^([A-Za-z0-9_+=,.@-]|\{account_id\})+$"
SOURCE_IDENTITY = r"^(?![Aa][Ww][Ss]:)[A-Za-z0-9_+=,.@-]+$"
PERMISSION_SET = r"^[A-Za-z0-9_+=,.@-]{1,32}$"
ACCESS = r"^(?!(team|customer)/$)[\s\S]*\S"

MAX_POLICIES = 20
"""IAM attaches 10 managed policies to a role, 20 where the quota was raised."""

MAX_ACCESS = 500
"""No customer of Cloudcraft has so many teams."""

MAX_UNITS = 2000
"""Organizations has no more organizational units (its quota of 2,000 cannot be raised)."""

MAX_TAGS = 49
"""IAM allows a role 50 tags, and one of them is `ManagedBy`."""

MAX_SESSION_TAGS = 50

HERE = "{account_id}"
"""Stands for the account's ID in external IDs and session names; it is as long as one."""

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1"),
    *("eu-west-2", "eu-west-3", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2"),
    *("ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2"),
    *("ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
    *("af-south-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
    *("us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1"),
)
"""For "did you mean" only: AWS opens new ones."""

_REGION = re.compile(REGION)
_ROLE_NAME = re.compile(ROLE_NAME)
_TAG_TEXT = re.compile(r"[A-Za-z0-9_.:/=+\-@ ]*")
_SET = "permission set"
_LONGEST_WORD = 100  # characters; a longer one is like none
_ROLE_CHARACTERS = "letters, digits and _+=,.@-"


@lru_cache(maxsize=1024)
def meant(word: str, known: tuple[str, ...], *, most: int = 1, likeness: float = 0.6) -> list[str]:
    """The known words that are most like `word`; one mistake may be in each of 100,000 entries."""
    return get_close_matches(word, known, most, likeness) if len(word) <= _LONGEST_WORD else []


def text(value: str) -> str | None:
    """Any text for people: not blank, one line, nothing that steers a terminal."""
    if not value.strip():
        return "is blank"
    if not value.isprintable():
        for character in value:
            if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
                return f"contains the control character U+{ord(character):04X}; leave it out"
    return None


def account_id(value: str) -> str | None:
    """An AWS account ID."""
    if len(value) == 12 and value.isascii() and value.isdigit():  # noqa: PLR2004 - an ID's length
        return None
    if value.isascii() and value.isdigit():
        digits = "1 digit" if len(value) == 1 else f"{len(value)} digits"
        return f"has {digits}; an AWS account ID has 12"
    if re.fullmatch(r"[0-9]{4}[- ][0-9]{4}[- ][0-9]{4}", value):
        return f'is in groups; write 12 digits: "{re.sub("[- ]", "", value)}"'
    return "is not an AWS account ID, which has 12 digits"


def region(value: str) -> str | None:
    """An AWS region, known or yet to come."""
    if _REGION.fullmatch(value):
        return None
    told = value.strip().lower()
    exact = [name for name in REGIONS if told in (name, f"{name}{value[-1:]}")]
    near = exact or meant(value.lower(), REGIONS, most=2, likeness=0.8)
    if not near:
        return "is not an AWS region; they look like `eu-west-1`"
    return f"is not an AWS region; did you mean {' or '.join(f'`{name}`' for name in near)}?"


def role_name(value: str) -> str | None:
    """An IAM role's name."""
    return None if _ROLE_NAME.fullmatch(value) else _why_no_name(value, "role", 64)


def role(value: str) -> str | None:
    """A role by name or ARN."""
    if not is_arn(value):
        if "/" in value:
            name = value.rsplit("/", 1)[1]
            return f"includes a path; write its last part, `{name}`, or the role's ARN"
        return role_name(value)
    if re.fullmatch(ROLE_ARN, value):
        return None
    if ":assumed-role/" in value:
        return "is the ARN of a session; write the role's: `arn:aws:iam::111122223333:role/NAME`"
    return "is not the ARN of an IAM role, `arn:aws:iam::111122223333:role/NAME`"


def path(value: str) -> str | None:
    """An IAM path."""
    if len(value) > 512:  # noqa: PLR2004 - IAM's limit
        return f"has {len(value)} characters; an IAM path has at most 512"
    if re.fullmatch(PATH, value):
        return None
    if value.strip("/") and not (value.startswith("/") and value.endswith("/")):
        return f"is not an IAM path, which starts and ends with `/`: `/{value.strip('/')}/`"
    return "is not an IAM path: `/`, or `/teams/cloud/` without spaces"


def policy(value: str) -> str | None:
    """A policy to attach, by AWS's name, by ARN, or one of Cloudcraft's."""
    if value.startswith("cloudcraft:"):
        if value in ("cloudcraft:minimal", "cloudcraft:custom"):
            return None
        return "is not known; Cloudcraft has `cloudcraft:minimal` and `cloudcraft:custom`"
    return boundary(value)


def boundary(value: str) -> str | None:
    """A managed policy by name or ARN."""
    if is_arn(value):
        good = re.fullmatch(POLICY_ARN, value)
        why = "is not the ARN of an IAM policy, `arn:aws:iam::111122223333:policy/NAME`"
        return None if good else why
    last = value.rsplit("/", 1)[-1]
    return None if re.fullmatch(POLICY_NAME, value) else _why_no_name(last, "policy", 128)


def target(value: str) -> str | None:
    """A root or an organizational unit."""
    if re.fullmatch(TARGET, value):
        return None
    return "is not an organizational unit (`ou-ab12-11111111`) or a root (`r-ab12`)"


def stack_set_name(value: str) -> str | None:
    """A CloudFormation stack set's name."""
    if re.fullmatch(STACK_SET, value):
        return None
    return "is not a stack set name: a letter, then up to 127 letters, digits and hyphens"


def tag_key(value: str) -> str | None:
    """The key of a role's tag."""
    if value.lower() == MANAGED_BY[0].lower():
        return f"is set by onboard itself (`{MANAGED_BY[0]}: {MANAGED_BY[1]}`); leave it out"
    return session_tag_key(value)


def session_tag_key(value: str) -> str | None:
    """The key of a session's tag."""
    if not 1 <= len(value) <= 128:  # noqa: PLR2004 - the limit of IAM and STS
        return f"has {len(value)} characters; a tag key has 1 to 128"
    if value.lower().startswith("aws:"):
        return "starts with `aws:`, which AWS reserves"
    return _tag_characters(value)


def tag_value(value: str) -> str | None:
    """The value of a role's tag."""
    if len(value) > 256:  # noqa: PLR2004 - IAM's limit
        return f"has {len(value)} characters; a tag value has at most 256"
    return _tag_characters(value)


def role_tags(value: Mapping[str, str]) -> str | None:
    """All tags of a role together."""
    return too_many_role_tags(value) or _same_keys(value, "IAM")


def session_tags(value: Mapping[str, str]) -> str | None:
    """All tags of a session together."""
    return too_many_session_tags(value) or _same_keys(value, "STS")


def too_many_role_tags(value: Sized) -> str | None:
    """More tags than IAM takes."""
    most = f"{MAX_TAGS} besides onboard's `{MANAGED_BY[0]}`"
    return _too_many(value, MAX_TAGS, f"tags; a role can have {most}")


def too_many_session_tags(value: Sized) -> str | None:
    """More tags than STS takes."""
    return _too_many(value, MAX_SESSION_TAGS, f"tags; a session can have {MAX_SESSION_TAGS}")


def too_many_policies(value: Sized) -> str | None:
    """More policies than IAM attaches."""
    return _too_many(value, MAX_POLICIES, f"policies; a role can have {MAX_POLICIES}")


def too_many_names(value: Sized) -> str | None:
    """A longer access list than there can be."""
    return _too_many(value, MAX_ACCESS, f"names; {MAX_ACCESS} are allowed. Is it `everyone`?")


def too_many_units(value: Sized) -> str | None:
    """More organizational units than an organization has."""
    return _too_many(value, MAX_UNITS, f"units; an organization has {MAX_UNITS:,} at most")


def _too_many(value: Sized, most: int, words: str) -> str | None:
    return f"{len(value):,} {words}" if len(value) > most else None


def external_id(value: str) -> str | None:
    """The external ID that a role's trust policy asks for."""
    return _of_session(value, "an external ID", "_+=,.@:/-", 1224)


def session_name(value: str) -> str | None:
    """The name of an assumed role's session."""
    return _of_session(value, "a session name", "_+=,.@-", 64)


def source_identity(value: str) -> str | None:
    """The source identity of an assumed role's session."""
    if value.lower().startswith("aws:"):
        return "starts with `aws:`, which AWS reserves"
    if HERE in value:
        return f"contains `{HERE}`, which only `external_id` and `session_name` may"
    return _of_session(value, "a source identity", "_+=,.@-", 64)


def permission_set(value: str) -> str | None:
    """A permission set's name in IAM Identity Center."""
    if value.startswith("AWSReservedSSO_"):
        name = re.sub("^AWSReservedSSO_|_[0-9a-f]{16}$", "", value)
        return f"is a permission set's role in the account; write the permission set's name: {name}"
    if is_arn(value):
        return "is an ARN; write the permission set's name, such as AdministratorAccess"
    return None if re.fullmatch(PERMISSION_SET, value) else _why_no_name(value, _SET, 32)


def selection_key(value: str) -> str | None:
    """The key of an account's tag, which `--only KEY=VALUE` has to find."""
    if "=" in value:
        return "contains `=`, which `--only KEY=VALUE` cannot match"
    return text(value)


def selection_value(value: str) -> str | None:
    """The value of an account's tag."""
    return text(value) if value else None


def access(value: str) -> str | None:
    """Who sees an account in Cloudcraft."""
    if value in ("team/", "customer/"):
        return f"has no ID; write `{value}ID`"
    return text(value)


def once(value: Sequence[str]) -> str | None:
    """A list that names nothing twice."""
    seen: set[str] = set()
    for entry in value:
        if entry in seen:
            return f"{quoted(entry)} is listed twice; keep one"
        seen.add(entry)
    return None


def _of_session(value: str, what: str, signs: str, longest: int) -> str | None:
    """What keeps a value from being one that `sts:AssumeRole` takes."""
    if not 2 <= len(value) <= longest:  # noqa: PLR2004 - STS's limit
        count = f"{len(value):,} character{'' if len(value) == 1 else 's'}"
        return f"has {count}; {what} has 2 to {longest:,}"
    rest = value.replace(HERE, "")
    if place := re.search(r"\{\w*\}", rest):
        return f"contains `{place[0]}`; only `{HERE}` stands for something"
    for character in rest:
        if not (character.isascii() and character.isalnum()) and character not in signs:
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            return f"contains `{shown}`; {what} may have letters, digits and {signs}"
    return None


def _same_keys(tags: Mapping[str, str], service: str) -> str | None:
    """Two keys that differ in nothing but case."""
    seen: dict[str, str] = {}
    for key in tags:
        other = seen.setdefault(key.lower(), key)
        if other != key:
            return f"{quoted(other)} and {quoted(key)} are the same key for {service}; keep one"
    return None


def _tag_characters(value: str) -> str | None:
    """Letters, numbers and spaces of any script, and `_.:/=+-@`."""
    if _TAG_TEXT.fullmatch(value):
        return None
    for character in value:
        if character not in "_.:/=+-@" and unicodedata.category(character)[0] not in "LNZ":
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            return f"contains `{shown}`; a tag may have letters, digits, spaces and _.:/=+-@"
    return None


def _why_no_name(value: str, what: str, limit: int) -> str:
    """What keeps `value` from being the name of a role or policy."""
    if not value:
        return "is empty"
    if len(value) > limit:
        return f"has {len(value)} characters; a {what} name has at most {limit}"
    return f"is not a {what} name: AWS allows {_ROLE_CHARACTERS}"
