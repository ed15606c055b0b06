"""The words of `onboard status` (README, Where accounts stand), seen from all sides."""

from __future__ import annotations

from datetime import datetime

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Change, Note, Problem
from cloudcraft_onboard.model.worded import Worded


class State(Worded):
    """Where an account stands: the word of the report, a symbol, and what it means.

    The first one that fits an account is its state; in this order they are worked out.
    """

    DISABLED = ("disabled", "/", "in the manifest with `enabled: false`")
    DATADOG = ("datadog", "=", "brought into Cloudcraft by Datadog")
    GONE = ("gone", "-", "no longer active in the organization")
    UNLISTED = ("unlisted", "?", "in Cloudcraft, not in the manifest")
    UNCOVERED = ("uncovered", "+", "in the organization, neither in the manifest nor in Cloudcraft")
    MISSING = ("missing", "+", "in the manifest, not in Cloudcraft")
    UNREACHABLE = ("unreachable", "x", "in the manifest, but its role could not be checked")
    DRIFTED = ("drifted", "~", "registered, but not as the manifest wants it")
    ONBOARDED = ("onboarded", "=", "registered as the manifest wants it")

    def __init__(self, word: str, symbol: str, meaning: str) -> None:
        super().__init__(word, symbol)
        self.meaning = meaning


SEEN = frozenset({State.ONBOARDED, State.DRIFTED, State.UNLISTED, State.DATADOG})
"""States that count as covered: Cloudcraft sees these accounts."""

SETTLED = frozenset({State.ONBOARDED, State.DISABLED, State.DATADOG})
"""States that need no action."""

OPEN = (
    State.UNCOVERED,
    State.MISSING,
    State.UNREACHABLE,
    State.DRIFTED,
    State.UNLISTED,
    State.GONE,
)
"""States that need action, in the order of reports."""


@frozen
class Standing:
    """One AWS account that any side knows.

    `ou` is the path of OUs down to an account that is active in the organization, empty directly
    below the root; None for every other account, and without `--organization`. `line` is the
    entry's in the manifest, None for an account that has none there. `nameless`: nobody told which
    AWS account the entry is for; `sure`: the manifest told it, or AWS.
    """

    name: str
    account_id: str | None
    state: State
    ou: str | None = None
    in_manifest: bool = False
    cloudcraft_ids: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    error: Problem | None = None
    profile: str | None = None
    line: int | None = None
    nameless: bool = False
    sure: bool = True


@frozen
class Coverage:
    """How many accounts Cloudcraft sees, of those that it could."""

    seen: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1, with three digits, rounded down: 1.0 is every account, and only that."""
        return self.seen * 1000 // self.total / 1000 if self.total else 1.0

    @property
    def whole(self) -> bool:
        """Whether no account is left out."""
        return self.seen == self.total


@frozen
class Circumstances:
    """What a command must repeat to mean the same accounts as the status that advises it.

    `profile` is whose credentials asked AWS Organizations, None where the environment, or the
    manifest alone, says so; `asked` the same for another status, which looks for itself.
    `selection` are the options that selected accounts.
    """

    profile: str | None = None
    asked: str | None = None
    sandbox: bool = False
    selection: tuple[str, ...] = ()


NOTHING_MORE = Circumstances()


@frozen
class Status:
    """Everything that `onboard status` found; the accounts in the order of the report.

    `organization`: AWS Organizations was asked; `roles`: the roles were looked at; `selected`:
    only some of the manifest's accounts were. `tried`: accounts that the manifest lacks have an
    error where a plan would fail them. `advised` says how its commands have to be given; None: a
    saved report does not hold that.
    """

    manifest: str
    organization: bool
    roles: bool
    checked_at: datetime
    accounts: tuple[Standing, ...]
    selected: bool = False
    tried: bool = False
    advised: Circumstances | None = NOTHING_MORE

    def count(self, state: State) -> int:
        """How many accounts have this state."""
        return sum(account.state is state for account in self.accounts)

    def having(self, state: State) -> tuple[Standing, ...]:
        """The accounts with this state."""
        return tuple(account for account in self.accounts if account.state is state)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return all(account.state in SETTLED for account in self.accounts)

    @property
    def coverage(self) -> Coverage:
        """Of the organization's active accounts, or else of all that are not disabled."""
        return self._covered(self._counting())

    def by_unit(self) -> dict[str, Coverage]:
        """The coverage of each OU, by its path; empty without `--organization`."""
        units: dict[str, list[Standing]] = {}
        for account in self._counting():
            if account.ou is not None:
                units.setdefault(account.ou, []).append(account)
        return {unit: self._covered(units[unit]) for unit in sorted(units)}

    def _counting(self) -> list[Standing]:
        if self.organization:
            return [account for account in self.accounts if account.ou is not None]
        return [account for account in self.accounts if account.state is not State.DISABLED]

    @staticmethod
    def _covered(accounts: list[Standing]) -> Coverage:
        seen = sum(account.state in SEEN for account in accounts)
        return Coverage(seen=seen, total=len(accounts))
