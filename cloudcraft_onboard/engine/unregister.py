"""Deleting registrations: all of an account, then its role in AWS, which is a job of its own.

The registration goes first: a role that Cloudcraft still reads is never taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from cloudcraft_onboard.accounts.removal import Notes, Removal, deletion
from cloudcraft_onboard.accounts.stackset import StackSetAccounts, by_stack_set
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
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
from cloudcraft_onboard.model.notes import Errand, NothingRemoved, RegisteredAnew, RoleLeft
from cloudcraft_onboard.plan.registration import Listing

RemovalTask = Removal | StackSetAccounts
"""What one worker is given: a role, or the roles that a stack set brought."""


@dataclass(kw_only=True, slots=True)
class Deleting(Track):
    """An account that is to be removed: registrations that are left, and deletions that are done.

    `by_worker` is what is known once its role is gone or kept.
    """

    removal: Removal
    registrations: list[Registration]
    done: list[Change] = field(default_factory=list)
    by_worker: Result | None = None

    errand: ClassVar = Errand.DELETION
    missing: ClassVar = Problem.of(
        Stage.VERIFY,
        "StillListed",
        "Cloudcraft accepted the deletion, but still lists the account.",
        Cause(row=ours.UNCONFIRMED, facts=Facts()),
    )

    @property
    def left(self) -> Left:
        """Its registrations, then its role, then the last list."""
        if self.registrations:
            return Left.REQUEST
        if self.removal.role_changes and self.by_worker is None:
            return Left.ROLE
        return Left.LAST_LIST if self.outcome is Outcome.REMOVED else Left.NOTHING

    @property
    def outcome(self) -> Outcome:
        """Removed, if anything was there."""
        changes = self.by_worker.changes if self.by_worker else self.done
        return Outcome.REMOVED if changes else Outcome.UNCHANGED

    @property
    def is_answered(self) -> bool:
        """Every deletion was accepted, or was seen in a list."""
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

    def judge(self, listing: Listing, *, again: bool) -> Judgment:  # noqa: ARG002 - no other proof
        """Removed is what is not listed any more."""
        listed = {each.id for each in listing.of(self.removal.account_id)}
        if listed & {each.id for each in self.removal.registrations}:
            return Judgment(verdict=Verdict.MISSING)
        if listed:
            note = RegisteredAnew(ids=tuple(sorted(listed)))
            return Judgment(verdict=Verdict.UNCLEAR, notes=(note,))
        return Judgment(verdict=Verdict.CONFIRMED)

    def result(self, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""
        so_far = self.by_worker or replace(
            self.removal.result(tuple(self.done)), seconds=self.seconds, notes=self.removal.notes
        )
        return replace(
            so_far,
            outcome=outcome,
            attempts=max(1, self.attempts),
            notes=(*so_far.notes, *notes),
        )

    def problem(self, error: Refused) -> Problem:
        """What a refusal means for the person reading."""
        facts = Facts(
            name=self.name,
            account=self.removal.account_id,
            code=error.code,
            reason=error.message,
            registration=self.registrations[0].id,
        )
        if not error.status:
            row = error.cause.row if error.cause else ours.UNUSABLE_ID
            cause = Cause(row=row, facts=facts)
            return Problem.of(Stage.REGISTER, error.code, error.message, cause)
        return Problem.of(
            Stage.REGISTER,
            error.code,
            f"Cloudcraft refused to delete the registration ({error.status}): "
            f"{sentence(error.message)} Its role was not touched.",
            Cause(row=ours.REFUSED_DELETION, facts=facts),
        )


class Unregister:
    """The policy of a removal: `removals` are the plan's. Pure."""

    verified = True
    reserved = 0  # an accepted deletion is one: the last list finds what was registered again

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
        """The role is gone, or kept, as the notes say."""
        track = self._tracks[so_far.name]
        track.by_worker = replace(so_far, notes=(*track.removal.besides, *value))
        return track

    def job_of(self, account: Account) -> Job[RemovalTask]:
        """The account's role by itself."""
        track = self._tracks[account.name]
        return Job(names=(track.name,), task=track.removal, begun=bool(track.done))

    def role_job(self, name: str) -> Job[RemovalTask] | None:
        """The role's job; those that a stack set brought go together."""
        removal = self._tracks[name].removal
        if removal.by_stack_set:
            self._rolled_out.append(removal.account)
            return None
        return self.job_of(removal.account)

    def last_jobs(self) -> tuple[Job[RemovalTask], ...]:
        """One operation for all accounts that have their role by the same stack set."""
        accounts, self._rolled_out = self._rolled_out, []
        return tuple(map(job_of_all, by_stack_set(accounts)))
