"""Markdown for pull requests and job summaries: failures first, the rest folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from cloudcraft_onboard.model import Outcome, Report, Result
from cloudcraft_onboard.show import causes, changes, text
from cloudcraft_onboard.show.table import last_line

COMMENT_LIMIT = 65_000
"""GitHub takes 65,536 characters in a comment; the rest is for a mark that finds it again."""

_MOST = (10_000, 1_000, 200, 50, 20)  # accounts of a kind that are named, as far as they fit
_MOST_NAMES = 20
_MOST_CAUSES = 40
_FEW = 8
_REST = "*This is not all: see the JSON or HTML report.*"
# What means something inside of a line of GitHub's Markdown, and at its start. Entities rather than
# backslashes: they hold in tables and in HTML, too.
_MEANING = re.compile(
    r"""(?P<mention>[@#])|[\\`*_{}\[\]<>&|~$^]|:(?=//)|(?<=www)\.|\A[+\-=:]
    |\A(?P<number>\d+)[.)](?=\s|\Z)""",
    re.IGNORECASE | re.VERBOSE,
)


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown, short enough for a comment.

    The more accounts, the fewer of a kind are named; the last resort leaves kinds out.
    """
    for most in _MOST:
        told, whole = _fitting(_parts(report, most))
        if whole:
            break
    return "\n\n".join(told if whole else [*told, _REST]) + "\n"


def _fitting(parts: Iterator[str]) -> tuple[list[str], bool]:
    """As many whole parts as fit, and whether they are all."""
    told: list[str] = []
    room = COMMENT_LIMIT - len(_REST) - 1
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            return told, False
        told.append(part)
    return told, True


def _parts(report: Report, most: int) -> Iterator[str]:
    yield from _brief(report)
    if text.is_plan(report):
        yield from (_block(block, most) for block in changes.blocks(report.results))
    for outcome in Outcome:
        results = [result for result in report.results if result.outcome is outcome]
        if text.is_plan(report):
            results = [result for result in results if not result.changes]
        if results and outcome is not Outcome.FAILED:
            yield _folded(report, outcome, results, most)
    yield from _notes(report, most)


def render_brief(report: Report) -> str:
    """The counts and the failures only, each cause once."""
    return "\n\n".join(_brief(report)) + "\n"


def _brief(report: Report) -> Iterator[str]:
    yield _head(report)
    unfinished = report.count(Outcome.PENDING)
    if unfinished:
        many = text.counted(unfinished, "account")
        yield f"**{many} pending**: run the same command again to continue."
    found = sorted(causes.causes(report.results), key=lambda each: -len(each.results))
    yield from map(_failure, found[:_MOST_CAUSES])
    rest = found[_MOST_CAUSES:]
    if rest:
        many = text.counted(sum(len(cause.results) for cause in rest), "account")
        yield f"*… and {text.counted(len(rest), 'more cause')}, {many}*"


def escaped(value: str) -> str:
    """`value` as text of one line that Markdown and HTML leave alone, also in a table's cell."""
    return _MEANING.sub(_meaningless, text.clean(value).strip())


def _meaningless(found: re.Match[str]) -> str:
    if found["mention"]:
        # GitHub looks for people and issues in the rendered text, where an entity is gone again.
        return f"<span>{found[0]}</span>"
    return f"{found['number'] or ''}&#{ord(found[0][-1])};"


def _head(report: Report) -> str:
    planned = text.is_plan(report)
    what = "onboard plan" if planned else f"onboard {report.command}"
    mark = "❌" if report.count(Outcome.FAILED) else "⏳" if report.count(Outcome.PENDING) else "✅"
    return f"### {mark} {what}: {_code(report.manifest)}\n\n**{escaped(last_line(report).plain)}**"


def _code(value: str) -> str:
    return f"<code>{escaped(value)}</code>"


def _failure(cause: causes.Cause) -> str:
    problem = cause.problem
    many = text.counted(len(cause.results), "account")
    lines = [
        f"#### x {escaped(causes.headline(problem))}: {many}",
        escaped(text.listed(cause.names, _MOST_NAMES)),
        f"> {escaped(problem.message)}",
    ]
    if problem.hint:
        lines.append(f"**→ {escaped(problem.hint)}**")
    return "\n\n".join(lines)


def _block(block: changes.Block, most: int) -> str:
    """Accounts with identical changes: their names, and the changes once."""
    first, outcome = block.results[0], block.outcome
    word = text.outcome_word(outcome, planned=True)
    symbol = f"&#{ord(outcome.symbol)};"
    lines = "\n".join(f"- {_line(line)}" for line in block.lines)
    if len(block.results) == 1:
        return f"#### {symbol} {escaped(text.title(first))} {word}\n\n{lines}"
    head = f"#### {symbol} {text.counted(len(block.results), 'account')} {word}"
    names = escaped(text.listed(block.names, most))
    if len(block.results) > _FEW:
        few = escaped(text.listed(block.names, _FEW))
        names = f"<details>\n<summary>{few}</summary>\n\n{names}\n\n</details>"
    return f"{head}\n\n{names}\n\n{lines}"


def _line(line: changes.Line) -> str:
    told = f" {escaped(line.told)}" if line.told else ""
    return f"&#{ord(line.action.symbol)}; <code>{line.action.word}</code>{told}"


def _folded(report: Report, outcome: Outcome, results: Sequence[Result], most: int) -> str:
    word = text.outcome_word(outcome, planned=text.is_plan(report))
    head = f"{html.escape(outcome.symbol)} {len(results):,} {word}"
    rows = "\n".join(map(_row, results[:most]))
    more = f"\n\n*… and {len(results) - most:,} more*" if len(results) > most else ""
    return (
        f"<details>\n<summary>{head}</summary>\n\n"
        f"| Account | ID | Changes | {text.TIME} |\n| --- | --- | --- | ---: |\n{rows}{more}"
        "\n\n</details>"
    )


def _row(result: Result) -> str:
    done = "<br>".join(map(_line, changes.lines(result)))
    took = text.seconds(result.seconds) if result.seconds else ""
    return f"| {escaped(result.name)} | {result.account_id or ''} | {done} | {escaped(took)} |"


def _notes(report: Report, most: int) -> Iterator[str]:
    found = causes.notes(report.results)
    if found:
        lines = "\n".join(
            f"- {escaped(text.listed(names, 3))}: {escaped(note)}" for note, names in found[:most]
        )
        more = f"\n- … and {len(found) - most:,} more" if len(found) > most else ""
        yield f"<details>\n<summary>Notes</summary>\n\n{lines}{more}\n\n</details>"
