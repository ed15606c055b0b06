"""Registering accounts: what is sent, what an answer means, when an account is done.

A registration counts as done after the verifying read. A refusal fails the account, unless its
role is so young that IAM may not have it everywhere yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from cloudcraft_onboard.accounts.account import RoleReady
from cloudcraft_onboard.accounts.stackset import Task
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.blame.row import Row
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.messages import Job, Post, Put, Write, job_of
from cloudcraft_onboard.engine.tracks import Judgment, Left, Track, Verdict
from cloudcraft_onboard.errors import RefusalKind, Refused
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
from cloudcraft_onboard.model.notes import (
    AnotherRunRegistered,
    AnotherRunWasFirst,
    DoubledInDoubt,
    Errand,
    LostAnswerCounted,
    RegistrationQueued,
    UnlistedBeside,
)
from cloudcraft_onboard.plan.registration import (
    Listing,
    plan_registration,
    seniority,
    unverified_update,
)

# IAM is eventually consistent, "usually some 10 s"; a refusal this long after the role was made
# or changed is no longer explained by that.
_YOUNG_SECONDS = 300.0
_REFUSAL_RETRIES = 3
_SHORTEST_REFUSAL_WAIT = 5.0  # doubled each time

_MAY_BE_YOUNG = (RefusalKind.ROLE, RefusalKind.UNCLEAR, RefusalKind.FORBIDDEN)

_ROWS = {RefusalKind.PLAN: ours.REFUSED_BY_PLAN, RefusalKind.REQUEST: ours.REFUSED_VALUE}


@dataclass(kw_only=True, slots=True)
class Registering(Track):
    """An account that is to be registered; `changes` is what its registration still lacks.

    `asked`: a request was sent for it, `posted`: a POST, so only the last list tells that it is
    done. `unneeded`: somebody else made its registration as wanted before anything was sent.
    """

    ready: RoleReady
    changes: tuple[Change, ...]
    asked: bool = False
    posted: bool = False
    unneeded: bool = False

    errand: ClassVar = Errand.REGISTRATION
    missing: ClassVar = Problem.of(
        Stage.VERIFY,
        "NotListed",
        "Cloudcraft accepted the registration, but does not list the account.",
        Cause(row=ours.UNCONFIRMED, facts=Facts()),
    )

    @property
    def left(self) -> Left:
        """A request while something differs; what was posted has to be listed."""
        if self.changes:
            return Left.REQUEST
        return Left.LAST_LIST if self.posted else Left.NOTHING

    @property
    def outcome(self) -> Outcome:
        """Created, or updated where it was registered before."""
        if self.unneeded:
            return Outcome.UPDATED if self.ready.role_changes else Outcome.UNCHANGED
        created = outcome_of(self.ready) is Outcome.CREATED
        return Outcome.CREATED if created else Outcome.UPDATED

    @property
    def is_answered(self) -> bool:
        """An answer named the registration."""
        return bool(self.made)

    @property
    def made_at(self) -> float | None:
        """A role that was made or changed just now settles first."""
        return None if self.ready.age is None else self.queued_at - self.ready.age

    def request(self, number: int) -> Write:
        """A POST, or a PUT where the account is registered already."""
        spec, found = self.ready.spec, self.registration
        self.asked = True
        if found is None:
            self.posted = True
            return Post(number=number, name=self.name, spec=spec)
        return Put(number=number, name=self.name, spec=spec, registration=found)

    def accepted(self, registration: Registration | None) -> None:
        """A POST's answer names the registration."""
        if registration is not None:
            self.registration = registration
            self.made[registration.id] = registration
        self.changes = ()

    def look_up(self, listing: Listing) -> None:
        """What the list still lacks is left."""
        spec = self.ready.spec
        listed = listing.of(spec.account_id)
        doubtful = self._doubtful(listed)
        self.doubts = (DoubledInDoubt(ids=(listed[0].id, *doubtful)),) if doubtful else ()
        self.registration = listed[0] if listed else None
        self.changes = plan_registration(spec, self.registration)
        self.unneeded = not (self.changes or self.asked)

    @property
    def overwrites(self) -> bool:
        """A PUT does."""
        return self.registration is not None

    def judge(self, listing: Listing, *, again: bool) -> Judgment:
        """Registered once, by the oldest registration, as the manifest wants it.

        Only what an answer to this run's own request named is this run's: newer ones of those are
        deleted. What a lost request of it may have made is left, and the account is pending.
        """
        listed = listing.of(self.ready.spec.account_id)
        unlisted = [self.made[each] for each in self.made.keys() - {one.id for one in listed}]
        if not listed or (unlisted and again):
            return Judgment(verdict=Verdict.MISSING)
        oldest, *others = listed
        self.registration = oldest
        newer = [each for each in unlisted if seniority(each) > seniority(oldest)]
        if len(newer) < len(unlisted):
            older = next(each for each in unlisted if each not in newer)
            note = UnlistedBeside(id=older.id, listed=oldest.id)
            return Judgment(verdict=Verdict.UNCLEAR, notes=(note,))
        notes: list[Note] = []
        if self.made and oldest.id not in self.made:
            lost = self._may_be_lost(oldest)
            notes.append(LostAnswerCounted(id=oldest.id) if lost else AnotherRunWasFirst())
        theirs = [each for each in others if each.id not in self.made]
        doubtful = self._doubtful(listed)
        if doubtful:
            notes.append(DoubledInDoubt(ids=(oldest.id, *doubtful)))
        notes += [AnotherRunRegistered(id=x.id) for x in theirs if x.id not in doubtful]
        duplicates = (*(each for each in others if each.id in self.made), *newer)
        differs = bool(plan_registration(self.ready.spec, oldest))
        verdict = Verdict.UNCLEAR if doubtful else Verdict.CONFIRMED
        return Judgment(
            verdict=Verdict.TO_MEND if duplicates or differs else verdict,
            notes=tuple(notes),
            duplicates=duplicates,
            kept=oldest if differs else None,
            unsettled=bool(doubtful),
        )

    def _doubtful(self, listed: Sequence[Registration]) -> list[str]:
        """The IDs of what a lost request of this run may have made besides the oldest."""
        return [each.id for each in listed[1:] if self._may_be_lost(each)]

    def _may_be_lost(self, found: Registration) -> bool:
        """Whether a request of this run without an answer may have made it: alike, but no proof."""
        spec = self.ready.spec
        alike = (found.name, found.role_arn) == (spec.name, spec.role_arn)
        return self.doubted and self.posted and alike and found.id not in self.made

    def result(self, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""
        ready = self.ready
        done = (
            outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED) and not self.unneeded
        )
        return replace(
            Result.of(ready.account),
            account_id=ready.spec.account_id,
            outcome=outcome,
            changes=ready.role_changes + (ready.registration_changes if done else ()),
            role_arn=ready.spec.role_arn or None,
            cloudcraft_id=self.registration.id if self.registration else None,
            attempts=max(1, self.attempts),
            seconds=self.seconds,
            notes=(*ready.notes, *notes),
        )

    def again_in(self, error: Refused, now: float, settle: float) -> float | None:
        """A young role's refusal is tried again, after a growing wait."""
        age = self.ready.age
        if age is None or self.refusals >= _REFUSAL_RETRIES or error.kind not in _MAY_BE_YOUNG:
            return None
        if age + now - self.queued_at > _YOUNG_SECONDS:
            return None
        return max(settle, _SHORTEST_REFUSAL_WAIT) * 2.0**self.refusals

    def problem(self, error: Refused) -> Problem:
        """What a refusal means for the person reading."""
        said = sentence(error.message)
        message = f"Cloudcraft refused the registration ({error.status}): {said}"
        row = error.cause.row if error.cause else _ROWS.get(error.kind, ours.REFUSED_ROLE)
        if not error.status:
            message = error.message
        elif error.kind is RefusalKind.ROLE:
            row = ours.REFUSED_ROLE
            if self.ready.another_users:
                message = unverified_update(error.status, error.message)
                row = ours.ANOTHER_USERS
        return Problem.of(Stage.REGISTER, error.code, message, self._cause(row, error))

    def _cause(self, row: Row, error: Refused) -> Cause:
        account, spec = self.ready.account, self.ready.spec
        facts = Facts(
            name=account.name,
            account=spec.account_id,
            region=account.region,
            role=spec.role_arn,
            code=error.code,
            reason=error.message,
        )
        return Cause(row=row, facts=facts)


