"""What the columns of a list are called, and the shapes that their values have. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from cloudcraft_onboard.console.redact import redact

Value = str | None | Sequence["Value"] | Mapping[str, "Value"]
"""A value as text, a list or a mapping of such; None for one that is left blank."""


class Word(Enum):
    """What a column can be about, with its names, the likeliest first; only letters count."""

    ID = (
        *("accountid", "awsaccountid", "accountnumber", "awsaccountnumber", "accountno"),
        *("awsaccount", "account", "uid", "id"),
    )
    NAME = ("name", "accountname", "awsaccountname", "alias", "accountalias", "displayname")
    EMAIL = ("email", "accountemail", "rootemail", "emailaddress")
    PROFILE = ("profile", "awsprofile", "profilename")
    ROLE = ("role", "rolearn", "assumerole", "assumerolearn", "rolename", "iamrole")
    EXTERNAL_ID = ("externalid",)
    SESSION = ("sessionname", "rolesessionname")
    DURATION = ("durationseconds", "sessionduration")
    REGION = ("region", "awsregion", "defaultregion", "homeregion")
    REGIONS = ("regions",)
    OU = ("ou", "oupath", "organizationalunit", "organizationalunitpath", "orgunit")
    PROVIDER = ("provider", "cloudprovider", "cloud")
    STATE = ("state", "accountstate", "status", "accountstatus")
    TAGS = ("tags", "tagsall")
    VARS = ("vars",)
    CREDENTIALS = ("credentials",)
    AUTH = ("authmethod",)
    ARN = ("arn", "accountarn")


WORDS = {name: word for word in Word for name in word.value}
_SECRET = re.compile("secret|password|token|privatekey|accesskey|apikey|clientkey|kubeconfig")


def word_of(key: str) -> Word | None:
    """What a column of this name is about; None for one that nobody knows."""
    return WORDS.get(letters(key))


def letters(key: str) -> str:
    """The letters and digits of a key, in one case: all that counts of a name."""
    return re.sub(r"[\W_]", "", key).casefold()


def looks_like_id(value: Value) -> bool:
    """Whether a value is an account's ID, or was one before somebody's program took it apart."""
    return isinstance(value, str) and bool(
        re.fullmatch(r"[0-9]{9,13}|[0-9]{4}(?:-[0-9]{4}){2}", value)
    )


def flat(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Keys and values, those of `credentials` among them; of equal words, the likeliest first."""
    told = []
    for key, value in values.items():
        inner = value
        if word_of(key) is Word.CREDENTIALS and isinstance(value, str):
            inner = _parsed(value)
        if word_of(key) is Word.CREDENTIALS and isinstance(inner, Mapping):
            told += list(inner.items())
        else:
            told.append((key, value))
    names = list(WORDS)
    return iter(
        sorted(
            told,
            key=lambda pair: names.index(letters(pair[0])) if word_of(pair[0]) else len(names),
        )
    )


def is_secret(key: str, value: Value) -> bool:
    """Whether a key or its value is not for a manifest, which others read."""
    text = text_of(value)
    return _SECRET.search(letters(key)) is not None or redact(text) != text


def _parsed(text: str) -> Value:
    """The JSON in a cell; None where it is none."""
    try:
        found: Value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def text_of(value: Value) -> str:
    """A value as text; JSON for what is not one."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def several(value: Value) -> Sequence[Value]:
    """A list, or one value as such."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def pairs_of(value: Value) -> list[tuple[str, str]]:
    """Tags in any of their shapes.

    A mapping, or a list of them; AWS's list of `Key` and `Value`; c7n's list of `key:value`; a cell
    with several.
    """
    if isinstance(value, Mapping):
        return [(key, text_of(each)) for key, each in value.items()]
    if isinstance(value, str):
        parts = [part.strip() for part in re.split("[,;|]", value)]
        if not all(re.fullmatch("[^:=]+[:=].*", part) for part in parts):
            return [("tags", value)]
        return [_pair(part) for part in parts]
    pairs = []
    for each in value or []:
        if isinstance(each, Mapping):
            told = {letters(key): text_of(text) for key, text in each.items()}
            pairs += [(told["key"], told.get("value", ""))] if "key" in told else pairs_of(each)
        else:
            pairs.append(_pair(text_of(each)))
    return pairs


def _pair(text: str) -> tuple[str, str]:
    """`key:value` or `key=value`, whichever comes first; a lone word is a key."""
    found = re.match("([^:=]*)[:=](.*)", text)
    return (found[1], found[2]) if found else (text, "")
