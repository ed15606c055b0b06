"""Requests that wait for their turn: the second stage, at the pace that Cloudcraft allows.

A job is dispatched when there is a slot for it and its time has come; of several, the one whose
time came first. Slots are taken before a job is chosen, so that the choice is made at the last
moment and no slot is wasted on a job that is not ready.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Callable

from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.patience import CLOSING_SECONDS
from cloudcraft_onboard.engine.ports import Pace, Slot
from cloudcraft_onboard.errors import PaceClosed

Job = Callable[[Slot], None]
"""Sends one request in the slot, gives the slot back, and never raises."""

# More requests in flight than this would only queue up at the server.
_MOST_IN_FLIGHT = 64


class Dispatcher:
    """Jobs in, requests out, one thread a request in flight.

    `verified`: a last read follows, for which a time budget must leave a slot.
    """

    def __init__(self, pace: Pace, control: Control, *, verified: bool) -> None:
        self._pace = pace
        self._control = control
        self._verified = verified
        self._jobs: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._in_flight: set[threading.Thread] = set()
        self._slowest = 0.0
        self._changed = threading.Condition()
        control.on_stop(self.wake)

    def put(self, job: Job, *, wait: float = 0.0) -> None:
        """Queue a job that may be sent `wait` seconds from now at the earliest."""
        with self._changed:
            heapq.heappush(self._jobs, (self._control.clock() + wait, next(self._order), job))
            self._changed.notify_all()

    def wake(self) -> None:
        """Something that the loop waits for has happened elsewhere."""
        with self._changed:
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        with self._changed:
            return len(self._jobs)

    def run(self, upstream_finished: Callable[[], bool]) -> None:
        """Dispatch until all is quiet: no job, nothing in flight, and nothing more to come.

        Ends early, jobs left over, when the run is stopped; what is in flight then still is.
        """
        while self._wait_for_work(upstream_finished):
            slot = self._acquire()
            if slot is None:
                return
            job = self._take_ready()
            if job is None:
                slot.unused()
                continue
            thread = threading.Thread(
                target=self._send, args=(job, slot), name="cloudcraft", daemon=True
            )
            with self._changed:
                self._in_flight.add(thread)
            thread.start()

    def wait_in_flight(self, patience: float | None) -> bool:
        """Wait for the answers of what was sent; whether all came within `patience` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_flight, patience)

    # --- inside -----------------------------------------------------------------------------

    @property
    def _latest(self) -> float:
        """When a request must be sent at the latest for its answer to come within the budget."""
        deadline = self._control.deadline
        return math.inf if deadline is None else deadline - self._slowest - CLOSING_SECONDS

    def _wait_for_work(self, upstream_finished: Callable[[], bool]) -> bool:
        with self._changed:
            while True:
                if self._control.stopped.is_set():
                    return False
                idle = not self._in_flight and upstream_finished()
                in_time = self._jobs and self._jobs[0][0] <= self._latest
                if in_time and len(self._in_flight) < _MOST_IN_FLIGHT:
                    return True
                if idle and not self._jobs:
                    return False
                left = self._latest - self._control.clock()
                if idle or left <= 0:  # what is left would come too late
                    break
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
        self._control.stop(Stop.BUDGET)
        return False

    def _acquire(self) -> Slot | None:
        wait = self._pace.next_in()
        if self._beyond_budget(wait):
            self._control.stop(Stop.BUDGET)
            return None
        try:
            return self._pace.acquire(self._control.deadline, self._control.stopped)
        except PaceClosed:
            # Unless the run was stopped already, the slot would come too late.
            self._control.stop(Stop.BUDGET)
            return None

    def _beyond_budget(self, wait: float) -> bool:
        """Whether a request sent after `wait` comes too late, or the verifying read after it."""
        latest = self._latest
        if latest == math.inf:
            return False
        sent = self._control.clock() + wait
        if sent > latest:
            return True
        if not self._verified:
            return False
        own_slot_again = sent + self._slowest + self._pace.window
        return self._pace.free_by(latest) < 2 and own_slot_again > latest  # noqa: PLR2004 - and the read

    def _take_ready(self) -> Job | None:
        with self._changed:
            while self._jobs and not self._control.stopped.is_set():
                ready_at, _, job = self._jobs[0]
                now = self._control.clock()
                if ready_at <= now:
                    heapq.heappop(self._jobs)
                    return job
                if ready_at > self._latest:
                    break
                self._changed.wait(ready_at - now)
        return None

    def _send(self, job: Job, slot: Slot) -> None:
        started = self._control.clock()
        try:
            job(slot)
        finally:
            with self._changed:
                self._slowest = max(self._slowest, self._control.clock() - started)
                self._in_flight.discard(threading.current_thread())
                self._changed.notify_all()
