"""What becomes of each request to Cloudcraft: a state machine without threads, clock or I/O.

Everything that moves a request from one state to another is in this file: `TRANSITIONS` has the
moves, `Machine` says which event a message is. What a move orders is done in `moves`. The parts
that it holds know nothing of states: the requests on their way, the lists, what mends accounts, and
the stop.

A doubtful request (no answer that can be trusted) is never sent again blindly: doubtful ones are
gathered, one list tells what became of all of them, and only what is missing is sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Generic, TypeVar

from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.control import NO_THREAD, NO_TIME, Control
from cloudcraft_onboard.engine.lists import Lists
from cloudcraft_onboard.engine.mending import Mending
from cloudcraft_onboard.engine.messages import Answered, GiveBack, T, Write
from cloudcraft_onboard.engine.moves import NO_DETAIL, Detail, Do, Moves
from cloudcraft_onboard.engine.outgoing import Outgoing
from cloudcraft_onboard.engine.tracks import Left, Policy, Track, Verdict, problem_of_a_bug
from cloudcraft_onboard.errors import (
    Doubtful,
    Outdated,
    PaceClosed,
    RefusalKind,
    Refused,
    RequestError,
)
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.model import Outcome, Result, Slot, Stage
from cloudcraft_onboard.model.notes import (
    NeverAnswered,
    NotChecked,
    NotProcessed,
    NotSent,
    NotVerified,
    RefusedSoFar,
    Stop,
)
from cloudcraft_onboard.plan.registration import Listing

V = TypeVar("V")


class RequestState(Enum):
    """Where an account's requests are."""

    NEW = "new"
    QUEUED = "queued"
    IN_FLIGHT = "in flight"
    DOUBTFUL = "doubtful"
    IN_AWS = "in AWS"
    ACCEPTED = "accepted"
    MENDING = "mending"
    DONE = "done"
    FAILED = "failed"
    PENDING = "pending"


class RequestEvent(Enum):
    """What happens to an account's requests."""

    # What is left, after AWS, after an answer, or by a list.
    REQUEST_LEFT = "a request is left"
    ROLE_LEFT = "only its role is left"
    LIST_LEFT = "only the last list is left"
    NOTHING_LEFT = "nothing is left"
    # Its turn.
    TURN = "a slot is free"
    OLD_LIST = "its list is old"
    NO_THREAD = "no thread for it"
    # Its answer, besides a yes.
    TOO_YOUNG = "refused, the role is young"
    REFUSED = "refused"
    TURNED_AWAY = "refused as all are"
    GONE = "404 for what was listed"
    NO_ANSWER = "no answer to be trusted"
    NOT_PROCESSED = "not processed"
    # A list that was read for doubts, besides what it leaves.
    UNREADABLE = "the list cannot be read"
    TOO_OFTEN = "in doubt too often"
    CRASHED = "missing after a crash"
    # The last list.
    CONFIRMED = "listed as wanted"
    TO_MEND = "listed twice, or not as wanted"
    NOT_YET = "not listed"
    NEVER = "not listed again"
    UNCLEAR = "listed, in doubt"
    MENDED = "all is mended"
    NOT_MENDED = "not all is mended"
    NOT_READ = "no last list"
    NOT_READ_BUT_ANSWERED = "no time for the last list"
    # What follows its requests in AWS.
    ROLE_FAILED = "AWS refuses"
    ROLE_PENDING = "AWS is out of reach"
    # The end of the run.
    OVER = "the run is over"


S, E = RequestState, RequestEvent

_WHAT_IS_LEFT = {
    E.REQUEST_LEFT: (S.QUEUED, Do.QUEUE),
    E.ROLE_LEFT: (S.IN_AWS, Do.START),
    E.LIST_LEFT: (S.ACCEPTED, Do.AWAIT),
    E.NOTHING_LEFT: (S.DONE, Do.FINISH),
}
_WHEN_IT_IS_OVER = {E.OVER: (S.PENDING, Do.PEND)}

Transitions = Mapping[RequestState, Mapping[RequestEvent, tuple[RequestState, Do]]]

