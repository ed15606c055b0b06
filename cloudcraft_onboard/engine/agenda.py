"""What one step of the core orders, and when the core wants to be woken; its parts share it."""

from __future__ import annotations

import math
from typing import Generic

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Order, T, Tell
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.events import AccountFinished, Event
from cloudcraft_onboard.model import Outcome, Result
from cloudcraft_onboard.model.notes import Stop


class Agenda(Generic[T]):
    """Orders in their sequence. `wake_at` is None where only a message changes anything."""

    def __init__(self) -> None:
        self.wake_at: float | None = None
        self._orders: list[Order[T]] = []

    def order(self, order: Order[T]) -> None:
        """One more thing to be done."""
        self._orders.append(order)

    def tell(self, event: Event) -> None:
        """Tell the listeners."""
        self._orders.append(Tell(event=event))

    def wake(self, at: float) -> None:
        """Come back at that time, or before."""
        if at != math.inf:
            self.wake_at = at if self.wake_at is None else min(self.wake_at, at)

    def take(self) -> list[Order[T]]:
        """The orders so far, each once."""
        orders, self._orders = self._orders, []
        return orders


class Ends(Generic[T]):
    """Whoever ends an account does it here: its first result stands, and failures are counted."""

    def __init__(
        self, results: Results, agenda: Agenda[T], control: Control, most: int | None
    ) -> None:
        self._results = results
        self._agenda = agenda
        self._control = control
        self._most = most

    def finish(self, result: Result) -> None:
        """The account's result; one failure too many stops the run."""
        if not self._results.finish(result):
            return
        self._agenda.tell(AccountFinished(result=result))
        most, failures = self._most, self._results.failures
        if result.outcome is Outcome.FAILED and most is not None and failures >= most:
            self._control.stop(Stop.FAILURES, f"{failures} accounts failed (--max-failures)")
