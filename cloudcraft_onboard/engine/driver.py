"""The threads around the core: each puts one message into the inbox, the story's thread reads it.

Workers do AWS jobs, senders send one request at a time, one thread waits for the pace's next slot.
None of them knows what its message leads to. Whatever a thread runs into, a bug or a system out of
threads or memory included, becomes a message.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from cloudcraft_onboard.accounts.facts import Changed, Fact, Failed, HandedBack, Paused, Worked
from cloudcraft_onboard.accounts.ports import Aws
from cloudcraft_onboard.accounts.stackset import Task
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import (
    Answered,
    End,
    Ended,
    GiveBack,
    Job,
    Message,
    Method,
    NoSlot,
    NotSpawned,
    Order,
    Request,
    Send,
    SlotFree,
    Start,
    Stop,
    Stopped,
    Tell,
    WaitForSlot,
    Woken,
    job_of,
)
from cloudcraft_onboard.engine.ports import Cloudcraft, Pace, Slot
from cloudcraft_onboard.engine.requests import Requests
from cloudcraft_onboard.engine.tracks import Track
from cloudcraft_onboard.errors import AccountPending, OnboardError, OutOfResources
from cloudcraft_onboard.events import Event, Said
from cloudcraft_onboard.model import Stage

_log = logging.getLogger(__name__)

_BREATH = 0.05  # seconds until memory is asked for again

Work = Callable[[Any], Iterator[Fact]]
"""Does a job's task, step by step; what it raises is the problem of the accounts left."""
_Todo = tuple[Callable[..., Message], tuple[Any, ...], Message]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What a run works with."""

    aws: Aws
    cloudcraft: Cloudcraft
    pace: Pace
    control: Control
    emit: Callable[[Event], None]


class Driver:
    """Does what the core orders, and tells it what came of it."""

    def __init__(self, core: Requests, tools: Tools, work: Work) -> None:
        self._core = core
        self._tools = tools
        self._work = work
        self._control = tools.control
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._workers = Threads("aws", self._inbox)
        self._senders = Threads("cloudcraft", self._inbox)
        self._waiter = Threads("pace", self._inbox)
        self._said_fewer = False

    def run(self, tasks: Iterable[Task], tracks: Iterable[Track] = ()) -> None:
        """Work until every account has its result; `tracks` have Cloudcraft's turn already."""
        core, clock = self._core, self._control.clock
        self._control.working.set()
        self._control.on_stop(self._stopped)
        for threads in (self._waiter, self._senders):
            threads.reserve()  # before the workers take what the system gives
        try:
            self._obey(core.begin(map(job_of, tasks), tracks, clock()))
            while not core.done:
                message = self._next(core.wake_at)
                self._obey(core.step(message, clock()))
        finally:
            for threads in (self._workers, self._senders, self._waiter):
                threads.close()

    # --- the story's thread -----------------------------------------------------------------

    def _stopped(self, kind: Stop) -> None:
        """Also from a signal's handler, where `put` is safe."""
        self._inbox.put(Stopped(kind=kind))

    def _next(self, wake_at: float | None) -> Message:
        wait = None if wake_at is None else wake_at - self._control.clock()
        try:
            if wait is None:
                return self._inbox.get()
            return self._inbox.get(timeout=min(max(wait, 0.0), threading.TIMEOUT_MAX))
        except queue.Empty:
            return Woken()

    def _obey(self, orders: list[Order]) -> None:
        for order in orders:
            match order:
                case Start():
                    self._start(order.job)
                case WaitForSlot():
                    none = NoSlot(error=OnboardError("no thread"))
                    if not self._waiter.do(self._wait_for_slot, otherwise=none):
                        self._inbox.put(none)
                case GiveBack():
                    order.slot.unused()
                case Send():
                    self._send(order.request, order.slot)
                case Tell():
                    self._tools.emit(order.event)
                case End():
                    self._control.stop(order.kind, order.reason)

    def _start(self, job: Job) -> None:
        if not self._workers.do(self._do, job, otherwise=Ended(job=job, error=_no_memory())):
            self._inbox.put(Ended(job=job, error=_no_thread()))
        self._say_fewer(self._workers)

    def _send(self, request: Request, slot: Slot | None) -> None:
        lost = Answered(request=request, error=MemoryError())
        if not self._senders.do(self._exchange, request, slot, otherwise=lost):
            if slot is not None:
                slot.unused()
            self._inbox.put(NotSpawned(request=request))
        self._say_fewer(self._senders)

    def _say_fewer(self, threads: Threads) -> None:
        if threads.fewer and not self._said_fewer:
            self._said_fewer = True
            text = f"The system allows only {threads.count} threads; the run takes longer."
            self._tools.emit(Said(text=text))

    # --- other threads ----------------------------------------------------------------------

    def _do(self, job: Job) -> Ended:
        """An AWS job in a worker."""
        error: BaseException | None = None
        try:
            for fact in self._work(job.task):
                self._pass_on(fact)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the accounts need a word
            error = out_of_resources(raised) or raised
            if not isinstance(error, OnboardError):
                _log.debug("%s: unexpected", ", ".join(job.names), exc_info=raised)
        return Ended(job=job, error=error)

    def _pass_on(self, fact: Fact) -> None:
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

    def _exchange(self, request: Request, slot: Slot | None) -> Answered:
        """One request in a sender."""
        started = self._control.clock()
        answer, error = None, None
        try:
            with slot or nullcontext():
                answer = self._call(request, slot)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the core must know
            error = raised
            if not isinstance(raised, OnboardError):
                _log.debug("%s: unexpected", request.method, exc_info=raised)
        seconds = self._control.clock() - started
        return Answered(request=request, answer=answer, error=error, seconds=seconds)

    def _call(self, request: Request, slot: Slot | None) -> Any:
        cloudcraft = self._tools.cloudcraft
        spec, registration = request.spec, request.registration
        match request.method:
            case Method.GET:
                return cloudcraft.registrations(slot)
            case Method.POST if spec is not None:
                return cloudcraft.register(spec, slot)
            case Method.PUT if spec is not None and registration is not None:
                return cloudcraft.update(registration, spec, slot)
            case Method.DELETE if registration is not None:
                return cloudcraft.delete(registration, slot)
        raise AssertionError(f"{request.method} lacks what it is about")

    def _wait_for_slot(self) -> SlotFree | NoSlot:
        control = self._control
        try:
            slot = self._tools.pace.acquire(control.deadline, control.stopped)
        except BaseException as error:  # noqa: BLE001 - as a rule PaceClosed
            return NoSlot(error=error)
        return SlotFree(slot=slot)


