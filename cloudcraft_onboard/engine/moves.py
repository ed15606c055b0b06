"""What a move of the machine orders, carried out: nothing here decides where a request goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Generic

from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.agenda import Agenda, Ends
from cloudcraft_onboard.engine.jobs import AwsJobs
from cloudcraft_onboard.engine.lists import Lists
from cloudcraft_onboard.engine.mending import Mending
from cloudcraft_onboard.engine.messages import Job, Put, T
from cloudcraft_onboard.engine.outgoing import Outgoing
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.events import AccountFinished, AccountQueued, AccountRetried
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Note, Outcome, Problem, Result, Slot
from cloudcraft_onboard.model.notes import NoAnswer


class Do(Enum):
    """What a move orders."""

    QUEUE = "queue it"
    SEND = "send it"
    RETRY = "queue it for later"
    GATHER = "look it up with the others"
    START = "have its role deleted"
    AWAIT = "tell its provisional result"
    MEND = "send what mends it"
    READ_AGAIN = "read the list again"
    FINISH = "tell its result"
    FAIL = "tell why"
    PEND = "tell what it waits for"
    END = "tell the worker's result"


@frozen
class Detail:
    """What a move needs to know besides the event: why, what is noted, after how many seconds."""

    why: str = ""
    note: Note | None = None
    wait: float = 0.0
    problem: Problem | None = None
    slot: Slot | None = None
    result: Result | None = None
    judgment: Judgment | None = None


NO_DETAIL = Detail()


class Moves(Generic[T]):
    """Does what a move orders. `role_job` makes the AWS job that follows an account's requests."""

    def __init__(
        self,
        results: Results,
        role_job: Callable[[str], Job[T] | None],
        *,
        agenda: Agenda[T],
        ends: Ends[T],
        jobs: AwsJobs[T],
        outgoing: Outgoing[T],
        lists: Lists[T],
        mending: Mending[T],
    ) -> None:
        self._results = results
        self._role_job = role_job
        self._agenda = agenda
        self._ends = ends
        self._jobs = jobs
        self._outgoing = outgoing
        self._lists = lists
        self._mending = mending

    def make(self, track: Track, do: Do, detail: Detail, now: float) -> None:
        """Do it."""
        match do:
            case Do.QUEUE:
                self._outgoing.put(track, now, detail.wait)
            case Do.SEND if detail.slot is not None:
                self._send(track, detail.slot)
            case Do.RETRY:
                self._note(track)
                self._tell_retry(track, detail)
                self._outgoing.put(track, now, detail.wait)
            case Do.GATHER:
                self._lists.doubts.append(track)
                self._tell_retry(track, detail)
            case Do.START:
                self._start_role(track)
            case Do.AWAIT:
                result = track.result(track.outcome)
                self._results.note(result)
                self._agenda.tell(AccountFinished(result=result, provisional=True))
            case Do.MEND if detail.judgment is not None:
                self._mending.begin(track, detail.judgment)
            case Do.READ_AGAIN:
                self._lists.read_again(now)
            case Do.FINISH | Do.FAIL | Do.PEND | Do.END:
                self.end(_result(track, do, detail))
            case _:
                raise AssertionError(f"{do} lacks what it needs: {detail}")

    def end(self, result: Result) -> None:
        """An account has its result."""
        self._ends.finish(result)

    def tell_queued(self, track: Track, now: float) -> None:
        """An account's first request waits for its turn."""
        self._note(track)
        ready_at = self._outgoing.settling.ready_at(track, now)
        self._agenda.tell(AccountQueued(name=track.name, ready_in=ready_at - now))

    def _send(self, track: Track, slot: Slot) -> None:
        request = track.request(self._outgoing.number())
        if isinstance(request, Put):
            request = replace(request, until=self._lists.fresh_until)
        track.attempts += 1
        track.waits_for = NoAnswer(errand=track.errand)
        self._note(track)
        self._outgoing.send(request, track, slot)

    def _start_role(self, track: Track) -> None:
        self._note(track)
        if job := self._role_job(track.name):
            self._jobs.add([job])

    def _note(self, track: Track) -> None:
        self._results.note(track.result(Outcome.PENDING, track.waits_for))

    def _tell_retry(self, track: Track, detail: Detail) -> None:
        if detail.why:
            reason = sentence(detail.why)
            self._agenda.tell(AccountRetried(name=track.name, reason=reason, wait=detail.wait))


def _result(track: Track, do: Do, detail: Detail) -> Result:
    """The account's result where a move ends it."""
    if do is Do.END and detail.result is not None:
        return detail.result
    if do is Do.FAIL and detail.problem is not None:
        return track.result(Outcome.FAILED, *track.doubts).failed(detail.problem)
    noted = () if detail.note is None else (detail.note,)
    if do is Do.PEND:
        why = noted or (() if track.notes else (track.waits_for,))
        return track.result(Outcome.PENDING, *track.notes, *why)
    if do is Do.FINISH:
        return track.result(track.outcome, *track.notes, *noted)
    raise AssertionError(f"{do} lacks what it needs: {detail}")
