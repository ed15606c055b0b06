"""What every source of accounts answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.write import Defaults, Way

ASSUME_ROLE = "OrganizationAccountAccessRole"
"""The role that Organizations creates in new member accounts."""

NONE = Defaults()
ACTIVE = "ACTIVE"
_PENDING = "PENDING_ACTIVATION"


@frozen
class Candidate:
    """An account that a source knows. `path` are the names of root and OUs down to it.

    `profile` and `assume_role` are its own way in, where the source says so.
    """

    name: str
    account_id: str | None = None
    email: str = ""
    path: tuple[str, ...] = ()
    profile: str | None = None
    assume_role: Way | None = None
    region: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""


@frozen
class Found:
    """What a source yielded; `said` are sentences for the reader.

    `defaults` are the way into accounts that have none of their own; `chosen`: the user named it,
    so that it holds for new accounts whatever a manifest's defaults say. `states` are the states of
    accounts, by ID, in the words of AWS Organizations; where they are `complete`, they name every
    account of the organization.
    """

    candidates: tuple[Candidate, ...]
    said: tuple[str, ...] = ()
    defaults: Defaults = NONE
    chosen: bool = False
    states: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False

    def gone(self, account_id: str | None) -> str | None:
        """How an account is gone, as a clause; None for one that is not, as far as is known."""
        if account_id is None:
            return None
        state = self.states.get(account_id)
        if state is None:
            return "no longer in the organization" if self.complete else None
        return None if is_open(state) else state or "in no state"


def is_open(state: str) -> bool:
    """Whether an account in this state is there, or will be."""
    return state in (ACTIVE, _PENDING)


@frozen
class Search:
    """What is to be found: `whole` with the states of all accounts, to compare a manifest with.

    `profile` is whose credentials to use where the user names none. `waiting` is told how far it
    has come, as a text that is current whenever it is read.
    """

    whole: bool = False
    profile: str | None = None
    waiting: Callable[[object], None] = lambda _: None


class Source(Protocol):
    """Where accounts come from."""

    @property
    def origin(self) -> str:
        """The source as a clause: `AWS Organizations`."""

    def find(self, search: Search) -> Found:
        """The accounts that are to be in the manifest.

        Raises:
            UsageError: the user asked for what cannot be.
            CannotStart: it cannot be read.
        """
