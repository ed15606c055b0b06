"""The AWS side as the core sees it: which jobs wait, run, or get another round. Pure.

Jobs are started as workers become free, in their order. What failed for a transient reason
(throttling, 5xx, a broken connection) gets another round when the others are through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from cloudcraft_onboard.engine.messages import Ended, Job

OUT_OF_RESOURCES = "OutOfResources"
"""The code of an error after which fewer jobs run at the same time."""
ROUND_SECONDS = 5.0
"""How long the first further round waits; doubled for each one after it."""


class Jobs:
    """Jobs by their state; `most` run at the same time, `rounds` is how often one is repeated."""

    def __init__(self, *, most: int, rounds: int) -> None:
        self.again_at: float | None = None
        self._most = max(1, most)
        self._rounds = rounds
        self._todo: deque[Job] = deque()
        self._running: set[tuple[str, ...]] = set()
        self._again: list[Ended] = []
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
        self._running.add(job.names)
        return job

    def drop(self) -> None:
        """Start nothing more."""
        self._todo.clear()

    def ended(self, job: Job) -> None:
        """A worker is through with this one."""
        self._running.discard(job.names)

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
        if getattr(ended.error, "code", "") == OUT_OF_RESOURCES:
            self._most = max(1, min(self._most, len(self._running)) // 2)
        self._again.append(ended)
        return ROUND_SECONDS * 2.0**tries

    def begin_round(self, now: float) -> None:
        """Once the others are through, and the wait is over, the next round begins."""
        if self._todo or self._running or not self._again:
            return
        if self.again_at is None:
            tries = max(self._tries[ended.job.names] for ended in self._again)
            self.again_at = now + ROUND_SECONDS * 2.0 ** (tries - 1)
        if now >= self.again_at:
            self._todo.extend(ended.job for ended in self.give_up())

    def give_up(self) -> tuple[Ended, ...]:
        """The jobs that would have got another round, with their errors."""
        ended, self._again, self.again_at = tuple(self._again), [], None
        return ended
