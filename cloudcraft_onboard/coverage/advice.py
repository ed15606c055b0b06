"""The commands that close what is open in a status, to be pasted as they are. Pure.

None of them breaks an account that is fine, or leads to a plan that fails where this one did not;
where that is not certain, there is no command, and the rows say what to find out first.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from cloudcraft_onboard import defaults
from cloudcraft_onboard.console.harmless import clean
from cloudcraft_onboard.coverage.words import Circumstances, Standing, State, Status
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.notes import NotActive, TooManyFail

_MOST_EXCLUDED = 50  # accounts up to which a command leaves out those that would fail
_MOST_PATTERNS = 3  # accounts up to which a command selects them, rather than takes them all
_TENTH = 10  # the part of the manifest that `init --disable-closed` takes without a number
_PENDING = "PENDING_ACTIVATION"


@frozen
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
    if not accounts or status.advised is None or not _is_pasted(status.manifest):
        return []
    advice = _Advice(status, status.advised)
    match state:
        case State.UNCOVERED:
            failing = any(map(_fails, accounts))
            return advice.adding("all but those that would fail" if failing else "")
        case State.MISSING | State.DRIFTED:
            return advice.running(accounts) if status.roles else advice.looking()
        case State.UNLISTED:
            adding = advice.adding("to keep them, in the manifest")
            return [*adding, *advice.removing("to delete their registrations")]
        case State.GONE:
            stray = any(not account.in_manifest for account in accounts)
            removing = advice.removing("in Cloudcraft") if stray else []
            return [*advice.disabling(accounts), *removing]
        case _:
            return []


def is_new(account: Standing) -> bool:
    """Whether `init --update` adds the account: the organization has it, the manifest doesn't."""
    return not account.in_manifest and account.ou is not None


def noted(status: Status) -> Status:
    """The same status; if too many accounts would fail to leave them all out, they say so."""
    failing = sum(_fails(account) for account in status.accounts)
    if failing <= _MOST_EXCLUDED:
        return status
    note = TooManyFail(count=failing)
    rows = (replace(it, notes=(*it.notes, note)) if _fails(it) else it for it in status.accounts)
    return replace(status, accounts=tuple(rows))


class _Advice:
    """The commands for one status."""

    def __init__(self, status: Status, circumstances: Circumstances) -> None:
        self._status = status
        self._circumstances = circumstances
        path = status.manifest
        self._manifest = shlex.quote(f"./{path}" if path.startswith("-") else path)
        # While an entry may be any account, an account that no entry names may be its.
        self._certain = not any(account.nameless for account in status.accounts)

    def looking(self) -> list[Closing]:
        """Find out first what would fail, as nobody has looked at the roles."""
        asked = self._circumstances.asked
        words = ["onboard status", self._manifest]
        words += ["--organization"] if self._status.organization else []
        words += [f"--profile {shlex.quote(asked)}"] if asked else []
        words += [*map(shlex.quote, self._circumstances.selection), *self._sandbox]
        return [Closing(command=" ".join(words), purpose="look at the roles first")]

    def adding(self, purpose: str) -> list[Closing]:
        """Take accounts of the organization into the manifest, but for those that would fail."""
        if self._can_add and not self._status.roles:
            return self.looking()
        update = self._update()
        fine = any(account.error is None for account in self._new)
        return [Closing(command=update, purpose=purpose)] if update and fine else []

    def running(self, accounts: Sequence[Standing]) -> list[Closing]:
        """Bring accounts to their desired state; one that fails anyway needs its hint instead."""
        able = [account for account in accounts if account.error is None]
        if not able:
            return []
        everything = sum(account.in_manifest for account in self._status.accounts)
        words = ["onboard run", self._manifest]
        if len(able) < everything and len(able) <= _MOST_PATTERNS and all(map(_pattern, able)):
            words += [f"--only {shlex.quote(_pattern(account))}" for account in able]
        else:
            words += map(shlex.quote, self._circumstances.selection)
        return [Closing(command=" ".join([*words, *self._sandbox]))]

    def removing(self, purpose: str) -> list[Closing]:
        """Delete registrations: all that the manifest lacks, whatever their state.

        The command deletes nothing where it cannot find out which accounts the manifest has.
        """
        if not (self._certain and all(account.sure for account in self._status.accounts)):
            return []
        number = sum(
            len(account.cloudcraft_ids)
            for account in self._status.accounts
            if not account.in_manifest and account.state is not State.DATADOG
        )
        most = [f"--max-removals {number}"] if number > defaults.MOST else []
        words = ["onboard remove", self._manifest, "--unlisted", *most, *self._sandbox]
        return [Closing(command=" ".join(words), purpose=purpose)]

    def disabling(self, accounts: Sequence[Standing]) -> list[Closing]:
        """Disable closed accounts, if the command would disable nothing else.

        It takes every account that the organization does not have, of which one may well be
        another organization's.
        """
        status = self._status
        enabled = [
            account
            for account in status.accounts
            if account.in_manifest and account.state is not State.DISABLED
        ]
        gone = [account for account in enabled if account.ou is None and not _comes(account)]
        closed = [account for account in gone if _is_closed(account)]
        listed = any(account.in_manifest for account in accounts)
        update = self._update()
        if not (listed and closed and gone == closed and update):
            return []
        total = sum(account.in_manifest for account in status.accounts)
        most = len(closed) > max(defaults.MOST, total // _TENTH)
        ceiling = f" --max-disabled {len(closed)}" if most else ""
        command = f"{update} --disable-closed{ceiling}"
        return [Closing(command=command, purpose="in the manifest")]

    @property
    def _sandbox(self) -> list[str]:
        return ["--sandbox"] if self._circumstances.sandbox else []

    @property
    def _new(self) -> list[Standing]:
        """The accounts that `init --update` adds."""
        return [account for account in self._status.accounts if is_new(account)]

    @property
    def _can_add(self) -> bool:
        """Whether it is known which accounts the manifest lacks; `init` has no sandbox."""
        found = self._status.organization and self._certain and not self._status.selected
        return found and not self._circumstances.sandbox

    def _update(self) -> str:
        """The command that adds accounts of the organization; empty where it might break a plan."""
        failing = [account.account_id or "" for account in self._status.accounts if _fails(account)]
        known = self._status.tried or not self._new
        if not (self._can_add and known) or len(failing) > _MOST_EXCLUDED:
            return ""
        profile = self._circumstances.profile
        given = f" --profile {shlex.quote(profile)}" if profile else ""
        left_out = "".join(f" --exclude {account_id}" for account_id in failing)
        return f"onboard init --organization{given}{left_out} --update {self._manifest}"


def _is_pasted(path: str) -> bool:
    """Whether a command can name the manifest."""
    return clean(path) == path and path != "-"


def _fails(account: Standing) -> bool:
    """Whether a plan would fail the account if it was added."""
    return is_new(account) and account.error is not None


def _pattern(account: Standing) -> str:
    """What selects an entry, and nothing else; empty where nothing that can be pasted does."""
    return account.name if clean(account.name) == account.name else account.account_id or ""


def _is_closed(account: Standing) -> bool:
    return any(isinstance(note, NotActive) for note in account.notes)


def _comes(account: Standing) -> bool:
    """Whether the account will be active: it is not disabled then."""
    return any(isinstance(note, NotActive) and note.state == _PENDING for note in account.notes)
