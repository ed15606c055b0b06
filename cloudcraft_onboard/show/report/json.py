"""The JSON report: as the README has it, to the letter, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from cloudcraft_onboard.console.harmless import dumps
from cloudcraft_onboard.errors import UsageError
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
from cloudcraft_onboard.model.notes import SavedNote
from cloudcraft_onboard.show import changes
from cloudcraft_onboard.show.notes import all_told

T = TypeVar("T")

SCHEMA = 1
_SAID = 200  # characters of what is wrong with a report
_MOST = 2**53  # what JSON's numbers count to everywhere
_ACCOUNT_ID = re.compile("[0-9]{12}")
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
    """The report in the shape of README, The JSON report; keys in its order."""
    return {
        "schema": SCHEMA,
        "command": report.command.value,
        "manifest": report.manifest,
        "dry_run": report.dry_run,
        "started_at": time_text(report.started_at),
        "finished_at": time_text(report.finished_at),
        "summary": {
            "total": len(report.results),
            **{outcome.word: report.count(outcome) for outcome in _SUMMARY},
        },
        "cloudcraft": {
            "requests": report.cloudcraft.requests,
            "throttled": report.cloudcraft.throttled,
            "retried": report.cloudcraft.retried,
            "rate_limit": report.cloudcraft.rate_limit or None,
        },
        "accounts": [_account(result) for result in report.results],
    }


def time_text(when: datetime) -> str:
    """A time as the report has it, in UTC."""
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
        "notes": list(all_told(result.notes)),
        "error": None if result.error is None else error_of(result.error),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.word,
        "subject": change.subject,
        "reason": change.reason,
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
    }


def error_of(problem: Problem) -> dict[str, str]:
    """A problem as the report has it."""
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
    return parsed(data, _report)


def parsed(data: object, read: Callable[[Mapping[str, Any]], T]) -> T:
    """What `read` makes of a report's JSON. Raises `UsageError` for anything that is no report."""
    if not isinstance(data, Mapping) or "schema" not in data:
        raise _foreign("the keys of a report are missing")
    if data["schema"] != SCHEMA:
        raise UsageError(
            f"The report has schema {data['schema']!r}; this version reads schema {SCHEMA}.",
            hint="Render it with the version of onboard that wrote it.",
        )
    try:
        return read(data)
    except KeyError as error:
        raise _foreign(f"the key {error.args[0]!r} is missing") from error
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise _foreign(str(error)[:_SAID]) from error


def _foreign(reason: str) -> UsageError:
    return UsageError(
        f"Not a report of onboard: {reason}.",
        hint="Give a file that `--report FILE.json` or `-o json` wrote.",
    )


def _report(data: Mapping[str, Any]) -> Report:
    usage = data["cloudcraft"]
    return Report(
        command=Command(data["command"]),
        manifest=text_of(data["manifest"]),
        dry_run=truth_of(data["dry_run"]),
        started_at=time_of(data["started_at"]),
        finished_at=time_of(data["finished_at"]),
        cloudcraft=CloudcraftUsage(
            requests=whole_of(usage["requests"]),
            throttled=whole_of(usage["throttled"]),
            retried=whole_of(usage["retried"]),
            rate_limit=text_of(usage.get("rate_limit") or ""),
        ),
        results=tuple(map(_result, data["accounts"])),
    )


def time_of(value: object) -> datetime:
    """The time that `time_text` made."""
    return datetime.strptime(text_of(value), _TIME).replace(tzinfo=UTC)


def _result(data: Mapping[str, Any]) -> Result:
    error = data["error"]
    made = Result(
        name=text_of(data["name"]),
        account_id=account_id_of(data["account_id"]),
        profile=optional_text(data["profile"]),
        region=text_of(data["region"]),
        outcome=Outcome.of(data["outcome"]),
        changes=_changes(data),
        role_arn=optional_text(data["role_arn"]),
        cloudcraft_id=optional_text(data["cloudcraft_id"]),
        attempts=whole_of(data["attempts"]),
        seconds=seconds_of(data["seconds"]),
        line=whole_of(data.get("line", 1)),
        notes=notes_of(data["notes"]),
        error=None if error is None else problem_of(error),
    )
    changes.lines(made)  # or it raises: what cannot be told is no report of ours
    return made


def _changes(data: Mapping[str, Any]) -> tuple[Change, ...]:
    if "changes" not in data:  # written by version 0.1
        return tuple(Change(action=Action.of(word), reason="") for word in data["actions"])
    return tuple(
        Change(
            action=Action.of(change["action"]),
            reason=text_of(change["reason"]),
            subject=text_of(change["subject"]),
            before=_parts(change["before"]),
            after=_parts(change["after"]),
        )
        for change in data["changes"]
    )


def _parts(value: object) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, Mapping):
        return value
    raise TypeError(f"{value!r} where an object is expected")


def problem_of(data: Mapping[str, Any]) -> Problem:
    """The problem that `error_of` made."""
    return Problem(
        stage=Stage(data["stage"]),
        code=text_of(data["code"]),
        message=text_of(data["message"]),
        hint=text_of(data["hint"]),
    )


def notes_of(texts: Iterable[object]) -> tuple[SavedNote, ...]:
    """The notes of an account, as the report has them."""
    return tuple(SavedNote(text=text_of(text)) for text in texts)


def text_of(value: object) -> str:
    """`value`, which must be text."""
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} where a string is expected")


def account_id_of(value: object) -> str | None:
    """`value`, which must be an AWS account ID or nothing."""
    if value is None or (isinstance(value, str) and _ACCOUNT_ID.fullmatch(value)):
        return value
    raise TypeError(f"{value!r} where an account ID is expected")


def whole_of(value: object) -> int:
    """`value`, which must be a whole number, and not negative."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    raise TypeError(f"{value!r} where a whole number is expected")


def seconds_of(value: object) -> float:
    """`value`, which must be a number, and not negative."""
    if isinstance(value, float) and 0 <= value <= _MOST:
        return value
    return float(whole_of(value))


def truth_of(value: object) -> bool:
    """`value`, which must be true or false."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} where true or false is expected")


def optional_text(value: object) -> str | None:
    """`value`, which must be text or nothing."""
    return None if value is None else text_of(value)
