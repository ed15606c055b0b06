"""An account while its requests to Cloudcraft are under way, and what a policy decides about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.engine.messages import Job, Request
from cloudcraft_onboard.errors import Refused
from cloudcraft_onboard.model import Note, Outcome, Problem, Registration, Result, Stage
from cloudcraft_onboard.model.notes import Errand
from cloudcraft_onboard.plan.registration import Listing


@dataclass(kw_only=True, slots=True)
class Track:
    """What is known of one account's requests; each policy adds what it needs.

    `attempts` counts requests, `refusals` those refused while the role is young, `rounds` looks at
    the list after doubts. `posted`: a POST was sent for it, so it is done as `outcome` only by the
    last list. `made` are the IDs of registrations that this run's answers named. `waits_for` is
    what a pending account waits for.
    """

    name: str
    queued_at: float = 0.0
    seconds: float = 0.0
    attempts: int = 0
    refusals: int = 0
    rounds: int = 0
    doubted: bool = False
    posted: bool = False
    outcome: Outcome = Outcome.PENDING
    crash: Problem | None = None
    registration: Registration | None = None
    made: set[str] = field(default_factory=set)
    waits_for: Note
    notes: list[Note] = field(default_factory=list)
    to_heal: int = 0


T = TypeVar("T", bound=Track)


class Policy(Protocol[T]):
    """What registering and deleting do differently. Pure."""

    verified: bool
    """Whether a last list is read, by which provisional results become final."""

    def worked(self, so_far: Result, value: Any) -> T | Result:
        """What AWS brought: a result, or an account whose turn at Cloudcraft comes."""

    def wait(self, track: T) -> float:
        """Seconds until the account's first request may be sent."""

    def request(self, track: T, number: int) -> Request | None:
        """The account's next request, None when all is done."""

    def accepted(self, track: T, answer: Any) -> None:
        """Take in the answer to the request."""

    def found(self, track: T, listing: Listing) -> bool:
        """Take in what a list says of a doubtful request; whether something is left to be sent."""

    def finished(self, track: T) -> Result | Job | None:
        """The account's result, or the AWS job that follows; None: it waits for the last jobs."""

    def last_jobs(self) -> tuple[Job, ...]:
        """AWS jobs for many accounts, once no request is left."""

    def result(self, track: T, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""

    def about_the_account(self, error: Refused) -> bool:
        """Whether a 403 surely speaks of the account, not of the key."""

    def again_in(self, track: T, error: Refused, now: float) -> float | None:
        """Seconds after which a refused request is worth another try; None: it never is."""

    def problem(self, track: T, error: Refused) -> Problem:
        """What a refusal means for the person reading."""

    def judge(self, track: T, listing: Listing) -> Judgment | None:
        """What the last list says of a provisional account; None: it is not listed."""

    errand: Errand
    """What its requests are for, by which a pending account says what it waits for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgment:
    """An account that is listed: notes, and this run's newer duplicates, to be deleted."""

    notes: tuple[Note, ...] = ()
    duplicates: tuple[Registration, ...] = ()


def problem_of_a_bug(error: BaseException, stage: Stage) -> Problem:
    """An exception that nobody foresaw, as one account's problem."""
    if isinstance(error, MemoryError):
        return Problem(
            stage=stage,
            code="MemoryError",
            message="The system ran out of memory.",
            hint="Add memory or lower --concurrency, then run the same command again.",
        )
    return Problem(
        stage=stage,
        code=type(error).__name__,
        message=excerpt(f"Unexpected error: {error}"),
        hint="This is a bug in onboard. Please report it with the output of -vv.",
    )
