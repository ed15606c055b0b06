"""Where each account's result is kept, whatever thread it comes from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.events import AccountFinished, Event
from cloudcraft_onboard.model import Account, Outcome, Problem, Result, Via


class Board:
    """Results by account name; the first final result of an account stays."""

    def __init__(
        self, accounts: Sequence[Account], control: Control, emit: Callable[[Event], None]
    ) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._results: dict[str, Result] = {}
        self._final: set[str] = set()
        self._control = control
        self._emit = emit
        self._lock = threading.Lock()

    def finish(self, result: Result, *, provisional: bool = False) -> None:
        """Keep an account's result and tell the listeners.

        A provisional one (registered, not verified yet) may be replaced by a later one; what a
        thread that was abandoned says after the final result is dropped.
        """
        with self._lock:
            if result.name in self._final:
                return
            self._results[result.name] = result
            if not provisional:
                self._final.add(result.name)
        self._emit(AccountFinished(result=result, provisional=provisional))
        if not provisional and result.outcome is Outcome.FAILED:
            self._control.count_failure()

    def provisional(self) -> tuple[Result, ...]:
        """Results that still wait to be verified."""
        with self._lock:
            return tuple(r for name, r in self._results.items() if name not in self._final)

    def is_final(self, name: str) -> bool:
        """Whether the account's result stands."""
        with self._lock:
            return name in self._final

    def results(self, note: str) -> tuple[Result, ...]:
        """All results in the manifest's order; accounts without one are pending with `note`."""
        with self._lock:
            known = dict(self._results)
        return tuple(
            known.get(name) or pending(account, note) for name, account in self._accounts.items()
        )


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


def pending(account: Account, note: str) -> Result:
    """The result of an account that was not started."""
    return replace(base(account), notes=(note,))


def skipped(account: Account) -> Result:
    """The result of an account that the manifest disables."""
    return replace(base(account), outcome=Outcome.SKIPPED, notes=("disabled in the manifest",))


def not_started(accounts: Iterable[Account], note: str) -> tuple[Result, ...]:
    """The results of a run that ended before its first account."""
    return tuple(
        pending(account, note) if account.enabled else skipped(account) for account in accounts
    )


def failed(result: Result, problem: Problem) -> Result:
    """`result` turned into a failure; what had been done until then stays in it."""
    return replace(result, outcome=Outcome.FAILED, error=problem)


def noted(result: Result, *notes: str) -> Result:
    """`result` with more notes."""
    return replace(result, notes=result.notes + notes)
