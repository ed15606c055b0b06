"""What is known of each account's result, at any moment; changed by the story's thread alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloudcraft_onboard.model import Account, Change, Note, Outcome, Result
from cloudcraft_onboard.model.notes import Disabled


class Results:
    """Results by account name: so far, provisional (not verified yet), final.

    A final result stays: what comes later of work that was abandoned is dropped.
    """

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._results: dict[str, Result] = {}
        self._final: set[str] = set()
        self._failed = 0
        for account in accounts:
            if not account.enabled:
                skipped = replace(Result.of(account), outcome=Outcome.SKIPPED, notes=(Disabled(),))
                self.finish(skipped)

    @property
    def failures(self) -> int:
        """How many accounts have failed for good."""
        return self._failed

    def finish(self, result: Result) -> bool:
        """Keep a final result; whether it is the first one."""
        if result.name in self._final:
            return False
        self._final.add(result.name)
        self._results[result.name] = result
        self._failed += result.outcome is Outcome.FAILED
        return True

    def note(self, result: Result) -> None:
        """Keep what is known so far, for a report that is written before the end."""
        if result.name not in self._final:
            self._results[result.name] = result

    def changed(self, name: str, change: Change) -> None:
        """One more change was made in an account."""
        so_far = self.so_far(name)
        self.note(replace(so_far, changes=(*so_far.changes, change)))

    def so_far(self, name: str) -> Result:
        """What is known of an account; without any word, what the manifest says."""
        return self._results.get(name) or Result.of(self._accounts[name])

    def is_final(self, name: str) -> bool:
        """Whether the account's result stands."""
        return name in self._final

    def all(self, note: Note) -> tuple[Result, ...]:
        """All results in the manifest's order; accounts without a result are pending with `note`.

        May be read by another thread while the run goes on: each result is a frozen value.
        """
        known = dict(self._results)
        return tuple(
            _told(known.get(name) or Result.of(a), note) for name, a in self._accounts.items()
        )


def _told(result: Result, note: Note) -> Result:
    """A pending result says what it waits for."""
    pending = result.outcome is Outcome.PENDING and not result.notes
    return replace(result, notes=(note,)) if pending else result
