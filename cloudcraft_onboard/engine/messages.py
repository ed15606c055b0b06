"""What the threads tell the core, and what the core tells the driver: frozen values, no behavior.

A message says what came of something; an order says what is to be done next. `T` is what a worker
is given to do, `V` what its work on an account comes to. Times are seconds of the driver's clock.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack, Worked
from cloudcraft_onboard.accounts.stackset import StackSetAccounts
from cloudcraft_onboard.events import Event
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, ListReading, Registration, RegistrationSpec, Slot

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V")


@frozen
class Job(Generic[T_co]):
    """One piece of AWS work: an account, or a stack set with the accounts that it serves.

    `task` is the worker's own business. `begun`: the accounts are half done, so the job is started
    even where nothing new may be.
    """

    names: tuple[str, ...]
    task: T_co
    begun: bool = False


def job_of(account: Account) -> Job[Account]:
    """An account as one worker's job."""
    return Job(names=(account.name,), task=account)


def job_of_all(group: StackSetAccounts) -> Job[StackSetAccounts]:
    """The accounts of a stack set as one worker's job."""
    return Job(names=tuple(each.name for each in group.accounts), task=group)


# --- requests to Cloudcraft ---------------------------------------------------------------------


class Method(StrEnum):
    """The methods of Cloudcraft's API."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@frozen
class ReadList:
    """`GET` of all registrations. `number` is unique among all requests."""

    method: ClassVar = Method.GET
    number: int


@frozen
class Post:
    """Registers the account `name`."""

    method: ClassVar = Method.POST
    number: int
    name: str
    spec: RegistrationSpec


@frozen
class Put:
    """Makes a registration of the account `name` as specified; not sent after `until`."""

    method: ClassVar = Method.PUT
    number: int
    name: str
    spec: RegistrationSpec
    registration: Registration
    until: float = math.inf


@frozen
class Delete:
    """Deletes a registration of the account `name`."""

    method: ClassVar = Method.DELETE
    number: int
    name: str
    registration: Registration


Write = Post | Put | Delete
Request = Write | ReadList


# --- messages: what happened --------------------------------------------------------------------


@frozen
class Ended:
    """A worker is through with the job of these accounts.

    `error` is that of all of them that nothing was heard of yet.
    """

    names: tuple[str, ...]
    error: BaseException | None = None


@frozen
class SlotFree:
    """The slot that was waited for; whoever gets it owns it."""

    slot: Slot


@frozen
class NoSlot:
    """No slot comes in time, or the run was stopped."""


@frozen
class Answered:
    """A write's end: accepted, or the error (`RequestError`; anything else is a crash).

    `registration` is what a POST made. `seconds` is how long it took.
    """

    request: Write
    registration: Registration | None = None
    error: BaseException | None = None
    seconds: float = 0.0


@frozen
class ListRead:
    """The list of all registrations, or why it could not be read.

    `seconds` is how long it took, with all attempts.
    """

    request: ReadList
    reading: ListReading | None = None
    error: BaseException | None = None
    seconds: float = 0.0


@frozen
class NotSpawned:
    """A request was not sent: there is no thread for it now; its slot was given back."""

    request: Request


@frozen
class Woken:
    """Nothing but that time has passed, or that the run was stopped."""


Message = (
    Changed
    | Worked[V]
    | Failed
    | HandedBack
    | Ended
    | SlotFree
    | NoSlot
    | Answered
    | ListRead
    | NotSpawned
    | Woken
)


# --- orders: what is to be done -----------------------------------------------------------------


@frozen
class Start(Generic[T_co]):
    """Have a worker do this."""

    job: Job[T_co]


@frozen
class WaitForSlot:
    """Say `SlotFree` when the pace allows the next request."""


@frozen
class GiveBack:
    """This slot is not used."""

    slot: Slot


@frozen
class Send:
    """Send this; without a slot, in one that the client waits for itself."""

    request: Request
    slot: Slot | None = None


@frozen
class Tell:
    """Tell the listeners."""

    event: Event


Order = Start[T] | WaitForSlot | GiveBack | Send | Tell
