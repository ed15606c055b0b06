"""An account while its requests to Cloudcraft are under way: what all requests share.

Registering and deleting treat doubt alike: what was sent and has no answer is looked up in a list
(`look_up`), only what is left is sent again, and the last list has the last word (`judge`). They
differ in what they send, in what a refusal means, and in what the last list must show.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar, Protocol, TypeVar

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.engine.messages import Job, Write
from cloudcraft_onboard.errors import Refused
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account, Note, Outcome, Problem, Registration, Result, Stage
from cloudcraft_onboard.model.notes import Errand
from cloudcraft_onboard.plan.registration import Listing

T_co = TypeVar("T_co", covariant=True)
V_contra = TypeVar("V_contra", contravariant=True)


class Left(Enum):
    """What is left to be done for an account."""

    REQUEST = auto()
    ROLE = auto()
    LAST_LIST = auto()
    NOTHING = auto()


class Verdict(Enum):
    """What the last list says of an account that is done but for it."""

    CONFIRMED = auto()
    TO_MEND = auto()
    MISSING = auto()
    UNCLEAR = auto()


@frozen
class Judgment:
    """A verdict, with notes on it, and what mends the account.

    `duplicates` are to be deleted, `kept` is to be brought to the manifest. `unsettled`: what is
    left in doubt leaves the account pending even after that.
    """

    verdict: Verdict
    notes: tuple[Note, ...] = ()
    duplicates: tuple[Registration, ...] = ()
    kept: Registration | None = None
    unsettled: bool = False


@dataclass(kw_only=True, slots=True)
class Track(ABC):
    """What is known of one account's requests.

    `attempts` counts requests, `refusals` those refused while the role is young, `rounds` looks at
    the list after doubts. `doubted`: one was in doubt. `made` are the registrations that answers
    to this run's own requests named, by ID. `waits_for` is what a pending account waits for.
    `unsettled`: it stays pending, whatever is mended. `doubts`: what a list showed that its lost
    requests may have made, for an account that fails before the last list.
    """

    name: str
    waits_for: Note
    queued_at: float = 0.0
    seconds: float = 0.0
    attempts: int = 0
    refusals: int = 0
    rounds: int = 0
    doubted: bool = False
    crash: Problem | None = None
    unsettled: bool = False
    registration: Registration | None = None
    made: dict[str, Registration] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    doubts: tuple[Note, ...] = ()

    errand: ClassVar[Errand]
    """What its requests are for, by which a pending account says what it waits for."""
    missing: ClassVar[Problem]
    """Why it fails where even a further list does not confirm it."""

    @property
    @abstractmethod
    def left(self) -> Left:
        """What is left to be done."""

    @property
    @abstractmethod
    def outcome(self) -> Outcome:
        """How it ends if nothing is left."""

    @property
    @abstractmethod
    def is_answered(self) -> bool:
        """Whether Cloudcraft's own answers tell that it is done, whatever the last list says."""

    @property
    def made_at(self) -> float | None:
        """When its role was made, by the run's clock; None: long ago, as far as known."""
        return None

    @abstractmethod
    def request(self, number: int) -> Write:
        """The next request, where one is left."""

    @abstractmethod
    def accepted(self, registration: Registration | None) -> None:
        """Take in that the request was accepted; a POST's answer names the registration."""

    @abstractmethod
    def look_up(self, listing: Listing) -> None:
        """Take in what a list says of what was sent."""

    @property
    def overwrites(self) -> bool:
        """Whether the next request overwrites what somebody may have changed since the list."""
        return False

    @abstractmethod
    def judge(self, listing: Listing, *, again: bool) -> Judgment:
        """What the last list says of the account; `again`: it can be read once more."""

    @abstractmethod
    def result(self, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""

    def again_in(self, error: Refused, now: float, settle: float) -> float | None:  # noqa: ARG002 - a role's age
        """Seconds after which a refused request is worth another try; None: it never is.

        `settle` is how old a new role was expected to be.
        """
        return None

    @abstractmethod
    def problem(self, error: Refused) -> Problem:
        """What a refusal means for the person reading."""


class Policy(Protocol[T_co, V_contra]):
    """What a run is for: the accounts of it, and what comes before and after their requests. Pure.

    `T` is what a worker is given to do, `V` what its work on an account comes to.
    """

    verified: bool
    """Whether a last list is read, by which what was done becomes final."""
    reserved: int
    """How many slots a time budget keeps for it."""

    def tracks(self) -> tuple[Track, ...]:
        """Accounts whose requests come first; AWS has no part in them yet."""

    def worked(self, so_far: Result, value: V_contra) -> Track | Result:
        """What AWS brought: a result, or an account whose turn at Cloudcraft comes."""

    def job_of(self, account: Account) -> Job[T_co]:
        """The job of an account that no stack set is for."""

    def role_job(self, name: str) -> Job[T_co] | None:
        """The AWS job that follows an account's requests; None: it is one of the last ones."""

    def last_jobs(self) -> tuple[Job[T_co], ...]:
        """AWS jobs for many accounts, once no request is left."""


def problem_of_a_bug(error: BaseException, stage: Stage, name: str) -> Problem:
    """An exception that nobody foresaw, as the problem of the account `name`."""
    code = type(error).__name__
    if isinstance(error, MemoryError):
        cause = Cause(row=ours.OUT_OF_MEMORY, facts=Facts(name=name))
        return Problem.of(stage, "MemoryError", "The system ran out of memory.", cause)
    message = excerpt(f"Unexpected error: {error}")
    cause = Cause(row=ours.BUG, facts=Facts(name=name, code=code, reason=message))
    return Problem.of(stage, code, message, cause)
