"""The page of a status: coverage as a treemap of the OUs, what is open, a table to search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Coverage, Standing, State, Status
from cloudcraft_onboard.model import Result
from cloudcraft_onboard.show import causes, changes, standing, text
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.report import page
from cloudcraft_onboard.show.treemap import Rectangle, squarified

_ORDER = (*OPEN, State.ONBOARDED, State.DATADOG, State.DISABLED)
_MOST_TILES = 150
_LEAST_TILE = 0.004  # of the picture's area, that it can be hit
# Wide and narrow screens get pictures of their own; both are measured in percent.
_WIDE, _NARROW = 5 / 2, 4 / 5
_STEPS = (0.5, 0.8, 0.95, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tile:
    """A part of the picture: one OU, or the many small ones that are too many to be drawn."""

    name: str
    coverage: Coverage
    paths: tuple[str, ...]


def render(status: Status) -> str:
    """The status as a page."""
    tiles = _tiles(status.by_unit())
    unit_of = {path: index for index, tile in enumerate(tiles) for path in tile.paths}
    results = [standing.as_result(account) for account in status.accounts]
    cards = _cards(status, results)
    groups = {
        id(result): name for _, found in cards for name, cause in found for result in cause.results
    }
    accounts = text.counted(len(status.accounts), "account")
    units = [standing.unit(path) for path in unit_of]
    return page.render(
        title=f"onboard status: {status.manifest}",
        heading="Status",
        manifest=status.manifest,
        verdict=standing.headline(status),
        facts=f"{accounts} · checked {page.at(status.checked_at)} against {standing.sides(status)}",
        kind="state",
        counted=[
            (state, number, state.word) for state in _ORDER if (number := status.count(state))
        ],
        sections=_map(tiles) + page.section("To do", [_card(status, *card) for card in cards]),
        searched="names, IDs, OUs, errors",
        heads=(
            page.head("Account", "name", fits=(each.name for each in results)),
            page.head("ID", "id"),
            *((page.head("OU", "unit", fits=units),) if status.organization else ()),
            page.head("State", "kind"),
            page.head("Details", "told"),
        ),
        rows=(
            page.row(
                _cells(account, result, groups.get(id(result), ""), units=status.organization),
                state=account.state.word,
                unit="" if account.ou is None else unit_of.get(account.ou, ""),
                index=index,
                group=groups.get(id(result), ""),
            )
            for index, (account, result) in enumerate(zip(status.accounts, results, strict=True))
        ),
    )


# --- the picture ---------------------------------------------------------------------------------


def _tiles(units: Mapping[str, Coverage]) -> list[_Tile]:
    """The OUs, those of the same top-level one beside each other; the smallest as one."""
    largest = sorted(units, key=lambda path: (-units[path].total, path))
    shown, rest = largest[:_MOST_TILES], largest[_MOST_TILES:]
    groups: dict[str, list[str]] = {}
    for path in shown:
        groups.setdefault(path.partition("/")[0], []).append(path)
    tiles = [
        _Tile(name=standing.unit(path), coverage=units[path], paths=(path,))
        for paths in groups.values()
        for path in paths
    ]
    if rest:
        seen = sum(units[path].seen for path in rest)
        total = sum(units[path].total for path in rest)
        tiles.append(
            _Tile(
                name=text.counted(len(rest), "smaller OU"),
                coverage=Coverage(seen=seen, total=total),
                paths=tuple(rest),
            )
        )
    return tiles


def _map(tiles: list[_Tile]) -> str:
    if not tiles:
        return ""
    wide, narrow = _places(tiles, _WIDE), _places(tiles, _NARROW)
    drawn = "\n".join(
        _tile(index, tile, wide[index], narrow[index]) for index, tile in enumerate(tiles)
    )
    ranges = ("below 50%", "from 50%", "from 80%", "from 95%", "100%")
    legend = "".join(
        f'<span><i class="c{step}" aria-hidden="true"></i>{word}</span>'
        for step, word in enumerate(ranges)
    )
    return (
        '<section><h2 id="units">Coverage of each OU <small>area: accounts; choose one to see its '
        f'accounts</small></h2>\n<div class="map" role="group" aria-labelledby="units">\n{drawn}\n'
        f'</div>\n<p class="legend">{legend}</p></section>'
    )


def _places(tiles: list[_Tile], shape: float) -> list[Rectangle]:
    """Where each tile is, in percent of a picture of this shape (its width by its height).

    The top-level OUs share the picture, and each one's OUs its part.
    """
    total = sum(tile.coverage.total for tile in tiles)
    sizes = [max(tile.coverage.total, total * _LEAST_TILE) for tile in tiles]
    groups: dict[str, list[int]] = {}
    for index, tile in enumerate(tiles):
        top = tile.paths[0].partition("/")[0] if len(tile.paths) == 1 else ""
        groups.setdefault(top, []).append(index)
    ranked = sorted(groups.values(), key=lambda part: -sum(sizes[index] for index in part))
    whole = Rectangle(x=0.0, y=0.0, width=shape, height=1.0)
    parts = squarified([sum(sizes[index] for index in part) for part in ranked], whole)
    places: dict[int, Rectangle] = {}
    for members, part in zip(ranked, parts, strict=True):
        members.sort(key=lambda index: -sizes[index])
        inner = squarified([sizes[index] for index in members], part)
        places.update(zip(members, inner, strict=True))
    return [
        Rectangle(
            x=it.x / shape * 100, y=it.y * 100, width=it.width / shape * 100, height=it.height * 100
        )
        for it in (places[index] for index in range(len(tiles)))
    ]


def _tile(index: int, tile: _Tile, wide: Rectangle, narrow: Rectangle) -> str:
    coverage = tile.coverage
    step = sum(coverage.share >= least for least in _STEPS)
    where = ";".join((*_style(wide, ""), *_style(narrow, "n")))
    share = standing.percent(coverage)
    told = f"{coverage.seen:,} of {text.counted(coverage.total, 'account')} covered, {share}"
    above, _, last = tile.name.rpartition("/")
    prefix = f"<small>{page.escaped(above)}/</small>" if above else ""
    label = f"{page.escaped(tile.name)}: {told}"
    return (
        f'<button type="button" class="tile c{step}" data-unit="{index}" aria-pressed="false" '
        f'aria-label="{label}" title="{label}" style="{where}">'
        f"<span>{prefix}<b>{page.escaped(last)}</b><em>{share}</em></span></button>"
    )


def _style(place: Rectangle, prefix: str) -> Iterator[str]:
    for name, value in (("x", place.x), ("y", place.y), ("w", place.width), ("h", place.height)):
        yield f"--{prefix}{name}:{value:.3f}%"


# --- what is open --------------------------------------------------------------------------------

_Found = Sequence[tuple[str, causes.Cause]]


def _cards(status: Status, results: Sequence[Result]) -> Sequence[tuple[State, _Found]]:
    """The open states that there are, each with its errors by cause, which get names."""
    numbers = count(1)
    some: dict[State, list[Result]] = {}
    for account, result in zip(status.accounts, results, strict=True):
        some.setdefault(account.state, []).append(result)
    return [
        (state, [(f"c{next(numbers)}", cause) for cause in causes.causes(some[state])])
        for state in OPEN
        if state in some
    ]


def _card(status: Status, state: State, found: _Found) -> str:
    accounts = status.having(state)
    names = page.names([account.name for account in accounts])
    commands = "".join(map(_command, advice.closing(status, state)))
    show = page.show("state", state.word, len(accounts))
    told = "".join(_cause(*each) for each in found)
    return (
        f'<article class="{state.word}"><h3>{state.symbol} {len(accounts):,} {state.word} '
        f"<small>{page.escaped(state.meaning)}</small></h3>{names}{commands}{show}{told}</article>"
    )


def _cause(name: str, cause: causes.Cause) -> str:
    show = page.show("group", name, len(cause.results))
    return (
        f'<div class="cause" id="{name}"><h4>{page.cause_head(cause)}</h4>'
        f"{page.cause_body(cause)}{show}</div>"
    )


def _command(closing: advice.Closing) -> str:
    purpose = f"{page.escaped(closing.purpose)}: " if closing.purpose else ""
    return f'<p class="command">→ {purpose}<code>{page.escaped(closing.command)}</code></p>'


# --- the table -----------------------------------------------------------------------------------


def _cells(account: Standing, result: Result, group: str, *, units: bool) -> Iterator[str]:
    state = account.state
    yield from page.identity(account.name, account.account_id)
    if units:
        yield page.cell(
            "unit", "" if account.ou is None else page.escaped(standing.unit(account.ou))
        )
    yield page.badge(state, state.word, _ORDER.index(state))
    # Accounts that are missing lack all of it, as a rule.
    told = (
        page.escaped(text.actions(result))
        if state is State.MISSING
        else page.lines(changes.lines(result))
    )
    yield page.cell("told", told + page.remarks(account.error, group, all_told(account.notes)))
