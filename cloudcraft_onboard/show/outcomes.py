"""The document of a run, a plan or a removal."""

from __future__ import annotations

from cloudcraft_onboard.model import Command, Outcome, Report, Result
from cloudcraft_onboard.show import causes, changes, text
from cloudcraft_onboard.show.document import AccountRow, Document, FailedCase, Kind, SkippedCase
from cloudcraft_onboard.show.notes import all_told

_RANKS = (
    Outcome.FAILED,
    Outcome.PENDING,
    Outcome.CREATED,
    Outcome.UPDATED,
    Outcome.REMOVED,
    Outcome.UNCHANGED,
    Outcome.SKIPPED,
)
_SKIPPED = {
    Outcome.PENDING: "pending: run the same command again to continue",
    Outcome.SKIPPED: "disabled in the manifest",
}
_ALL_WELL = {
    Command.RUN: "All accounts are onboarded",
    Command.REMOVE: "All accounts are removed",
}


def document(report: Report, *, each: bool = False) -> Document:
    """The report as people read it. `each`: nothing is told together that differs in an ID."""
    planned = text.is_plan(report)
    found = {outcome: _kind(report, outcome, planned=planned) for outcome in Outcome}
    seconds = (report.finished_at - report.started_at).total_seconds()
    # That a skipped account is disabled, its outcome says already.
    noted = (result for result in report.results if result.outcome is not Outcome.SKIPPED)
    totals = last_line(report)
    return Document(
        by="outcome",
        command=report.command.value,
        title="onboard plan" if planned else f"onboard {report.command}",
        heading="Plan" if planned else str(report.command).capitalize(),
        manifest=report.manifest,
        mark=_mark(report),
        headline=totals,
        totals=totals,
        verdict=_verdict(report, planned=planned),
        facts=(
            text.counted(len(report.results), "account"),
            f"started {text.moment(report.started_at)}",
            f"took {text.seconds(seconds)}",
            f"{text.counted(report.cloudcraft.requests, 'request')} to Cloudcraft",
        ),
        planned=planned,
        kinds=tuple((found[o], number) for o in Outcome if (number := report.count(o))),
        rows=tuple(_row(report, result, found[result.outcome]) for result in report.results),
        started_at=report.started_at,
        seconds=seconds,
        properties=(("manifest", report.manifest), ("dry_run", str(report.dry_run).lower())),
        pending=report.count(Outcome.PENDING),
        causes=causes.causes(report.results),
        blocks=changes.blocks(report.results, each=each),
        notes=causes.notes(noted, each=each),
        next_steps=tuple(_next_steps(report)),
    )


def _mark(report: Report) -> str:
    if report.count(Outcome.FAILED):
        return "❌"
    return "⏳" if report.count(Outcome.PENDING) else "✅"


def _kind(report: Report, outcome: Outcome, *, planned: bool) -> Kind:
    return Kind(
        word=outcome.word,
        symbol=outcome.symbol,
        label=text.outcome_word(outcome, planned=planned),
        counted=text.counted_word(outcome, report.command, planned=planned),
        style=text.STYLES[outcome],
        rank=_RANKS.index(outcome),
    )


def _row(report: Report, result: Result, kind: Kind) -> AccountRow:
    verdict: FailedCase | SkippedCase | None = None
    if result.error is not None:
        problem = result.error
        where = f"{report.manifest}:{result.line}: {text.title(result)}, stage {problem.stage}"
        verdict = FailedCase(
            type=problem.code,
            message=problem.message,
            text=f"{problem.message}\n\n{problem.hint}\n\n{where}",
        )
    elif result.outcome in _SKIPPED:
        verdict = SkippedCase(message="; ".join(all_told(result.notes)) or _SKIPPED[result.outcome])
    return AccountRow(
        result=result,
        kind=kind,
        lines=changes.lines(result),
        notes=all_told(result.notes),
        case=result.name,
        verdict=verdict,
    )


def _verdict(report: Report, *, planned: bool) -> str:
    failed, pending = report.count(Outcome.FAILED), report.count(Outcome.PENDING)
    told = []
    if failed:
        told.append(f"{text.counted(failed, 'account')} failed")
    if pending:
        told.append(f"{text.counted(pending, 'account')} pending: run the same command again")
    if planned:
        changing = sum(bool(result.changes) for result in report.results)
        told.append(
            f"{text.counted(changing, 'account')} would change" if changing else "No changes"
        )
    return " · ".join(told) or _ALL_WELL[report.command]


def last_line(report: Report) -> str:
    """The line that counts: `Plan: 3 to create, 7 unchanged` or `12 accounts: 3 created, ...`."""
    planned = text.is_plan(report)
    numbers = [
        f"{number:,} {text.counted_word(outcome, report.command, planned=planned)}"
        for outcome in Outcome
        if (number := report.count(outcome))
    ]
    told = ", ".join(numbers) or "nothing selected"
    if planned:
        return f"Plan: {told}"
    took = text.seconds((report.finished_at - report.started_at).total_seconds())
    accounts = text.counted(len(report.results), "account")
    requests = text.counted(report.cloudcraft.requests, "request")
    return f"{accounts}: {told} · {took} · {requests} to Cloudcraft"


def _next_steps(report: Report) -> list[str]:
    """What to do about accounts that are not done."""
    pending, failed = report.count(Outcome.PENDING), report.count(Outcome.FAILED)
    told = []
    if failed and not text.is_plan(report):
        which = "it" if failed == 1 else "these"
        told.append(
            f"{text.counted(failed, 'account')} failed: fix {which} and run the same command again."
            " What is done stays done."
        )
    if pending:
        are = "is" if pending == 1 else "are"
        told.append(
            f"{text.counted(pending, 'account')} {are} pending: run the same command again to"
            " continue where this run stopped."
        )
    return told
