"""What the work on accounts says of itself, each fact when it happens: frozen values.

Work on one account says its steps and changes, and returns what it came to. Work on accounts of a
stack set has a word for each of them: `Worked`, `Failed` or `HandedBack`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Generic, TypeVar

from cloudcraft_onboard.errors import AccountPending
from cloudcraft_onboard.events import OperationAwaited, Said, StepStarted
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, Change

T = TypeVar("T")
V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


@frozen
class Changed:
    """One change was made in an account."""

    name: str
    change: Change


@frozen
class Worked(Generic[V_co]):
    """AWS is done with an account; `value` is what it came to."""

    name: str
    value: V_co


@frozen
class Failed:
    """AWS work failed for one of several accounts."""

    name: str
    error: Exception


@frozen
class HandedBack:
    """No stack set covers this account: it is to be worked on by itself."""

    account: Account


@frozen
class Paused:
    """Nothing is to be done for some seconds; if the run is stopped meanwhile, `error` ends it."""

    seconds: float
    error: AccountPending


Step = StepStarted | OperationAwaited | Said | Changed | Paused
Fact = Step | Worked[V] | Failed | HandedBack

Steps = Generator[Step, None, T]
"""Work on one account; what it raises is the account's problem."""
Words = Generator[Fact[V], None, None]
"""Work with a word for each account; what it raises is the problem of all without a word."""
