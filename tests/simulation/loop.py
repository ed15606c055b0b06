"""Virtual time: a heap of events, and steps that wait in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from typing import Any

Resume = Callable[[Any], None]
Wait = Callable[[Resume], None]
"""Something to wait for: it is told how to go on, and calls that once."""
Steps = Generator[Wait, Any, Any]


class Loop:
    """The clock of a simulated world; what happens at the same time happens in its order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at that time."""
        self._count += 1
        heapq.heappush(self._heap, (max(when, self.now), self._count, do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something later."""
        self.at(self.now + seconds, do)

    def clock(self) -> float:
        """The time, as a clock to be handed on."""
        return self.now

    def next(self) -> bool:
        """Let the next event happen; False when there is none."""
        if not self._heap:
            return False
        self.now, _, do = heapq.heappop(self._heap)
        do()
        return True

    def drain(self) -> None:
        """Let everything happen that is under way."""
        while self.next():
            pass

    def sleep(self, seconds: float) -> Wait:
        """Nothing but time."""
        return lambda resume: self.after(seconds, lambda: resume(None))

    def spawn(self, steps: Steps, alive: Callable[[], bool]) -> None:
        """Take the steps, each when what it waits for is there, while whoever takes them lives."""

        def resume(value: Any) -> None:
            if not alive():
                steps.close()
                return
            try:
                wait = steps.send(value)
            except StopIteration:
                return
            wait(resume)

        resume(None)
