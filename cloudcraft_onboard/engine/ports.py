"""What the engine needs of Cloudcraft and of its pace; `cloudcraft` supplies it."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from cloudcraft_onboard.model import (
    CloudcraftParameters,
    CloudcraftUsage,
    ListReading,
    RateLimit,
    Registration,
    RegistrationSpec,
    Slot,
    Team,
)


class PaceView(Protocol):
    """What the core asks of the pace; times are those of its clock (`time.monotonic`)."""

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        """The limits that may still hold, the believed one first; one where it is known."""

    @property
    def limit(self) -> int:
        """Requests allowed per window, by the limit believed at the moment."""

    @property
    def window(self) -> float:
        """The window's length in seconds."""

    def next_in(self) -> float:
        """Seconds until the next slot; 0 when one is free. For display."""

    def free_by(self, when: float) -> int:
        """How many requests could be started by `when` (own clock), in-flight ones not counted."""


class Pace(PaceView, Protocol):
    """Requests no faster than Cloudcraft allows (`cloudcraft/pace.py`)."""

    def acquire(self, deadline: float | None = None, cancel: threading.Event | None = None) -> Slot:
        """Wait for a slot. `deadline` is a time of the pace's own clock (`time.monotonic`).

        A slot that is free now is given in any case. Otherwise raises `PaceClosed`: at once when
        no slot comes before the deadline, or when `cancel` is set before or while it waits.
        """

    def wake(self) -> None:
        """Make those who wait look at their `cancel` now; never blocks."""


class Cloudcraft(Protocol):
    """The Cloudcraft API, each call one paced request (more only where none was processed).

    Every call may raise an `errors.RequestError`: `Refused` (an answer that means no), `Doubtful`
    (maybe processed), `Unavailable` (not processed, retries used up), `PaceClosed`. A `slot`
    is handed on to the call, which ends it.
    """

    @property
    def usage(self) -> CloudcraftUsage:
        """What was sent so far."""

    def parameters(self) -> CloudcraftParameters:
        """`GET /aws/account/iamParameters`."""

    def registrations(self, slot: Slot | None = None) -> ListReading:
        """`GET /aws/account`."""

    def teams(self) -> tuple[Team, ...]:
        """`GET /team`."""

    def policy(self, kind: str) -> Mapping[str, Any]:
        """`GET /aws/account/iamParameters/policy/KIND`, KIND minimal or custom."""

    def register(self, spec: RegistrationSpec, slot: Slot | None = None) -> Registration:
        """`POST /aws/account`."""

    def update(
        self,
        registration: Registration,
        spec: RegistrationSpec,
        slot: Slot | None = None,
        *,
        until: float = math.inf,
    ) -> None:
        """`PUT /aws/account/{id}`; access lists that the spec leaves open are sent as they are.

        Raises `Outdated` rather than sending it after `until`, by `time.monotonic`.
        """

    def delete(self, registration: Registration, slot: Slot | None = None) -> None:
        """`DELETE /aws/account/{id}`; one that is gone already (404) is fine."""

    def close(self) -> None:
        """Let go of every connection."""
