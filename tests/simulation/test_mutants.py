"""The simulation finds bugs: each of these is caught within 500 worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.machine import TRANSITIONS, Transitions
from cloudcraft_onboard.engine.machine import RequestEvent as E
from cloudcraft_onboard.engine.machine import RequestState as S
from cloudcraft_onboard.engine.messages import (
    Answered,
    Delete,
    GiveBack,
    ListRead,
    Message,
    Order,
    Post,
    Put,
    Send,
)
from cloudcraft_onboard.engine.moves import Do
from cloudcraft_onboard.errors import Doubtful, Refused
from cloudcraft_onboard.plan.registration import Listing
from tests.simulation.mutants import Mutant
from tests.simulation.story import attempt

WORLDS = 500


def moved(moves: Mapping[tuple[S, E], tuple[S, Do]]) -> Transitions:
    """The table with other moves."""
    return {
        state: {event: moves.get((state, event), move) for event, move in row.items()}
        for state, row in TRANSITIONS.items()
    }


class Blind(Mutant):
    """Sends a doubtful request again without looking."""

    transitions = moved({(S.IN_FLIGHT, E.NO_ANSWER): (S.QUEUED, Do.QUEUE)})


class Unverified(Mutant):
    """Takes an answered request for done."""

    transitions = moved({(S.IN_FLIGHT, E.LIST_LEFT): (S.DONE, Do.FINISH)})


class Optimist(Mutant):
    """Takes a doubtful request for done where the list cannot be read."""

    transitions = moved({(S.DOUBTFUL, E.UNREADABLE): (S.DONE, Do.FINISH)})


class Quick(Mutant):
    """Takes a registration for missing at the first list that lacks it."""

    transitions = moved({(S.ACCEPTED, E.NOT_YET): (S.DONE, Do.FINISH)})


class Stale(Mutant):
    """Decides a PUT on the first list, however old it is."""

    transitions = moved({(S.QUEUED, E.OLD_LIST): (S.IN_FLIGHT, Do.SEND)})

    def obey(self, orders: list[Order[Any]]) -> list[Order[Any]]:
        return [
            replace(order, request=replace(order.request, until=math.inf))
            if isinstance(order, Send) and isinstance(order.request, Put)
            else order
            for order in orders
        ]


class Indifferent(Mutant):
    """Leaves what is kept as it is, and takes it for mended."""

    def __init__(self) -> None:
        self._left: list[Put] = []

    def obey(self, orders: list[Order[Any]]) -> list[Order[Any]]:
        return [order for order in orders if not self._mends(order)]

    def _mends(self, order: Order[Any]) -> bool:
        if isinstance(order, Send) and order.slot is None and isinstance(order.request, Put):
            self._left.append(order.request)
            return True
        return False

    def wake(self, at: float | None) -> float | None:
        return 0.0 if self._left else at

    def hear(self, message: Message[Any]) -> Message[Any]:
        return Answered(request=self._left.pop()) if self._left else message


class Trusting(Mutant):
    """Takes a removal for done without another look."""

    transitions = moved(
        {
            (S.IN_AWS, E.LIST_LEFT): (S.DONE, Do.FINISH),
        }
    )


class Rash(Mutant):
    """Takes a young role's refusal for a lost answer, and learns nothing from it."""

    def hear(self, message: Message[Any]) -> Message[Any]:
        if isinstance(message, Answered) and isinstance(message.error, Refused):
            return replace(message, error=Doubtful(message.error.message))
        return message


class Yes(Mutant):
    """Takes a refusal for an answer."""

    def hear(self, message: Message[Any]) -> Message[Any]:
        if isinstance(message, Answered) and isinstance(message.error, Refused):
            return replace(message, error=None)
        return message


class Greedy(Mutant):
    """Deletes every newer registration, whosever it is."""

    def __init__(self) -> None:
        self._posted: set[str] = set()
        self._deletions: list[Order[Any]] = []

    def hear(self, message: Message[Any]) -> Message[Any]:
        if isinstance(message, ListRead) and message.reading:
            listing = Listing.of_reading(message.reading)
            for account_id in self._posted:
                for number, newer in enumerate(listing.of(account_id)[1:], start=10**6):
                    request = Delete(number=number, name="", registration=newer)
                    self._deletions.append(Send(request=request))
        return message

    def obey(self, orders: list[Order[Any]]) -> list[Order[Any]]:
        for order in orders:
            if isinstance(order, Send) and isinstance(order.request, Post):
                self._posted.add(order.request.spec.account_id)
        deletions, self._deletions = self._deletions, []
        return orders + deletions


class Careless(Mutant):
    """Leaves its own duplicate where it is."""

    transitions = moved({(S.ACCEPTED, E.TO_MEND): (S.DONE, Do.FINISH)})


class Hoarder(Mutant):
    """Keeps a slot that nobody is ready for."""

    def obey(self, orders: list[Order[Any]]) -> list[Order[Any]]:
        return [order for order in orders if not isinstance(order, GiveBack)]


class Sleeper(Mutant):
    """Forgets when to wake."""

    def wake(self, at: float | None) -> float | None:
        return None if at is None else at + 1e9


class Drowsy(Mutant):
    """Wakes late."""

    def wake(self, at: float | None) -> float | None:
        return None if at is None else at + 5.0


class Patient(Control):
    """Waits for what is in flight, however long it takes."""

    def patience_ends(self, *, last: bool = False) -> float:
        del last
        return math.inf


class Stubborn(Mutant):
    """Waits for what is in flight, however long it takes."""

    control = Patient


class Deaf(Mutant):
    """Goes on after --max-failures."""

    def limits(self, limits: Limits) -> Limits:
        return replace(limits, max_failures=None)


MUTANTS = (
    Blind,
    Unverified,
    Optimist,
    Quick,
    Stale,
    Indifferent,
    Trusting,
    Rash,
    Yes,
    Greedy,
    Careless,
    Hoarder,
    Sleeper,
    Drowsy,
    Stubborn,
    Deaf,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_core_with_a_bug_is_caught(mutant: type[Mutant]) -> None:
    assert any(attempt(seed, mutant).wrong for seed in range(WORLDS)), mutant.__doc__
