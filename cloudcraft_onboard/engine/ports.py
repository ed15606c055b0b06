"""What the engine needs of AWS and of Cloudcraft; `aws` and `cloudcraft` supply it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import (
    Account,
    Change,
    CloudcraftParameters,
    CloudcraftUsage,
    DesiredRole,
    DesiredStackSet,
    Identity,
    ObservedRole,
    ObservedStackSet,
    Organization,
    RateLimit,
    Registration,
    RegistrationSpec,
    RoleSpec,
    StackOperation,
    StackSetSpec,
    Team,
)


class AccountSession(Protocol):
    """One AWS account that was reached, with working credentials for it."""

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""

    def observe(self, role_name: str, *, inline: bool = False) -> ObservedRole | None:
        """The role as it is, None where there is none. Raises `AccountError` (stage role)."""

    def apply(
        self, change: Change, desired: DesiredRole, observed: ObservedRole | None
    ) -> str | None:
        """Make one change of a role; harmless to repeat. The role's ARN where the change made it.

        Raises `ConcurrentChange` when the role appeared or vanished since it was observed,
        `AccountError` (stage role) otherwise.
        """


class StackSets(Protocol):
    """CloudFormation's stack sets in the account that administers them.

    Every call raises `AccountError` (stage role). Those that start an operation return its ID,
    and raise `ConcurrentChange` while another one is in progress: a stack set has one at a time.
    """

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""

    def organization(self) -> Organization:
        """The organization that the account is in."""

    def explain(self, role: RoleSpec, reason: str) -> AccountError:
        """CloudFormation's reason for a failed instance, with what to do about it."""

    def observe(self, name: str) -> ObservedStackSet | None:
        """The stack set with all its instances, None where there is none."""

    def create(self, desired: DesiredStackSet) -> None:
        """Make the stack set, without instances; fine if it is there already."""

    def update(self, desired: DesiredStackSet) -> str:
        """Make template, parameters and automatic deployment as desired, in every instance."""

    def fill(self, name: str, units: Sequence[str], account_ids: Sequence[str] = ()) -> str:
        """Make missing instances in the units, and those that are outdated once more.

        With `account_ids` in these accounts of the units only.
        """

    def empty(self, name: str, units: Sequence[str], account_ids: Sequence[str]) -> str:
        """Delete the instances of these accounts of the units, and their roles with them."""

    def delete(self, name: str) -> None:
        """Delete the stack set, which has no instance any more; fine if it is gone already."""

    def operation(self, name: str, operation_id: str) -> StackOperation:
        """How far an operation has come."""


class Aws(Protocol):
    """The way into accounts."""

    def check_sources(self, accounts: Sequence[Account]) -> None:
        """Raise `CannotStart` if not one of the accounts has a working source of credentials."""

    def reach(self, account: Account) -> AccountSession:
        """Credentials inside the account. Raises `AccountError` (stage reach)."""

    def stack_sets(self, spec: StackSetSpec) -> StackSets:
        """Stack sets, by the profile that administers them. Raises `AccountError` (stage reach)."""

    def close(self) -> None:
        """Let go of every connection."""


class Slot(Protocol):
    """The right to send one request now; given back exactly once (the first word counts).

    As a context manager it is given back in any case: unused, or answered once it was `sent`.
    """

    def __enter__(self) -> Self:
        """The slot itself."""

    def __exit__(self, *_: object) -> None:
        """Give it back if that was not done yet."""

    def sent(self) -> None:
        """From here on the server may count the request."""

    def arrived(self, at: float) -> None:
        """The server surely had the request `at` this time, by `time.monotonic`."""

    def answered(self) -> None:
        """The request was, or may have been, counted by the server."""

    def unused(self) -> None:
        """No request reached the server."""

    def throttled(self, retry_after: float | None) -> int:
        """The answer was a 429: everybody waits; how many pauses in a row have begun."""


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
    """The Cloudcraft API, each call one paced request (more only where surely not processed).

    Every call may raise `cloudcraft.client`'s errors: `Refused` (an answer that means no),
    `Doubtful` (maybe processed), `Unavailable` (surely not processed, retries used up).
    """

    @property
    def usage(self) -> CloudcraftUsage:
        """What was sent so far."""

    def parameters(self) -> CloudcraftParameters:
        """`GET /aws/account/iamParameters`."""

    def registrations(self, slot: Slot | None = None) -> tuple[Registration, ...]:
        """`GET /aws/account`."""

    def teams(self) -> tuple[Team, ...]:
        """`GET /team`."""

    def policy(self, kind: str) -> Mapping[str, Any]:
        """`GET /aws/account/iamParameters/policy/KIND`, KIND minimal or custom."""

    def register(self, spec: RegistrationSpec, slot: Slot | None = None) -> Registration:
        """`POST /aws/account`."""

    def update(
        self, registration: Registration, spec: RegistrationSpec, slot: Slot | None = None
    ) -> None:
        """`PUT /aws/account/{id}`; access lists that the spec leaves open are sent as they are."""

    def delete(self, registration: Registration, slot: Slot | None = None) -> None:
        """`DELETE /aws/account/{id}`; one that is gone already (404) is fine."""

    def close(self) -> None:
        """Let go of every connection."""
