"""Markdown for pull requests and job summaries: failures first, the rest folded."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from cloudcraft_onboard.model import Command, Outcome, Report, Result
from cloudcraft_onboard.show import causes, text
from cloudcraft_onboard.show.table import last_line

_MOST_NAMES = 20
# What means something inside of a line of GitHub's Markdown, and at its start. Entities rather than
# backslashes: they hold in tables and in HTML, too.
_MEANING = re.compile(
    r"""(?P<mention>[@#])|[\\`*_{}\[\]<>&|~$^]|:(?=//)|(?<=www)\.|\A[+\-=:]
    |\A(?P<number>\d+)[.)](?=\s|\Z)""",
    re.IGNORECASE | re.VERBOSE,
)


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown."""
    parts = [render_brief(report).rstrip()]
    for outcome in Outcome:
        results = [result for result in report.results if result.outcome is outcome]
        if results and outcome is not Outcome.FAILED:
            parts.append(_folded(report, outcome, results))
    parts += _notes(report)
    return "\n\n".join(parts) + "\n"


def render_brief(report: Report) -> str:
    """The counts and the failures only, each cause once."""
    parts = [_head(report), *_failures(report)]
    unfinished = report.count(Outcome.PENDING)
    if unfinished:
        many = text.counted(unfinished, "account")
        parts.append(f"**{many} pending**: run the same command again to go on.")
    return "\n\n".join(parts) + "\n"


def escaped(value: str) -> str:
    """`value` as text of one line that Markdown and HTML leave alone, also in a table's cell."""
    return _MEANING.sub(_meaningless, text.clean(value).strip())


def _meaningless(found: re.Match[str]) -> str:
    if found["mention"]:
        # GitHub looks for people and issues in the rendered text, where an entity is gone again.
        return f"<span>{found[0]}</span>"
    return f"{found['number'] or ''}&#{ord(found[0][-1])};"


def _head(report: Report) -> str:
    planned = _planned(report)
    what = "onboard plan" if planned else f"onboard {report.command}"
    mark = "❌" if report.count(Outcome.FAILED) else "⏳" if report.count(Outcome.PENDING) else "✅"
    return f"### {mark} {what}: {_code(report.manifest)}\n\n**{escaped(last_line(report).plain)}**"


def _planned(report: Report) -> bool:
    return report.dry_run or report.command is Command.PLAN


def _code(value: str) -> str:
    return f"<code>{escaped(value)}</code>"


def _failures(report: Report) -> list[str]:
    parts = []
    for cause in causes.causes(report.results):
        problem = cause.problem
        names = text.listed(cause.names, _MOST_NAMES)
        many = text.counted(len(cause.results), "account")
        lines = [
            f"#### x {escaped(problem.code)}: {many} failed",
            f"{escaped(names)}",
            f"> {escaped(problem.message)}",
        ]
        if problem.hint:
            lines.append(f"**→ {escaped(problem.hint)}**")
        parts.append("\n\n".join(lines))
    return parts


def _folded(report: Report, outcome: Outcome, results: Sequence[Result]) -> str:
    word = text.outcome_word(outcome, planned=_planned(report))
    head = f"{html.escape(outcome.symbol)} {len(results):,} {word}"
    done = "To do" if _planned(report) else "Done"
    rows = "\n".join(_row(result) for result in results)
    return (
        f"<details>\n<summary>{head}</summary>\n\n"
        f"| Account | ID | {done} | Time |\n| --- | --- | --- | ---: |\n{rows}\n\n</details>"
    )


def _row(result: Result) -> str:
    reasons = [
        f"{change.action.symbol} {change.action.word}"
        + (f" {text.why(change)}" if text.why(change) else "")
        for change in result.changes
    ]
    done = "<br>".join(map(escaped, reasons))
    took = text.seconds(result.seconds) if result.seconds else ""
    return f"| {escaped(result.name)} | {result.account_id or ''} | {done} | {escaped(took)} |"


def _notes(report: Report) -> list[str]:
    found = causes.notes(report.results)
    if not found:
        return []
    lines = "\n".join(
        f"- {escaped(text.listed(names, 3))}: {escaped(note)}" for note, names in found
    )
    return [f"<details>\n<summary>Notes</summary>\n\n{lines}\n\n</details>"]
