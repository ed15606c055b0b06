"""What becomes of each request to Cloudcraft: a state machine without threads, clock or I/O.

    queued -> in flight -> accepted | refused (again later, or failed) | doubtful | not sent

`step` takes one message and the time, and returns what is to be done next. A doubtful request (no
answer that can be trusted) is never sent again blindly: doubtful ones are gathered, one list tells
what became of all of them, and only what is missing is sent again. Registering and deleting are
two policies of this machine (`register.py`, `unregister.py`); verifying is its last step. The time
budget, `--max-failures`, a refused key and transient trouble in AWS are decided here and nowhere
else.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterable
from http import HTTPStatus

from cloudcraft_onboard.accounts.facts import Changed, Failed, HandedBack, Worked
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.core import NO_TIME, Limits, Phase
from cloudcraft_onboard.engine.messages import (
    Answered,
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
    Stop,
    Stopped,
    WaitForSlot,
    Woken,
)
from cloudcraft_onboard.engine.ports import PaceView, Slot
from cloudcraft_onboard.engine.tracks import Track, problem_of_a_bug
from cloudcraft_onboard.engine.verify import Verifying
from cloudcraft_onboard.errors import Doubtful, PaceClosed, Refused, RequestError
from cloudcraft_onboard.events import AccountRetried, Forecast, StepStarted
from cloudcraft_onboard.model import Action, Outcome, Stage
from cloudcraft_onboard.model.notes import (
    NeverAnswered,
    NoAnswer,
    NotChecked,
    NotProcessed,
    NotSent,
    RefusedSoFar,
)
from cloudcraft_onboard.plan.registration import Listing

__all__ = ["Limits", "Requests", "forecast"]

# Words of a 403 that speak of the key or its user, not of one account.
_ABOUT_THE_KEY = re.compile(
    r"read.?only|permission|not allowed|forbidden|unauthori[sz]ed|administrator|owner|scope|plan",
    re.IGNORECASE,
)
_KEY_REFUSALS = 3  # accounts that get the same 403 while none is accepted: it is the key
_DOUBT_SECONDS = 1.0  # a doubtful request gets this long to be processed; doubled each round
_LONGEST_DOUBT_SECONDS = 30.0
_NO_THREAD_SECONDS = 1.0
_MOMENT_SECONDS = 0.2
_NO_THREAD = "The system could not start a thread for it."
_STEPS = {
    Method.POST: Action.REGISTER.word,
    Method.PUT: Action.UPDATE_REGISTRATION.word,
    Method.DELETE: Action.DELETE_REGISTRATION.word,
}


class Requests(Verifying):
    """The core of a run: all that is known of its accounts and requests, and what comes next."""

    def begin(self, jobs: Iterable[Job], tracks: Iterable[Track], now: float) -> list[Order]:
        """Start with these jobs for AWS, and with accounts that Cloudcraft's turn is with."""
        self._jobs.add(jobs)
        for track in tracks:
            self._submit(track, now)
        return self._advance(now)

    def step(self, message: Message, now: float) -> list[Order]:
        """Take a message in; what is to be done next. `wake_at` says when to come back."""
        if not self.done:
            self._take(message, now)
        elif isinstance(message, SlotFree):
            self._orders.append(GiveBack(slot=message.slot))
        return self._advance(now)

    # --- messages ---------------------------------------------------------------------------------

    def _take(self, message: Message, now: float) -> None:  # noqa: C901 - one case a message
        match message:
            case Changed():
                self.results.changed(message.name, message.change)
            case Worked():
                self._worked(message, now)
            case Failed():
                self._end_in_aws(message.name, message.error, now)
            case HandedBack():
                self._handed_back(message.account, now)
            case Ended():
                self._ended(message, now)
            case SlotFree() | NoSlot():
                self._waiting_for_slot = False
                if isinstance(message, SlotFree):
                    self._use(message.slot, now)
                else:
                    self._end(Stop.BUDGET, now)  # unless the run was stopped already
            case Answered():
                self._answered(message, now)
            case NotSpawned():
                self._not_spawned(message.request, now)
            case Stopped():
                self._note_stop(message.kind, now)
            case Woken():
                pass

    # --- requests: queued, in flight --------------------------------------------------------------

    def _ask_for_slot(self, now: float) -> None:
        if (
            self._waiting_for_slot
            or not self._queue
            or len(self._in_flight) >= self._most_in_flight
        ):
            return
        if self._queue[0][0] > now:
            self._wake(self._queue[0][0])
        elif self._beyond_budget(now, self._pace.next_in()):
            self._end(Stop.BUDGET, now)
        else:
            self._waiting_for_slot = True
            self._orders.append(WaitForSlot())

    def _use(self, slot: Slot, now: float) -> None:
        """Choose the request at the last moment; a slot that nobody is ready for goes back."""
        if self.stop is not None or not self._queue or self._queue[0][0] > now:
            self._orders.append(GiveBack(slot=slot))
            return
        track = heapq.heappop(self._queue)[2]
        request = self._policy.request(track, next(self._numbers))
        assert request is not None  # noqa: S101 - what is queued has something to send
        track.attempts += 1
        track.posted |= request.method is Method.POST
        track.waits_for = NoAnswer(errand=self._policy.errand)
        self._note(track)
        self._listing = None
        self._in_flight[request.number] = track
        self._tell(StepStarted(name=track.name, step=_STEPS[request.method]))
        self._orders.append(Send(request=request, slot=slot))

    def _not_spawned(self, request: Request, now: float) -> None:
        """The system gives fewer threads than the pace allows: so many it is, then."""
        self._most_in_flight = max(1, len(self._in_flight) - 1)
        if request.number == self._reading or request.number in self._healing:
            self._answered(Answered(request=request, error=PaceClosed(_NO_THREAD)), now)
            return
        track = self._in_flight.pop(request.number, None)
        if track is not None:
            track.attempts -= 1
            self._put(track, now + _NO_THREAD_SECONDS)

    # --- requests: answered -----------------------------------------------------------------------

    def _answered(self, message: Answered, now: float) -> None:
        number = message.request.number
        self._slowest = max(self._slowest, message.seconds)
        if number == self._reading:
            self._reading = None
            self._read(message, now)
            return
        if number in self._healing:
            healed, duplicate = self._healing.pop(number)
            healed.seconds += message.seconds
            self._healed(healed, duplicate, message.error, now)
            return
        track = self._in_flight.pop(number, None)
        if track is None:
            return  # nobody waits for it any more
        track.seconds += message.seconds
        match message.error:
            case None:
                self._policy.accepted(track, message.answer)
                self._accepted += 1
                self._go_on(track, now)
            case Doubtful() as error:
                self._doubt(track, error.message)
            case Refused() as error:
                self._refused(track, error, now)
            case PaceClosed() as error:
                self._pend(track, NotSent(errand=self._policy.errand, why=error.message), now)
            case RequestError() as error:
                self._pend(track, NotProcessed(why=error.message), now)
            case error:
                track.crash = problem_of_a_bug(error, Stage.REGISTER)
                self._doubt(track, track.crash.message)

    def _doubt(self, track: Track, why: str) -> None:
        track.doubted |= track.posted
        track.rounds += 1
        self._doubtful.append(track)
        reason = f"{sentence(why)} Checking whether it was processed."
        self._tell(AccountRetried(name=track.name, reason=reason, wait=0))

    def _refused(self, track: Track, error: Refused, now: float) -> None:
        if error.status == HTTPStatus.NOT_FOUND and track.registration is not None:
            # Somebody deleted the registration in between; the next look says what is to be done.
            self._doubt(track, error.message)
        elif error.status == HTTPStatus.UNAUTHORIZED:
            self._fail(track, error, now)
            self._end_for_key(error, now)
        elif self.stop is Stop.KEY:
            self._pend(track, Stop.KEY.note, now)
        elif error.status == HTTPStatus.FORBIDDEN and not self._policy.about_the_account(error):
            self._forbid(track, error, now)
        else:
            self._again_or_fail(track, error, now)

    def _forbid(self, track: Track, error: Refused, now: float) -> None:
        """A 403 that may be meant for the key: for all accounts, then."""
        self._forbidden.append((track, error))
        alike = {t.name for t, e in self._forbidden if e.message == error.message}
        if not self._accepted and len(alike) >= _KEY_REFUSALS:
            for refused, its_error in self._forbidden:
                self._fail(refused, its_error, now)
            self._end_for_key(error, now)
        elif _ABOUT_THE_KEY.search(error.message):
            self._fail(track, error, now)
        else:
            self._again_or_fail(track, error, now)

    def _end_for_key(self, error: Refused, now: float) -> None:
        reason = (
            f"Cloudcraft refused the API key ({error.status}: {error.message}); use a read-write "
            "key of an Owner or Administrator"
        )
        self._end(Stop.KEY, now, reason)

    def _again_or_fail(self, track: Track, error: Refused, now: float) -> None:
        wait = self._policy.again_in(track, error, now)
        if wait is None or self.stop is not None:
            self._fail(track, error, now)
            return
        track.refusals += 1
        reason = f"{sentence(error.message)} The role is new; AWS may still be spreading it."
        track.waits_for = RefusedSoFar(said=error.message)
        self._note(track)
        self._tell(AccountRetried(name=track.name, reason=reason, wait=wait))
        self._put(track, now + wait)

    # --- doubts: one list for all of them ---------------------------------------------------------

    def _look(self, now: float) -> None:
        """Let doubtful requests be processed, then look once for all of them."""
        if self._look_at is None:
            rounds = min(track.rounds for track in self._doubtful)
            wait = min(_DOUBT_SECONDS * 2**rounds, _LONGEST_DOUBT_SECONDS)
            self._look_at = min(now + wait, max(now, self._patience_ends()))
        if now < self._look_at:
            self._wake(self._look_at)
            return
        self._look_at = None
        self._send_list()

    def _read(self, message: Answered, now: float) -> None:
        """A list came, or did not."""
        if message.error is None:
            self._listing = Listing(message.answer)
        if self._phase is Phase.VERIFYING:
            self._judge_by(message.error, now)
        elif self.stop is None or message.error is not None:
            doubtful, self._doubtful = self._doubtful, []
            for track in doubtful:
                self._look_up(track, message.error, now)

    def _abandon_look(self, now: float) -> None:
        """Nobody waits for the list any more that was to tell about doubtful requests."""
        if self._reading is None:
            return
        self._reading = None
        doubtful, self._doubtful = self._doubtful, []
        for track in doubtful:
            self._look_up(track, PaceClosed(NO_TIME), now)

    def _look_up(self, track: Track, error: BaseException | None, now: float) -> None:
        if error is not None or self._listing is None:
            self._pend(track, NotChecked(errand=self._policy.errand, why=str(error)), now)
        elif not self._policy.found(track, self._listing):
            self._accepted += 1
            self._go_on(track, now)
        elif track.crash is not None:
            self._finish(self._policy.result(track, Outcome.FAILED).failed(track.crash), now)
        elif track.rounds > self._limits.retries:
            self._pend(track, NeverAnswered(errand=self._policy.errand), now)
        else:
            self._put(track, now)

    # --- what comes next --------------------------------------------------------------------------

    def _advance(self, now: float) -> list[Order]:
        self.wake_at = None
        if not self.done:
            if self.stop is None:
                self._check_budget(now)
            if self._phase is Phase.WORKING:
                self._work(now)
            if self._phase is Phase.VERIFYING:
                self._verify(now)
        orders, self._orders = self._orders, []
        return orders

    def _check_budget(self, now: float) -> None:
        latest = self._latest
        if latest == math.inf:
            return
        late = bool(self._queue) and self._queue[0][0] > latest
        if now >= latest or (late and self._jobs.idle and not self._in_flight):
            self._end(Stop.BUDGET, now)
        else:
            self._wake(latest)

    def _beyond_budget(self, now: float, wait: float) -> bool:
        """Whether a request sent after `wait` comes too late, or the verifying read after it."""
        latest = self._latest
        if latest == math.inf:
            return False
        sent = now + wait
        if sent > latest:
            return True
        if not self._policy.verified:
            return False
        once = min(latest, now + self._pace.window)  # by then each slot is free at most once
        own_slot_again = sent + self._slowest + self._pace.window
        return self._pace.free_by(once) < 2 and own_slot_again > latest  # noqa: PLR2004 - and the read

    def _work(self, now: float) -> None:
        self._start_jobs(now)
        self._tell_forecast()
        if self.stop is None:
            self._ask_for_slot(now)
        if self._jobs.again_at is not None:
            self._wake(self._jobs.again_at)
        if self.stop is None:
            if not self._idle:
                return
            if self._doubtful:
                self._look(now)
                return
            if last := self._policy.last_jobs():
                self._jobs.add(last)
                self._start_jobs(now)
                return
        self._wait_out(now)

    @property
    def _idle(self) -> bool:
        return self._jobs.idle and not (self._queue or self._in_flight or self._reading)

    def _wait_out(self, now: float) -> None:
        """Nothing new is sent: wait for what is under way, but no longer than a stop allows."""
        if self._jobs.running or self._in_flight or self._reading:
            ends = self._patience_ends()
            if now >= ends:
                self._end(Stop.BUDGET, now)
            if self.stop is not None:  # whoever sees the stop gets a moment to say how far it came
                ends = max(ends, self._stopped_at + _MOMENT_SECONDS)
            if now < ends:
                self._wake(ends)
                return
            self._jobs.abandon()
            self._abandon_look(now)
        self._phase = Phase.VERIFYING
        if not self._policy.verified or not (self._unverified or self._doubtful or self._in_flight):
            self._conclude(now)
        elif self._listing is not None:
            self._judge_by(None, now)
        else:
            self._send_list()

    def _tell_forecast(self) -> None:
        """AWS is through for the first time: what is left is pure pace."""
        if self._jobs.idle and not self._forecast_told:
            self._forecast_told = True
            self._tell(forecast(len(self._queue), int(self._policy.verified), self._pace))


def forecast(writes: int, reads: int, pace: PaceView) -> Forecast:
    """How long `writes` and `reads` still to come take at this pace, from now on."""
    requests = writes + reads
    windows = max(0, -(-requests // pace.limit) - 1)
    return Forecast(
        writes=writes,
        requests=requests,
        seconds=pace.next_in() + windows * pace.window,
        limit=pace.limit,
        window=pace.window,
        limits=pace.limits,
    )
