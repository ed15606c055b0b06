"""Threads that do what they are given, as many as needed and as the system gives."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

M = TypeVar("M")


class Threads(Generic[M]):
    """Each piece of work ends with one message in the inbox: its result.

    Daemons: after an interrupt the program must be able to end while one of them still waits.
    `fewer`: the system gives no more than `count`.
    """

    def __init__(self, name: str, inbox: queue.SimpleQueue[M]) -> None:
        self.fewer = False
        self.count = 0
        self._name = name
        self._inbox = inbox
        self._todo: queue.SimpleQueue[tuple[Callable[[], M], M] | None] = queue.SimpleQueue()
        self._given = 0
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def do(self, work: Callable[[], M], *, otherwise: M) -> bool:
        """Have `work()` called soon; `otherwise` is the message if it raises.

        False: there is no thread, nothing will be done.
        """
        busy = self._given - self._ended.qsize()
        if busy >= self.count and not (self.fewer and self.count):
            self._spawn()
        if not self.count:
            return False
        self._given += 1
        self._todo.put((work, otherwise))
        return True

    def reserve(self) -> None:
        """Have one thread at least."""
        if not self.count:
            self._spawn()

    def close(self) -> None:
        """Let the threads end once they are idle."""
        for _ in range(self.count):
            self._todo.put(None)

    def _spawn(self) -> None:
        name = f"{self._name}-{self.count}"
        try:
            threading.Thread(target=self._run, name=name, daemon=True).start()
        except (RuntimeError, MemoryError):  # "can't start new thread"
            self.fewer = True
        else:
            self.count += 1

    def _run(self) -> None:
        while (given := self._todo.get()) is not None:
            work, message = given
            with suppress(BaseException):  # without memory even the call fails: hence `message`
                message = work()
            self._inbox.put(message)
            self._ended.put(None)
