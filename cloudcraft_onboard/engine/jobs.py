"""The AWS side: which jobs wait, run, or get another round, and what became of their accounts.

Jobs are started as workers become free, in their order. What failed for a transient reason
(throttling, 5xx, a broken connection) gets another round when the others are through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Generic

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.budget import Budget, Limits
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Ended, Job, Start, T
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.tracks import problem_of_a_bug
from cloudcraft_onboard.errors import AccountError, AccountPending, OutOfResources
from cloudcraft_onboard.events import AccountRetried
from cloudcraft_onboard.model import Account, Outcome, Result, Stage
from cloudcraft_onboard.model.notes import Outage, Stop

_ROUND_SECONDS = 5.0  # before the first further round; doubled for each one after it
_NEXT_SECONDS = 0.5  # before a round with fewer workers: that they are fewer helps, not the time

FromAws = Changed | Failed | HandedBack | Ended


class AwsJobs(Generic[T]):
    """Jobs by their state. `job_of` makes one of an account that no stack set is for."""

    def __init__(
        self,
        results: Results,
        job_of: Callable[[Account], Job[T]],
        *,
        agenda: Agenda[T],
        budget: Budget[T],
        control: Control,
        limits: Limits,
    ) -> None:
        self.again_at: float | None = None
        self._results = results
        self._job_of = job_of
        self._agenda = agenda
        self._budget = budget
        self._control = control
        self._most = max(1, limits.concurrency)
        self._rounds = limits.retries
        self._todo: deque[Job[T]] = deque()
        self._running: dict[tuple[str, ...], Job[T]] = {}
        self._again: list[tuple[Job[T], BaseException, float]] = []  # with error and wait
        self._tries: dict[tuple[str, ...], int] = {}
        self._inside: dict[str, tuple[tuple[str, ...], float]] = {}  # an account's job, since when

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs, or is to be repeated."""
        return not (self._todo or self._running or self._again)

    @property
    def running(self) -> bool:
        """Whether a worker is at work."""
        return bool(self._running)

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts that a job has not let go."""
        return tuple(self._inside)

    def add(self, jobs: Iterable[Job[T]]) -> None:
        """More jobs, to be done after the others."""
        self._todo.extend(jobs)

    def abandon(self) -> None:
        """Nobody waits for the workers any more."""
        self._todo.clear()
        self._running.clear()

    def let_go(self, name: str, now: float) -> Result:
        """What is known of an account that its job is done with, the time of its work included.

        The work time of every row is this for each of its jobs, and that of its requests.
        """
        _, since = self._inside.pop(name, ((), now))
        result = self._results.so_far(name)
        return replace(result, seconds=result.seconds + now - since)

    def take(self, message: FromAws, now: float) -> list[Result]:
        """A worker's message; the results of accounts whose AWS work failed."""
        match message:
            case Changed():
                self._results.changed(message.name, message.change)
            case Failed():
                return [self._failed(message.name, message.error, now)]
            case HandedBack():
                self._results.note(self.let_go(message.account.name, now))
                self._todo.append(self._job_of(message.account))
            case Ended():
                return self._ended(message, now)
        return []

    def advance(self, now: float) -> list[Result]:
        """Start what may be started; the results of accounts that get no further round.

        After a stop only what is half done is started, while there is time.
        """
        given_up: list[Result] = []
        stop = self._control.kind
        if stop is not None:
            given_up = self._give_up(now)
            if stop is Stop.INTERRUPTED or self._budget.is_over(now):
                self._todo.clear()
            self._todo = deque(job for job in self._todo if job.begun)
        else:
            self._begin_round(now)
            if (self.again_at or now) > self._budget.latest:
                given_up = self._give_up(now)
        # A job whose only account was handed back has the next one's names until it has ended.
        while self._todo and len(self._running) < self._most:
            if self._todo[0].names in self._running:
                break
            job = self._todo.popleft()
            self._running[job.names] = job
            self._inside.update(dict.fromkeys(job.names, (job.names, now)))
            self._agenda.order(Start(job=job))
        if self.again_at is not None:
            self._agenda.wake(self.again_at)
        return given_up

    # --- rounds -----------------------------------------------------------------------------------

    def _ended(self, message: Ended, now: float) -> list[Result]:
        """Accounts of the job that nothing was heard of yet failed by its error."""
        job = self._running.pop(message.names, None)
        silent = [n for n in message.names if self._inside.get(n, ((), 0))[0] == message.names]
        if not silent:
            return []
        error = message.error or RuntimeError("its worker ended without a result")
        alone = len(silent) == len(message.names)  # a job with results must not be done twice
        if job is not None and alone and isinstance(error, AccountError) and error.transient:
            wait = self._repeat(job, error)
            if wait is not None:
                reason = f"{sentence(error.message)} Trying again after the other accounts."
                for name in silent:
                    self._results.note(self.let_go(name, now))
                    self._agenda.tell(AccountRetried(name=name, reason=reason, wait=wait))
                return []
        return [self._failed(name, error, now) for name in silent]

    def _repeat(self, job: Job[T], error: AccountError) -> float | None:
        """Give a job another round: its wait in seconds; None: no more."""
        tries = self._tries.get(job.names, 0)
        if tries >= self._rounds or self._control.kind is not None:
            return None
        self._tries[job.names] = tries + 1
        wait = _ROUND_SECONDS * 2.0**tries
        if isinstance(error, OutOfResources):
            self._most = max(1, min(self._most, len(self._running)) // 2)
            wait = _NEXT_SECONDS
        self._again.append((job, error, wait))
        return wait

    def _begin_round(self, now: float) -> None:
        """Once the others are through, and the wait is over, the next round begins."""
        if self._todo or self._running or not self._again:
            return
        if self.again_at is None:
            self.again_at = now + max(wait for *_, wait in self._again)
        if now >= self.again_at:
            self._todo.extend(job for job, *_ in self._again)
            self._again, self.again_at = [], None

    def _give_up(self, now: float) -> list[Result]:
        """No further round: the accounts end with the errors that they have."""
        given_up, self._again, self.again_at = self._again, [], None
        return [self._failed(n, error, now) for job, error, _ in given_up for n in job.names]

    def _failed(self, name: str, error: BaseException, now: float) -> Result:
        """The account's result after its AWS work ended in `error`."""
        result = self.let_go(name, now)
        result = replace(result, attempts=max(1, result.attempts))
        match error:
            case AccountPending():
                note = Outage(why=error.message)
                return replace(result, outcome=Outcome.PENDING, notes=(*result.notes, note))
            case AccountError():
                return result.failed(error.problem)
        return result.failed(problem_of_a_bug(error, Stage.ROLE, name))
