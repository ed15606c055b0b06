"""A treemap's rectangles: areas as given, as near to squares as a simple way gets them. Pure.

Squarified Treemaps, Bruls, Huizing and van Wijk, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence

from cloudcraft_onboard.frozen import frozen


@frozen
class Rectangle:
    """Where something is drawn, from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height


def squarified(values: Sequence[float], within: Rectangle) -> list[Rectangle]:
    """A rectangle for each value, in their order, that together fill `within`; all above 0.

    Values from the largest to the smallest give the squarest rectangles.
    """
    scale = within.area / sum(values) if values else 0.0
    areas = [value * scale for value in values]
    found: list[Rectangle] = []
    left = within
    while len(found) < len(areas):
        waiting = areas[len(found) :]
        side = min(left.width, left.height)
        count = 1
        while count < len(waiting) and _worst(waiting[: count + 1], side) <= _worst(
            waiting[:count], side
        ):
            count += 1
        row, left = _laid(waiting[:count], left)
        found += row
    return found


def _worst(areas: Sequence[float], side: float) -> float:
    """The largest ratio of sides in a row of `areas` along `side`; 1 is a square."""
    depth = sum(areas) / side if side else 0.0
    if not depth:
        return 0.0
    return max(max(depth * depth / area, area / (depth * depth)) for area in areas)


def _laid(areas: Sequence[float], within: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """A row along the shorter side, and what is left of `within`."""
    upright = within.width >= within.height
    side = within.height if upright else within.width
    depth = sum(areas) / side if side else 0.0
    row, at = [], 0.0
    for area in areas:
        length = area / depth if depth else 0.0
        row.append(
            Rectangle(x=within.x, y=within.y + at, width=depth, height=length)
            if upright
            else Rectangle(x=within.x + at, y=within.y, width=length, height=depth)
        )
        at += length
    if upright:
        rest = Rectangle(
            x=within.x + depth,
            y=within.y,
            width=max(within.width - depth, 0.0),
            height=within.height,
        )
    else:
        rest = Rectangle(
            x=within.x,
            y=within.y + depth,
            width=within.width,
            height=max(within.height - depth, 0.0),
        )
    return row, rest
