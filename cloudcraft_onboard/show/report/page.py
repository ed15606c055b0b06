"""The parts of a page. Every text is escaped here, and none stands in the page's script.

Chips, cards and tiles are buttons that choose the rows with the same `data-` attribute.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from cloudcraft_onboard.model import Problem
from cloudcraft_onboard.show import causes, changes, text
from cloudcraft_onboard.show.document import Kind

_MOST_NAMES = 40
_LEAST_SHARE = 0.6  # percent of the chart below which a part could not be seen
_NARROWEST, _WIDEST = 9, 24  # characters of a column; what is longer is wrapped
# What is in backticks, and ARNs without the punctuation of the sentence.
_CODE = re.compile(r"`([^`]+)`|(arn:[\w-]+:[^\s,;)`]*[^\s,;)`.:])")


def chart(counted: Sequence[tuple[Kind, int]]) -> str:
    """How many rows there are of each kind, as a bar."""
    total = sum(number for _, number in counted)
    shares = ((each, max(number / total * 100, _LEAST_SHARE)) for each, number in counted)
    return joined(
        f'<i class="{each.word}" style="flex-grow:{share:.2f}"></i>' for each, share in shares
    )


def chip(by: str, kind: Kind, number: int) -> str:
    """The button of a kind that shows its rows."""
    meaning = f' title="{escaped(kind.meaning)}"' if kind.meaning else ""
    return (
        f'<button type="button" class="chip" data-{by}="{kind.word}" '
        f'aria-pressed="false"{meaning}><i class="{kind.word}" aria-hidden="true">'
        f"{kind.symbol}</i><b>{number:,}</b> {kind.counted}</button>"
    )


def choice(key: str, name: str, values: Iterable[str]) -> str:
    """A list of which one value of a tag can be chosen: the rows with it as `data-KEY`."""
    label = "OU" if name == "ou" else name
    options = joined(
        f'<option value="{escaped(value)}">{escaped(label)}: {escaped(value) or "(none)"}</option>'
        for value in values
    )
    return (
        f'<select data-{key} name="{escaped(name)}" aria-label="Filter by {escaped(label)}">'
        f'<option value="">{escaped(label)}: all</option>\n{options}</select>'
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


def joined(parts: Iterable[str]) -> str:
    """Parts below each other."""
    return "\n".join(parts)


def section(title: str, articles: Iterable[str]) -> str:
    """A heading and its cards; nothing without a card."""
    found = joined(articles)
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


def cause_head(cause: causes.CauseGroup) -> str:
    """What went wrong, and in how many accounts."""
    many = text.counted(len(cause.results), "account")
    return f'{escaped(causes.headline(cause.problem))} <small class="many">{many}</small>'


def cause_body(cause: causes.CauseGroup) -> str:
    """What happened, and what to do about it."""
    problem = cause.problem
    hint = f'<p class="hint">→ {rich(problem.hint)}</p>' if problem.hint else ""
    return f"<p>{rich(problem.message)}</p>{hint}"


def lines(told: Iterable[changes.ChangeLine]) -> str:
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
    return "".join(
        f' data-{name}="{escaped(str(value))}"' for name, value in attributes if value != ""
    )


def identity(name: str, account_id: str | None) -> Iterator[str]:
    """The cells that say which account it is."""
    yield cell("name", escaped(name))
    yield cell("id", escaped(account_id or ""))


def badge(kind: Kind) -> str:
    """The cell of a row's kind."""
    told = f'<span class="badge {kind.word}">{kind.symbol} {kind.label}</span>'
    return cell("kind", told, key=kind.rank)


def remarks(problem: Problem | None, group: str, notes: Iterable[str]) -> str:
    """What else there is to say in a row; the hint stands in the card `group`."""
    error = ""
    if problem is not None:
        error = (
            f'<div class="error"><a href="#{group}">{escaped(causes.headline(problem))}</a> '
            f"{rich(problem.message)}</div>"
        )
    return error + "".join(f'<div class="note">{rich(note)}</div>' for note in notes)