class Threads:
    """Daemon threads that do what they are given, as many as needed and as the system gives.

    Each piece of work ends with one message in the inbox: its result, or, where there is no memory
    even for that, the one that was made for it before.

    Daemons: after an interrupt the program must be able to end while one of them still waits.
    """

    def __init__(self, name: str, inbox: queue.SimpleQueue[Message]) -> None:
        self.fewer = False
        self.count = 0
        self._name = name
        self._inbox = inbox
        self._todo: queue.SimpleQueue[_Todo | None] = queue.SimpleQueue()
        self._given = 0
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def do(self, function: Callable[..., Message], *given: Any, otherwise: Message) -> bool:
        """Have `function(*given)` called soon; `otherwise` is the message if it raises.

        False: there is no thread, nothing will be done.
        """
        busy = self._given - self._ended.qsize()
        if busy >= self.count and not (self.fewer and self.count):
            self._spawn()
        if not self.count:
            return False
        self._given += 1
        self._todo.put((function, given, otherwise))
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
        try:
            threading.Thread(
                target=self._run, name=f"{self._name}-{self.count}", daemon=True
            ).start()
        except (RuntimeError, MemoryError):  # "can't start new thread"
            self.fewer = True
        else:
            self.count += 1

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            function, given, message = work
            # Where memory has run out, even a call or a context manager fails, and for a message
            # that gets lost the run would wait for ever.
            try:  # noqa: SIM105
                message = function(*given)
            except BaseException:  # noqa: BLE001, S110 - there is a message for that already
                pass
            told = False
            while not told:
                try:
                    self._inbox.put(message)
                    told = True
                except MemoryError:
                    time.sleep(_BREATH)
            self._ended.put(None)


def out_of_resources(error: BaseException) -> OutOfResources | None:
    """The system's refusal of memory or threads: no bug, and worth another try.

    A `SystemError` is Python's own: as a rule one that lost its `MemoryError` on the way.
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
