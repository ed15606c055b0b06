"""The verifying read at the end: each account that was registered is listed exactly once."""

from __future__ import annotations

from collections.abc import Callable

from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.patience import patiently
from cloudcraft_onboard.engine.ports import Cloudcraft, Pace
from cloudcraft_onboard.engine.register import Registrar, Track
from cloudcraft_onboard.errors import PaceClosed, RequestError
from cloudcraft_onboard.events import Event, Said
from cloudcraft_onboard.model import Outcome, Problem, Registration, Stage
from cloudcraft_onboard.plan.registration import Listing

_REREAD_WAIT = 2.0


class Verifier:
    """Turns provisional results into final ones."""

    def __init__(
        self,
        cloudcraft: Cloudcraft,
        pace: Pace,
        registrar: Registrar,
        *,
        board: Board,
        control: Control,
        emit: Callable[[Event], None],
    ) -> None:
        self._cloudcraft = cloudcraft
        self._pace = pace
        self._registrar = registrar
        self._board = board
        self._control = control
        self._emit = emit

    def verify(self) -> None:
        """Read the list once if this run registered anything, and judge each account by it."""
        if not self._registrar.registered and not self._registrar.doubtful:
            return
        try:
            listing = self._registrar.listing or self._read()
            if self._judge(listing):
                # Nothing is documented about how soon a new registration is listed.
                if not self._control.may_start() or self._control.stopped.wait(_REREAD_WAIT):
                    raise PaceClosed("it was not listed at once, and the run is stopping")
                for track in self._judge(self._read()):
                    self._fail_unlisted(track)
        except RequestError as error:
            self._unverified(error)

    # --- inside -----------------------------------------------------------------------------

    def _read(self) -> Listing:
        slot = self._pace.acquire(self._control.deadline, self._control.interrupted)
        return Listing(
            patiently(lambda: self._cloudcraft.registrations(slot), self._control, last=True)
        )

    def _judge(self, listing: Listing) -> list[Track]:
        """Finish the accounts that are listed; those that are not are given back."""
        self._registrar.settle_doubts_from(listing)
        missing = []
        for track in self._registrar.registered:
            found = listing.of(track.ready.spec.account_id)
            if not found:
                missing.append(track)
                continue
            track.registration = found[0]
            notes = [self._heal(track, extra) for extra in found[1:]]
            if found[0].id not in track.made and track.made:
                notes.append("another run registered it at the same moment; its registration stays")
            self._board.finish(track.result(Outcome.CREATED, *notes))
        return missing

    def _heal(self, track: Track, extra: Registration) -> str:
        """Delete a newer duplicate if this run made it; what became of it, as a note."""
        ours = extra.id in track.made or (
            # The answer to a doubtful request never told its ID; the name tells whose it is.
            track.doubted and extra.name == track.ready.spec.name
        )
        if not ours:
            return f"also registered as {extra.id}, by another run, which takes that back itself"
        try:
            slot = self._pace.acquire(self._control.deadline, self._control.interrupted)
            patiently(lambda: self._cloudcraft.delete(extra, slot), self._control, last=True)
        except RequestError as error:
            return f"registered twice; delete {extra.id} in Cloudcraft ({error.message})"
        return f"a race registered it twice; the newer registration {extra.id} was deleted"

    def _fail_unlisted(self, track: Track) -> None:
        problem = Problem(
            stage=Stage.VERIFY,
            code="NotListed",
            message="Cloudcraft accepted the registration but doesn't list the account",
            hint="look in Cloudcraft whether it is there, then run the same command again",
        )
        self._board.finish(boards.failed(track.result(Outcome.FAILED), problem))

    def _unverified(self, error: RequestError) -> None:
        """The read could not be made: an account whose POST was answered with an ID is there."""
        interrupted = self._control.kind in (Stop.INTERRUPTED, Stop.BUDGET)
        for track in self._registrar.registered:
            note = f"registered, but not verified by a last read: {error.message}"
            outcome = Outcome.CREATED if interrupted and track.made else Outcome.PENDING
            self._board.finish(track.result(outcome, note))
        self._emit(Said(text=f"The verifying read was not made: {error.message}"))
