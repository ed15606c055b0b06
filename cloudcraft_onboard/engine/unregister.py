"""Deleting registrations: all of an account, then its role in AWS, which is a job of its own.

The registration goes first: a role that Cloudcraft still reads is never taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cloudcraft_onboard.accounts.removal import Removal, deletion
from cloudcraft_onboard.accounts.stackset import by_stack_set
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.messages import Job, Method, Request, job_of
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.errors import Refused
from cloudcraft_onboard.model import (
    Account,
    Change,
    Note,
    Outcome,
    Problem,
    Registration,
    Result,
    Stage,
)
from cloudcraft_onboard.model.notes import Errand, NothingRemoved, RoleLeft
from cloudcraft_onboard.plan.registration import Listing


@dataclass(kw_only=True, slots=True)
class Deleting(Track):
    """An account that is to be removed: registrations that are left, and changes that are done."""

    removal: Removal
    left: list[Registration]
    done: list[Change] = field(default_factory=list)


class Unregister:
    """The policy of a removal. Pure."""

    verified = False
    errand = Errand.DELETION

    def __init__(self) -> None:
        self._rolled_out: list[Account] = []

    def tracks(self, removals: Iterable[Removal]) -> tuple[Deleting, ...]:
        """The accounts of a plan, each with its registrations to be deleted."""
        return tuple(
            Deleting(
                name=removal.account.name,
                removal=removal,
                left=list(removal.registrations),
                seconds=removal.seconds,
                waits_for=NothingRemoved(),
            )
            for removal in removals
        )

    def worked(self, so_far: Result, value: tuple[Note, ...]) -> Result:
        """The role is gone, or kept after all, as the notes say."""
        return replace(
            so_far,
            outcome=Outcome.REMOVED if so_far.changes else Outcome.UNCHANGED,
            notes=value,
        )

    def wait(self, track: Deleting) -> float:  # noqa: ARG002 - Register looks
        """Nothing has to settle."""
        return 0.0

    def request(self, track: Deleting, number: int) -> Request | None:
        """The next registration's deletion."""
        if not track.left:
            return None
        return Request(
            number=number, method=Method.DELETE, name=track.name, registration=track.left[0]
        )

    def accepted(self, track: Deleting, answer: Any) -> None:  # noqa: ARG002 - it says nothing
        """One more is gone; the answer says nothing."""
        track.done.append(deletion(track.left.pop(0)))

    def found(self, track: Deleting, listing: Listing) -> bool:
        """What is not listed any more is gone."""
        listed = {registration.id for registration in listing.all()}
        for registration in [each for each in track.left if each.id not in listed]:
            track.left.remove(registration)
            track.done.append(deletion(registration))
        return bool(track.left)

    def finished(self, track: Deleting) -> Result | Job | None:
        """The role's turn, where it is to be removed; those of a stack set go together."""
        removal = track.removal
        if not removal.role_changes:
            return self.result(track, Outcome.REMOVED if track.done else Outcome.UNCHANGED)
        track.waits_for = RoleLeft(registration_deleted=bool(track.done))
        if removal.by_stack_set:
            self._rolled_out.append(removal.account)
            return None
        return Job(names=(track.name,), task=removal, begun=bool(track.done))

    def last_jobs(self) -> tuple[Job, ...]:
        """One operation for all accounts that have their role by the same stack set."""
        accounts, self._rolled_out = self._rolled_out, []
        return tuple(map(job_of, by_stack_set(accounts)))

    def result(self, track: Deleting, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""
        return replace(
            track.removal.result(tuple(track.done)),
            outcome=outcome,
            attempts=max(1, track.attempts),
            seconds=track.seconds,
            notes=(*track.removal.notes, *notes),
        )

    def about_the_account(self, error: Refused) -> bool:
        """A registration's deletion is refused for the key's sake, or for reasons unknown."""
        return error.status < 400  # noqa: PLR2004 - the class of the status

    def again_in(self, *_: object) -> float | None:
        """A refused deletion is final."""
        return None

    def problem(self, track: Deleting, error: Refused) -> Problem:
        """What a refusal means for the person reading."""
        if not error.status:
            return Problem(
                stage=Stage.REGISTER, code=error.code, message=error.message, hint=error.hint
            )
        return Problem(
            stage=Stage.REGISTER,
            code=error.code,
            message=f"Cloudcraft refused to delete the registration ({error.status}): "
            f"{sentence(error.message)} Its role was not touched.",
            hint="Use a read-write API key of a Cloudcraft Owner or Administrator "
            f"(CLOUDCRAFT_API_KEY), or delete {track.left[0].id} in Cloudcraft.",
        )

    def judge(self, *_: object) -> Judgment | None:
        """Nothing of a removal is provisional."""
        return None
