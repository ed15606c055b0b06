"""The core of a run: takes one message at a time, and says what is to be done next.

It holds the parts of a run and none of their rules: `machine` has what becomes of each request,
`jobs` the AWS side, `outgoing` what waits and what is on its way, `lists` the readings, `budget`
and `control` the time and the stop. Here is only what comes after what: work, then the last list.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Generic, TypeVar

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack, Worked
from cloudcraft_onboard.engine.agenda import Agenda, Ends
from cloudcraft_onboard.engine.budget import Budget, Limits, forecast
from cloudcraft_onboard.engine.control import NO_THREAD, NO_TIME, Control
from cloudcraft_onboard.engine.jobs import AwsJobs
from cloudcraft_onboard.engine.lists import Lists
from cloudcraft_onboard.engine.machine import TRANSITIONS, Machine, Transitions
from cloudcraft_onboard.engine.mending import Mending
from cloudcraft_onboard.engine.messages import (
    Answered,
    Ended,
    GiveBack,
    Job,
    ListRead,
    Message,
    NoSlot,
    NotSpawned,
    Order,
    ReadList,
    Request,
    SlotFree,
    T,
    Woken,
)
from cloudcraft_onboard.engine.moves import Moves
from cloudcraft_onboard.engine.outgoing import Outgoing
from cloudcraft_onboard.engine.ports import PaceView
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.tracks import Policy
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.model.notes import Stop
from cloudcraft_onboard.plan.registration import Listing

V = TypeVar("V")

_NOT_AT_ONCE = "It was not listed at once, and the run is stopping."


class _Phase(Enum):
    """Where a run is."""

    WORKING = 1
    VERIFYING = 2
    DONE = 3


class Core(Generic[T, V]):
    """A run without threads, clock or I/O."""

    def __init__(
        self,
        policy: Policy[T, V],
        results: Results,
        *,
        pace: PaceView,
        control: Control,
        limits: Limits,
        known: Listing | None = None,
        settle: float | None = None,
        transitions: Transitions = TRANSITIONS,
    ) -> None:
        agenda: Agenda[T] = Agenda()
        self._agenda = agenda
        self._policy = policy
        self._results = results
        self._pace = pace
        self._control = control
        self._budget = Budget(control, agenda)
        self._jobs = AwsJobs(
            results,
            policy.job_of,
            agenda=agenda,
            budget=self._budget,
            control=control,
            limits=limits,
        )
        self._outgoing = Outgoing(agenda, settle)
        self._lists = Lists(agenda, self._outgoing, control, known)
        self._mending = Mending(agenda, self._outgoing, control)
        moves = Moves(
            results,
            policy.role_job,
            agenda=agenda,
            ends=Ends(results, agenda, control, limits.max_failures),
            jobs=self._jobs,
            outgoing=self._outgoing,
            lists=self._lists,
            mending=self._mending,
        )
        self._machine = Machine(
            policy,
            moves,
            self._mending,
            agenda=agenda,
            control=control,
            outgoing=self._outgoing,
            lists=self._lists,
            retries=limits.retries,
            transitions=transitions,
        )
        self._phase = _Phase.WORKING
        self._forecast_told = False

    @property
    def done(self) -> bool:
        """Whether every account has its result and nothing is to come."""
        return self._phase is _Phase.DONE

    @property
    def wake_at(self) -> float | None:
        """When to come back without a message; None: a message will come."""
        return self._agenda.wake_at

    def begin(self, jobs: Iterable[Job[T]], now: float) -> list[Order[T]]:
        """Start with these jobs for AWS, and with the accounts whose requests come first."""
        self._jobs.add(jobs)
        for track in self._policy.tracks():
            self._machine.submit(track, now)
        return self._advance(now)

    def step(self, message: Message[V], now: float) -> list[Order[T]]:
        """Take a message in; what is to be done next."""
        if not self.done:
            self._take(message, now)
        elif isinstance(message, SlotFree):
            self._agenda.order(GiveBack(slot=message.slot))
        return self._advance(now)

    # --- messages ---------------------------------------------------------------------------------

    def _take(self, message: Message[V], now: float) -> None:
        match message:
            case Worked():
                so_far = self._jobs.let_go(message.name, now)
                self._machine.worked(so_far, message.value, now)
            case Changed() | Failed() | HandedBack() | Ended():
                self._machine.failed_in_aws(self._jobs.take(message, now), now)
            case SlotFree():
                self._outgoing.waiting = False
                self._machine.use(message.slot, now)
            case NoSlot():
                self._outgoing.waiting = False
                self._control.stop(Stop.BUDGET)  # unless the run was stopped already
            case Answered():
                self._budget.took(message.seconds)
                self._machine.answered(message, now)
            case ListRead():
                self._budget.took(message.seconds)
                self._list_read(message, now)
            case NotSpawned():
                self._not_spawned(message.request, now)
            case Woken():
                pass

    def _not_spawned(self, request: Request, now: float) -> None:
        """There was no thread to send it; fewer requests are sent at a time from now on."""
        self._outgoing.fewer()
        if isinstance(request, ReadList):
            self._list_read(ListRead(request=request, error=PaceClosed(NO_THREAD)), now)
        else:
            self._machine.not_spawned(request, now)

    def _list_read(self, message: ListRead, now: float) -> None:
        if message.request.number != self._outgoing.reading:
            return  # nobody waits for it any more
        self._lists.take(message)
        if self._phase is _Phase.VERIFYING:
            self._machine.judge(message.error, now)
        elif self._control.kind is None or message.error is not None:
            self._machine.look_up(message.error, now)

    # --- what comes next --------------------------------------------------------------------------

    def _advance(self, now: float) -> list[Order[T]]:
        self._agenda.wake_at = None
        if self._phase is not _Phase.DONE and self._control.kind is None:
            alone = self._jobs.idle and not self._outgoing.in_flight
            self._budget.check(now, nothing_before=self._outgoing.first_at if alone else None)
        if self._phase is _Phase.WORKING:
            self._work(now)
        if self._phase is _Phase.VERIFYING:
            self._verify(now)
        return self._agenda.take()

    def _work(self, now: float) -> None:
        self._start_jobs(now)
        self._tell_forecast()
        if self._control.kind is None:
            self._ask_for_slot(now)
        if self._control.kind is None:
            if not (self._jobs.idle and self._outgoing.idle):
                return
            if self._lists.doubts:
                self._lists.look(now)
                return
            if last := self._policy.last_jobs():
                self._jobs.add(last)
                self._start_jobs(now)
                return
        self._end_work(now)

    def _start_jobs(self, now: float) -> None:
        self._machine.failed_in_aws(self._jobs.advance(now), now)

    def _ask_for_slot(self, now: float) -> None:
        first_at = self._outgoing.first_at
        if first_at is None or self._outgoing.waiting or self._outgoing.full:
            return
        if first_at > now:
            self._agenda.wake(first_at)
        elif not self._budget.allows(now, self._pace, lists=self._policy.reserved):
            self._control.stop(Stop.BUDGET)
        else:
            self._outgoing.wait_for_slot()

    def _tell_forecast(self) -> None:
        """AWS is through for the first time: what is left is pure pace."""
        if self._jobs.idle and not self._forecast_told:
            self._forecast_told = True
            lists = int(self._policy.verified)
            self._agenda.tell(forecast(len(self._outgoing), lists, self._pace))

    def _end_work(self, now: float) -> None:
        """Nothing new is sent: wait for what is under way, but no longer than a stop allows."""
        if self._jobs.running or self._outgoing.under_way:
            if self._budget.waits(now):
                return
            self._jobs.abandon()
            if self._outgoing.reading is not None:
                self._outgoing.leave_list()
                self._machine.look_up(PaceClosed(NO_TIME), now)
        self._phase = _Phase.VERIFYING
        if not (self._policy.verified and self._machine.waits_for_last_list):
            self._conclude(now)
        elif self._lists.newest is not None:
            self._machine.judge(None, now)
        else:
            self._outgoing.read_list()

    def _verify(self, now: float) -> None:
        """Wait for the last list and for what it made necessary."""
        ends = self._control.patience_ends(last=True)
        if now >= ends:
            if self._outgoing.reading or self._lists.again_at is not None:
                self._outgoing.leave_list()
                self._lists.again_at = None
                self._machine.leave_unverified(PaceClosed(NO_TIME), now)
            self._machine.leave_mends(now)
        if not (self._outgoing.reading or self._lists.again_at is not None or self._mending):
            self._machine.judge_unanswered(now)
        if self._lists.again_at is not None and self._control.kind is not None:
            self._lists.again_at = None
            self._machine.leave_unverified(PaceClosed(_NOT_AT_ONCE), now)
        waits = self._lists.is_again_due(now)
        if self._outgoing.reading or self._mending:
            self._agenda.wake(ends)
        elif not waits:
            self._conclude(now)

    def _conclude(self, now: float) -> None:
        """Whatever has no result yet is pending."""
        self._machine.conclude(now, but=self._jobs.names)
        for name in self._jobs.names:
            self._results.note(self._jobs.let_go(name, now))
        self._phase = _Phase.DONE
