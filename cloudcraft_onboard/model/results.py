"""What came of accounts, and of a command as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.changes import Change
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.problems import Problem
from cloudcraft_onboard.model.wanted import Account, Via
from cloudcraft_onboard.model.worded import Worded


class Outcome(Worded):
    """What came of one account: its word in reports, its symbol on screens."""

    CREATED = ("created", "+")
    UPDATED = ("updated", "~")
    UNCHANGED = ("unchanged", "=")
    REMOVED = ("removed", "-")
    FAILED = ("failed", "x")
    PENDING = ("pending", "?")
    SKIPPED = ("skipped", "/")


@frozen
class Result:
    """What came of one account. `seconds` is time worked on it, without waiting in a queue.

    `tags` are the manifest's, for views that filter by them; no saved report has them.
    """

    name: str
    account_id: str | None
    profile: str | None
    region: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    role_arn: str | None = None
    cloudcraft_id: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    notes: tuple[Note, ...] = ()
    error: Problem | None = None
    line: int = 1
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, account: Account) -> Result:
        """What is known of an account before anything was found out; counts as pending."""
        return cls(
            name=account.name,
            account_id=account.account_id,
            profile=None if account.role.via is Via.EXISTING else account.profile,
            region=account.region,
            outcome=Outcome.PENDING,
            line=account.line,
            tags=account.tags,
        )

    def failed(self, problem: Problem) -> Result:
        """The result as a failure; keeps what had been done until then."""
        return replace(self, outcome=Outcome.FAILED, error=problem)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests inside any window of so many seconds."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds:g}"


@frozen
class CloudcraftUsage:
    """Requests sent to Cloudcraft, those answered 429, and those that were sent again.

    `rate_limit` is the one that the run ended with, such as `20/10`; empty without one.
    `registered` is how many accounts there are by the last list and by the answers since then; None
    where no list was read, or a saved report is told.
    """

    requests: int = 0
    throttled: int = 0
    retried: int = 0
    rate_limit: str = ""
    registered: int | None = None


class Command(StrEnum):
    """The commands that leave a report."""

    RUN = "run"
    PLAN = "plan"
    REMOVE = "remove"
    STATUS = "status"


@frozen
class Report:
    """Everything a view or a file says about a run (README, The JSON report). Times are in UTC."""

    command: Command
    manifest: str
    dry_run: bool
    started_at: datetime
    finished_at: datetime
    cloudcraft: CloudcraftUsage
    results: tuple[Result, ...]

    def count(self, outcome: Outcome) -> int:
        """How many accounts have this outcome."""
        return sum(result.outcome is outcome for result in self.results)
