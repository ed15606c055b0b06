"""The table of moves: what it promises by itself, and that its picture is drawn from it."""

from __future__ import annotations

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
