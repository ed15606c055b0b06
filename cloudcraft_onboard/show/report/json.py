"""The JSON reports: as the README has them, to the letter, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from cloudcraft_onboard.console.harmless import dumps
from cloudcraft_onboard.coverage.words import Standing, State, Status
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
from cloudcraft_onboard.model.changes import SavedChange
from cloudcraft_onboard.model.notes import SavedNote
from cloudcraft_onboard.show import changes
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.report import shape
from cloudcraft_onboard.show.report.shape import time_of, time_text
from cloudcraft_onboard.show.saved import saved
from cloudcraft_onboard.show.told import Told

T = TypeVar("T")


def render(report: Told) -> str:
    """The report as JSON text."""
    return dumps(to_json(report)) + "\n"


def to_json(report: Told) -> dict[str, Any]:
    """The report in the shape of README, The JSON report; keys in its order."""
    return shape.dumped(_status(report) if isinstance(report, Status) else _run(report))


def from_json(data: object) -> Told:
    """The report that `to_json` made, but for what its JSON doesn't hold.

    Raises:
        UsageError: it is no such report; the message says where and why.
    """
    match shape.loaded(data):
        case shape.StatusShape() as status:
            return _status_of(status)
        case run:
            return _run_of(run)


# --- a run, a plan, a removal --------------------------------------------------------------------


def head(report: Report, shaped: Callable[..., T], **more: object) -> T:
    """The report as a whole, without its accounts, in a shape that has `more` besides."""
    return shaped(
        command=report.command.value,
        manifest=report.manifest,
        dry_run=report.dry_run,
        started_at=time_text(report.started_at),
        finished_at=time_text(report.finished_at),
        summary=shape.Summary(
            total=len(report.results),
            **{outcome.word: report.count(outcome) for outcome in Outcome},
        ),
        cloudcraft=shape.Usage(
            requests=report.cloudcraft.requests,
            throttled=report.cloudcraft.throttled,
            retried=report.cloudcraft.retried,
            rate_limit=report.cloudcraft.rate_limit or None,
        ),
        **more,
    )


def _run(report: Report) -> shape.RunShape:
    return head(report, shape.RunShape, accounts=[account(result) for result in report.results])


def account(result: Result) -> shape.ResultShape:
    """What came of one account."""
    return shape.ResultShape(
        name=result.name,
        account_id=result.account_id,
        profile=result.profile,
        region=result.region,
        outcome=result.outcome.word,
        actions=_words(result.changes),
        role_arn=result.role_arn,
        cloudcraft_id=result.cloudcraft_id,
        attempts=result.attempts,
        seconds=round(result.seconds, 2),
        line=result.line,
        changes=[_change(change) for change in result.changes],
        notes=list(all_told(result.notes)),
        error=_error(result.error),
    )


def _words(changes: Iterable[Change]) -> list[str]:
    return [change.action.word for change in changes]


def _change(change: Change) -> shape.ChangeShape:
    told = saved(change)
    return shape.ChangeShape(
        action=told.action.word,
        subject=told.subject,
        reason=told.reason,
        before=told.before,
        after=told.after,
    )


def _error(problem: Problem | None) -> shape.Error | None:
    if problem is None:
        return None
    return shape.Error(
        stage=problem.stage.value, code=problem.code, message=problem.message, hint=problem.hint
    )


def _run_of(told: shape.RunShape) -> Report:
    usage = told.cloudcraft
    return Report(
        command=Command(told.command),
        manifest=told.manifest,
        dry_run=told.dry_run,
        started_at=time_of(told.started_at),
        finished_at=time_of(told.finished_at),
        cloudcraft=CloudcraftUsage(
            requests=usage.requests,
            throttled=usage.throttled,
            retried=usage.retried,
            rate_limit=usage.rate_limit or "",
        ),
        results=tuple(map(_result, told.accounts)),
    )


def _result(told: shape.ResultShape) -> Result:
    made = Result(
        name=told.name,
        account_id=told.account_id,
        profile=told.profile,
        region=told.region,
        outcome=Outcome.of(told.outcome),
        changes=_alone(told.actions) if told.changes is None else _changes(told.changes),
        role_arn=told.role_arn,
        cloudcraft_id=told.cloudcraft_id,
        attempts=told.attempts,
        seconds=told.seconds,
        line=told.line,
        notes=_notes(told.notes),
        error=_problem(told.error),
    )
    try:
        changes.lines(made)
    except (AttributeError, TypeError, ValueError) as error:
        raise shape.foreign(f"the changes of {told.name!r:.40}: {error}") from error
    return made


def _alone(words: Iterable[str]) -> tuple[SavedChange, ...]:
    """Changes of which only the actions are known."""
    return tuple(SavedChange(action=Action.of(word)) for word in words)


def _changes(told: Iterable[shape.ChangeShape]) -> tuple[SavedChange, ...]:
    return tuple(
        SavedChange(
            action=Action.of(change.action),
            reason=change.reason,
            subject=change.subject,
            before=change.before,
            after=change.after,
        )
        for change in told
    )


def _notes(told: Iterable[str]) -> tuple[SavedNote, ...]:
    return tuple(SavedNote(text=text) for text in told)


def _problem(told: shape.Error | None) -> Problem | None:
    if told is None:
        return None
    return Problem(stage=Stage(told.stage), code=told.code, message=told.message, hint=told.hint)


# --- where the accounts stand --------------------------------------------------------------------


def _status(status: Status) -> shape.StatusShape:
    return shape.StatusShape(
        manifest=status.manifest,
        organization=status.organization,
        roles=status.roles,
        checked_at=time_text(status.checked_at),
        coverage=status.coverage.share,
        summary=shape.States(
            total=len(status.accounts), **{state.word: status.count(state) for state in State}
        ),
        accounts=[_standing(account) for account in status.accounts],
    )


def _standing(account: Standing) -> shape.StandingShape:
    return shape.StandingShape(
        name=account.name,
        account_id=account.account_id,
        ou=account.ou,
        state=account.state.word,
        in_manifest=account.in_manifest,
        cloudcraft_ids=list(account.cloudcraft_ids),
        actions=_words(account.changes),
        notes=list(all_told(account.notes)),
        error=_error(account.error),
    )


def _status_of(told: shape.StatusShape) -> Status:
    return Status(
        manifest=told.manifest,
        organization=told.organization,
        roles=told.roles,
        checked_at=time_of(told.checked_at),
        accounts=tuple(map(_standing_of, told.accounts)),
        advised=None,
    )


def _standing_of(told: shape.StandingShape) -> Standing:
    return Standing(
        name=told.name,
        account_id=told.account_id,
        ou=told.ou,
        state=State.of(told.state),
        in_manifest=told.in_manifest,
        cloudcraft_ids=tuple(told.cloudcraft_ids),
        changes=_alone(told.actions),
        notes=_notes(told.notes),
        error=_problem(told.error),
    )
