"""What is known of each account's result, at any moment; changed by the story's thread alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cloudcraft_onboard.model import Account, Change, Outcome, Problem, Result, Via


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
                self.finish(skipped(account))

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
        return self._results.get(name) or base(self._accounts[name])

    def is_final(self, name: str) -> bool:
        """Whether the account's result stands."""
        return name in self._final

    def all(self, note: str) -> tuple[Result, ...]:
        """All results in the manifest's order; accounts without a word are pending with `note`.

        May be read by another thread while the run goes on: each result is a frozen value.
        """
        known = dict(self._results)
        return tuple(_told(known.get(name) or base(a), note) for name, a in self._accounts.items())


def base(account: Account) -> Result:
    """What a result says of an account before anything was found out; counts as pending."""
    return Result(
        name=account.name,
        account_id=account.account_id,
        profile=None if account.role.via is Via.EXISTING else account.profile,
        region=account.region,
        outcome=Outcome.PENDING,
        line=account.line,
    )


def skipped(account: Account) -> Result:
    """The result of an account that the manifest disables."""
    return replace(base(account), outcome=Outcome.SKIPPED, notes=("Disabled in the manifest.",))


def not_started(accounts: Iterable[Account], note: str) -> tuple[Result, ...]:
    """The results of a run that ended before its first account."""
    return tuple(_told(base(a), note) if a.enabled else skipped(a) for a in accounts)


def failed(result: Result, problem: Problem) -> Result:
    """`result` turned into a failure; what had been done until then stays in it."""
    return replace(result, outcome=Outcome.FAILED, error=problem)


def noted(result: Result, *notes: str) -> Result:
    """`result` with more notes."""
    return replace(result, notes=result.notes + notes)


def _told(result: Result, note: str) -> Result:
    """A pending result says what it waits for."""
    pending = result.outcome is Outcome.PENDING and not result.notes
    return replace(result, notes=(note,)) if pending else result
