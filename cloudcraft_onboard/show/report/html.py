"""One self-contained HTML page: chart, search, filter, sort, failures with hints, no network."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC
from importlib import resources
from string import Template

from cloudcraft_onboard.model import Command, Outcome, Report, Result
from cloudcraft_onboard.show import causes, text

_ORDER = (
    Outcome.FAILED,
    Outcome.PENDING,
    Outcome.CREATED,
    Outcome.UPDATED,
    Outcome.REMOVED,
    Outcome.UNCHANGED,
    Outcome.SKIPPED,
)
_MOST_NAMES = 200
_LEAST_SHARE = 0.6  # percent of the chart below which a part could not be seen


def render(report: Report) -> str:
    """The report as a page. Every text of it is escaped; nothing stands in a script."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    planned = report.dry_run or report.command is Command.PLAN
    present = [outcome for outcome in _ORDER if report.count(outcome)]
    took = (report.finished_at - report.started_at).total_seconds()
    return Template(template).substitute(
        title=_text(f"onboard {'plan' if planned else report.command}: {report.manifest}"),
        heading="Plan" if planned else str(report.command).capitalize(),
        manifest=_text(report.manifest),
        verdict=_verdict(report, planned=planned),
        started=report.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        took=text.seconds(took),
        requests=text.counted(report.cloudcraft.requests, "request"),
        chart=_joined(_part(report, outcome) for outcome in present),
        filters=_joined(_filter(report, outcome, planned=planned) for outcome in present),
        total=text.number(len(report.results)),
        causes=_causes(report),
        done="To do" if planned else "Done",
        rows=_joined(_row(index, result) for index, result in enumerate(report.results)),
    )


def _text(value: str) -> str:
    return html.escape(text.clean(value)).replace("##", "#&#35;")


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _verdict(report: Report, *, planned: bool) -> str:
    failed, pending = report.count(Outcome.FAILED), report.count(Outcome.PENDING)
    told = []
    if failed:
        told.append(f"{text.counted(failed, 'account')} failed")
    if pending:
        told.append(f"{text.counted(pending, 'account')} pending: run the same command again")
    if told:
        return " · ".join(told)
    return "Nothing stands in the way" if planned else "Every selected account is done"


def _part(report: Report, outcome: Outcome) -> str:
    number = report.count(outcome)
    share = max(number / len(report.results) * 100, _LEAST_SHARE)
    return f'<i class="{outcome.word}" style="flex-grow:{share:.2f}"></i>'


def _filter(report: Report, outcome: Outcome, *, planned: bool) -> str:
    word = text.outcome_word(outcome, planned=planned)
    return (
        f'<button type="button" class="chip {outcome.word}" data-outcome="{outcome.word}" '
        f'aria-pressed="false"><i aria-hidden="true">{outcome.symbol}</i>'
        f"<b>{report.count(outcome):,}</b> {word}</button>"
    )


def _causes(report: Report) -> str:
    found = causes.causes(report.results)
    if not found:
        return ""
    return f'<section class="causes"><h2>Failures</h2>{_joined(map(_cause, found))}</section>'


def _cause(cause: causes.Cause) -> str:
    problem = cause.problem
    many = text.counted(len(cause.results), "account")
    hint = f'<p class="hint">→ {_text(problem.hint)}</p>' if problem.hint else ""
    names = _text(text.listed(cause.names, _MOST_NAMES))
    return (
        f"<article><h3>{_text(problem.code)} <small>{many} · {problem.stage}</small></h3>"
        f'<p>{_text(problem.message)}</p>{hint}<p class="names">{names}</p></article>'
    )


def _row(index: int, result: Result) -> str:
    outcome = result.outcome
    order = _ORDER.index(outcome)
    took = text.seconds(result.seconds) if result.seconds else ""
    return (
        f'<tr data-outcome="{outcome.word}" data-index="{index}">'
        f"<td>{_text(result.name)}</td><td>{_text(result.account_id or '')}</td>"
        f'<td data-key="{order}"><span class="badge {outcome.word}">'
        f"{outcome.symbol} {outcome.word}</span></td>"
        f"<td>{_done(result)}</td>"
        f'<td data-key="{result.seconds:.2f}">{took}</td></tr>'
    )


def _done(result: Result) -> str:
    parts = []
    for change in result.changes:
        why = text.why(change)
        told = f" <small>{_text(why)}</small>" if why else ""
        parts.append(f"<div>{change.action.symbol} {change.action.word}{told}</div>")
    if result.error is not None:
        problem = result.error
        parts.append(
            f'<div class="error">{_text(problem.code)}: {_text(problem.message)}</div>'
            f'<div class="hint">→ {_text(problem.hint)}</div>'
        )
    parts += [f'<div class="note">{_text(note)}</div>' for note in result.notes]
    return "".join(parts)
