"""What the work on accounts says of itself, each fact when it happens: frozen values."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from cloudcraft_onboard.errors import AccountPending
from cloudcraft_onboard.events import Said, StepStarted
from cloudcraft_onboard.model import Account, Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """One change was made in an account."""

    name: str
    change: Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Worked:
    """AWS is done with an account; `value` is a `RoleReady`, a `Removal`, or notes."""

    name: str
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """AWS is done with one account of several, in vain."""

    name: str
    error: Exception


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedBack:
    """No stack set covers this account: it is to be worked on by itself."""

    account: Account


@dataclass(frozen=True, kw_only=True, slots=True)
class Paused:
    """Nothing is to be done for some seconds; if the run is stopped meanwhile, `error` ends it."""

    seconds: float
    error: AccountPending


Fact = StepStarted | Said | Changed | Worked | Failed | HandedBack | Paused

T = TypeVar("T")
Steps = Generator[Fact, None, T]
"""Work that says what it does; what it raises is the problem of all accounts without a word."""
