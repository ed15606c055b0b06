"""Deleting registrations: all of an account, then its role in AWS, which is a job of its own.

The registration goes first: a role that Cloudcraft still reads is never taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from cloudcraft_onboard.accounts.removal import Notes, Removal, deletion
from cloudcraft_onboard.accounts.stackset import StackSetAccounts, by_stack_set
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.messages import Delete, Job, Write, job_of_all
from cloudcraft_onboard.engine.tracks import Judgment, Left, Track, Verdict
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

Task = Removal | StackSetAccounts
"""What one worker is given: a role, or the roles that a stack set brought."""


@dataclass(kw_only=True, slots=True)
class Deleting(Track):
    """An account that is to be removed: registrations that are left, and changes that are done."""

    removal: Removal
    registrations: list[Registration]
    done: list[Change] = field(default_factory=list)

    errand: ClassVar = Errand.DELETION
    missing: ClassVar = Problem(
        stage=Stage.VERIFY,
        code="StillListed",
        message="Cloudcraft accepted the deletion, but still lists the account.",
        hint="Check whether the account is in Cloudcraft, then run the same command again.",
    )

    @property
    def left(self) -> Left:
        """Its registrations, then its role."""
        if self.registrations:
            return Left.REQUEST
        return Left.ROLE if self.removal.role_changes else Left.NOTHING

    @property
    def outcome(self) -> Outcome:
        """Removed, if anything was there."""
        return Outcome.REMOVED if self.done else Outcome.UNCHANGED

    @property
    def is_answered(self) -> bool:
        """A deletion that was accepted is one."""
        return True

    def request(self, number: int) -> Write:
        """The next registration's deletion."""
        return Delete(number=number, name=self.name, registration=self.registrations[0])

    def accepted(self, registration: Registration | None) -> None:  # noqa: ARG002 - none is made
        """One more is gone."""
        self.done.append(deletion(self.registrations.pop(0)))
        self._say_what_is_left()

    def look_up(self, listing: Listing) -> None:
        """What is not listed any more is gone."""
        listed = {registration.id for registration in listing.all()}
        for registration in [each for each in self.registrations if each.id not in listed]:
            self.registrations.remove(registration)
            self.done.append(deletion(registration))
        self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        if not self.registrations:
            self.waits_for = RoleLeft(registration_deleted=bool(self.done))

    def judge(self, listing: Listing) -> Judgment:  # noqa: ARG002 - nothing is provisional
        """Nothing of a removal is provisional."""
        return Judgment(verdict=Verdict.CONFIRMED)

    def result(self, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""
        return replace(
            self.removal.result(tuple(self.done)),
            outcome=outcome,
            attempts=max(1, self.attempts),
            seconds=self.seconds,
            notes=(*self.removal.notes, *notes),
        )

    def problem(self, error: Refused) -> Problem:
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
            f"(CLOUDCRAFT_API_KEY), or delete {self.registrations[0].id} in Cloudcraft.",
        )


class Unregister:
    """The policy of a removal: `removals` are the plan's. Pure."""

    verified = False

    def __init__(self, removals: Iterable[Removal]) -> None:
        self._tracks = {
            removal.account.name: Deleting(
                name=removal.account.name,
                removal=removal,
                registrations=list(removal.registrations),
                seconds=removal.seconds,
                waits_for=NothingRemoved()
                if removal.registrations
                else RoleLeft(registration_deleted=False),
            )
            for removal in removals
        }
        self._rolled_out: list[Account] = []

    def tracks(self) -> tuple[Track, ...]:
        """All accounts: Cloudcraft goes first."""
        return tuple(self._tracks.values())

    def worked(self, so_far: Result, value: Notes) -> Track | Result:
        """The role is gone, or kept after all, as the notes say."""
        return replace(
            so_far,
            outcome=Outcome.REMOVED if so_far.changes else Outcome.UNCHANGED,
            notes=value,
        )

    def job_of(self, account: Account) -> Job[Task]:
        """The account's role by itself."""
        track = self._tracks[account.name]
        return Job(names=(track.name,), task=track.removal, begun=bool(track.done))

    def role_job(self, name: str) -> Job[Task] | None:
        """The role's job; those that a stack set brought go together."""
        removal = self._tracks[name].removal
        if removal.by_stack_set:
            self._rolled_out.append(removal.account)
            return None
        return self.job_of(removal.account)

    def last_jobs(self) -> tuple[Job[Task], ...]:
        """One operation for all accounts that have their role by the same stack set."""
        accounts, self._rolled_out = self._rolled_out, []
        return tuple(map(job_of_all, by_stack_set(accounts)))
