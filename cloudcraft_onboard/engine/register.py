"""Registering accounts exactly once, whatever the network does (contract §5, Register and Verify).

A write to Cloudcraft ends in one of four ways. Accepted: it counts, after the verifying read.
Refused: the account fails, unless its role is so young that IAM may not have it everywhere yet.
Doubtful: it is never sent again blindly; one `GET /aws/account` tells for all doubtful accounts
which are there, and only the others are sent again. Not sent: the account stays pending.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from cloudcraft_onboard.engine import board as boards
from cloudcraft_onboard.engine.account import RoleReady
from cloudcraft_onboard.engine.board import Board
from cloudcraft_onboard.engine.control import Control, Stop
from cloudcraft_onboard.engine.dispatch import Dispatcher
from cloudcraft_onboard.engine.patience import patiently, time_left
from cloudcraft_onboard.engine.ports import Cloudcraft, Slot
from cloudcraft_onboard.errors import Doubtful, PaceClosed, Refused, RequestError
from cloudcraft_onboard.events import AccountQueued, AccountRetried, Event, StepStarted
from cloudcraft_onboard.model import (
    Change,
    Outcome,
    Problem,
    Registration,
    Result,
    Stage,
)
from cloudcraft_onboard.plan.registration import Listing, plan_registration, unverified_update

# IAM is eventually consistent, "usually some 10 s"; a refusal this long after the role was made
# or changed is no longer explained by that.
_YOUNG_SECONDS = 300.0
_REFUSAL_RETRIES = 3
_SHORTEST_REFUSAL_WAIT = 5.0
# So many first refusals with the same 403, and none accepted: it is the key, not the accounts.
KEY_REFUSALS = 3
# How long a doubtful request gets to be processed before it is looked for; doubled each round.
_DOUBT_WAIT = 1.0
_LONGEST_DOUBT_WAIT = 30.0

_ABOUT_THE_ROLE = re.compile(r"verif|assum|role arn|rolearn|external ?id|trust", re.IGNORECASE)
_ABOUT_THE_KEY = re.compile(
    r"read.?only|permission|not allowed|forbidden|unauthori[sz]ed|administrator|owner|scope|plan",
    re.IGNORECASE,
)


@dataclass(kw_only=True, slots=True)
class Track:
    """What is known of one account's registration while it is under way."""

    ready: RoleReady
    submitted_at: float
    registration: Registration | None
    changes: tuple[Change, ...]
    seconds: float
    attempts: int = 0
    refusals: int = 0
    rounds: int = 0
    doubted: bool = False
    made: set[str] = field(default_factory=set)
    waits_for: str = "its role is ready; it waits for its turn to be registered"

    @property
    def name(self) -> str:
        """The account's name."""
        return self.ready.account.name

    def result(self, outcome: Outcome, *notes: str) -> Result:
        """The account's result as far as it is known now."""
        ready = self.ready
        finished = outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
        return replace(
            boards.base(ready.account),
            account_id=ready.spec.account_id,
            outcome=outcome,
            changes=ready.role_changes + (self.changes if finished else ()),
            role_arn=ready.spec.role_arn or None,
            cloudcraft_id=self.registration.id if self.registration else None,
            attempts=max(1, self.attempts),
            seconds=self.seconds,
            notes=ready.notes + notes,
        )


def track_of(ready: RoleReady, now: float) -> Track:
    """A fresh track for an account whose AWS side is done."""
    return Track(
        ready=ready,
        submitted_at=now,
        registration=ready.registration,
        changes=ready.registration_changes,
        seconds=ready.seconds,
    )


def outcome_of(ready: RoleReady) -> Outcome:
    """What the account ends as once everything planned for it is done."""
    if ready.registration is None:
        return Outcome.CREATED
    if ready.role_changes or ready.registration_changes:
        return Outcome.UPDATED
    return Outcome.UNCHANGED


