"""Many calls at a time, by daemon threads: an interrupt waits for none of them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 8
"""More gain nothing: AWS limits these calls for each account, whoever makes them."""


def each(work: Callable[[T], R], items: Iterable[T], workers: int = WORKERS) -> list[R]:
    """`work` on every item; the results in the items' order.

    Raises what `work` raises first; the rest is left undone then.
    """
    numbered = list(enumerate(items))
    found = spread(lambda item: ((item[0], work(item[1])), ()), numbered, workers)
    return [result for _, result in sorted(found, key=lambda it: it[0])]


def spread(
    work: Callable[[T], tuple[R, Iterable[T]]], items: Iterable[T], workers: int = WORKERS
) -> list[R]:
    """`work` on every item, and on the further ones that it finds; results in no order.

    Raises what `work` raises first; the rest is left undone then.
    """
    crew = _Crew(work, workers)
    results: list[R] = []
    try:
        crew.take(items)
        while len(results) < crew.taken:
            result, more = crew.next()
            results.append(result)
            crew.take(more)
    finally:
        crew.dismiss()
    return results


class _Crew(Generic[T, R]):
    """As many threads as there is work for, up to `workers`."""

    def __init__(self, work: Callable[[T], tuple[R, Iterable[T]]], workers: int) -> None:
        self._work = work
        self._workers = workers
        self._started = 0
        self._waiting: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[R, Iterable[T]] | BaseException] = queue.SimpleQueue()
        self.taken = 0

    def take(self, items: Iterable[T]) -> None:
        """Put items into the queue."""
        for item in items:
            self.taken += 1
            self._waiting.put(item)
            if self._started < self._workers:
                self._started += 1
                threading.Thread(target=self._labour, name="crew", daemon=True).start()

    def next(self) -> tuple[R, Iterable[T]]:
        """Wait for an item to be done; raises what its work raised."""
        answer = self._done.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def dismiss(self) -> None:
        """Forget what is waiting, and let the threads end."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        for _ in range(self._started):
            self._waiting.put(None)

    def _labour(self) -> None:
        while (item := self._waiting.get()) is not None:
            try:
                self._done.put(self._work(item))
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                self._done.put(error)
                return
