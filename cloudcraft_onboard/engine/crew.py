"""Many pieces of work at the same time, by a fixed number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cloudcraft_onboard.engine.control import Control

T = TypeVar("T")


class Crew(Generic[T]):
    """`size` threads that take pieces one by one, such as accounts, while new work may start.

    `may_start` says so instead of `control` where pieces are not new work, but its next step.
    Daemon threads: after an interrupt the program must be able to end while one of them still
    waits for AWS.
    """

    def __init__(
        self,
        pieces: Iterable[T],
        work: Callable[[T], None],
        *,
        size: int,
        control: Control,
        done: Callable[[], None],
        may_start: Callable[[], bool] | None = None,
    ) -> None:
        self._pieces = iter(pieces)
        self._work = work
        self._control = control
        self._done = done
        self._may_start = may_start or control.may_start
        self._lock = threading.Lock()
        self._running = size
        self._threads = [
            threading.Thread(target=self._run, name=f"aws-{number}", daemon=True)
            for number in range(size)
        ]

    def start(self) -> None:
        """Start the threads; `done` is called by the last one to end."""
        for thread in self._threads:
            thread.start()

    @property
    def finished(self) -> bool:
        """Whether every thread has ended its work."""
        with self._lock:
            return self._running == 0

    def join(self, timeout: float | None) -> bool:
        """Wait, all together at most `timeout` seconds; whether all have ended."""
        deadline = None if timeout is None else self._control.clock() + timeout
        for thread in self._threads:
            left = None if deadline is None else max(0.0, deadline - self._control.clock())
            thread.join(left)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        try:
            while (piece := self._next()) is not None:
                self._work(piece)
        finally:
            with self._lock:
                self._running -= 1
                last = self._running == 0
            if last:
                self._done()

    def _next(self) -> T | None:
        if not self._may_start():
            return None
        with self._lock:
            return next(self._pieces, None)
