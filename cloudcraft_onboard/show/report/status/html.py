"""One self-contained page: coverage as a treemap of the OUs, what is open, a table to search."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from importlib import resources
from string import Template

from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.causes import Cause
from cloudcraft_onboard.show.treemap import Rectangle, squarified
from cloudcraft_onboard.status import OPEN, Coverage, Standing, State, Status

_ORDER = (*OPEN, State.ONBOARDED, State.DATADOG, State.DISABLED)
_MOST_NAMES = 200
_LEAST_SHARE = 0.6  # percent of the chart below which a part could not be seen
_MOST_TILES = 150
_LEAST_TILE = 0.004  # of the picture's area, that it can be hit
_NO_UNIT = -1
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
    """The status as a page. Every text of it is escaped; nothing stands in a script."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    tiles = _tiles(status.by_unit())
    unit_of = {path: index for index, tile in enumerate(tiles) for path in tile.paths}
    present = [state for state in _ORDER if status.count(state)]
    return Template(template).substitute(
        title=_text(f"onboard status: {status.manifest}"),
        manifest=_text(status.manifest),
        verdict=_text(standing.headline(status)),
        facts=_text(standing.counts(status)),
        checked=status.checked_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        sides=_text(standing.sides(status)),
        chart=_joined(_part(status, state) for state in present),
        filters=_joined(_filter(status, state) for state in present),
        map=_map(tiles),
        open=_open(status),
        rows=_joined(
            _row(index, account, unit_of.get(account.ou or "", _NO_UNIT), status)
            for index, account in enumerate(status.accounts)
        ),
        unit_head='<th scope="col"><button type="button">OU</button></th>'
        if status.organization
        else "",
    )


def _text(value: str) -> str:
    return html.escape(text.clean(value))


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _part(status: Status, state: State) -> str:
    share = max(status.count(state) / len(status.accounts) * 100, _LEAST_SHARE)
    return f'<i class="{state.word}" style="flex-grow:{share:.2f}"></i>'


def _filter(status: Status, state: State) -> str:
    return (
        f'<button type="button" class="chip {state.word}" data-state="{state.word}" '
        f'aria-pressed="false" title="{_text(state.meaning)}">'
        f'<i aria-hidden="true">{state.symbol}</i>'
        f"<b>{status.count(state):,}</b> {state.word}</button>"
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
    drawn = _joined(
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
    prefix = f"<small>{_text(above)}/</small>" if above else ""
    label = f"{_text(tile.name)}: {told}"
    return (
        f'<button type="button" class="tile c{step}" data-unit="{index}" aria-pressed="false" '
        f'aria-label="{label}" title="{label}" style="{where}"><span>{prefix}<b>{_text(last)}</b>'
        f"<em>{share}</em></span></button>"
    )


def _style(place: Rectangle, prefix: str) -> Iterator[str]:
    for name, value in (("x", place.x), ("y", place.y), ("w", place.width), ("h", place.height)):
        yield f"--{prefix}{name}:{value:.3f}%"


# --- what is open --------------------------------------------------------------------------------


def _open(status: Status) -> str:
    found = [state for state in OPEN if status.count(state)]
    if not found:
        return ""
    groups = _joined(_group(status, state) for state in found)
    return f'<section class="open"><h2>What is open</h2>\n{groups}</section>'


def _group(status: Status, state: State) -> str:
    accounts = status.having(state)
    names = _text(text.listed([account.name for account in accounts], _MOST_NAMES))
    causes = "".join(map(_cause, standing.problems(accounts)))
    commands = "".join(map(_command, standing.closing(status, state)))
    return (
        f'<article class="{state.word}"><h3>{state.symbol} {len(accounts):,} {state.word} '
        f'<small>{_text(state.meaning)}</small></h3><p class="names">{names}</p>'
        f"{causes}{commands}</article>"
    )


def _cause(cause: Cause) -> str:
    problem = cause.problem
    many = text.counted(len(cause.results), "account")
    hint = f" <b>→ {_text(problem.hint)}</b>" if problem.hint else ""
    return f"<p>{_text(problem.code)}, {many}: {_text(problem.message)}{hint}</p>"


def _command(closing: standing.Closing) -> str:
    purpose = f"{_text(closing.purpose)}: " if closing.purpose else ""
    return f'<p class="command">{purpose}<code>{_text(closing.command)}</code></p>'


# --- the table -----------------------------------------------------------------------------------


def _row(index: int, account: Standing, unit: int, status: Status) -> str:
    state = account.state
    if account.ou is None:
        unit = _NO_UNIT
    path = f"<td>{_text(standing.unit(account.ou))}</td>" if account.ou is not None else "<td></td>"
    return (
        f'<tr data-state="{state.word}" data-unit="{unit}" data-index="{index}">'
        f"<td>{_text(account.name)}</td><td>{_text(account.account_id or '')}</td>"
        f"{path if status.organization else ''}"
        f'<td data-key="{_ORDER.index(state)}"><span class="badge {state.word}">'
        f"{state.symbol} {state.word}</span></td><td>{_done(account)}</td></tr>"
    )


def _done(account: Standing) -> str:
    parts = []
    for change in account.changes:
        why = text.why(change)
        told = f" <small>{_text(why)}</small>" if why else ""
        parts.append(f"<div>{change.action.symbol} {change.action.word}{told}</div>")
    if account.error is not None:
        problem = account.error
        parts.append(
            f'<div class="error">{_text(problem.code)}: {_text(problem.message)}</div>'
            f'<div class="hint">→ {_text(problem.hint)}</div>'
        )
    parts += [f'<div class="note">{_text(note)}</div>' for note in account.notes]
    return "".join(parts)
