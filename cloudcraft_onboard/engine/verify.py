"""The last step: by the last list, each account that was registered is done, healed, or missing."""

from __future__ import annotations

from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.core import NO_TIME, Phase
from cloudcraft_onboard.engine.jobs import Working
from cloudcraft_onboard.engine.messages import Method, Request, Send, Stop
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.errors import PaceClosed
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.model import Note, Outcome, Problem, Stage
from cloudcraft_onboard.model.notes import DuplicateDeleted, DuplicateLeft, NotVerified
from cloudcraft_onboard.plan.registration import Listing

REREAD_SECONDS = 2.0
"""Nothing is documented about how soon a new registration is listed."""

_NOT_AT_ONCE = "It was not listed at once, and the run is stopping."
_NOT_LISTED = Problem(
    stage=Stage.VERIFY,
    code="NotListed",
    message="Cloudcraft accepted the registration, but does not list the account.",
    hint="Check whether the account is in Cloudcraft, then run the same command again.",
)


class Verifying(Working):
    """Provisional results become final; only lists and deletions of duplicates are sent."""

    def _judge_by(self, error: BaseException | None, now: float) -> None:
        """By the last list, each provisional account is done, healed, or missing."""
        if error is not None or self._listing is None:
            self._leave_unverified(error, now)
            return
        self._settle_doubts(self._listing, now)
        missing = []
        for track in list(self._unverified.values()):
            judgment = self._policy.judge(track, self._listing)
            if judgment is None:
                missing.append(track)
                continue
            del self._unverified[track.name]
            self._heal(track, judgment, now)
        if missing and self._was_reread:
            for track in missing:
                del self._unverified[track.name]
                self._finish(self._policy.result(track, Outcome.FAILED).failed(_NOT_LISTED), now)
        elif missing:
            self._reread_at = now + REREAD_SECONDS

    def _settle_doubts(self, listing: Listing, now: float) -> None:
        """What is listed is done; nothing is sent again, and nobody waits for answers any more."""
        doubtful = [*self._doubtful, *self._in_flight.values()]
        self._doubtful = []
        self._in_flight = {}
        for track in doubtful:
            track.doubted |= track.posted
            if self._policy.found(track, listing):
                self._pend(track, track.waits_for, now)
            else:
                self._go_on(track, now)

    def _heal(self, track: Track, judgment: Judgment, now: float) -> None:
        """Delete this run's newer duplicates, then the account is done."""
        track.notes = list(judgment.notes)
        track.to_heal = len(judgment.duplicates)
        for duplicate in judgment.duplicates:
            number = next(self._numbers)
            self._healing[number] = (track, duplicate.id)
            request = Request(
                number=number, method=Method.DELETE, name=track.name, registration=duplicate
            )
            self._orders.append(Send(request=request))
        if not judgment.duplicates:
            self._finish(self._policy.result(track, track.outcome, *track.notes), now)

    def _healed(
        self, track: Track, duplicate: str, error: BaseException | None, now: float
    ) -> None:
        note: Note = DuplicateDeleted(id=duplicate)
        if error is not None:
            note = DuplicateLeft(id=duplicate, why=str(error))
        track.notes.append(note)
        track.to_heal -= 1
        if not track.to_heal:
            self._finish(self._policy.result(track, track.outcome, *track.notes), now)

    def _verify(self, now: float) -> None:
        """Wait for the last list and for what it made necessary."""
        ends = self._patience_ends(last=True)
        if now >= ends:
            if self._reading or self._reread_at is not None:
                self._reading = self._reread_at = None
                self._leave_unverified(PaceClosed(NO_TIME), now)
            for number in list(self._healing):
                self._healed(*self._healing.pop(number), PaceClosed(NO_TIME), now)
        if self._reread_at is not None:
            if self.stop is not None:
                self._reread_at = None
                self._leave_unverified(PaceClosed(_NOT_AT_ONCE), now)
            elif now >= self._reread_at:
                self._reread_at = None
                self._was_reread = True
                self._send_list()
            else:
                self._wake(self._reread_at)
        if self._reading or self._healing:
            self._wake(ends)
        elif self._reread_at is None:
            self._conclude(now)

    def _leave_unverified(self, error: BaseException | None, now: float) -> None:
        """The read was not made: an account whose POST was answered with an ID is there."""
        short = self.stop in (Stop.INTERRUPTED, Stop.BUDGET)
        for track in self._unverified.values():
            note = NotVerified(why=str(error))
            outcome = track.outcome if short and track.made else Outcome.PENDING
            self._finish(self._policy.result(track, outcome, note), now)
        self._unverified = {}
        self._tell(Said(text=f"The final check was skipped: {sentence(str(error))}"))

    def _conclude(self, now: float) -> None:
        """Whatever has no result yet is pending, each with what it waits for."""
        for track in self._tracks.values():
            if track.name not in self._in_aws and not self.results.is_final(track.name):
                self._pend(track, track.waits_for, now)
        for name in list(self._in_aws):
            self.results.note(self._out_of_aws(name, now))
        self._phase = Phase.DONE
