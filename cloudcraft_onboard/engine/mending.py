"""Requests that mend an account by what the last list shows: doubles go, what stays is updated."""

from __future__ import annotations

from typing import Generic

from cloudcraft_onboard.engine.agenda import Agenda
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.messages import Delete, Put, Send, T, Write
from cloudcraft_onboard.engine.outgoing import Outgoing
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.model import Note
from cloudcraft_onboard.model.notes import (
    DuplicateDeleted,
    DuplicateLeft,
    KeptBrought,
    KeptDiffers,
)


class Mending(Generic[T]):
    """The requests under way; each is sent once. Their numbers and their accounts are in it."""

    def __init__(self, agenda: Agenda[T], outgoing: Outgoing[T], control: Control) -> None:
        self._agenda = agenda
        self._outgoing = outgoing
        self._control = control
        self._open: dict[int, tuple[Track, Write]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, what: int | Track) -> bool:
        if isinstance(what, int):
            return what in self._open
        return any(track is what for track, _ in self._open.values())

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the requests."""
        return tuple(self._open)

    def begin(self, track: Track, judgment: Judgment) -> None:
        """Delete this run's newer duplicates, and bring what is kept to the manifest.

        A run that is stopping updates nothing any more.
        """
        mends: list[Write] = [
            Delete(number=self._outgoing.number(), name=track.name, registration=duplicate)
            for duplicate in judgment.duplicates
        ]
        track.unsettled = judgment.unsettled
        stop = self._control.kind
        if judgment.kept is not None and stop is None:
            mends.append(track.request(self._outgoing.number()))
        elif judgment.kept is not None and stop is not None:
            track.unsettled = True
            track.notes.append(KeptDiffers(id=judgment.kept.id, why=stop.value))
        for request in mends:
            self._open[request.number] = (track, request)
            self._agenda.order(Send(request=request))

    def answered(self, number: int, error: BaseException | None, seconds: float) -> Track:
        """Take in an answer; the account that it is for."""
        track, request = self._open.pop(number)
        track.seconds += seconds
        track.notes.append(_note_on(request, error))
        track.unsettled |= error is not None
        return track


def _note_on(mend: Write, error: BaseException | None) -> Note:
    match mend:
        case Delete(registration=duplicate) if error is None:
            return DuplicateDeleted(id=duplicate.id)
        case Delete(registration=duplicate):
            return DuplicateLeft(id=duplicate.id, why=str(error))
        case Put(registration=kept) if error is not None:
            return KeptDiffers(id=kept.id, why=str(error))
        case Put(registration=kept):
            return KeptBrought(id=kept.id)
    raise AssertionError("nothing is mended by a POST")
