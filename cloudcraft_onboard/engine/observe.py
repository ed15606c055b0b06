"""AWS jobs and nothing else: what is found in accounts, without a request to Cloudcraft."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack, Worked
from cloudcraft_onboard.engine.agenda import Agenda, Ends
from cloudcraft_onboard.engine.budget import Budget, Limits
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.jobs import AwsJobs
from cloudcraft_onboard.engine.messages import Ended, Job, Message, Order, T
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.model import Account, Result

V = TypeVar("V")


class Observation(Generic[T, V]):
    """Gathers what workers find, by account name.

    `result_of` makes an account's result of what is known of it so far and what was found.
    """

    def __init__(
        self,
        results: Results,
        *,
        job_of: Callable[[Account], Job[T]],
        result_of: Callable[[Result, V], Result],
        control: Control,
        limits: Limits,
    ) -> None:
        self.found: dict[str, V] = {}
        self.done = False
        self._agenda: Agenda[T] = Agenda()
        self._results = results
        self._result_of = result_of
        self._control = control
        self._budget = Budget(control, self._agenda)
        self._ends = Ends(results, self._agenda, control, limits.max_failures)
        self._jobs = AwsJobs(
            results,
            job_of,
            agenda=self._agenda,
            budget=self._budget,
            control=control,
            limits=limits,
        )

    @property
    def wake_at(self) -> float | None:
        """When to come back without a message; None: a message will come."""
        return self._agenda.wake_at

    def begin(self, jobs: Iterable[Job[T]], now: float) -> list[Order[T]]:
        """Start with these jobs."""
        self._jobs.add(jobs)
        return self._advance(now)

    def step(self, message: Message[V], now: float) -> list[Order[T]]:
        """Take a message in; what is to be done next."""
        match message:
            case Worked() if not self.done:
                so_far = self._jobs.let_go(message.name, now)
                self.found[message.name] = message.value
                self._ends.finish(self._result_of(so_far, message.value))
            case Changed() | Failed() | HandedBack() | Ended() if not self.done:
                self._finish(self._jobs.take(message, now))
        return self._advance(now)

    def _advance(self, now: float) -> list[Order[T]]:
        self._agenda.wake_at = None
        if self.done:
            return self._agenda.take()
        if self._control.kind is None:
            self._budget.check(now)
        self._finish(self._jobs.advance(now))
        stopped = self._control.kind is not None
        if self._jobs.idle or (stopped and not (self._jobs.running and self._budget.waits(now))):
            self._jobs.abandon()
            for name in self._jobs.names:
                self._results.note(self._jobs.let_go(name, now))
            self.done = True
        return self._agenda.take()

    def _finish(self, results: Iterable[Result]) -> None:
        for result in results:
            self._ends.finish(result)
