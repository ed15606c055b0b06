"""The state machine as a picture: `python -m tests.support.machine` redraws CONTRIBUTING's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cloudcraft_onboard.engine.machine import TRANSITIONS, RequestState

CONTRIBUTING = Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md"
DRAWN = re.compile(r"```mermaid\nstateDiagram-v2\n.*?```\n", re.DOTALL)


def picture() -> str:
    """A Mermaid diagram of the table: each move with its events, and what it orders."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *_lines(), "```", ""])


def _lines() -> Iterator[str]:
    for state in RequestState:
        yield f"    {state.name}: {state.value}"
    yield f"    [*] --> {RequestState.NEW.name}"
    for state, moves in TRANSITIONS.items():
        arrows: dict[RequestState, dict[str, list[str]]] = {}
        for event, (to, do) in moves.items():
            arrows.setdefault(to, {}).setdefault(do.value, []).append(event.value)
        for to, orders in arrows.items():
            told = "<br>".join(f"{', '.join(events)} / {do}" for do, events in orders.items())
            yield f"    {state.name} --> {to.name}: {told}"
        if not moves:
            yield f"    {state.name} --> [*]"


if __name__ == "__main__":
    text = CONTRIBUTING.read_text(encoding="utf-8")
    CONTRIBUTING.write_text(DRAWN.sub(lambda _: picture(), text), encoding="utf-8")
