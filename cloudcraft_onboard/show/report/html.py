"""The page of a report: chart, search, filters, cards of what needs work, a table to sort.

One self-contained file without network. `page.html` has the style and the script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from itertools import count
from string import Template

from cloudcraft_onboard.model import Outcome
from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.causes import CauseGroup
from cloudcraft_onboard.show.changes import Block
from cloudcraft_onboard.show.document import AccountRow, Document, Kind, Open
from cloudcraft_onboard.show.report import page, picture

_MOST_CARDS = 100
_MOST_CHOICES, _MOST_VALUES = 6, 300  # tags to filter by, and values of one that a list can hold
_WORKED = "Time spent working on the account, without waiting for its turn"
_SEARCHED = {"outcome": "names, IDs, errors", "state": "names, IDs, OUs, errors"}


def render(document: Document) -> str:
    """The report as a page."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    cards = _Cards(document)
    tiles = picture.tiles(document.covered.units if document.covered else {})
    unit_of = {path: index for index, tile in enumerate(tiles) for path in tile.paths}
    tags = _tags(document)
    rows = sorted(document.rows, key=_rank) if document.by == "outcome" else document.rows
    counted = sorted(document.kinds, key=lambda it: it[0].rank)
    return Template(template).substitute(
        title=page.escaped(f"{document.title}: {document.manifest}"),
        heading=page.escaped(document.heading),
        manifest=page.escaped(document.manifest),
        verdict=page.escaped(document.verdict),
        facts=page.rich(" · ".join(filter(None, (*document.facts, document.remark)))),
        by=document.by,
        chart=page.chart(counted),
        chips=page.joined(page.chip(document.by, *each) for each in counted),
        sections=picture.drawn(tiles) + cards.told,
        choices=page.joined(page.choice(key, *tag) for key, tag in tags.items()),
        searched=_SEARCHED[document.by],
        heads=page.joined(_heads(document, unit_of)),
        rows=page.joined(
            page.row(
                _cells(document, row, cards.of(row)),
                **{document.by: row.kind.word},
                unit="" if row.unit is None else unit_of.get(row.unit, ""),
                index=index,
                group=cards.of(row),
                **{key: row.result.tags.get(name, "") for key, (name, _) in tags.items()},
            )
            for index, row in enumerate(rows)
        ),
    )


def _rank(row: AccountRow) -> int:
    """Rows that need work come first."""
    return row.kind.rank


def _tags(document: Document) -> dict[str, tuple[str, list[str]]]:
    """The tags that tell rows apart, OUs in front, each with its values, by a key for the page."""
    values: dict[str, set[str]] = {}
    for row in document.rows:
        for name, value in row.result.tags.items():
            values.setdefault(name, set()).add(value)
    telling = [name for name in values if 1 < len(values[name]) <= _MOST_VALUES]
    telling.sort(key=lambda name: (name != "ou", name))
    return {
        f"tag{n}": (name, sorted(values[name])) for n, name in enumerate(telling[:_MOST_CHOICES])
    }


# --- cards ---------------------------------------------------------------------------------------


class _Cards:
    """The cards of what needs work or would change, and which row belongs to which."""

    def __init__(self, document: Document) -> None:
        self._group: dict[int, str] = {}
        self._numbers = count(1)
        kinds = {kind.word: kind for kind, _ in document.kinds}
        todo = [self._open(some) for some in document.open]
        failures = [self._cause(cause) for cause in document.causes]
        blocks = document.blocks if document.planned else ()
        # Those of many accounts first, and what exists already before what is new.
        ranked = sorted(
            blocks, key=lambda it: (len(it.results) == 1, it.outcome is Outcome.CREATED)
        )
        changes = [
            self._block(f"g{n}", block, kinds[block.outcome.word])
            for n, block in enumerate(ranked[:_MOST_CARDS], 1)
        ]
        if rest := len(ranked) - len(changes):
            more = text.counted(rest, "more account")
            changes.append(f"<p>… and {more}, each with changes of its own: see the table.</p>")
        self.told = (
            page.section("To do", todo)
            + page.section("Failures", failures)
            + page.section("Changes", changes)
        )

    def of(self, row: AccountRow) -> str:
        """The card that a row belongs to, empty for none."""
        return self._group.get(id(row.result), "")

    def _named(self, cause: CauseGroup) -> str:
        name = f"c{next(self._numbers)}"
        self._group |= {id(result): name for result in cause.results}
        return name

    def _cause(self, cause: CauseGroup) -> str:
        name = self._named(cause)
        return (
            f'<article id="{name}" class="failed"><h3>{page.cause_head(cause)}</h3>'
            f"{page.cause_body(cause)}{page.names(cause.names)}"
            f"{page.show('group', name, len(cause.results))}</article>"
        )

    def _block(self, name: str, block: Block, kind: Kind) -> str:
        """Accounts with the same changes, and the changes once."""
        self._group |= {id(result): name for result in block.results}
        many = len(block.results)
        if many > 1:
            head, names = f"{text.counted(many, 'account')} {kind.label}", page.names(block.names)
        else:
            head, names = f"{page.escaped(text.title(block.results[0]))} {kind.label}", ""
        return (
            f'<article id="{name}" class="{kind.word}"><h3>{kind.symbol} {head}</h3>'
            f"{page.lines(block.lines)}{names}{page.show('group', name, many)}</article>"
        )

    def _open(self, some: Open) -> str:
        kind = some.kind
        names = page.names(some.names)
        commands = "".join(
            f'<p class="command">→ {page.escaped(command.purpose)}{": " * bool(command.purpose)}'
            f"<code>{page.escaped(command.command)}</code></p>"
            for command in some.commands
        )
        show = page.show("state", kind.word, len(some.rows))
        told = ""
        for cause in some.causes:
            name = self._named(cause)
            told += (
                f'<div class="cause" id="{name}"><h4>{page.cause_head(cause)}</h4>'
                f"{page.cause_body(cause)}{page.show('group', name, len(cause.results))}</div>"
            )
        return (
            f'<article class="{kind.word}"><h3>{kind.symbol} {len(some.rows):,} {kind.word} '
            f"<small>{page.escaped(kind.meaning)}</small></h3>{names}{commands}{show}{told}</article>"
        )


# --- the table -----------------------------------------------------------------------------------


def _heads(document: Document, units: Mapping[str, int]) -> Iterator[str]:
    yield page.head("Account", "name", fits=(row.result.name for row in document.rows))
    yield page.head("ID", "id")
    if units:
        yield page.head("OU", "unit", fits=map(standing.unit, units))
    if document.by == "outcome":
        yield page.head("Outcome", "kind", ordered=True)
        yield page.head("Changes", "told")
        yield page.head(text.TIME, "time", title=_WORKED)
    else:
        yield page.head("State", "kind")
        yield page.head("Details", "told")


def _cells(document: Document, row: AccountRow, group: str) -> Iterator[str]:
    result = row.result
    yield from page.identity(result.name, result.account_id)
    if document.covered and document.covered.units:
        yield page.cell("unit", "" if row.unit is None else page.escaped(standing.unit(row.unit)))
    yield page.badge(row.kind)
    actions = page.escaped(text.actions(result))
    told = page.lines(row.lines) if row.lines else actions
    if group.startswith("g"):
        told = f'<a href="#{group}">{actions}</a>'
    yield page.cell("told", told + page.remarks(result.error, group, row.notes))
    if document.by == "outcome":
        took = text.seconds(result.seconds) if result.seconds else ""
        yield page.cell("time", took, key=f"{result.seconds:.2f}", label=text.TIME)