class Registrar:
    """Takes accounts whose role is ready and sees each registered once."""

    def __init__(
        self,
        cloudcraft: Cloudcraft,
        dispatcher: Dispatcher,
        board: Board,
        control: Control,
        emit: Callable[[Event], None],
        *,
        settle: float,
        retries: int,
    ) -> None:
        self._cloudcraft = cloudcraft
        self._dispatcher = dispatcher
        self._board = board
        self._control = control
        self._emit = emit
        self._settle = settle
        self._retries = retries
        self._tracks: dict[str, Track] = {}
        self._doubtful: list[Track] = []
        self._sending: dict[str, Track] = {}
        self._forbidden: list[tuple[Track, Refused]] = []
        self._accepted = 0
        self._lock = threading.Lock()
        self.listing: Listing | None = None
        """The last list that was read, while nothing was written since."""

    def submit(self, ready: RoleReady) -> None:
        """An account's AWS side is done: queue its registration, or finish it if none is due."""
        track = track_of(ready, self._control.clock())
        if not track.changes:
            self._board.finish(track.result(outcome_of(ready)))
            return
        with self._lock:
            self._tracks[track.name] = track
        wait = 0.0 if ready.age is None else max(0.0, self._settle - ready.age)
        self._emit(AccountQueued(name=track.name, ready_in=wait))
        self._dispatcher.put(lambda slot: self._send(track, slot), wait=wait)

    @property
    def registered(self) -> tuple[Track, ...]:
        """Accounts that this run registered and that wait for the verifying read."""
        with self._lock:
            tracks = dict(self._tracks)
        return tuple(tracks[result.name] for result in self._board.provisional())

    @property
    def doubtful(self) -> bool:
        """Whether a list must be read to know what became of some requests."""
        with self._lock:
            return bool(self._doubtful or self._sending)

    def resolve_doubts(self) -> bool:
        """Look once for all doubtful accounts; whether any had to be queued again.

        Where the list cannot be read either, they end pending.
        """
        with self._lock:
            doubtful, self._doubtful = self._doubtful, []
        if not doubtful:
            return False
        let_settle(self._control, min(track.rounds for track in doubtful))
        if self._control.stopped.is_set():
            with self._lock:
                self._doubtful += doubtful  # the verifying read tells what became of them
            return False
        try:
            self.listing = Listing(patiently(self._cloudcraft.registrations, self._control))
        except RequestError as error:
            for track in doubtful:
                self._pend(track, f"whether it is registered could not be read: {error.message}")
            return False
        queued = [self._look_again(track, self.listing) for track in doubtful]
        return any(queued)

    def settle_doubts_from(self, listing: Listing) -> None:
        """Take a list as the answer for doubtful accounts, without sending anything again.

        Also for requests in flight that nobody waits for any more.
        """
        with self._lock:
            doubtful = [*self._doubtful, *self._sending.values()]
            self._doubtful = []
            self._sending = {}
        for track in doubtful:
            found = listing.oldest(track.ready.spec.account_id)
            if plan_registration(track.ready.spec, found):
                self._pend(track, track.waits_for)
            else:
                track.doubted = True
                track.registration = found
                self._accept(track)

    def leave_pending(self) -> None:
        """Whatever has no result yet, when the run ends: pending, each with what it waits for."""
        with self._lock:
            tracks = list(self._tracks.values())
        unverified = {track.name for track in self.registered}
        for track in tracks:
            if track.name not in unverified and not self._board.is_final(track.name):
                self._pend(track, track.waits_for)

    # --- one request ------------------------------------------------------------------------

    def _send(self, track: Track, slot: Slot) -> None:
        self._emit(StepStarted(name=track.name, step=track.changes[0].action.word))
        track.attempts += 1
        track.waits_for = (
            "its registration was sent and the answer is not known; "
            "the next run looks before it sends it again"
        )
        self.listing = None
        with self._lock:
            self._sending[track.name] = track
        try:
            self._write(track, slot)
        except Doubtful as error:
            self._doubt(track, error)
        except Refused as error:
            self._refused(track, error)
        except PaceClosed as error:
            self._pend(track, f"its registration was not sent: {error.message}")
        except RequestError as error:
            self._pend(track, f"Cloudcraft could not be reached: {error.message}")
        else:
            self._accept(track)
        finally:
            with self._lock:
                self._sending.pop(track.name, None)

    def _write(self, track: Track, slot: Slot) -> None:
        spec = track.ready.spec
        started = self._control.clock()
        try:
            if track.registration is None:
                track.registration = self._cloudcraft.register(spec, slot)
                track.made.add(track.registration.id)
            else:
                self._cloudcraft.update(track.registration, spec, slot)
        finally:
            track.seconds += self._control.clock() - started

    def _accept(self, track: Track) -> None:
        with self._lock:
            self._accepted += 1
        created = outcome_of(track.ready) is Outcome.CREATED
        outcome = Outcome.CREATED if created else Outcome.UPDATED
        self._board.finish(track.result(outcome), provisional=created)

    def _doubt(self, track: Track, error: RequestError) -> None:
        track.doubted = True
        track.rounds += 1
        self._emit(
            AccountRetried(name=track.name, reason=f"{error.message}: to be looked up", wait=0)
        )
        with self._lock:
            self._doubtful.append(track)

    def _look_again(self, track: Track, listing: Listing) -> bool:
        spec = track.ready.spec
        track.registration = listing.oldest(spec.account_id)
        track.changes = plan_registration(spec, track.registration)
        if not track.changes:
            track.changes = track.ready.registration_changes
            self._accept(track)
            return False
        if track.rounds > self._retries:
            self._pend(track, "Cloudcraft gave no answer to its registration, and it is not listed")
            return False
        self._dispatcher.put(lambda slot: self._send(track, slot))
        return True

    # --- refusals ---------------------------------------------------------------------------

    def _refused(self, track: Track, error: Refused) -> None:
        if error.status == HTTPStatus.NOT_FOUND and track.registration is not None:
            # Somebody deleted the registration in between; the next look says what is to be done.
            self._doubt(track, error)
            return
        if error.status == HTTPStatus.UNAUTHORIZED:
            self._fail(track, error)
            stop_for_key(self._control, error)
            return
        if self._control.kind is Stop.KEY:
            self._pend(track, Stop.KEY.note)
            return
        if error.status == HTTPStatus.FORBIDDEN and not _ABOUT_THE_ROLE.search(error.message):
            if self._key_is_refused(track, error):
                return
            if _ABOUT_THE_KEY.search(error.message):
                self._fail(track, error)
                return
        if self._try_again(track, error):
            return
        self._fail(track, error)

    def _key_is_refused(self, track: Track, error: Refused) -> bool:
        with self._lock:
            self._forbidden.append((track, error))
            same = [t for t, e in self._forbidden if e.message == error.message]
            enough = self._accepted == 0 and len({t.name for t in same}) >= KEY_REFUSALS
        if not enough:
            return False
        for refused, its_error in self._forbidden:
            self._fail(refused, its_error)
        stop_for_key(self._control, error)
        return True

    def _try_again(self, track: Track, error: Refused) -> bool:
        age = track.ready.age
        if age is None or track.refusals >= _REFUSAL_RETRIES:
            return False
        if error.status < HTTPStatus.BAD_REQUEST:  # a redirect, or it cannot be sent at all
            return False
        if age + self._control.clock() - track.submitted_at > _YOUNG_SECONDS:
            return False
        wait = max(self._settle, _SHORTEST_REFUSAL_WAIT) * 2**track.refusals
        track.refusals += 1
        track.waits_for = f"Cloudcraft refused it so far ({error.message}); its role is very new"
        self._emit(
            AccountRetried(
                name=track.name,
                reason=f"{error.message}: the role is new, IAM may not have it everywhere yet",
                wait=wait,
            )
        )
        self._dispatcher.put(lambda slot: self._send(track, slot), wait=wait)
        return True

    # --- ends -------------------------------------------------------------------------------

    def _fail(self, track: Track, error: Refused) -> None:
        message = f"Cloudcraft refused the registration ({error.status}): {error.message}"
        hint = _refusal_hint(track, error)
        if track.ready.another_users and _ABOUT_THE_ROLE.search(error.message):
            message, hint = unverified_update(error.status, error.message)
        problem = Problem(
            stage=Stage.REGISTER, code=f"HTTP{error.status}", message=message, hint=hint
        )
        self._board.finish(boards.failed(track.result(Outcome.FAILED), problem))

    def _pend(self, track: Track, note: str) -> None:
        self._board.finish(track.result(Outcome.PENDING, note))


def let_settle(control: Control, rounds: int) -> None:
    """Give doubtful requests time to be processed before they are looked for."""
    wait = min(_DOUBT_WAIT * 2**rounds, _LONGEST_DOUBT_WAIT)
    left = time_left(control)
    control.stopped.wait(wait if left is None else min(wait, left))


def stop_for_key(control: Control, error: Refused) -> None:
    """Start nothing more: every further write would be refused as this one."""
    control.stop(
        Stop.KEY,
        f"Cloudcraft refuses this API key ({error.status}: {error.message}); it must be a "
        "read-write key of an Owner or Administrator",
    )


def _refusal_hint(track: Track, error: Refused) -> str:
    if error.hint and not _ABOUT_THE_ROLE.search(error.message):
        return error.hint
    region = track.ready.account.region
    return (
        f"check that no service control policy blocks {region} (if one does, give the account "
        f"another `region`), and that the role {track.ready.spec.role_arn} trusts Cloudcraft with "
        "the external ID of this API key's user"
    )
