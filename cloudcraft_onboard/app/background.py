"""Work beside the story: what takes time and depends on nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Work in a daemon thread; at once where the system gives none."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._future: Future[T] = Future()

        def do() -> None:
            try:
                self._future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                self._future.set_exception(error)

        try:
            threading.Thread(target=do, name="background", daemon=True).start()
        except (RuntimeError, MemoryError):  # "can't start new thread"
            do()

    def raise_if_failed(self) -> None:
        """Raise its error, if it has failed already."""
        if self._future.done():
            self._future.result()

    def result(self) -> T:
        """Wait for its result."""
        return self._future.result()