TRANSITIONS: Transitions = {
    S.NEW: _WHAT_IS_LEFT,
    S.QUEUED: {
        E.TURN: (S.IN_FLIGHT, Do.SEND),
        E.OLD_LIST: (S.DOUBTFUL, Do.GATHER),
        E.LIST_LEFT: (S.ACCEPTED, Do.AWAIT),
        E.NOTHING_LEFT: (S.DONE, Do.FINISH),
        E.REFUSED: (S.FAILED, Do.FAIL),
        **_WHEN_IT_IS_OVER,
    },
    S.IN_FLIGHT: {
        **_WHAT_IS_LEFT,
        E.NO_THREAD: (S.QUEUED, Do.QUEUE),
        E.TOO_YOUNG: (S.QUEUED, Do.RETRY),
        E.REFUSED: (S.FAILED, Do.FAIL),
        E.TURNED_AWAY: (S.PENDING, Do.PEND),
        E.GONE: (S.DOUBTFUL, Do.GATHER),
        E.NO_ANSWER: (S.DOUBTFUL, Do.GATHER),
        E.NOT_PROCESSED: (S.PENDING, Do.PEND),
        E.OLD_LIST: (S.DOUBTFUL, Do.GATHER),
        **_WHEN_IT_IS_OVER,
    },
    S.DOUBTFUL: {
        **_WHAT_IS_LEFT,
        E.CRASHED: (S.FAILED, Do.FAIL),
        E.REFUSED: (S.FAILED, Do.FAIL),
        E.TOO_OFTEN: (S.PENDING, Do.PEND),
        E.UNREADABLE: (S.PENDING, Do.PEND),
        **_WHEN_IT_IS_OVER,
    },
    S.IN_AWS: {
        E.LIST_LEFT: (S.ACCEPTED, Do.AWAIT),
        E.NOTHING_LEFT: (S.DONE, Do.FINISH),
        E.ROLE_FAILED: (S.FAILED, Do.END),
        E.ROLE_PENDING: (S.PENDING, Do.END),
        **_WHEN_IT_IS_OVER,
    },
    S.ACCEPTED: {
        E.CONFIRMED: (S.DONE, Do.FINISH),
        E.TO_MEND: (S.MENDING, Do.MEND),
        E.NOT_YET: (S.ACCEPTED, Do.READ_AGAIN),
        E.NEVER: (S.FAILED, Do.FAIL),
        E.UNCLEAR: (S.PENDING, Do.PEND),
        E.NOT_READ: (S.PENDING, Do.PEND),
        E.NOT_READ_BUT_ANSWERED: (S.DONE, Do.FINISH),
        **_WHEN_IT_IS_OVER,
    },
    S.MENDING: {
        E.MENDED: (S.DONE, Do.FINISH),
        E.NOT_MENDED: (S.PENDING, Do.PEND),
        **_WHEN_IT_IS_OVER,
    },
    S.DONE: {},
    S.FAILED: {},
    S.PENDING: {},
}
"""Every move: where an event leads from a state, and what it orders. No other move is possible."""


_WHAT = {
    Left.REQUEST: E.REQUEST_LEFT,
    Left.ROLE: E.ROLE_LEFT,
    Left.LAST_LIST: E.LIST_LEFT,
    Left.NOTHING: E.NOTHING_LEFT,
}
_WHAT_IT_SAYS = {
    Verdict.CONFIRMED: E.CONFIRMED,
    Verdict.TO_MEND: E.TO_MEND,
    Verdict.MISSING: E.NOT_YET,
    Verdict.UNCLEAR: E.UNCLEAR,
}
_FINAL = (S.DONE, S.FAILED, S.PENDING)


_NO_THREAD_SECONDS = 1.0
_KEY_REFUSALS = 3  # accounts that get the same 403 while none is accepted: it is the key


