"""Markdown for pull requests, issues and job summaries: what needs work first, the rest folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from cloudcraft_onboard.show import causes, changes, standing, text
from cloudcraft_onboard.show.causes import CauseGroup
from cloudcraft_onboard.show.changes import Block, ChangeLine
from cloudcraft_onboard.show.document import AccountRow, Covered, Document, Kind, Open

COMMENT_LIMIT = 65_000
"""GitHub takes 65,536 characters in a comment; the rest is for a mark that finds it again."""

_MOST = (10_000, 1_000, 200, 50, 20)  # accounts of a kind that are named, as far as they fit
_MOST_NAMES = 20
_MOST_CAUSES = 40
_MOST_UNITS = 30
_FEW = 8
_BAR = 10
_REST = "*This is not all: see the JSON or HTML report.*"
_CODE = re.compile(r"`([^`]+)`")
# What means something inside of a line of GitHub's Markdown, and at its start. Entities rather than
# backslashes: they hold in tables and in HTML, too.
_MEANING = re.compile(
    r"""(?P<mention>[@#])|[\\`*_{}\[\]<>&|~$^]|:(?=//)|(?<=www)\.|\A[+\-=:]
    |\A(?P<number>\d+)[.)](?=\s|\Z)""",
    re.IGNORECASE | re.VERBOSE,
)


def render(document: Document) -> str:
    """The report as GitHub-flavoured Markdown, short enough for a comment.

    The more accounts, the fewer of a kind are named; the last resort leaves kinds out.
    """
    for most in _MOST:
        told, whole = _fitting(_parts(document, most))
        if whole:
            break
    return "\n\n".join(told if whole else [*told, _REST]) + "\n"


def render_brief(document: Document) -> str:
    """The counts and what needs work only, each cause once."""
    return "\n\n".join(_brief(document)) + "\n"


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


def _parts(document: Document, most: int) -> Iterator[str]:
    yield from _brief(document)
    kinds = {kind.word: kind for kind, _ in document.kinds}
    if document.planned:
        yield from (_block(block, kinds[block.outcome.word], most) for block in document.blocks)
    told = {"failed"} if document.by == "outcome" else set()
    for kind, _ in document.kinds:
        rows = document.of(kind.word)
        if document.planned:
            rows = tuple(row for row in rows if not row.lines)
        if rows and kind.word not in told:
            yield _folded(document, kind, rows, most)
    yield from _notes(document, most)


def _brief(document: Document) -> Iterator[str]:
    title = f"### {document.mark} {document.title}: <code>{escaped(document.manifest)}</code>"
    yield f"{title}\n\n**{escaped(document.headline)}**"
    if document.totals != document.headline:
        yield escaped(document.totals)
    if document.calm:
        yield escaped(document.calm)
    if document.remark:
        yield rich(document.remark)
    if document.pending:
        many = text.counted(document.pending, "account")
        yield f"**{many} pending**: run the same command again to continue."
    if document.covered:
        yield from _units(document.covered)
    for some in document.open:
        yield from _open(some)
    found = sorted(document.causes, key=lambda each: -len(each.results))
    yield from map(_failure, found[:_MOST_CAUSES])
    rest = found[_MOST_CAUSES:]
    if rest:
        many = text.counted(sum(len(cause.results) for cause in rest), "account")
        yield f"*… and {text.counted(len(rest), 'more cause')}, {many}*"


def escaped(value: str) -> str:
    """`value` as text of one line that Markdown and HTML leave alone, also in a table's cell."""
    return _MEANING.sub(_meaningless, text.clean(value).strip())


def rich(value: str) -> str:
    """Text in which what stands in backticks, such as a command, looks like code."""
    parts = _CODE.split(text.clean(value))
    return "".join(
        f"<code>{escaped(part)}</code>" if index % 2 else _prose(part)
        for index, part in enumerate(parts)
    ).strip()


def _prose(part: str) -> str:
    """Escaped text that keeps a blank beside code."""
    before, after = " " * part.startswith(" "), " " * part.endswith(" ")
    return f"{before}{escaped(part)}{after}"


def _meaningless(found: re.Match[str]) -> str:
    if found["mention"]:
        # GitHub looks for people and issues in the rendered text, where an entity is gone again.
        return f"<span>{found[0]}</span>"
    return f"{found['number'] or ''}&#{ord(found[0][-1])};"


# --- what needs work ------------------------------------------------------------------------------


def _failure(cause: CauseGroup) -> str:
    problem = cause.problem
    many = text.counted(len(cause.results), "account")
    lines = [
        f"#### x {escaped(causes.headline(problem))}: {many}",
        escaped(text.listed(cause.names, _MOST_NAMES)),
        f"> {rich(problem.message)}",
    ]
    if problem.hint:
        lines.append(f"**→ {rich(problem.hint)}**")
    return "\n\n".join(lines)


def _open(some: Open) -> Iterator[str]:
    kind = some.kind
    yield f"#### {len(some.rows):,} {kind.word}: {escaped(kind.meaning)}"
    for cause in some.causes:
        problem = cause.problem
        names = escaped(text.listed(cause.names, _MOST_NAMES))
        told = f"> **{escaped(causes.headline(problem))}** in {names}: {rich(problem.message)}"
        yield f"{told}\n>\n> → {rich(problem.hint)}" if problem.hint else told
    for command in some.commands:
        purpose = f"{escaped(command.purpose)}: " if command.purpose else ""
        yield f"→ {purpose}<code>{escaped(command.command)}</code>"


def _units(covered: Covered) -> Iterator[str]:
    units, worst = covered.units, covered.worst_first()
    if not worst or len(units) == 1:
        return
    rows = []
    for path, coverage in worst[:_MOST_UNITS]:
        full = coverage.seen * _BAR // coverage.total
        bar = "█" * full + "░" * (_BAR - full)
        rows.append(
            f"| {escaped(standing.unit(path))} | {bar} {standing.percent(coverage)} "
            f"| {coverage.seen:,} of {coverage.total:,} |"
        )
    rest = len(units) - len(rows)
    if rest:
        gaps = len(worst) - len(rows)
        what = f"{text.counted(gaps, 'more OU')} with gaps, " if gaps else ""
        whole = text.counted(len(units) - len(worst), "OU")
        rows.append(f"| {what}{whole} fully covered | | |")
    yield "\n".join(["| OU | Coverage | Accounts |", "| --- | --- | ---: |", *rows])


# --- changes, and the accounts --------------------------------------------------------------------


def _block(block: Block, kind: Kind, most: int) -> str:
    """Accounts with identical changes: their names, and the changes once."""
    symbol = f"&#{ord(kind.symbol)};"
    lines = "\n".join(f"- {_line(line)}" for line in block.lines)
    if len(block.results) == 1:
        return f"#### {symbol} {escaped(text.title(block.results[0]))} {kind.label}\n\n{lines}"
    head = f"#### {symbol} {text.counted(len(block.results), 'account')} {kind.label}"
    names = escaped(text.listed(block.names, most))
    if len(block.results) > _FEW:
        few = escaped(text.listed(block.names, _FEW))
        names = f"<details>\n<summary>{few}</summary>\n\n{names}\n\n</details>"
    return f"{head}\n\n{names}\n\n{lines}"


def _line(line: ChangeLine) -> str:
    told = f" {rich(line.told)}" if line.told else ""
    return f"&#{ord(line.action.symbol)}; <code>{line.action.word}</code>{told}"


def _folded(document: Document, kind: Kind, rows: Sequence[AccountRow], most: int) -> str:
    columns = ["Account", "ID", "Changes", text.TIME]
    if document.by == "state":
        columns = ["Account", "ID", "OU", "To do"]
        told = [_standing(row) for row in rows]
    else:
        told = list(_results(rows, most))
    shown = [f"| {' | '.join(cells)} |" for cells in told[:most]]
    more = f"\n\n*… and {len(told) - most:,} more*" if len(told) > most else ""
    rules = ["---:" if column == text.TIME else "---" for column in columns]
    table = "\n".join([f"| {' | '.join(each)} |" for each in (columns, rules)] + shown)
    head = f"{html.escape(kind.symbol)} {len(rows):,} {kind.counted}"
    return f"<details>\n<summary>{head}</summary>\n\n{table}{more}\n\n</details>"


def _results(rows: Iterable[AccountRow], most: int) -> Iterator[tuple[str, ...]]:
    """A row for each account, or for all that have the same changes."""
    blocks = {id(block.results[0]): block for block in changes.blocks(row.result for row in rows)}
    for row in rows:
        result = row.result
        block = blocks.get(id(result))
        if result.changes and block is None:
            continue  # told with the first one of its block
        lines = block.lines if block else row.lines
        done = "<br>".join(map(_line, lines))
        if block and len(block.results) > 1:
            many = text.counted(len(block.results), "account")
            yield escaped(text.listed(block.names, most)), many, done, ""
        else:
            took = text.seconds(result.seconds) if result.seconds else ""
            yield escaped(result.name), result.account_id or "", done, escaped(took)


def _standing(row: AccountRow) -> tuple[str, ...]:
    unit = escaped(standing.unit(row.unit)) if row.unit is not None else ""
    to_do = escaped(text.actions(row.result))
    return escaped(row.result.name), row.result.account_id or "", unit, to_do


def _notes(document: Document, most: int) -> Iterator[str]:
    found = document.notes
    if found:
        lines = "\n".join(
            f"- {escaped(text.listed(names, 3))}: {rich(note)}" for note, names in found[:most]
        )
        more = f"\n- … and {len(found) - most:,} more" if len(found) > most else ""
        yield f"<details>\n<summary>Notes</summary>\n\n{lines}{more}\n\n</details>"
