"""Cloudcraft's JSON and the model's words, both ways. Pure.

The documentation leaves shapes open (an empty list as `{}`, teams bare or under a key); what is
not known to mean something raises `ValueError` rather than counting as "nothing registered".
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cloudcraft_onboard.model import CloudcraftParameters, Registration, RegistrationSpec, Team

_log = logging.getLogger(__name__)

_TEAM = "team/"
_ACCOUNT_ID = re.compile(r"(?!0{12})[0-9]{12}")


def parameters_of(payload: Any) -> CloudcraftParameters:
    """`{"accountId": "912185983511", "externalId": "4414aef4-…"}`. Raises `ValueError`."""
    if isinstance(payload, dict):
        account_id = _text(payload.get("accountId")).zfill(12)  # a number has lost its zeros
        external_id = _text(payload.get("externalId"))
        if _ACCOUNT_ID.fullmatch(account_id) and external_id:
            return CloudcraftParameters(account_id=account_id, external_id=external_id)
    raise ValueError("no accountId and externalId in it")


def registrations_of(payload: Any) -> tuple[Registration, ...]:
    """`{"accounts": [ACCOUNT…]}`, a bare list, `{}`. Raises `ValueError` for anything else."""
    found = []
    for entry in _entries(payload, "accounts"):
        registration = registration_of(entry)
        if registration is None or not registration.role_arn:
            _log.warning("left out an entry of Cloudcraft's account list without id or roleArn")
        else:
            found.append(registration)
    return tuple(found)


def registration_of(entry: Any, spec: RegistrationSpec | None = None) -> Registration | None:
    """One ACCOUNT, None where it has no ID; what it leaves out is as in `spec`, which was sent."""
    if not isinstance(entry, dict) or not _text(entry.get("id")):
        return None
    return Registration(
        id=_text(entry["id"]),
        name=_text(entry.get("name")) or (spec.name if spec else ""),
        role_arn=_text(entry.get("roleArn")) or (spec.role_arn if spec else ""),
        external_id=_text(entry.get("externalId")) or None,
        read_access=_team_ids(entry.get("readAccess")),
        write_access=_team_ids(entry.get("writeAccess")),
        created_at=_text(entry.get("createdAt")) or None,
    )


def teams_of(payload: Any) -> tuple[Team, ...]:
    """A list of teams or `{"teams": [...]}`. Raises `ValueError` for anything else."""
    return tuple(
        Team(id=_text(entry["id"]).removeprefix(_TEAM), name=_text(entry.get("name")))
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
    read, write = spec.read_access, spec.write_access
    return {
        "name": spec.name,
        "roleArn": spec.role_arn,
        **_access(
            registration.read_access if read is None else read,
            registration.write_access if write is None else write,
        ),
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
    lists = {"readAccess": read, "writeAccess": write}
    return {
        # What has a prefix already is not a team: sent back as it came.
        key: [entry if "/" in entry else _TEAM + entry for entry in entries]
        for key, entries in lists.items()
        if entries is not None
    }


def _team_ids(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(_text(entry).removeprefix(_TEAM) for entry in value if _text(entry))


def _text(value: Any) -> str:
    """A string or a number as text, empty for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
