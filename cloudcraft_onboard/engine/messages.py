"""What the threads tell the core, and what the core tells the driver: frozen values, no behavior.

A message says what came of something; an order says what is to be done next. Times are seconds of
the driver's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack, Worked
from cloudcraft_onboard.accounts.stackset import StackSetAccounts, Task
from cloudcraft_onboard.engine.ports import Slot
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.model import Registration, RegistrationSpec
from cloudcraft_onboard.model.notes import Stop as Stop  # noqa: PLC0414 - a word of this room, too


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One piece of AWS work: an account, or a stack set with the accounts that it serves.

    `task` is the worker's own business. `begun`: the accounts are half done, so the job is started
    even where nothing new may be.
    """

    names: tuple[str, ...]
    task: Any
    begun: bool = False


def job_of(task: Task) -> Job:
    """An account, or the accounts of a stack set, as one worker's job."""
    accounts = task.accounts if isinstance(task, StackSetAccounts) else (task,)
    return Job(names=tuple(each.name for each in accounts), task=task)


class Method(StrEnum):
    """The methods of Cloudcraft's API."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request to Cloudcraft; GET is the list of all registrations. `number` is unique."""

    number: int
    method: Method
    name: str = ""
    spec: RegistrationSpec | None = None
    registration: Registration | None = None


# --- messages: what happened --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A worker is through with its job; `error` is that of all accounts without a word so far."""

    job: Job
    error: BaseException | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotFree:
    """The slot that was waited for."""

    slot: Slot


@dataclass(frozen=True, kw_only=True, slots=True)
class NoSlot:
    """No slot comes in time, or the run was stopped."""

    error: BaseException


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A request's end: its answer, or the error (`RequestError`; anything else is a crash)."""

    request: Request
    answer: Any = None
    error: BaseException | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSpawned:
    """A request was not sent: there is no thread for it now; its slot was given back."""

    request: Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """Somebody else stopped the run: the person at the keyboard, as a rule."""

    kind: Stop


@dataclass(frozen=True, kw_only=True, slots=True)
class Woken:
    """Nothing but that time has passed."""


FromWorker = Changed | Worked | Failed | HandedBack
"""What changes what is known of an account, as its worker says it."""
Message = FromWorker | Ended | SlotFree | NoSlot | Answered | NotSpawned | Stopped | Woken


# --- orders: what is to be done -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Have a worker do this."""

    job: Job


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitForSlot:
    """Say `SlotFree` when the pace allows the next request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveBack:
    """This slot is not used."""

    slot: Slot


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """Send this; without a slot, in one that the client waits for itself."""

    request: Request
    slot: Slot | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tell:
    """Tell the listeners."""

    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """The run starts nothing new from here on."""

    kind: Stop
    reason: str


Order = Start | WaitForSlot | GiveBack | Send | Tell | End