class Register:
    """The policy of a run; `apply=False` is a plan's, which sends nothing. Pure."""

    def __init__(self, *, apply: bool) -> None:
        self.verified = apply
        self.reserved = int(apply)

    def tracks(self) -> tuple[Track, ...]:
        """None: AWS goes first."""
        return ()

    def worked(self, so_far: Result, value: RoleReady) -> Track | Result:
        """The role is ready (in a plan: compared). What earlier rounds made counts, too."""
        ready = replace(value, role_changes=so_far.changes or value.role_changes)
        track = Registering(
            name=ready.account.name,
            ready=ready,
            registration=ready.registration,
            changes=ready.registration_changes,
            seconds=so_far.seconds,
            waits_for=RegistrationQueued(),
        )
        if track.changes and self.verified:
            return track
        return track.result(outcome_of(ready))

    def job_of(self, account: Account) -> Job[Task]:
        """The account by itself."""
        return job_of(account)

    def role_job(self, name: str) -> Job[Task] | None:  # noqa: ARG002 - a removal's
        """None: AWS went first."""
        return None

    def last_jobs(self) -> tuple[Job[Task], ...]:
        """None: AWS went first."""
        return ()


def outcome_of(ready: RoleReady) -> Outcome:
    """What the account ends as once everything planned for it is done."""
    if ready.registration is None:
        return Outcome.CREATED
    if ready.role_changes or ready.registration_changes:
        return Outcome.UPDATED
    return Outcome.UNCHANGED
