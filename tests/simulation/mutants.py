"""How the core can be made wrong from outside: by what it is told, by what is done of its orders.

A mutant stands between the core and its driver, and may bring another table of moves. It knows the
core's messages and orders, and nothing of its inside.
"""

from __future__ import annotations

from typing import Any, ClassVar

from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.machine import TRANSITIONS, Transitions
from cloudcraft_onboard.engine.messages import Message, Order


class Mutant:
    """The core as it is."""

    transitions: ClassVar[Transitions] = TRANSITIONS
    control: ClassVar[type[Control]] = Control

    def hear(self, message: Message[Any]) -> Message[Any]:
        """What the core is told."""
        return message

    def obey(self, orders: list[Order[Any]]) -> list[Order[Any]]:
        """What is done of its orders."""
        return orders

    def wake(self, at: float | None) -> float | None:
        """When it is woken."""
        return at

    def limits(self, limits: Limits) -> Limits:
        """What bounds it."""
        return limits
