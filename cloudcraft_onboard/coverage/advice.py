"""The commands that close what is open in a status, to be pasted as they are. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from cloudcraft_onboard import defaults
from cloudcraft_onboard.console.harmless import clean
from cloudcraft_onboard.coverage.words import Standing, State, Status

_MOST_PATTERNS = 3  # accounts up to which a command selects them, rather than takes them all


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """A command that closes a group; `purpose` tells it from another one for the same group."""

    command: str
    purpose: str = ""

    @property
    def line(self) -> str:
        """Both as one line."""
        return f"{self.purpose}: {self.command}" if self.purpose else self.command


def closing(status: Status, state: State) -> list[Closing]:
    """The command that closes a group, or one for each part of it; nothing for settled ones."""
    accounts = status.having(state)
    manifest = shlex.quote(clean(status.manifest))
    match state:
        case State.UNCOVERED:
            return [Closing(command=_update(status, manifest))]
        case State.MISSING | State.UNREACHABLE | State.DRIFTED:
            return [Closing(command=f"onboard run {manifest}{_selected(status, accounts)}")]
        case State.UNLISTED:
            removing = Closing(
                purpose="to delete their registrations", command=_removal(status, manifest)
            )
            adding = Closing(
                purpose="to keep them, in the manifest", command=_update(status, manifest)
            )
            return [adding, removing] if status.organization else [removing]
        case State.GONE:
            return _gone(status, accounts, manifest)
        case _:
            return []


def _gone(status: Status, accounts: Sequence[Standing], manifest: str) -> list[Closing]:
    listed = any(account.in_manifest for account in accounts)
    stray = any(not account.in_manifest for account in accounts)
    found = []
    if listed:
        command = f"{_update(status, manifest)} --disable-closed"
        found.append(Closing(purpose="in the manifest", command=command))
    if stray:
        found.append(Closing(purpose="in Cloudcraft", command=_removal(status, manifest)))
    return found


def _update(status: Status, manifest: str) -> str:
    profile = f" --profile {shlex.quote(clean(status.profile))}" if status.profile else ""
    return f"onboard init --organization{profile} --update {manifest}"


def _removal(status: Status, manifest: str) -> str:
    """`remove --unlisted` takes every account that the manifest lacks, whatever its state."""
    number = sum(
        not account.in_manifest
        and account.state is not State.DATADOG
        and account.cloudcraft_ids != ()
        for account in status.accounts
    )
    most = f" --max-removals {number}" if number > defaults.MOST else ""
    return f"onboard remove {manifest} --unlisted{most}"


def _selected(status: Status, accounts: Sequence[Standing]) -> str:
    """`--only` for a few accounts of many."""
    everything = sum(account.in_manifest for account in status.accounts)
    if len(accounts) > _MOST_PATTERNS or (len(accounts) == everything and not status.selected):
        return ""
    return "".join(f" --only {shlex.quote(clean(account.name))}" for account in accounts)
