"""The figures of a benchmark beside their aims, and all of them as one table."""

from __future__ import annotations

import sys

_figures: list[tuple[str, float, float]] = []


def aim(label: str, value: float, limit: float) -> bool:
    """Print a figure beside its aim, and keep it for the table."""
    _figures.append((label, value, limit))
    reached = value <= limit
    say(f"{label}: {value:.3g} (aim up to {limit:g}: {'reached' if reached else 'missed'})")
    return reached


def table() -> bool:
    """Print all figures; whether every aim was reached."""
    width = max(len(label) for label, _, _ in _figures)
    say(f"\n{'':<{width}}{'figure':>9}{'up to':>9}")
    for label, value, limit in _figures:
        missed = "" if value <= limit else "  missed"
        say(f"{label:<{width}}{value:>9.3g}{limit:>9g}{missed}")
    return all(value <= limit for _, value, limit in _figures)


def say(text: str) -> None:
    """A line, shown at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
