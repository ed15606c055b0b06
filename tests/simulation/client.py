"""Cloudcraft's client in virtual time: what is sent again, and how a request may end.

The same promises as `cloudcraft.client`: a read is retried, a write never once it may have been
processed; a 429 pauses everybody and the request goes out again in a later slot.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Generator
from typing import Any

from cloudcraft_onboard.cloudcraft.refusals import kind_of
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Delete, Put, ReadList, Request
from cloudcraft_onboard.errors import Doubtful, Outdated, PaceClosed, Refused, Unavailable
from cloudcraft_onboard.model import ListReading
from cloudcraft_onboard.model.notes import Stop
from tests.simulation.loop import Loop, Resume, Wait
from tests.simulation.pace import VirtualPace, VirtualSlot
from tests.simulation.seeds import Fate
from tests.simulation.world import Answer, Cloudcraft

_LONGEST_BACKOFF = 30.0
_NOT_SENT = (Fate.UNSENT, Fate.CRASH_BEFORE)
_LET_THROUGH = (Fate.FINE, Fate.UNREADABLE, Fate.CRASH_AFTER)
_UNANSWERED = {
    Fate.LOST: "the answer timed out",
    Fate.ANSWER_LOST: "the connection broke",
    Fate.LATE: "the answer timed out",
    Fate.ERROR: "Cloudcraft answered with 500",
    Fate.GATEWAY: "Cloudcraft answered with 503",
    Fate.UNREADABLE: "the answer cannot be read",
}


class _Unreachable(Unavailable):
    """Surely not processed, and not worth another try."""


class VirtualClient:
    """One run's requests; `broke_the_pace` says how, if they ever did."""

    def __init__(
        self,
        run: str,
        *,
        loop: Loop,
        server: Cloudcraft,
        pace: VirtualPace,
        control: Control,
        retries: int,
    ) -> None:
        self._run = run
        self._loop = loop
        self._server = server
        self._pace = pace
        self._control = control
        self._retries = retries
        self._rng = random.Random(f"client {run}")
        self._counted: deque[list[float]] = deque()  # by when each request was counted
        self.broke_the_pace = ""

    def ask(self, request: Request, slot: VirtualSlot | None) -> Generator[Wait, Any, Any]:
        """Send until there is an answer, or one more attempt is unsafe or too many."""
        slots = [slot] if slot else []
        for attempt in range(self._retries + 1):
            try:
                return (yield from self._attempt(request, slots))
            except _Unreachable:
                raise
            except (Unavailable, Doubtful) as error:
                safe = isinstance(error, Unavailable) or isinstance(request, ReadList)
                if not safe:
                    raise
                if attempt == self._retries:
                    raise Unavailable(error.message) from error
            yield self._sleep(min(2.0**attempt, _LONGEST_BACKOFF) + self._rng.random())
            if self._control.interrupted.is_set():
                raise PaceClosed("the run is stopping")
        raise AssertionError("unreachable")

    def _attempt(self, request: Request, slots: list[VirtualSlot]) -> Generator[Wait, Any, Any]:
        control = self._control
        while True:
            slot = slots.pop() if slots else None
            if slot is None:
                got = yield self._pace.acquire(control.deadline, control.interrupted)
                if isinstance(got, PaceClosed):
                    raise got
                slot = got
            assert isinstance(slot, VirtualSlot)
            if isinstance(request, Put) and self._loop.now > request.until:
                slot.unused()
                raise Outdated("too late")
            with slot:
                self._check_pace()
                began = self._loop.now
                answer: Answer = yield self._exchange(request, slot)
                if answer.fate is Fate.CRASH_BEFORE:
                    raise ZeroDivisionError("a bug before sending")
                if answer.fate is Fate.UNSENT:
                    slot.unused()
                    raise Unavailable("no connection")
                if answer.status != 429:
                    if answer.fate in _LET_THROUGH:
                        slot.answered()
                    return _judged(request, answer, began)
                if slot.throttled(answer.retry_after) > self._retries + 1:
                    raise _Unreachable("the rate limit let nothing pass")

    def _exchange(self, request: Request, slot: VirtualSlot) -> Wait:
        def wait(resume: Resume) -> None:
            counted = [math.inf]
            self._counted.append(counted)

            def reply(answer: Answer) -> None:
                if answer.status == 429 or answer.fate in _NOT_SENT:
                    counted[0] = -math.inf
                else:
                    counted[0] = min(counted[0], self._loop.now)
                resume(answer)

            arrives = self._server.send(self._run, request, reply)
            if arrives is not None:
                slot.sent()
                if arrives > self._loop.now:
                    counted[0] = arrives
                    slot.arrived(arrives)

        return wait

    def _check_pace(self) -> None:
        """The rule, looked at from outside: never more than `limit` in flight or in a window."""
        if not self._pace.pinned:
            return  # which limit holds is to be found out
        since = self._loop.now - self._pace.window
        while self._counted and self._counted[0][0] <= since:
            self._counted.popleft()
        recent = sum(counted[0] > since for counted in self._counted)
        if recent >= self._pace.limit and not self.broke_the_pace:
            self.broke_the_pace = f"{recent + 1} requests within {self._pace.window:g} s"

    def _sleep(self, seconds: float) -> Wait:
        """A pause that an interrupt ends."""

        def wait(resume: Resume) -> None:
            over = False

            def end() -> None:
                nonlocal over
                if not over:
                    over = True
                    self._loop.after(0, lambda: resume(None))

            self._loop.after(seconds, end)
            self._control.on_stop(lambda kind: end() if kind is Stop.INTERRUPTED else None)

        return wait


def _judged(request: Request, answer: Answer, asked_at: float) -> Any:
    """The answer where it is a usable yes."""
    if answer.fate is Fate.CRASH_AFTER:
        raise ZeroDivisionError("a bug after the answer")
    if answer.fate is not Fate.FINE:
        raise Doubtful(_UNANSWERED[answer.fate])
    if answer.status < 300 and isinstance(request, ReadList):
        return ListReading(registrations=answer.body, asked_at=asked_at)
    if answer.status < 300:
        return answer.body
    if isinstance(request, Delete) and answer.status == 404:
        return None
    raise Refused(answer.status, answer.words, kind=kind_of(answer.status, answer.words))
