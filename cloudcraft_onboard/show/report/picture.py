"""Coverage as a picture: a treemap of the OUs, each a button that shows its accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cloudcraft_onboard.coverage.words import Coverage
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.report import page
from cloudcraft_onboard.show.treemap import Rectangle, squarified

_MOST_TILES = 150
_LEAST_TILE = 0.004  # of the picture's area, that it can be hit
# Wide and narrow screens get pictures of their own; both are measured in percent.
_WIDE, _NARROW = 5 / 2, 4 / 5
_STEPS = (0.5, 0.8, 0.95, 1.0)


@frozen
class Tile:
    """A part of the picture: one OU, or the many small ones that are too many to be drawn."""

    name: str
    coverage: Coverage
    paths: tuple[str, ...]


def tiles(units: Mapping[str, Coverage]) -> list[Tile]:
    """The OUs, those of the same top-level one beside each other; the smallest as one."""
    largest = sorted(units, key=lambda path: (-units[path].total, path))
    shown, rest = largest[:_MOST_TILES], largest[_MOST_TILES:]
    groups: dict[str, list[str]] = {}
    for path in shown:
        groups.setdefault(path.partition("/")[0], []).append(path)
    found = [
        Tile(name=standing.unit(path), coverage=units[path], paths=(path,))
        for paths in groups.values()
        for path in paths
    ]
    if rest:
        seen = sum(units[path].seen for path in rest)
        total = sum(units[path].total for path in rest)
        found.append(
            Tile(
                name=text.counted(len(rest), "smaller OU"),
                coverage=Coverage(seen=seen, total=total),
                paths=tuple(rest),
            )
        )
    return found


def drawn(of: list[Tile]) -> str:
    """The picture as HTML; nothing without OUs."""
    if not of:
        return ""
    wide, narrow = _places(of, _WIDE), _places(of, _NARROW)
    buttons = "\n".join(
        _tile(index, tile, wide[index], narrow[index]) for index, tile in enumerate(of)
    )
    ranges = ("below 50%", "from 50%", "from 80%", "from 95%", "100%")
    legend = "".join(
        f'<span><i class="c{step}" aria-hidden="true"></i>{word}</span>'
        for step, word in enumerate(ranges)
    )
    return (
        '<section><h2 id="units">Coverage of each OU <small>area: accounts; choose one to see '
        'its accounts</small></h2>\n<div class="map" role="group" aria-labelledby="units">\n'
        f"{buttons}\n"
        f'</div>\n<p class="legend">{legend}</p></section>'
    )


def _places(tiles: list[Tile], shape: float) -> list[Rectangle]:
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


def _tile(index: int, tile: Tile, wide: Rectangle, narrow: Rectangle) -> str:
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
