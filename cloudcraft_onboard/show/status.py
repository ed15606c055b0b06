"""Where the accounts stand, at a terminal: coverage, each OU's, and what is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Coverage, Standing, State, Status
from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.causes import Cause
from cloudcraft_onboard.show.causes import headline as cause_headline
from cloudcraft_onboard.show.table import printed

STYLES = {
    State.ONBOARDED: "green",
    State.DATADOG: "green",
    State.DISABLED: "dim",
    State.DRIFTED: "yellow",
    State.MISSING: "yellow",
    State.UNCOVERED: "bold yellow",
    State.UNREACHABLE: "bold red",
    State.UNLISTED: "magenta",
    State.GONE: "magenta",
}

_BAR = 32
_MOST_UNITS = 12
_MOST_ROWS = 8
_MOST_NAMES = 12
_MOST_NOTES = 20

headline = standing.headline


def render(status: Status, *, width: int, color: bool) -> str:
    """The status for a terminal `width` cells wide, or a file; without a newline in the end."""
    sections = [_coverage(status, width)]
    sections += [_group(status, state, width) for state in OPEN if status.count(state)]
    sections.append(_notes(status, width))
    lines = [line for section in sections if section for line in (*section, Text())]
    if status.settled:
        lines = [line for line in lines[:-1] if line.plain]
    lines += [Text(line, "bold") for line in text.wrapped(last_line(status).plain, width)]
    if status.settled:
        told = f"Nothing to do: {standing.sides(status)} agree."
        lines += [Text(line) for line in text.wrapped(told, width)]
    return printed(lines, width, color=color)


def last_line(status: Status) -> Text:
    """The line that counts."""
    return Text(standing.counts(status), "bold")


def _coverage(status: Status, width: int) -> list[Text]:
    coverage = status.coverage
    if not coverage.total:
        return [Text(line, "bold") for line in text.wrapped(headline(status), width)]
    head = f"Coverage {standing.percent(coverage)}"
    told = standing.seen(status)
    room = width - len(head) - text.width_of(told) - 4
    if room >= 8:  # noqa: PLR2004 - a shorter bar shows nothing
        lines = [Text.assemble((head, "bold"), "  ", _bar(coverage, min(room, _BAR)), f"  {told}")]
    else:
        bar = _bar(coverage, min(max(width - len(head) - 2, 0), _BAR))
        lines = [Text.assemble((head, "bold"), "  ", bar)]
        lines += [Text(line) for line in text.wrapped(told, width)]
    return lines + _units(status, width)


def _bar(coverage: Coverage, cells: int) -> Text:
    full = coverage.seen * cells // coverage.total if coverage.total else cells
    style = "green" if coverage.whole else "yellow"
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "dim"))


def _units(status: Status, width: int) -> list[Text]:
    """A line for each OU that lacks something."""
    units = status.by_unit()
    worst = standing.worst_first(units)
    if not worst or len(units) == 1:
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
    whole = len(units) - len(worst)
    more = [f"{text.counted(rest, 'more OU')} with gaps"] if rest else []
    more += [f"{text.counted(whole, 'OU')} fully covered"] if whole else []
    return [*lines, Text(f"  {', '.join(more)}", "dim")] if more else lines


def _group(status: Status, state: State, width: int) -> list[Text]:
    accounts = status.having(state)
    head = f"{state.symbol} {len(accounts):,} {state.word}: {state.meaning}"
    first, *more = text.wrapped(head, width)
    lines = [Text(first, STYLES[state]), *(Text(f"  {line}", STYLES[state]) for line in more)]
    lines += _rows([account for account in accounts if account.error is None], width)
    for cause in standing.problems(accounts):
        lines += _cause(cause, width)
    for command in advice.closing(status, state):
        purpose = f"{command.purpose}: " if command.purpose else ""
        # Never wrapped: a command is there to be copied.
        lines.append(Text.assemble("  → ", purpose, (command.command, "bold cyan")))
    return lines


def _rows(accounts: Sequence[Standing], width: int) -> list[Text]:
    shown = accounts if len(accounts) <= _MOST_ROWS else accounts[: _MOST_ROWS - 1]
    if not shown:
        return []
    names = _column((account.name for account in shown), width // 2 - 8)
    units = _column((standing.unit(a.ou) for a in shown if a.ou is not None), width // 3)
    lines = []
    for account in shown:
        parts = [text.column(text.clean(account.name), names), (account.account_id or "").ljust(12)]
        if units:
            unit = "" if account.ou is None else standing.unit(account.ou)
            parts.append(text.column(unit, units))
        # Accounts that are missing lack all of it, as a rule.
        if account.state is not State.MISSING:
            parts.append(text.action_words(account.changes))
        lines.append(Text(text.fit(f"    {'  '.join(parts)}".rstrip(), width)))
    rest = accounts[len(shown) :]
    if rest:
        names_of_rest = text.listed([account.name for account in rest], _MOST_NAMES)
        told = f"and {len(rest):,} more: {names_of_rest}"
        lines += [Text(line, "dim") for line in text.wrapped(told, width, indent="    ")]
    return lines


def _column(words: Iterable[str], most: int) -> int:
    """How wide a column is, 0 for one that holds nothing."""
    widest = max((text.width_of(text.clean(word)) for word in words), default=0)
    return min(widest, max(most, 8))


def _cause(cause: Cause, width: int) -> list[Text]:
    problem = cause.problem
    names = text.listed(cause.names, _MOST_NAMES)
    told = f"{cause_headline(problem)} in {names}: {problem.message}"
    lines = [Text(line) for line in text.wrapped(told, width, indent="    ")]
    if problem.hint:
        first, *more = text.wrapped(problem.hint, width - 2, indent="    ") or [""]
        lines += [Text(f"    → {first[4:]}"), *(Text(f"  {line}") for line in more)]
    return lines


def _notes(status: Status, width: int) -> list[Text]:
    found = standing.notes(status.accounts)
    if not found:
        return []
    lines = [Text("Notes", "bold")]
    for note, names in found[:_MOST_NOTES]:
        told = text.wrapped(f"{text.listed(names, 3)}: {note}", width - 2)
        lines += [
            Text(f"· {line}" if index == 0 else f"  {line}") for index, line in enumerate(told)
        ]
    rest = len(found) - _MOST_NOTES
    if rest > 0:
        lines.append(Text(f"· {text.counted(rest, 'more note')}, all of them in the reports"))
    return lines
