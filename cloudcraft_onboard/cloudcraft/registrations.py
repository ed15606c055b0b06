"""Converts between Cloudcraft's JSON and the model. Pure.

The documentation leaves some shapes open (an empty list as `{}`, teams bare or under a key);
anything unknown raises `ValueError` rather than counting as "nothing registered".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloudcraft_onboard.model import (
    DIRECT_SOURCE,
    CloudcraftParameters,
    Registration,
    RegistrationSpec,
    Team,
)

_TEAM = "team/"
_CUSTOMER = "customer/"
_ACCOUNT_ID = re.compile(r"(?!0{12})[0-9]{12}")
_ID = re.compile(r"[\w.~:@=+-]{1,200}", re.ASCII)
_MENTION = re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])")
_UUID = re.compile(r"[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)
_ACCESS = ("readAccess", "writeAccess")
_LONGEST_SOURCE = 60
_OTHER_IDS = ("id", "externalId", "CreatorId", *_ACCESS)


def parameters_of(payload: Any) -> CloudcraftParameters:
    """`{"accountId": "912185983511", "externalId": "4414aef4-…"}`. Raises `ValueError`."""
    if isinstance(payload, dict):
        account_id = _text(payload.get("accountId")).zfill(12)  # a number has lost its zeros
        external_id = _text(payload.get("externalId"))
        if _ACCOUNT_ID.fullmatch(account_id) and external_id:
            return CloudcraftParameters(account_id=account_id, external_id=external_id)
    raise ValueError("no accountId and externalId in it")


def registrations_of(payload: Any) -> tuple[Registration, ...]:
    """`{"accounts": [ACCOUNT…]}`, a bare list, `{}`. Raises `ValueError` for anything else.

    A single entry that cannot be understood counts: an incomplete list doesn't tell who is
    registered.
    """
    return tuple(
        _listed(entry, number) for number, entry in enumerate(_entries(payload, "accounts"), 1)
    )


def _listed(entry: Any, number: int) -> Registration:
    registration = registration_of(entry)
    if registration is None:
        raise ValueError(f"account {number} in it has no usable id")
    if registration.is_direct and not registration.role_arn:
        raise ValueError(f"account {number} in it, {registration.id}, has no roleArn")
    return registration


def registration_of(entry: Any, spec: RegistrationSpec | None = None) -> Registration | None:
    """One ACCOUNT, None where it has no ID; what it leaves out is as in `spec`, which was sent."""
    if not isinstance(entry, dict) or not is_usable_id(_text(entry.get("id"))):
        return None
    source = _source(entry.get("source"))
    return Registration(
        id=_text(entry["id"]),
        name=_text(entry.get("name")) or (spec.name if spec else ""),
        role_arn=_text(entry.get("roleArn")) or (spec.role_arn if spec else ""),
        external_id=_text(entry.get("externalId")) or None,
        read_access=_access_ids(entry.get("readAccess")),
        write_access=_access_ids(entry.get("writeAccess")),
        created_at=_text(entry.get("createdAt")) or None,
        source=source,
        mentioned=() if source in (None, DIRECT_SOURCE) else _mentioned(entry),
        listed_access={key: entry[key] for key in _ACCESS if entry.get(key) is not None},
    )


def is_usable_id(text: str) -> bool:
    """IDs are opaque, but they become a segment of a path."""
    return _ID.fullmatch(text) is not None and text not in {".", ".."}


def _source(value: Any) -> str | None:
    """Whatever is not a string is still not a direct registration."""
    return None if value is None or value == "" else _words(value)[:_LONGEST_SOURCE]


def _mentioned(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The AWS account IDs in its fields, but for those that hold IDs of another kind."""
    found: dict[str, None] = {}
    for key, value in entry.items():
        if key not in _OTHER_IDS:
            for text in _texts(value):
                # A number has lost its zeros.
                whole = text.zfill(12) if "account" in key.lower() and text.isdigit() else text
                found.update(dict.fromkeys(_MENTION.findall(_UUID.sub(" ", whole))))
    return tuple(found)


def _texts(value: Any) -> Iterator[str]:
    """Every string in it, and every number and key as a string, at any depth."""
    values = [value]
    while values:
        match values.pop():
            case dict() as mapping:
                values += [*mapping.keys(), *mapping.values()]
            case list() as items:
                values += items
            case leaf:
                yield _text(leaf)


def teams_of(payload: Any) -> tuple[Team, ...]:
    """A list of teams or `{"teams": [...]}`. Raises `ValueError` for anything else."""
    return tuple(
        Team(
            id=_text(entry["id"]).removeprefix(_TEAM),
            name=_text(entry.get("name")),
            customer_id=_text(entry.get("customerId")).removeprefix(_CUSTOMER),
        )
        for entry in _entries(payload, "teams")
        if isinstance(entry, dict) and _text(entry.get("id"))
    )


def policy_of(payload: Any) -> Mapping[str, Any]:
    """An IAM policy document. Raises `ValueError`."""
    if isinstance(payload, dict) and payload.get("Statement"):
        return payload
    raise ValueError("no Statement in it")


def creation(spec: RegistrationSpec) -> dict[str, Any]:
    """The body of `POST /aws/account`; access lists only where they are given."""
    return {
        "name": spec.name,
        "roleArn": spec.role_arn,
        "region": spec.region,
        **_access(spec.read_access, spec.write_access),
    }


def replacement(registration: Registration, spec: RegistrationSpec) -> dict[str, Any]:
    """The body of `PUT /aws/account/{id}`; access lists that `spec` leaves open stay as listed."""
    return {
        "name": spec.name,
        "roleArn": spec.role_arn,
        **registration.listed_access,
        **_access(spec.read_access, spec.write_access),
    }


def _entries(payload: Any, key: str) -> list[Any]:
    if payload == {}:
        return []
    if isinstance(payload, dict) and key in payload:
        payload = [] if payload[key] is None else payload[key]
    if not isinstance(payload, list):
        raise ValueError(f"no {key} in it")  # noqa: TRY004 - an answer's value, not a caller's type
    return payload


def _access(read: Iterable[str] | None, write: Iterable[str] | None) -> dict[str, list[str]]:
    return {
        # What has a prefix already is not a team.
        key: [entry if "/" in entry else _TEAM + entry for entry in entries]
        for key, entries in zip(_ACCESS, (read, write), strict=True)
        if entries is not None
    }


def _access_ids(value: Any) -> tuple[str, ...] | None:
    """An access list; kinds of entries that are not known yet stand in it as JSON."""
    if not isinstance(value, list):
        return None
    return tuple(_words(entry).removeprefix(_TEAM) for entry in value)


def _words(value: Any) -> str:
    """Strings as they are, anything else as JSON."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        return "nested too deeply"


def _text(value: Any) -> str:
    """A string or a number as a string; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
