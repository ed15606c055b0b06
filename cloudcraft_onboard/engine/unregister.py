"""Deleting registrations, however the network behaves.

A deletion ends in one of four ways, as a registration does. Accepted: the next one, then the role.
Refused: the account fails and its role stays. Doubtful: one `GET /aws/account` tells for all
doubtful accounts what is still there, and only that is deleted again. Not sent: it stays pending.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.dispatch import Dispatcher
from cloudcraft_onboard.engine.patience import patiently
from cloudcraft_onboard.engine.ports import Cloudcraft, Slot
from cloudcraft_onboard.engine.register import KEY_REFUSALS, let_settle, stop_for_key
from cloudcraft_onboard.engine.removal import Removal, deletion
from cloudcraft_onboard.errors import Doubtful, PaceClosed, Refused, RequestError
from cloudcraft_onboard.events import AccountQueued, AccountRetried, Event, StepStarted
from cloudcraft_onboard.model import Change, Outcome, Problem, Registration, Result, Stage


@dataclass(kw_only=True, slots=True)
class Track:
    """What is known of one account while its removal is under way."""

    removal: Removal
    left: list[Registration]
    done: list[Change] = field(default_factory=list)
    notes: tuple[str, ...]
    seconds: float
    attempts: int = 0
    rounds: int = 0
    waits_for: str = "it waits for its turn; nothing of it was removed yet"

    @property
    def name(self) -> str:
        """The account's name."""
        return self.removal.account.name

    def result(self, outcome: Outcome | None = None, *notes: str) -> Result:
        """The account's result as far as it is known; without an outcome, that of what was done."""
        so_far = self.removal.result(tuple(self.done))
        return replace(
            so_far,
            outcome=outcome or so_far.outcome,
            attempts=max(1, self.attempts),
            seconds=self.seconds,
            notes=self.notes + notes,
        )


class Unregistrar:
    """Deletes all registrations of accounts, and hands each on (`then`) for its role."""

    def __init__(
        self,
        cloudcraft: Cloudcraft,
        dispatcher: Dispatcher,
        board: Board,
        control: Control,
        emit: Callable[[Event], None],
        *,
        retries: int,
        then: Callable[[Track], None],
    ) -> None:
        self._cloudcraft = cloudcraft
        self._dispatcher = dispatcher
        self._board = board
        self._control = control
        self._emit = emit
        self._retries = retries
        self._then = then
        self._tracks: dict[str, Track] = {}
        self._doubtful: list[Track] = []
        self._forbidden: dict[str, set[str]] = defaultdict(set)
        self._accepted = 0
        self._lock = threading.Lock()

    def submit(self, removal: Removal) -> None:
        """Take an account; its registrations are deleted when their turn comes."""
        track = Track(
            removal=removal,
            left=list(removal.registrations),
            notes=removal.notes,
            seconds=removal.seconds,
        )
        with self._lock:
            self._tracks[track.name] = track
        if track.left:
            self._emit(AccountQueued(name=track.name))
        self._go_on(track)

    def resolve_doubts(self) -> bool:
        """Look once for all doubtful accounts; whether any had to be queued again.

        Where the list cannot be read either, they end pending.
        """
        with self._lock:
            doubtful, self._doubtful = self._doubtful, []
        if not doubtful:
            return False
        let_settle(self._control, min(track.rounds for track in doubtful))
        try:
            listing = patiently(self._cloudcraft.registrations, self._control)
        except RequestError as error:
            for track in doubtful:
                self._pend(track, f"whether it is still registered is not known: {error.message}")
            return False
        listed = {registration.id for registration in listing}
        queued = [self._look_again(track, listed) for track in doubtful]
        return any(queued)

    def leave_pending(self) -> None:
        """Whatever has no result yet, when the run ends: pending, each with what it waits for."""
        with self._lock:
            tracks = list(self._tracks.values())
        for track in tracks:
            if not self._board.is_final(track.name):
                self._pend(track, track.waits_for)

    # --- inside -----------------------------------------------------------------------------

    def _go_on(self, track: Track) -> bool:
        """Queue the next registration, or hand the account on; whether there was one more."""
        if track.left:
            self._dispatcher.put(lambda slot: self._send(track, slot))
            return True
        if track.done:
            track.waits_for = "its registration is deleted; its role waits for its turn"
        self._then(track)
        return False

    def _send(self, track: Track, slot: Slot) -> None:
        started = self._control.clock()
        self._emit(StepStarted(name=track.name, step="delete-registration"))
        track.attempts += 1
        track.waits_for = (
            "the deletion of its registration was sent and the answer is not known; "
            "the next run looks whether it is still there"
        )
        try:
            self._cloudcraft.delete(track.left[0], slot)
        except Doubtful as error:
            self._doubt(track, error)
        except Refused as error:
            self._refused(track, error)
        except PaceClosed as error:
            self._pend(track, f"its deletion was not sent: {error.message}")
        except RequestError as error:
            self._pend(track, f"Cloudcraft could not be reached: {error.message}")
        else:
            with self._lock:
                self._accepted += 1
            self._deleted(track, track.left[0])
            self._go_on(track)
        finally:
            track.seconds += self._control.clock() - started

    def _deleted(self, track: Track, registration: Registration) -> None:
        track.left.remove(registration)
        track.done.append(deletion(registration))

    def _doubt(self, track: Track, error: Doubtful) -> None:
        track.rounds += 1
        self._emit(
            AccountRetried(name=track.name, reason=f"{error.message}: to be looked up", wait=0)
        )
        with self._lock:
            self._doubtful.append(track)

    def _look_again(self, track: Track, listed: Collection[str]) -> bool:
        for registration in [each for each in track.left if each.id not in listed]:
            self._deleted(track, registration)
        if track.left and track.rounds > self._retries:
            self._pend(track, "Cloudcraft gave no answer to its deletion, and it is still listed")
            return False
        return self._go_on(track)

    def _refused(self, track: Track, error: Refused) -> None:
        if self._control.kind is Stop.KEY:
            self._pend(track, Stop.KEY.note)
            return
        problem = Problem(
            stage=Stage.REGISTER,
            code=f"HTTP{error.status}",
            message=f"Cloudcraft refused to delete the registration ({error.status}): "
            f"{error.message}",
            hint="use a read-write API key of a Cloudcraft user who is Owner or Administrator "
            "(CLOUDCRAFT_API_KEY), or delete it in Cloudcraft; its role was not touched",
        )
        self._board.finish(boards.failed(track.result(), problem))
        with self._lock:
            self._forbidden[error.message].add(track.name)
            alike = len(self._forbidden[error.message])
            never = error.status == HTTPStatus.FORBIDDEN and not self._accepted
        if error.status == HTTPStatus.UNAUTHORIZED or (never and alike >= KEY_REFUSALS):
            stop_for_key(self._control, error)

    def _pend(self, track: Track, note: str) -> None:
        self._board.finish(track.result(Outcome.PENDING, note))
