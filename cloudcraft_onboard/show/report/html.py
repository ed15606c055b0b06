"""One self-contained HTML page: chart, search, filter, sort, failures with hints, no network."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from importlib import resources
from itertools import count
from string import Template

from cloudcraft_onboard.model import Command, Outcome, Report, Result
from cloudcraft_onboard.show import causes, changes, text

_ORDER = (
    Outcome.FAILED,
    Outcome.PENDING,
    Outcome.CREATED,
    Outcome.UPDATED,
    Outcome.REMOVED,
    Outcome.UNCHANGED,
    Outcome.SKIPPED,
)
_MOST_NAMES = 40
_ALL_WELL = {
    Command.RUN: "All accounts are onboarded",
    Command.REMOVE: "All accounts are removed",
}
# What is in backticks, and ARNs without the punctuation of the sentence.
_CODE = re.compile(r"`([^`]+)`|(arn:[\w-]+:[^\s,;)`]*[^\s,;)`.:])")
_LEAST_SHARE = 0.6  # percent of the chart below which a part could not be seen


def render(report: Report) -> str:
    """The report as a page. Every text of it is escaped; nothing stands in a script."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    planned = text.is_plan(report)
    present = [outcome for outcome in _ORDER if report.count(outcome)]
    took = (report.finished_at - report.started_at).total_seconds()
    failures = causes.causes(report.results)
    blocks = [
        block
        for block in (changes.blocks(report.results) if planned else ())
        if len(block.results) > 1
    ]
    groups = {
        id(result): name
        for name, results in (
            *zip(_ids("c"), (cause.results for cause in failures), strict=False),
            *zip(_ids("g"), (block.results for block in blocks), strict=False),
        )
        for result in results
    }
    ordered = sorted(report.results, key=lambda result: _ORDER.index(result.outcome))
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
        total=text.counted(len(report.results), "account"),
        causes=_section("Failures", map(_cause, failures, _ids("c"))),
        changes=_section("Changes", map(_block, blocks, _ids("g"))),
        done="Changes",
        time=text.TIME,
        rows=_joined(
            _row(index, result, groups.get(id(result), ""), planned=planned)
            for index, result in enumerate(ordered)
        ),
    )


def _ids(letter: str) -> Iterator[str]:
    return (f"{letter}{number}" for number in count(1))


def _text(value: str) -> str:
    return html.escape(text.clean(value)).replace("##", "#&#35;")


def _rich(value: str) -> str:
    """Text in which commands, keys and ARNs look like code."""
    parts = []
    end = 0
    for found in _CODE.finditer(value):
        parts += [_text(value[end : found.start()]), f"<code>{_text(found[1] or found[2])}</code>"]
        end = found.end()
    return "".join([*parts, _text(value[end:])])


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)


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


def _section(title: str, articles: Iterable[str]) -> str:
    found = _joined(articles)
    return f'<section class="groups"><h2>{title}</h2>{found}</section>' if found else ""


def _article(name: str, kind: str, head: str, body: str, names: Sequence[str]) -> str:
    """A card about accounts that have something in common, with a filter that shows them."""
    many = text.counted(len(names), "account")
    return (
        f'<article id="{name}" class="{kind}"><h3>{head}</h3>{body}'
        f'<p class="names">{_text(text.listed(names, _MOST_NAMES))}</p>'
        f'<button type="button" class="show" data-group="{name}" aria-pressed="false">'
        f"Show {f'these {many}' if len(names) > 1 else 'this account'}</button></article>"
    )


def _cause(cause: causes.Cause, name: str) -> str:
    problem = cause.problem
    many = text.counted(len(cause.results), "account")
    head = f"{_text(causes.headline(problem))} <small>{many}</small>"
    hint = f'<p class="hint">→ {_rich(problem.hint)}</p>' if problem.hint else ""
    return _article(name, "failed", head, f"<p>{_rich(problem.message)}</p>{hint}", cause.names)


def _block(block: changes.Block, name: str) -> str:
    outcome = block.outcome
    word = text.outcome_word(outcome, planned=True)
    head = f"{outcome.symbol} {text.counted(len(block.results), 'account')} {word}"
    return _article(name, outcome.word, head, _lines(block.lines), block.names)


def _row(index: int, result: Result, group: str, *, planned: bool) -> str:
    outcome = result.outcome
    order = _ORDER.index(outcome)
    took = text.seconds(result.seconds) if result.seconds else ""
    grouped = f' data-group="{group}"' if group else ""
    return (
        f'<tr data-outcome="{outcome.word}" data-index="{index}"{grouped}>'
        f"<td>{_text(result.name)}</td><td>{_text(result.account_id or '')}</td>"
        f'<td data-key="{order}"><span class="badge {outcome.word}">'
        f"{outcome.symbol} {text.outcome_word(outcome, planned=planned)}</span></td>"
        f"<td>{_done(result, group)}</td>"
        f'<td data-key="{result.seconds:.2f}">{took}</td></tr>'
    )


def _done(result: Result, group: str) -> str:
    parts = []
    if group.startswith("g"):
        parts.append(f'<a href="#{group}">{_text(text.actions(result))}</a>')
    else:
        parts.append(_lines(changes.lines(result)))
    if result.error is not None:
        problem = result.error
        parts.append(
            f'<div class="error"><a href="#{group}">{_text(causes.headline(problem))}</a> '
            f"{_rich(problem.message)}</div>"
        )
    parts += [f'<div class="note">{_rich(note)}</div>' for note in result.notes]
    return "".join(parts)


def _lines(told: Iterable[changes.Line]) -> str:
    return "".join(
        f"<div>{line.action.symbol} {line.action.word} <small>{_rich(line.told)}</small></div>"
        for line in told
    )
