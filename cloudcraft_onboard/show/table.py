"""A report as people read it on stdout: tables, diffs, coverage, what failed and what to do."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from cloudcraft_onboard.coverage.words import Coverage
from cloudcraft_onboard.show import causes, standing, text
from cloudcraft_onboard.show.causes import CauseGroup
from cloudcraft_onboard.show.changes import Block, ChangeLine
from cloudcraft_onboard.show.document import AccountRow, Covered, Document, Kind, Open

_CALM = ("unchanged", "pending", "skipped")
_MOST_CALM, _MOST_ROWS = 20, 50  # of one outcome; nobody reads more of them one by one
_MOST_OPEN = 8  # of one state, which the command below takes all the same
_MOST_NAMES = 12
_MOST_NOTES = 20
_MOST_UNITS = 12
_ID, _OUTCOME = 12, 11
_BAR = 32
_LEAST_NAME = 12
_BESIDE_FROM = 36  # cells for name and actions together from which on they go side by side


def render(
    document: Document,
    *,
    width: int,
    color: bool,
    forecast: str | None = None,
    each: bool = False,
) -> str:
    """The report for a terminal `width` cells wide, or a file; without a newline at its end.

    `forecast` is a sentence on how long a run of this plan will take. `each`: nothing is folded.
    """
    sections = [
        _coverage(document.covered, document.headline, width) if document.covered else [],
        *(_open(some, width) for some in document.open),
        _body(document, width, each=each) if document.by == "outcome" else [],
        failures(document.causes, width),
        _notes(document, width),
    ]
    lines = [line for section in sections if section for line in (*section, Text())]
    if document.calm:  # three lines are enough
        lines = [line for line in lines if line.plain]
    lines += _prose(document.totals, width, style="bold")
    lines += _prose(document.calm, width)
    lines += _prose(document.remark, width)
    lines += _prose(forecast or "", width)
    steps = [line for each_step in document.next_steps for line in _prose(each_step, width)]
    lines += [Text(), *steps] if steps else []
    return _printed(lines, width, color=color)


def _printed(lines: Iterable[Text], width: int, *, color: bool) -> str:
    """The lines as text for a terminal, or without any colour."""
    if not color:
        return "\n".join(line.plain.rstrip() for line in lines)
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        soft_wrap=True,
    )
    for line in lines:
        line.rstrip()
        console.print(line)
    return file.getvalue().rstrip("\n")


def _prose(
    told: str, width: int, *, first: str = "", indent: str | None = None, style: str = ""
) -> list[Text]:
    """`told` behind `first`, wrapped; what does not fit follows behind `indent`."""
    indent = " " * text.width_of(first) if indent is None else indent
    lines = text.wrapped(told, width, indent=indent)
    return [
        Text(first + line[len(indent) :] if index == 0 else line, style)
        for index, line in enumerate(lines)
    ]


# --- a run: one row for each account --------------------------------------------------------------


def _body(document: Document, width: int, *, each: bool) -> list[Text]:
    if document.planned:
        return _plan(document, width, each=each)
    crowds = [
        (kind, number)
        for kind, number in document.kinds
        if not each and number > (_MOST_CALM if kind.word in _CALM else _MOST_ROWS)
    ]
    folded = {kind.word for kind, _ in crowds}
    shown = [row for row in document.rows if row.kind.word not in folded]
    lines = _table(shown, width) if shown else []
    for kind, number in crowds:
        many = text.counted(number, "account")
        lines.append(Text(f"{kind.symbol} {kind.word.ljust(9)}  {many}", kind.style))
    return lines


def _table(rows: Sequence[AccountRow], width: int) -> list[Text]:
    times = [text.seconds(row.result.seconds) if row.result.seconds else "" for row in rows]
    time_width = max(len(text.TIME), *map(len, times))
    # The narrowest do without the column of times.
    timed = width >= _ID + _OUTCOME + time_width + 6 + _LEAST_NAME
    free = width - _ID - _OUTCOME - (time_width + 6 if timed else 4)
    free = max(free, _LEAST_NAME)
    widest = max(7, *(text.width_of(text.clean(row.result.name)) for row in rows))
    most_done = max(4, *(len(text.actions(row.result)) for row in rows))
    # Narrow terminals get what was done on a line of its own, rather than in a strip of a column.
    beside = free >= _BESIDE_FROM
    names = min(widest, max(free // 2, free - most_done - 2) if beside else free)
    done = min(most_done, free - names - 2) if beside else 0
    head = ["Account".ljust(names), "ID".ljust(_ID), "Outcome".ljust(_OUTCOME)]
    head += ["Done".ljust(done)] if beside else []
    head += [text.TIME.rjust(time_width)] if timed else []
    lines = [Text("  ".join(head), "bold")]
    for row, time in zip(rows, times, strict=True):
        lines += _row(row, names, done, f"  {time.rjust(time_width)}" if timed else "", width)
    return lines


def _row(row: AccountRow, names: int, done: int, time: str, width: int) -> list[Text]:
    result, kind = row.result, row.kind
    actions = text.actions(result)
    if done:
        first, *more = text.wrapped(actions, done) or [""]
        told, indent = f"  {first.ljust(done)}", " " * (names + _ID + _OUTCOME + 6)
    else:
        told, indent, more = "", "    ", text.wrapped(actions, width - 4)
    line = Text.assemble(
        text.column(text.clean(result.name), names),
        f"  {(result.account_id or '').ljust(_ID)}  ",
        (f"{kind.symbol} {kind.word}".ljust(_OUTCOME), kind.style),
        f"{told}{time}",
    )
    return [line, *(Text(indent + rest) for rest in more)]


# --- a plan: what would change, told once for all of its accounts ---------------------------------


def _plan(document: Document, width: int, *, each: bool) -> list[Text]:
    """The diff; failed accounts are told elsewhere."""
    kinds = {kind.word: kind for kind, _ in document.kinds}
    lines: list[Text] = []
    for block in document.blocks:
        lines += [*_block(block, kinds[block.outcome.word], width), Text()]
    for word in _CALM:
        lines += _calm(document.of(word), width, each=each)
    if lines and not lines[-1].plain:
        lines.pop()
    return lines


def _block(block: Block, kind: Kind, width: int) -> list[Text]:
    style = f"bold {kind.style}"
    if len(block.results) == 1:
        (result,) = block.results
        head = [_one(result.name, result.account_id, kind, style, width)]
    else:
        many = text.counted(len(block.results), "account")
        names = _prose(text.listed(block.names, _MOST_NAMES), width, first="  ")
        head = [Text(f"{kind.symbol} {many} {kind.label}", style), *names]
    return [*head, *_changes(block.lines, width)]


def _one(name: str, account_id: str | None, kind: Kind, style: str, width: int) -> Text:
    name = text.fit(text.clean(name), max(width - 30, 10))
    tail = "  ".join(filter(None, (account_id, kind.label)))
    return Text.assemble((f"{kind.symbol} {name}", style), f"  {tail}")


def _changes(told: Sequence[ChangeLine], width: int) -> list[Text]:
    words = max((len(line.action.word) for line in told), default=0)
    # On narrow terminals what a change makes stands below it.
    beside = width >= words + 8 + _BESIDE_FROM
    indent = words + 8 if beside else 8
    shown: list[Text] = []
    for line in told:
        lines = text.wrapped(line.told, max(width - indent, 16))
        first = f"  {lines.pop(0)}" if beside and lines else ""
        action = f"{line.action.symbol} {line.action.word.ljust(words)}"
        shown.append(Text.assemble("    ", (action, text.action_style(line.action)), first))
        shown += [Text(" " * indent + rest) for rest in lines]
    return shown


def _calm(rows: Sequence[AccountRow], width: int, *, each: bool) -> list[Text]:
    if not rows:
        return []
    kind = rows[0].kind
    if each or len(rows) == 1:
        results = [row.result for row in rows]
        return [_one(one.name, one.account_id, kind, kind.style, width) for one in results]
    head = Text(f"{kind.symbol} {text.counted(len(rows), 'account')} {kind.counted}", kind.style)
    if len(rows) > _MOST_NAMES:
        return [head]
    names = text.listed([row.result.name for row in rows], _MOST_NAMES)
    return [head, *_prose(names, width, first="  ", style="dim")]


# --- what failed, and what else there is to say ---------------------------------------------------


def failures(found: Iterable[CauseGroup], width: int) -> list[Text]:
    """Every cause once: its count and accounts, what happened, what to do next."""
    lines: list[Text] = []
    for cause in found:
        problem = cause.problem
        if lines:
            lines.append(Text())
        if len(cause.results) == 1:
            who = f": {text.title(cause.results[0])}"
        else:
            names = text.listed(cause.names, _MOST_NAMES)
            who = f", {text.counted(len(cause.results), 'account')}: {names}"
        lines += _prose(f"{causes.headline(problem)}{who}", width, first="x ", style="bold red")
        lines += _prose(problem.message, width, first="  ")
        lines += _prose(problem.hint, width, first="  → ")
    return lines


def _notes(document: Document, width: int) -> list[Text]:
    found = document.notes
    if not found:
        return []
    lines = [Text("Notes", "bold")]
    for note, names in found[:_MOST_NOTES]:
        lines += _prose(f"{text.listed(names, 3)}: {note}", width, first="· ")
    rest = len(found) - _MOST_NOTES
    if rest > 0:
        lines.append(Text(f"· {text.counted(rest, 'more note')}, all of them in the reports"))
    return lines


# --- a status: what Cloudcraft sees, and what is open ---------------------------------------------


def _coverage(covered: Covered, headline: str, width: int) -> list[Text]:
    coverage = covered.whole
    if not coverage.total:
        return _prose(headline, width, style="bold")
    head = f"Coverage {standing.percent(coverage)}"
    room = width - len(head) - text.width_of(covered.told) - 4
    if room >= 8:  # noqa: PLR2004 - a shorter bar shows nothing
        bar = _bar(coverage, min(room, _BAR))
        lines = [Text.assemble((head, "bold"), "  ", bar, f"  {covered.told}")]
    else:
        bar = _bar(coverage, min(max(width - len(head) - 2, 0), _BAR))
        lines = [Text.assemble((head, "bold"), "  ", bar), *_prose(covered.told, width)]
    return lines + _units(covered, width)


def _bar(coverage: Coverage, cells: int) -> Text:
    full = coverage.seen * cells // coverage.total if coverage.total else cells
    style = "green" if coverage.whole else "yellow"
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"))


def _units(covered: Covered, width: int) -> list[Text]:
    """A line for each OU that lacks something."""
    worst = covered.worst_first()
    if not worst or len(covered.units) == 1:
        return []
    shown = worst[:_MOST_UNITS]
    shares = [f"{c.seen:,} of {c.total:,}" for _, c in shown]
    tail = max(map(len, shares))
    widest = max(text.width_of(standing.unit(path)) for path, _ in shown)
    names = min(widest, max(width - tail - 12, 8))
    cells = min(max(width - names - tail - 14, 0), _BAR // 2)
    lines = [Text()]
    for (path, coverage), share in zip(shown, shares, strict=True):
        name = text.column(standing.unit(path), names)
        line = Text(f"  {name}  {standing.percent(coverage).rjust(6)}  ")
        if cells:
            line.append_text(_bar(coverage, cells)).append("  ")
        lines.append(line.append(share.rjust(tail)))
    rest = len(worst) - len(shown)
    whole = len(covered.units) - len(worst)
    more = [f"{text.counted(rest, 'more OU')} with gaps"] if rest else []
    more += [f"{text.counted(whole, 'OU')} fully covered"] if whole else []
    return [*lines, Text(f"  {', '.join(more)}", "dim")] if more else lines


def _open(some: Open, width: int) -> list[Text]:
    kind = some.kind
    head = f"{kind.symbol} {len(some.rows):,} {kind.word}: {kind.meaning}"
    lines = _prose(head, width, indent="  ", style=kind.style)
    lines += _open_rows([row for row in some.rows if row.result.error is None], width)
    for cause in some.causes:
        names = text.listed(cause.names, _MOST_NAMES)
        told = f"{causes.headline(cause.problem)} in {names}: {cause.problem.message}"
        lines += _prose(told, width, first="    ")
        lines += _prose(cause.problem.hint, width, first="    → ")
    for command in some.commands:
        purpose = f"{command.purpose}: " if command.purpose else ""
        # Never wrapped: a command is there to be copied.
        lines.append(Text.assemble("  → ", purpose, (command.command, "bold cyan")))
    return lines


def _open_rows(rows: Sequence[AccountRow], width: int) -> list[Text]:
    shown = rows if len(rows) <= _MOST_OPEN else rows[: _MOST_OPEN - 1]
    if not shown:
        return []
    names = _column((row.result.name for row in shown), width // 2 - 8)
    units = _column((standing.unit(r.unit) for r in shown if r.unit is not None), width // 3)
    lines = []
    for row in shown:
        result = row.result
        parts = [text.column(text.clean(result.name), names), (result.account_id or "").ljust(_ID)]
        if units:
            unit = "" if row.unit is None else standing.unit(row.unit)
            parts.append(text.column(unit, units))
        if row.lines:
            parts.append(text.actions(result))
        lines.append(Text(text.fit(f"    {'  '.join(parts)}".rstrip(), width)))
    rest = rows[len(shown) :]
    if rest:
        listed = text.listed([row.result.name for row in rest], _MOST_NAMES)
        lines += _prose(f"and {len(rest):,} more: {listed}", width, first="    ", style="dim")
    return lines


def _column(words: Iterable[str], most: int) -> int:
    """How wide a column is, 0 for one that holds nothing."""
    widest = max((text.width_of(text.clean(word)) for word in words), default=0)
    return min(widest, max(most, 8))
