"""The table of moves: what it promises by itself, and that its picture is drawn from it."""

from __future__ import annotations

import ast
from pathlib import Path

import cloudcraft_onboard
from cloudcraft_onboard.engine.machine import TRANSITIONS, RequestEvent, RequestState
from tests.support.machine import CONTRIBUTING, picture

FINAL = {RequestState.DONE, RequestState.FAILED, RequestState.PENDING}


def test_the_picture_in_contributing_is_the_table() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    assert picture() in text, "redraw it: python -m tests.support.machine"


def test_every_state_has_a_row_and_only_results_are_final() -> None:
    assert set(TRANSITIONS) == set(RequestState)
    assert {state for state, moves in TRANSITIONS.items() if not moves} == FINAL


def test_whatever_has_no_result_ends_with_the_run() -> None:
    for state in set(RequestState) - FINAL - {RequestState.NEW}:
        assert TRANSITIONS[state][RequestEvent.OVER][0] is RequestState.PENDING


def test_a_request_is_sent_from_the_queue_alone_and_a_doubt_is_looked_up_first() -> None:
    sends = {
        state
        for state, moves in TRANSITIONS.items()
        for to, _ in moves.values()
        if to is RequestState.IN_FLIGHT
    }
    assert sends == {RequestState.QUEUED}
    assert TRANSITIONS[RequestState.IN_FLIGHT][RequestEvent.NO_ANSWER][0] is RequestState.DOUBTFUL


def test_every_event_and_every_state_is_of_use() -> None:
    events = {event for moves in TRANSITIONS.values() for event in moves}
    reached = {to for moves in TRANSITIONS.values() for to, _ in moves.values()}
    assert events == set(RequestEvent)
    assert reached == set(RequestState) - {RequestState.NEW}


# --- the house ----------------------------------------------------------------------------------

ROOT = Path(cloudcraft_onboard.__file__).parent
FILES = [*sorted((ROOT / "engine").glob("*.py")), *sorted((ROOT / "accounts").glob("*.py"))]
JSON = ("engine/ports.py", "accounts/entry.py")  # Cloudcraft's policy documents, as they come


def test_the_way_from_an_account_to_its_post_is_typed() -> None:
    untyped = {}
    for path in FILES:
        file = f"{path.parent.name}/{path.name}"
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        untyped[file] = names & ({"cast"} if file in JSON else {"Any", "cast"})
    assert len(untyped) > 20
    assert {file: names for file, names in untyped.items() if names} == {}


def test_no_part_of_the_engine_inherits_from_another() -> None:
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in FILES
        if path.parent.name == "engine"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    ours = {name: its & set(bases) for name, its in bases.items()}
    assert all(len(its) <= 1 for its in ours.values())
    towers = [name for name, its in ours.items() if any(ours[base] for base in its)]
    assert not towers
