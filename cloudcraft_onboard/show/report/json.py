"""The JSON report: contract §6, to the letter, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.harmless import dumps
from cloudcraft_onboard.model import (
    Action,
    Change,
    CloudcraftUsage,
    Command,
    Outcome,
    Problem,
    Report,
    Result,
    Stage,
)

_SCHEMA = 1
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SUMMARY = (
    Outcome.CREATED,
    Outcome.UPDATED,
    Outcome.UNCHANGED,
    Outcome.REMOVED,
    Outcome.FAILED,
    Outcome.PENDING,
    Outcome.SKIPPED,
)


def render(report: Report) -> str:
    """The report as JSON text."""
    return dumps(to_json(report)) + "\n"


def to_json(report: Report) -> dict[str, Any]:
    """The report in the shape of contract §6, keys in its order."""
    return {
        "schema": _SCHEMA,
        "command": report.command.value,
        "manifest": report.manifest,
        "dry_run": report.dry_run,
        "started_at": _time(report.started_at),
        "finished_at": _time(report.finished_at),
        "summary": {
            "total": len(report.results),
            **{outcome.word: report.count(outcome) for outcome in _SUMMARY},
        },
        "cloudcraft": {
            "requests": report.cloudcraft.requests,
            "throttled": report.cloudcraft.throttled,
            "retried": report.cloudcraft.retried,
        },
        "accounts": [_account(result) for result in report.results],
    }


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime(_TIME)


def _account(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "account_id": result.account_id,
        "profile": result.profile,
        "region": result.region,
        "outcome": result.outcome.word,
        "actions": [change.action.word for change in result.changes],
        "role_arn": result.role_arn,
        "cloudcraft_id": result.cloudcraft_id,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 2),
        "line": result.line,
        "changes": [_change(change) for change in result.changes],
        "notes": list(result.notes),
        "error": None if result.error is None else _error(result.error),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.word,
        "subject": change.subject,
        "reason": change.reason,
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
    }


def _error(problem: Problem) -> dict[str, str]:
    return {
        "stage": problem.stage.value,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def from_json(data: object) -> Report:
    """The report that `to_json` made; one of an earlier version lacks what changes are about.

    Unknown keys are left out. Raises `UsageError` for anything that is no such report.
    """
    if not isinstance(data, Mapping) or "schema" not in data:
        raise _foreign("the keys of a report are missing")
    if data["schema"] != _SCHEMA:
        raise UsageError(
            f"the report has schema {data['schema']!r}, this version reads schema {_SCHEMA}",
            hint="render it with the version of onboard that wrote it",
        )
    try:
        return _report(data)
    except KeyError as error:
        raise _foreign(f"the key {error.args[0]!r} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise _foreign(str(error)) from error


def _foreign(reason: str) -> UsageError:
    return UsageError(
        f"this is not a report of onboard: {reason}",
        hint="give a file that --report x.json or -o json wrote",
    )


def _report(data: Mapping[str, Any]) -> Report:
    usage = data["cloudcraft"]
    return Report(
        command=Command(data["command"]),
        manifest=_text(data["manifest"]),
        dry_run=bool(data["dry_run"]),
        started_at=_parsed_time(data["started_at"]),
        finished_at=_parsed_time(data["finished_at"]),
        cloudcraft=CloudcraftUsage(
            requests=int(usage["requests"]),
            throttled=int(usage["throttled"]),
            retried=int(usage["retried"]),
        ),
        results=tuple(map(_result, data["accounts"])),
    )


def _parsed_time(value: object) -> datetime:
    return datetime.strptime(_text(value), _TIME).replace(tzinfo=UTC)


def _result(data: Mapping[str, Any]) -> Result:
    error = data["error"]
    return Result(
        name=_text(data["name"]),
        account_id=_optional(data["account_id"]),
        profile=_optional(data["profile"]),
        region=_text(data["region"]),
        outcome=Outcome.of(data["outcome"]),
        changes=_changes(data),
        role_arn=_optional(data["role_arn"]),
        cloudcraft_id=_optional(data["cloudcraft_id"]),
        attempts=int(data["attempts"]),
        seconds=float(data["seconds"]),
        line=int(data.get("line", 1)),
        notes=tuple(map(_text, data["notes"])),
        error=None if error is None else _problem(error),
    )


def _changes(data: Mapping[str, Any]) -> tuple[Change, ...]:
    if "changes" not in data:  # written by version 0.1
        return tuple(Change(action=Action.of(word), reason="") for word in data["actions"])
    return tuple(
        Change(
            action=Action.of(change["action"]),
            reason=_text(change["reason"]),
            subject=_text(change["subject"]),
            before=_parts(change["before"]),
            after=_parts(change["after"]),
        )
        for change in data["changes"]
    )


def _parts(value: object) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, Mapping):
        return value
    raise TypeError(f"{value!r} stands where an object is expected")


def _problem(data: Mapping[str, Any]) -> Problem:
    return Problem(
        stage=Stage(data["stage"]),
        code=_text(data["code"]),
        message=_text(data["message"]),
        hint=_text(data["hint"]),
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} stands where text is expected")


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)
