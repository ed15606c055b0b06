"""The driver in virtual time: carries out the core's orders, and puts messages into its inbox."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from cloudcraft_onboard.accounts.facts import Changed
from cloudcraft_onboard.engine.core import Core
from cloudcraft_onboard.engine.messages import (
    Answered,
    Delete,
    Ended,
    GiveBack,
    Job,
    ListRead,
    Message,
    NoSlot,
    NotSpawned,
    Order,
    Post,
    ReadList,
    Request,
    Send,
    SlotFree,
    Start,
    Tell,
    WaitForSlot,
    Woken,
)
from cloudcraft_onboard.errors import Doubtful, PaceClosed
from cloudcraft_onboard.model import RateLimit
from cloudcraft_onboard.model.notes import Stop
from tests.simulation.client import VirtualClient
from tests.simulation.loop import Loop, Wait
from tests.simulation.mutants import Mutant
from tests.simulation.pace import VirtualPace, VirtualSlot
from tests.simulation.seeds import RunPlan
from tests.simulation.trace import Trace, order_text, text
from tests.simulation.work import Worker
from tests.simulation.world import Cloudcraft

_NO_PROGRESS = 1_000
"""So many messages at one moment are a core that turns in circles."""


@dataclass(kw_only=True)
class Journal:
    """What a run did, as seen from outside: for the invariants."""

    messages: int = 0
    began_at: float = 0.0
    stopped: bool = False
    ended_at: float | None = None
    posts: dict[str, int] = field(default_factory=dict)
    blind: list[str] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    after_stop: list[str] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


class VirtualDriver:
    """Does what the core orders, and tells it what came of it."""

    def __init__(
        self,
        run: str,
        plan: RunPlan,
        *,
        loop: Loop,
        server: Cloudcraft,
        trace: Trace,
        limits: tuple[tuple[int, float], ...],
        mutant: Mutant,
    ) -> None:
        self.run = run
        self.plan = plan
        self.loop = loop
        self.alive = True
        self.journal = Journal()
        self.started = loop.now
        deadline = None if plan.budget is None else loop.now + plan.budget
        self.control = mutant.control(emit=lambda _: None, deadline=deadline, clock=loop.clock)
        self.pace = VirtualPace(loop, [RateLimit(*limit) for limit in limits])
        self.client = VirtualClient(
            run,
            loop=loop,
            server=server,
            pace=self.pace,
            control=self.control,
            retries=plan.retries,
        )
        self._server = server
        self._trace = trace
        self._mutant = mutant
        self._rng = random.Random(f"driver {run}")
        self._inbox: deque[Message[Any]] = deque()
        self._busy = False
        self._timer = math.inf
        self._core: Core[Any, Any] | None = None
        self._doubts: dict[str, float] = {}
        self._moment = (-1.0, 0)

    @property
    def done(self) -> bool:
        """Whether the run is over, or was killed."""
        return not self.alive or (self._core is not None and self._core.done)

    def begin(self, core: Core[Any, Any], worker: Worker, jobs: tuple[Job[Any], ...] = ()) -> None:
        """Set out; the rest comes with the loop's events."""
        self._core = core
        self._worker = worker
        self.journal.began_at = self.loop.now
        self.control.on_stop(self._stopped)
        self._obey(core.begin(jobs, self.loop.now))
        self._go_on()

    def interrupt(self) -> None:
        """Ctrl-C."""
        if not self.done:
            self._trace("you", f"interrupt {self.run}")
            self.control.stop(Stop.INTERRUPTED)

    # --- the story's thread -----------------------------------------------------------------

    def put(self, message: Message[Any]) -> None:
        """A thread's message; the last slot that was waited for comes back after the end, too."""
        if self._core is not None and self._core.done:
            self._obey(self._core.step(message, self.loop.now))
            return
        self._inbox.append(message)
        self._go_on()

    def _stopped(self, _: Stop) -> None:
        self.put(Woken())
        self.pace.wake()

    def _go_on(self) -> None:
        """See to it that the next message, or the time to wake, is taken."""
        core = self._core
        if core is None or self._busy or self.done:
            return
        if self._inbox:
            self._busy = True
            slow = self.plan.slow and self._rng.random() * self.plan.slow
            self.loop.after(slow, self._turn)
        elif (wake_at := self._wake_at) is not None and self._timer != wake_at:
            self._timer = wake_at
            self.loop.at(self._timer, self._wake)

    @property
    def _wake_at(self) -> float | None:
        wake_at = None if self._core is None else self._mutant.wake(self._core.wake_at)
        return None if wake_at is None else max(wake_at, self.loop.now)

    def _wake(self) -> None:
        if self.loop.now >= self._timer:
            self._timer = math.inf
        core = self._core
        if core is None or self._busy or self.done or self._inbox:
            return
        if self._wake_at == self.loop.now:
            self._take(Woken())
        self._go_on()

    def _turn(self) -> None:
        self._busy = False
        if not self.done:
            self._take(self._inbox.popleft())
        self._go_on()

    def _take(self, message: Message[Any]) -> None:
        core, journal, now = self._core, self.journal, self.loop.now
        assert core is not None
        journal.messages += 1
        self._watch_progress()
        if self._trace.on:
            self._trace(self.run, f"<- {text(message)}")
        if isinstance(message, Changed):
            journal.changes[message.name] = journal.changes.get(message.name, 0) + 1
        if isinstance(message, Answered) and message.registration is not None:
            journal.named.add(message.registration.id)
        journal.stopped = self.control.kind is not None
        orders = self._mutant.obey(core.step(self._mutant.hear(message), now))
        if journal.messages == self.plan.kill_at:
            self._obey(orders[: self._rng.randint(0, len(orders))])
            self._trace(self.run, "killed")
            self.alive = False
            return
        self._obey(orders)
        if core.done:
            self._trace(self.run, "done")
            journal.ended_at = now
            left, self._inbox = self._inbox, deque()
            for each in left:
                self.put(each)

    def _watch_progress(self) -> None:
        moment, count = self._moment
        self._moment = (self.loop.now, count + 1 if moment == self.loop.now else 0)
        if count > _NO_PROGRESS + 20 * len(self._worker.accounts):
            self.journal.wrong.append("the core turns in circles")
            self.alive = False

    def _obey(self, orders: list[Order[Any]]) -> None:
        for order in orders:
            if self._trace.on and not isinstance(order, Tell):
                self._trace(self.run, f"-> {order_text(order)}")
            match order:
                case Start():
                    self._start(order.job)
                case WaitForSlot():
                    self.loop.spawn(self._wait_for_slot(), lambda: self.alive)
                case GiveBack():
                    order.slot.unused()
                case Send():
                    self._send(order)
                case Tell():
                    pass

    # --- workers and senders ----------------------------------------------------------------

    def _start(self, job: Job[Any]) -> None:
        if self.journal.stopped and not job.begun:
            self.journal.after_stop.append(f"a job for {', '.join(job.names)}")
        self.loop.spawn(self._do(job), lambda: self.alive)

    def _do(self, job: Job[Any]) -> Generator[Wait, Any, None]:
        error: BaseException | None = None
        try:
            yield from self._worker.work(job.task, self.control, self.put)
        except Exception as raised:  # noqa: BLE001 - as the real driver
            error = raised
        yield self.loop.sleep(0)
        self.put(Ended(names=job.names, error=error))

    def _send(self, order: Send) -> None:
        request = order.request
        slot = order.slot
        assert slot is None or isinstance(slot, VirtualSlot)
        if self.plan.no_thread and self._rng.random() < self.plan.no_thread:
            if slot is not None:
                slot.unused()
            self.put(NotSpawned(request=request))
            return
        self._check_send(request, mends=slot is None)
        self.loop.spawn(self._exchange(request, slot), lambda: self.alive)

    def _check_send(self, request: Request, *, mends: bool) -> None:
        journal = self.journal
        if isinstance(request, ReadList):
            return
        name = request.name
        if not isinstance(request, Delete) and not mends:  # that comes after the last look
            self._server.of(self.run).wrote_at = self.loop.now
        healing = isinstance(request, Delete) and not self._worker.removing
        if journal.stopped and not healing:
            journal.after_stop.append(f"{request.method} for {name}")
        if isinstance(request, Post):
            journal.posts[name] = journal.posts.get(name, 0) + 1
            doubt = self._doubts.pop(name, None)
            if doubt is not None and self._server.of(self.run).read_at < doubt:
                journal.blind.append(name)
            self._doubts[name] = math.inf  # while it is in flight

    def _exchange(self, request: Request, slot: VirtualSlot | None) -> Generator[Wait, Any, None]:
        started = self.loop.now
        answer, error = None, None
        try:
            answer = yield from self.client.ask(request, slot)
        except Exception as raised:  # noqa: BLE001 - as the real driver
            error = raised
        seconds = self.loop.now - started
        if isinstance(request, ReadList):
            self.put(ListRead(request=request, reading=answer, error=error, seconds=seconds))
            return
        if isinstance(request, Post):
            self._note_doubt(request.name, error)
        self.put(Answered(request=request, registration=answer, error=error, seconds=seconds))

    def _note_doubt(self, name: str, error: BaseException | None) -> None:
        self._doubts.pop(name, None)
        if isinstance(error, Doubtful | ArithmeticError):
            self.journal.doubted.add(name)
            self._doubts[name] = self.loop.now
        elif error is not None:
            self.journal.refused.add(name)

    def _wait_for_slot(self) -> Generator[Wait, Any, None]:
        got = yield self.pace.acquire(self.control.deadline, self.control.stopped)
        if isinstance(got, PaceClosed):
            self.put(NoSlot())
        else:
            self.put(SlotFree(slot=got))
