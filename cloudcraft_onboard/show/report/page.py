"""What the pages of a run and of a status share: one self-contained file, no network.

Every text is escaped, and none stands in the script. Chips, cards and tiles are buttons that choose
the rows with the same `data-` attribute.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import resources
from string import Template

from cloudcraft_onboard.coverage.words import State
from cloudcraft_onboard.model import Outcome, Problem
from cloudcraft_onboard.show import causes, changes, text

Kind = Outcome | State
"""What rows are counted, coloured and filtered by."""

_MOST_NAMES = 40
_LEAST_SHARE = 0.6  # percent of the chart below which a part could not be seen
_NARROWEST, _WIDEST = 9, 24  # characters of a column; what is longer is wrapped
# What is in backticks, and ARNs without the punctuation of the sentence.
_CODE = re.compile(r"`([^`]+)`|(arn:[\w-]+:[^\s,;)`]*[^\s,;)`.:])")


def render(
    *,
    title: str,
    heading: str,
    manifest: str,
    verdict: str,
    facts: str,
    kind: str,
    counted: Sequence[tuple[Kind, int, str]],
    sections: str,
    searched: str,
    heads: Iterable[str],
    rows: Iterable[str],
) -> str:
    """The page of plain texts, but for `sections`, `heads` and `rows`, which are HTML.

    `counted` are the kinds that there are, with their numbers and words; rows have theirs as
    `data-KIND`. `searched` is what the search is good for.
    """
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        title=escaped(title),
        heading=escaped(heading),
        manifest=escaped(manifest),
        verdict=escaped(verdict),
        facts=escaped(facts),
        kind=kind,
        chart=_chart(counted),
        chips=_joined(_chip(kind, *each) for each in counted),
        sections=sections,
        searched=searched,
        heads=_joined(heads),
        rows=_joined(rows),
    )


def _chart(counted: Sequence[tuple[Kind, int, str]]) -> str:
    total = sum(number for _, number, _ in counted)
    shares = ((each, max(number / total * 100, _LEAST_SHARE)) for each, number, _ in counted)
    return _joined(
        f'<i class="{each.word}" style="flex-grow:{share:.2f}"></i>' for each, share in shares
    )


def _chip(key: str, kind: Kind, number: int, word: str) -> str:
    meaning = f' title="{escaped(kind.meaning)}"' if isinstance(kind, State) else ""
    return (
        f'<button type="button" class="chip" data-{key}="{kind.word}" '
        f'aria-pressed="false"{meaning}><i class="{kind.word}" aria-hidden="true">'
        f"{kind.symbol}</i><b>{number:,}</b> {word}</button>"
    )


def escaped(value: str) -> str:
    """Text as HTML; a CI runner that prints the page finds no command of its own in it."""
    return html.escape(text.clean(value)).replace("##", "#&#35;")


def rich(value: str) -> str:
    """Text in which commands, keys and ARNs look like code."""
    parts = []
    end = 0
    for found in _CODE.finditer(value):
        code = escaped(found[1] or found[2])
        parts += [escaped(value[end : found.start()]), f"<code>{code}</code>"]
        end = found.end()
    return "".join([*parts, escaped(value[end:])])


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def at(when: datetime) -> str:
    """A moment, to the minute."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def section(title: str, articles: Iterable[str]) -> str:
    """A heading and its cards; nothing without a card."""
    found = _joined(articles)
    return f'<section class="groups"><h2>{title}</h2>{found}</section>' if found else ""


def names(of: Sequence[str]) -> str:
    """The accounts that a card is about, folded beyond some."""
    return f'<p class="names">{escaped(text.listed(of, _MOST_NAMES))}</p>'


def show(key: str, value: str, number: int) -> str:
    """The button of a card that shows its accounts, and no others, in the table."""
    which = f"these {text.counted(number, 'account')}" if number > 1 else "this account"
    return (
        f'<button type="button" class="show" data-{key}="{value}" aria-pressed="false">'
        f"Show {which}</button>"
    )


def cause_head(cause: causes.Cause) -> str:
    """What went wrong, and in how many accounts."""
    many = text.counted(len(cause.results), "account")
    return f'{escaped(causes.headline(cause.problem))} <small class="many">{many}</small>'


def cause_body(cause: causes.Cause) -> str:
    """What happened, and what to do about it."""
    problem = cause.problem
    hint = f'<p class="hint">→ {rich(problem.hint)}</p>' if problem.hint else ""
    return f"<p>{rich(problem.message)}</p>{hint}"


def lines(told: Iterable[changes.Line]) -> str:
    """Changes, each with what it makes."""
    return "".join(
        f"<div>{line.action.symbol} {line.action.word} <small>{rich(line.told)}</small></div>"
        for line in told
    )


def head(
    label: str, kind: str, *, fits: Iterable[str] = (), ordered: bool = False, title: str = ""
) -> str:
    """A column's head, which sorts by it; `ordered`: the rows come sorted by it.

    `fits`: the texts that it is to be wide enough for, within bounds. The browser does not look for
    the widest itself, which takes seconds in ten thousand rows.
    """
    order = ' aria-sort="ascending"' if ordered else ""
    hover = f' title="{title}"' if title else ""
    widest = min(max(map(text.width_of, fits), default=0), _WIDEST)
    width = f' style="width:{max(widest, _NARROWEST) * 0.62 + 2:.1f}em"' if widest else ""
    return (
        f'<th scope="col" class="{kind}"{order}{hover}{width}>'
        f'<button type="button">{label}</button></th>'
    )


def cell(kind: str, told: str, **attributes: object) -> str:
    """A cell of a row, `told` as HTML; `attributes` are its `data-` ones."""
    return f'<td class="{kind}"{_data(attributes.items())}>{told}</td>'


def row(cells: Iterable[str], **attributes: object) -> str:
    """A row; `attributes` are its `data-` ones, left out where they are empty."""
    return f"<tr{_data(attributes.items())}>{''.join(cells)}</tr>"


def _data(attributes: Iterable[tuple[str, object]]) -> str:
    return "".join(f' data-{name}="{value}"' for name, value in attributes if value != "")


def identity(name: str, account_id: str | None) -> Iterator[str]:
    """The cells that say which account it is."""
    yield cell("name", escaped(name))
    yield cell("id", escaped(account_id or ""))


def badge(kind: Kind, word: str, order: int) -> str:
    """The cell of a row's kind, sorted by `order`."""
    told = f'<span class="badge {kind.word}">{kind.symbol} {word}</span>'
    return cell("kind", told, key=order)


def remarks(problem: Problem | None, group: str, notes: Iterable[str]) -> str:
    """What else there is to say in a row; the hint stands in the card `group`."""
    error = ""
    if problem is not None:
        error = (
            f'<div class="error"><a href="#{group}">{escaped(causes.headline(problem))}</a> '
            f"{rich(problem.message)}</div>"
        )
    return error + "".join(f'<div class="note">{rich(note)}</div>' for note in notes)
