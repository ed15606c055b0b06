"""The JSON of `onboard status`: as the README has it, to the letter, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcraft_onboard.console.harmless import dumps
from cloudcraft_onboard.coverage.words import Standing, State, Status
from cloudcraft_onboard.model import Action, Change, Command
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.report.json import (
    SCHEMA,
    account_id_of,
    error_of,
    notes_of,
    optional_text,
    parsed,
    problem_of,
    text_of,
    time_of,
    time_text,
    truth_of,
)

_SUMMARY = (
    State.ONBOARDED,
    State.DRIFTED,
    State.MISSING,
    State.UNREACHABLE,
    State.DISABLED,
    State.UNLISTED,
    State.DATADOG,
    State.UNCOVERED,
    State.GONE,
)


def render(status: Status) -> str:
    """The status as JSON text."""
    return dumps(to_json(status)) + "\n"


def to_json(status: Status) -> dict[str, Any]:
    """The status in the shape of README, The JSON report; keys in its order."""
    return {
        "schema": SCHEMA,
        "command": Command.STATUS.value,
        "manifest": status.manifest,
        "organization": status.organization,
        "roles": status.roles,
        "checked_at": time_text(status.checked_at),
        "coverage": status.coverage.share,
        "summary": {
            "total": len(status.accounts),
            **{state.word: status.count(state) for state in _SUMMARY},
        },
        "accounts": [_account(account) for account in status.accounts],
    }


def _account(account: Standing) -> dict[str, Any]:
    return {
        "name": account.name,
        "account_id": account.account_id,
        "ou": account.ou,
        "state": account.state.word,
        "in_manifest": account.in_manifest,
        "cloudcraft_ids": list(account.cloudcraft_ids),
        "actions": [change.action.word for change in account.changes],
        "notes": list(all_told(account.notes)),
        "error": None if account.error is None else error_of(account.error),
    }


def from_json(data: object) -> Status:
    """The status that `to_json` made, but for what its JSON doesn't hold: lines and reasons.

    Unknown keys are left out. Raises `UsageError` for anything that is no such report.
    """
    return parsed(data, _status)


def _status(data: Mapping[str, Any]) -> Status:
    return Status(
        manifest=text_of(data["manifest"]),
        organization=truth_of(data["organization"]),
        roles=truth_of(data["roles"]),
        checked_at=time_of(data["checked_at"]),
        accounts=tuple(map(_standing, data["accounts"])),
    )


def _standing(data: Mapping[str, Any]) -> Standing:
    error = data["error"]
    return Standing(
        name=text_of(data["name"]),
        account_id=account_id_of(data["account_id"]),
        ou=optional_text(data["ou"]),
        state=State.of(data["state"]),
        in_manifest=truth_of(data["in_manifest"]),
        cloudcraft_ids=tuple(map(text_of, data["cloudcraft_ids"])),
        changes=tuple(Change(action=Action.of(word), reason="") for word in data["actions"]),
        notes=notes_of(data["notes"]),
        error=None if error is None else problem_of(error),
    )