class Machine(Generic[T, V]):
    """Every account whose turn at Cloudcraft has come, each in its state."""

    def __init__(
        self,
        policy: Policy[T, V],
        moves: Moves[T],
        mending: Mending[T],
        *,
        agenda: Agenda[T],
        control: Control,
        outgoing: Outgoing[T],
        lists: Lists[T],
        retries: int,
        transitions: Transitions,
    ) -> None:
        self._policy = policy
        self._moves = moves
        self._mending = mending
        self._agenda = agenda
        self._control = control
        self._outgoing = outgoing
        self._lists = lists
        self._retries = retries
        self._transitions = transitions
        self._tracks: dict[str, Track] = {}
        self._states: dict[str, RequestState] = {}
        self._accepted = 0
        self._suspicions: list[tuple[Track, Refused]] = []

    # --- moves ------------------------------------------------------------------------------------

    def _happened(
        self, track: Track, event: RequestEvent, now: float, detail: Detail = NO_DETAIL
    ) -> None:
        """Move the account, and do what the move orders."""
        state, do = self._transitions[self._states[track.name]][event]
        self._states[track.name] = state
        self._moves.make(track, do, detail, now)

    # --- from AWS, and its turn -------------------------------------------------------------------

    def worked(self, so_far: Result, value: V, now: float) -> None:
        """AWS is done with an account: it has its result, or its turn at Cloudcraft comes."""
        outcome = self._policy.worked(so_far, value)
        if isinstance(outcome, Result):
            self._moves.end(outcome)
        else:
            self.submit(outcome, now)

    def failed_in_aws(self, results: Iterable[Result], now: float) -> None:
        """The AWS work failed for these accounts."""
        for result in results:
            track = self._tracks.get(result.name)
            if track is None:
                self._moves.end(result)
                continue
            failed = result.outcome is Outcome.FAILED
            event = E.ROLE_FAILED if failed else E.ROLE_PENDING
            self._happened(track, event, now, Detail(result=result))

    def submit(self, track: Track, now: float) -> None:
        """An account's turn at Cloudcraft has come, if anything is to be sent for it."""
        if track.name not in self._tracks:
            self._tracks[track.name] = track
            self._states[track.name] = S.NEW
            track.queued_at = now
        self._happened(track, _WHAT[track.left], now)
        if self._states[track.name] is S.QUEUED:
            self._moves.tell_queued(track, now)

    def use(self, slot: Slot, now: float) -> None:
        """Choose the request at the last moment; a slot that nobody is ready for goes back."""
        while self._control.kind is None and (track := self._outgoing.pop(now)):
            if self._states[track.name] is not S.QUEUED:
                continue
            event = self._at_its_turn(track, now)
            self._happened(track, event, now, Detail(slot=slot))
            if self._states[track.name] is S.IN_FLIGHT:
                return
            self._outgoing.settling.unheard(track)
        self._agenda.order(GiveBack(slot=slot))

    def _at_its_turn(self, track: Track, now: float) -> RequestEvent:
        """What would overwrite others' work is decided once more, by a list that is not old."""
        if not track.overwrites:
            return E.TURN
        listing = self._lists.fresh(now)
        if listing is None:
            return E.OLD_LIST
        track.look_up(listing)
        return E.TURN if track.left is Left.REQUEST else _WHAT[track.left]

    def not_spawned(self, request: Write, now: float) -> None:
        """There was no thread to send it."""
        if request.number in self._mending:
            self._mended(request.number, PaceClosed(NO_THREAD), now)
            return
        track = self._outgoing.in_flight.pop(request.number, None)
        if track is not None and self._states[track.name] is S.IN_FLIGHT:
            track.attempts -= 1
            self._outgoing.settling.unheard(track)
            self._happened(track, E.NO_THREAD, now, Detail(wait=_NO_THREAD_SECONDS))

    # --- answers ----------------------------------------------------------------------------------

    def answered(self, message: Answered, now: float) -> None:
        """A write's end."""
        number = message.request.number
        if number in self._mending:
            self._mended(number, message.error, now, message.seconds)
            return
        track = self._outgoing.in_flight.pop(number, None)
        if track is not None and self._states[track.name] is S.IN_FLIGHT:  # else nobody waits
            track.seconds += message.seconds
            self._judge_answer(track, message, now)

    def _judge_answer(self, track: Track, message: Answered, now: float) -> None:
        """Accepted, refused, in doubt, or not processed."""
        match message.error:
            case None:
                self._outgoing.settling.accepted(track)
                track.accepted(message.registration)
                self._accepted += 1
                self._happened(track, _WHAT[track.left], now)
            case Doubtful() as error:
                self._doubt(track, E.NO_ANSWER, error.message, now)
            case Refused() as error:
                self._refused(track, error, now)
            case Outdated():
                track.attempts -= 1
                self._outgoing.settling.unheard(track)
                self._happened(track, E.OLD_LIST, now)
            case PaceClosed() as error:
                note = NotSent(errand=track.errand, why=error.message)
                self._happened(track, E.NOT_PROCESSED, now, Detail(note=note))
            case RequestError() as error:
                self._happened(
                    track, E.NOT_PROCESSED, now, Detail(note=NotProcessed(why=error.message))
                )
            case error:
                track.crash = problem_of_a_bug(error, Stage.REGISTER, track.name)
                self._doubt(track, E.NO_ANSWER, track.crash.message, now)

    def _doubt(self, track: Track, event: RequestEvent, why: str, now: float) -> None:
        self._outgoing.settling.unheard(track)
        track.doubted = True
        track.rounds += 1
        why = f"{sentence(why)} Checking whether it was processed."
        self._happened(track, event, now, Detail(why=why))

    def _refused(self, track: Track, error: Refused, now: float) -> None:
        match error.kind:
            case RefusalKind.GONE if track.registration is not None:
                # Somebody deleted the registration in between; a list says what is to be done.
                self._doubt(track, E.GONE, error.message, now)
            case RefusalKind.KEY:
                self._fail([(track, error)], now)
                self._stop_for_key(error)
            case _ if self._control.kind is Stop.KEY:
                self._happened(track, E.TURNED_AWAY, now, Detail(note=Stop.KEY.note))
            case RefusalKind.RIGHTS | RefusalKind.FORBIDDEN:
                self._suspect_key(track, error, now)
            case _:
                self._retry_or_fail(track, error, now)

    def _suspect_key(self, track: Track, error: Refused, now: float) -> None:
        """A refusal that may be meant for the key: for all accounts, then."""
        self._suspicions.append((track, error))
        alike = {t.name for t, e in self._suspicions if e.message == error.message}
        if not self._accepted and len(alike) >= _KEY_REFUSALS:
            self._fail(self._suspicions, now)
            self._stop_for_key(error)
        elif error.kind is RefusalKind.RIGHTS:
            self._fail([(track, error)], now)
        else:
            self._retry_or_fail(track, error, now)

    def _fail(self, refused: Iterable[tuple[Track, Refused]], now: float) -> None:
        for track, error in refused:
            if self._states[track.name] not in _FINAL:
                self._happened(track, E.REFUSED, now, Detail(problem=track.problem(error)))

    def _stop_for_key(self, error: Refused) -> None:
        reason = (
            f"Cloudcraft refused the API key ({error.status}: {error.message}); use a read-write "
            "key of an Owner or Administrator"
        )
        self._control.stop(Stop.KEY, reason)

    def _retry_or_fail(self, track: Track, error: Refused, now: float) -> None:
        wait = track.again_in(error, now, self._outgoing.settling.longest)
        if wait is None or self._control.kind is not None:
            self._fail([(track, error)], now)
            return
        if self._outgoing.settling.refused(track):
            wait = self._outgoing.settling.ready_at(track, now) - now
        else:
            track.refusals += 1
        track.waits_for = RefusedSoFar(said=error.message)
        why = f"{sentence(error.message)} The role is new; it may not have propagated yet."
        self._happened(track, E.TOO_YOUNG, now, Detail(why=why, wait=wait))

    # --- lists ------------------------------------------------------------------------------------

    def look_up(self, error: BaseException | None, now: float) -> None:
        """What became of all doubtful requests, by the list that was read for them."""
        for track in self._lists.take_doubts():
            if self._states[track.name] is S.DOUBTFUL:
                self._look_up(track, error, now)

    def _look_up(self, track: Track, error: BaseException | None, now: float) -> None:
        listing = self._lists.newest
        if error is not None or listing is None:
            unread = NotChecked(errand=track.errand, why=str(error))
            self._happened(track, E.UNREADABLE, now, Detail(note=unread))
            return
        track.look_up(listing)
        if track.left is not Left.REQUEST:
            self._accepted += 1
            self._happened(track, _WHAT[track.left], now)
        elif track.crash is not None:
            self._happened(track, E.CRASHED, now, Detail(problem=track.crash))
        elif track.rounds > self._retries:
            unanswered = NeverAnswered(errand=track.errand)
            self._happened(track, E.TOO_OFTEN, now, Detail(note=unanswered))
        else:
            self._happened(track, E.REQUEST_LEFT, now)

    @property
    def waits_for_last_list(self) -> bool:
        """Whether the last list has anything to say."""
        return bool(self._lists.doubts or self._outgoing.in_flight or self._those(S.ACCEPTED))

    def judge(self, error: BaseException | None, now: float) -> None:
        """By the last list, each account is done, mended, or missing."""
        listing = self._lists.newest
        if error is not None or listing is None:
            self.leave_unverified(error, now)
            return
        self._judge(listing, self._lists.take_doubts(), now)

    def judge_unanswered(self, now: float) -> None:
        """Nobody waits any more for answers: what has none is judged by the last list, too.

        It comes last, as an answer that comes while others are mended may name a registration that
        this list does not show.
        """
        listing = self._lists.newest
        if listing is not None:
            unanswered = self._outgoing.abandon()
            self._judge(listing, [*self._lists.take_doubts(), *unanswered], now)

    def _judge(self, listing: Listing, doubts: Iterable[Track], now: float) -> None:
        for track in doubts:
            if self._states[track.name] in (S.DOUBTFUL, S.IN_FLIGHT):  # nothing is sent again
                track.doubted = True
                track.look_up(listing)
                event = E.OVER if track.left is Left.REQUEST else _WHAT[track.left]
                self._happened(track, event, now)
        for track in self._those(S.ACCEPTED):
            judgment = track.judge(listing, again=not self._lists.was_read_again)
            track.notes = list(judgment.notes)
            event = _WHAT_IT_SAYS[judgment.verdict]
            if event is E.NOT_YET and self._lists.was_read_again:
                event = E.NEVER
            detail = Detail(judgment=judgment, problem=track.missing)
            self._happened(track, event, now, detail)
            if event is E.TO_MEND and track not in self._mending:
                self._happened(track, E.NOT_MENDED, now)

    def _mended(
        self, number: int, error: BaseException | None, now: float, seconds: float = 0.0
    ) -> None:
        track = self._mending.answered(number, error, seconds)
        if track not in self._mending:
            self._happened(track, E.NOT_MENDED if track.unsettled else E.MENDED, now)

    def leave_mends(self, now: float) -> None:
        """Nobody waits any more for the answers that mend accounts."""
        for number in self._mending.numbers:
            self._mended(number, PaceClosed(NO_TIME), now)

    def leave_unverified(self, error: BaseException | None, now: float) -> None:
        """The last list was not read: an account whose POST was answered with an ID is there."""
        short = self._control.kind in (Stop.INTERRUPTED, Stop.BUDGET)
        why = sentence(str(error))
        for track in self._those(S.ACCEPTED):
            event = E.NOT_READ_BUT_ANSWERED if short and track.is_answered else E.NOT_READ
            self._happened(
                track, event, now, Detail(note=NotVerified(errand=track.errand, why=str(error)))
            )
        self._agenda.tell(Said(text=f"The final check was skipped: {why}"))

    def conclude(self, now: float, *, but: Collection[str]) -> None:
        """Whatever has no result yet is pending, `but` what is left in AWS."""
        for name, track in self._tracks.items():
            if name not in but and self._states[name] not in _FINAL:
                self._happened(track, E.OVER, now)

    def _those(self, state: RequestState) -> list[Track]:
        return [track for name, track in self._tracks.items() if self._states[name] is state]
