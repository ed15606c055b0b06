"""The AWS side as the core sees it: which jobs wait, run, or get another round.

Jobs are started as workers become free, in their order. What failed for a transient reason
(throttling, 5xx, a broken connection) gets another round when the others are through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cloudcraft_onboard.accounts.facts import Worked
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.core import Core, Limits
from cloudcraft_onboard.engine.messages import Ended, Job, Start, Stop, job_of
from cloudcraft_onboard.engine.ports import PaceView
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.tracks import Policy, Track, problem_of_a_bug
from cloudcraft_onboard.errors import AccountError, AccountPending, OutOfResources
from cloudcraft_onboard.events import AccountFinished, AccountQueued, AccountRetried
from cloudcraft_onboard.model import Account, Outcome, Result, Stage
from cloudcraft_onboard.model.notes import Outage

_ROUND_SECONDS = 5.0  # before the first further round; doubled for each one after it
_NEXT_SECONDS = 0.5  # before a round with fewer workers: that they are fewer helps, not the time


class Jobs:
    """Jobs by their state; `most` run at the same time, `rounds` is how often one is repeated."""

    def __init__(self, *, most: int, rounds: int) -> None:
        self.again_at: float | None = None
        self._most = max(1, most)
        self._rounds = rounds
        self._todo: deque[Job] = deque()
        self._running: list[Job] = []
        self._again: list[tuple[Ended, float]] = []  # and its wait in seconds
        self._tries: dict[tuple[str, ...], int] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs, or is to be repeated."""
        return not (self._todo or self._running or self._again)

    @property
    def running(self) -> bool:
        """Whether a worker is at work."""
        return bool(self._running)

    def add(self, jobs: Iterable[Job]) -> None:
        """More jobs, to be done after the others."""
        self._todo.extend(jobs)

    def next(self, *, only_begun: bool = False) -> Job | None:
        """The next job that a worker may start; `only_begun`: of those that are half done."""
        if only_begun:
            self._todo = deque(job for job in self._todo if job.begun)
        if not self._todo or len(self._running) >= self._most:
            return None
        job = self._todo.popleft()
        self._running.append(job)
        return job

    def drop(self) -> None:
        """Start nothing more."""
        self._todo.clear()

    def ended(self, job: Job) -> None:
        """A worker is through with this one."""
        if job in self._running:
            self._running.remove(job)

    def abandon(self) -> None:
        """Nobody waits for the workers any more."""
        self._todo.clear()
        self._running.clear()

    def repeat(self, ended: Ended) -> float | None:
        """Give a job that ended in vain another round: its wait in seconds; None: no more."""
        tries = self._tries.get(ended.job.names, 0)
        if tries >= self._rounds:
            return None
        self._tries[ended.job.names] = tries + 1
        wait = _ROUND_SECONDS * 2.0**tries
        if isinstance(ended.error, OutOfResources):
            self._most = max(1, min(self._most, len(self._running)) // 2)
            wait = _NEXT_SECONDS
        self._again.append((ended, wait))
        return wait

    def begin_round(self, now: float) -> None:
        """Once the others are through, and the wait is over, the next round begins."""
        if self._todo or self._running or not self._again:
            return
        if self.again_at is None:
            self.again_at = now + max(wait for _, wait in self._again)
        if now >= self.again_at:
            self._todo.extend(ended.job for ended in self.give_up())

    def give_up(self) -> tuple[Ended, ...]:
        """The jobs that would have got another round, with their errors."""
        ended = tuple(ended for ended, _ in self._again)
        self._again, self.again_at = [], None
        return ended


class Working(Core):
    """What workers say of accounts, and what they do next."""

    def __init__(
        self, policy: Policy[Any], results: Results, *, pace: PaceView, limits: Limits
    ) -> None:
        super().__init__(policy, results, pace=pace, limits=limits)
        self._jobs = Jobs(most=limits.concurrency, rounds=limits.retries)
        self._in_aws: dict[str, tuple[Job, float]] = {}  # and since when

    def _worked(self, message: Worked, now: float) -> None:
        outcome = self._policy.worked(self._out_of_aws(message.name, now), message.value)
        if isinstance(outcome, Result):
            self._finish(outcome, now)
        else:
            self._submit(outcome, now)

    def _ended(self, message: Ended, now: float) -> None:
        """Accounts of the job without a word so far failed by its error."""
        self._jobs.ended(message.job)
        inside = {name for name, (job, _) in self._in_aws.items() if job == message.job}
        silent = [name for name in message.job.names if name in inside]
        if not silent:
            return
        error = message.error or RuntimeError("its worker ended without a result")
        alone = len(silent) == len(message.job.names)  # a job with results must not be done twice
        if self.stop is None and alone and isinstance(error, AccountError) and error.transient:
            wait = self._jobs.repeat(message)
            if wait is not None:
                reason = f"{sentence(error.message)} Trying again after the other accounts."
                for name in silent:
                    self.results.note(self._out_of_aws(name, now))
                    self._tell(AccountRetried(name=name, reason=reason, wait=wait))
                return
        for name in silent:
            self._end_in_aws(name, error, now)

    def _handed_back(self, account: Account, now: float) -> None:
        """An account of a stack set that the stack set is not for gets a job of its own."""
        self.results.note(self._out_of_aws(account.name, now))
        self._jobs.add([job_of(account)])

    def _out_of_aws(self, name: str, now: float) -> Result:
        """What is known of an account that a job has let go, the time since its start included.

        The work time of every row is this for each of its jobs, and that of its requests.
        """
        _, since = self._in_aws.pop(name, (None, now))
        result = self.results.so_far(name)
        return replace(result, seconds=result.seconds + now - since)

    def _end_in_aws(self, name: str, error: BaseException, now: float) -> None:
        """The account's result after its AWS work ended in `error`."""
        result = self._out_of_aws(name, now)
        result = replace(result, attempts=max(1, result.attempts))
        match error:
            case AccountPending():
                note = Outage(why=error.message)
                result = replace(result, outcome=Outcome.PENDING, notes=(*result.notes, note))
            case AccountError():
                result = result.failed(error.problem)
            case _:
                result = result.failed(problem_of_a_bug(error, Stage.ROLE))
        self._finish(result, now)

    def _start_jobs(self, now: float) -> None:
        """After a stop only what is half done is started, while there is time."""
        if self.stop is not None:
            self._give_up_rounds(now)
            if self.stop is Stop.INTERRUPTED or now >= self._deadline:
                self._jobs.drop()
        else:
            self._jobs.begin_round(now)
            if (self._jobs.again_at or now) > self._latest:
                self._give_up_rounds(now)
        while job := self._jobs.next(only_begun=self.stop is not None):
            self._in_aws.update(dict.fromkeys(job.names, (job, now)))
            self._orders.append(Start(job=job))

    def _give_up_rounds(self, now: float) -> None:
        for ended in self._jobs.give_up():
            for name in ended.job.names:
                self._end_in_aws(name, ended.error or RuntimeError(), now)

    def _submit(self, track: Track, now: float) -> None:
        """An account whose turn at Cloudcraft has come, if anything is to be sent for it."""
        self._tracks[track.name] = track
        track.queued_at = now
        if self._policy.request(track, 0) is None:
            self._go_on(track, now)
            return
        wait = self._policy.wait(track)
        self._note(track)
        self._tell(AccountQueued(name=track.name, ready_in=wait))
        self._put(track, now + wait)

    def _go_on(self, track: Track, now: float) -> None:
        """The account's next request, or what follows its last one."""
        if self._policy.request(track, 0) is not None:
            self._put(track, now)
            return
        match self._policy.finished(track):
            case Result() as result if self._policy.verified and track.posted:
                track.outcome = result.outcome
                self._unverified[track.name] = track
                self.results.note(result)
                self._tell(AccountFinished(result=result, provisional=True))
            case Result() as result:
                self._finish(result, now)
            case Job() as job:
                self._note(track)
                self._jobs.add([job])
            case None:
                self._note(track)
