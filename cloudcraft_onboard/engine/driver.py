"""The threads around the core: each puts one message into the inbox, the story's thread reads it.

Workers do AWS jobs, senders send one request at a time, one thread waits for the pace's next slot.
None of them knows what its message leads to. Whatever a thread runs into, a bug or a system out of
threads or memory included, becomes a message.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from cloudcraft_onboard.accounts.facts import (
    Changed,
    Fact,
    Failed,
    HandedBack,
    Paused,
    Words,
    Worked,
)
from cloudcraft_onboard.accounts.ports import Aws
from cloudcraft_onboard.engine.control import Control
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
    Put,
    ReadList,
    Request,
    Send,
    SlotFree,
    Start,
    Tell,
    WaitForSlot,
    Woken,
    Write,
)
from cloudcraft_onboard.engine.ports import Cloudcraft, Pace
from cloudcraft_onboard.engine.threads import Threads
from cloudcraft_onboard.errors import AccountPending, OnboardError, OutOfResources
from cloudcraft_onboard.events import Event, Said
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Registration, Slot, Stage
from cloudcraft_onboard.model.notes import Stop

T = TypeVar("T")
V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)

_log = logging.getLogger(__name__)


@frozen
class Tools:
    """What a run works with."""

    aws: Aws
    cloudcraft: Cloudcraft
    pace: Pace
    control: Control
    emit: Callable[[Event], None]


class Decides(Protocol[T, V_contra]):
    """Who takes the messages, and orders what is to be done (`Core`, `Observation`)."""

    @property
    def done(self) -> bool:
        """Whether nothing is to come."""

    @property
    def wake_at(self) -> float | None:
        """When to come back without a message; None: a message will come."""

    def begin(self, jobs: Iterable[Job[T]], now: float) -> list[Order[T]]:
        """Start with these jobs."""

    def step(self, message: Message[V_contra], now: float) -> list[Order[T]]:
        """Take a message in; what is to be done next."""


class Driver(Generic[T, V]):
    """Does what the core orders, and tells it what came of it.

    `work` does a job's task, step by step.
    """

    def __init__(self, core: Decides[T, V], tools: Tools, work: Callable[[T], Words[V]]) -> None:
        self._core = core
        self._tools = tools
        self._work = work
        self._control = tools.control
        self._inbox: queue.SimpleQueue[Message[V]] = queue.SimpleQueue()
        self._workers = Threads("aws", self._inbox)
        self._senders = Threads("cloudcraft", self._inbox)
        self._waiter = Threads("pace", self._inbox)
        self._said_fewer = False

    def run(self, jobs: Iterable[Job[T]]) -> None:
        """Work until every account has its result."""
        core, clock = self._core, self._control.clock
        self._control.working.set()
        self._control.on_stop(self._wake)
        for threads in (self._waiter, self._senders):
            threads.reserve()  # before the workers take what the system gives
        try:
            self._obey(core.begin(jobs, clock()))
            while not core.done:
                message = self._next(core.wake_at)
                self._obey(core.step(message, clock()))
        finally:
            for threads in (self._workers, self._senders, self._waiter):
                threads.close()

    # --- the story's thread -----------------------------------------------------------------

    def _wake(self, _: Stop) -> None:
        """The run was stopped; also from a signal's handler, where `put` is safe."""
        self._inbox.put(Woken())

    def _next(self, wake_at: float | None) -> Message[V]:
        wait = None if wake_at is None else wake_at - self._control.clock()
        try:
            if wait is None:
                return self._inbox.get()
            return self._inbox.get(timeout=min(max(wait, 0.0), threading.TIMEOUT_MAX))
        except queue.Empty:
            return Woken()

    def _obey(self, orders: list[Order[T]]) -> None:
        for order in orders:
            match order:
                case Start():
                    self._start(order.job)
                case WaitForSlot():
                    if not self._waiter.do(self._wait_for_slot, otherwise=NoSlot()):
                        self._inbox.put(NoSlot())
                case GiveBack():
                    order.slot.unused()
                case Send():
                    self._send(order.request, order.slot)
                case Tell():
                    self._tools.emit(order.event)

    def _start(self, job: Job[T]) -> None:
        lost = Ended(names=job.names, error=_no_memory())
        if not self._workers.do(lambda: self._do(job), otherwise=lost):
            self._inbox.put(Ended(names=job.names, error=_no_thread()))
        self._say_fewer(self._workers)

    def _send(self, request: Request, slot: Slot | None) -> None:
        """A sender owns the slot from here on."""
        lost = _in_vain(request, MemoryError())
        if not self._senders.do(lambda: self._exchange(request, slot), otherwise=lost):
            if slot is not None:
                slot.unused()
            self._inbox.put(NotSpawned(request=request))
        self._say_fewer(self._senders)

    def _say_fewer(self, threads: Threads[Message[V]]) -> None:
        if threads.fewer and not self._said_fewer:
            self._said_fewer = True
            text = f"The system allows only {threads.count} threads; the run takes longer."
            self._tools.emit(Said(text=text))

    # --- other threads ----------------------------------------------------------------------

    def _do(self, job: Job[T]) -> Ended:
        """An AWS job in a worker."""
        error: BaseException | None = None
        try:
            for fact in self._work(job.task):
                self._pass_on(fact)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the accounts need a word
            error = out_of_resources(raised) or raised
            if not isinstance(error, OnboardError):
                _log.debug("%s: unexpected", ", ".join(job.names), exc_info=raised)
        return Ended(names=job.names, error=error)

    def _pass_on(self, fact: Fact[V]) -> None:
        """An account whose run ends at once takes no further step."""
        control = self._control
        if isinstance(fact, Changed | Worked | Failed | HandedBack):
            self._inbox.put(fact)
        elif isinstance(fact, Paused):
            if control.abandoning or control.stopped.wait(fact.seconds):
                raise fact.error
        elif control.abandoning:
            kind = control.kind or Stop.BUDGET
            raise AccountPending(Stage.ROLE, "Stopped", f"Not finished: {kind.value}.")
        else:
            self._tools.emit(fact)

    def _exchange(self, request: Request, slot: Slot | None) -> Answered | ListRead:
        """One request in a sender."""
        clock, cloudcraft = self._control.clock, self._tools.cloudcraft
        started = clock()
        try:
            if isinstance(request, ReadList):
                reading = cloudcraft.registrations(slot)
                return ListRead(request=request, reading=reading, seconds=clock() - started)
            made = self._write(request, slot)
            return Answered(request=request, registration=made, seconds=clock() - started)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the core must know
            if not isinstance(error, OnboardError):
                _log.debug("%s: unexpected", request.method, exc_info=error)
            return _in_vain(request, error, clock() - started)

    def _write(self, request: Write, slot: Slot | None) -> Registration | None:
        cloudcraft = self._tools.cloudcraft
        match request:
            case Post():
                return cloudcraft.register(request.spec, slot)
            case Put():
                cloudcraft.update(request.registration, request.spec, slot, until=request.until)
            case Delete():
                cloudcraft.delete(request.registration, slot)
        return None

    def _wait_for_slot(self) -> SlotFree | NoSlot:
        control = self._control
        try:
            slot = self._tools.pace.acquire(control.deadline, control.stopped)
        except BaseException:  # noqa: BLE001 - usually PaceClosed
            return NoSlot()
        return SlotFree(slot=slot)


def _in_vain(request: Request, error: BaseException, seconds: float = 0.0) -> Answered | ListRead:
    """A request's end without an answer."""
    if isinstance(request, ReadList):
        return ListRead(request=request, error=error, seconds=seconds)
    return Answered(request=request, error=error, seconds=seconds)


def out_of_resources(error: BaseException) -> OutOfResources | None:
    """The system's refusal of memory or threads: no bug, and worth another try.

    A `SystemError` is Python's own: usually one that lost its `MemoryError` on the way.
    """
    words = "can't allocate lock", "can't start new thread"
    if isinstance(error, MemoryError | SystemError) or (
        isinstance(error, RuntimeError) and str(error) in words
    ):
        return _no_memory()
    return None


def _no_memory() -> OutOfResources:
    message = "The system has no memory or threads left."
    return OutOfResources(Stage.ROLE, "OutOfResources", message, transient=True)


def _no_thread() -> AccountPending:
    return AccountPending(Stage.ROLE, "NoThread", "The system does not let onboard start a thread.")
