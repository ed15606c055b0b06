"""Registering accounts: what is sent, what an answer means, when an account is done.

A registration counts as done after the verifying read. A refusal fails the account, unless its
role is so young that IAM may not have it everywhere yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from cloudcraft_onboard.accounts.account import RoleReady
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.engine.messages import Job, Method, Request
from cloudcraft_onboard.engine.tracks import Judgment, Track
from cloudcraft_onboard.errors import Refused
from cloudcraft_onboard.model import Change, Note, Outcome, Problem, Registration, Result, Stage
from cloudcraft_onboard.model.notes import (
    AnotherRunRegistered,
    AnotherRunWasFirst,
    Errand,
    RegistrationQueued,
)
from cloudcraft_onboard.plan.registration import Listing, plan_registration, unverified_update

# IAM is eventually consistent, "usually some 10 s"; a refusal this long after the role was made
# or changed is no longer explained by that.
_YOUNG_SECONDS = 300.0
_REFUSAL_RETRIES = 3
_SHORTEST_REFUSAL_WAIT = 5.0

_ABOUT_THE_ROLE = re.compile(r"verif|assum|role arn|rolearn|external ?id|trust", re.IGNORECASE)


@dataclass(kw_only=True, slots=True)
class Registering(Track):
    """An account that is to be registered; `changes` is what its registration still lacks."""

    ready: RoleReady
    changes: tuple[Change, ...]


class Register:
    """The policy of a run; `apply=False` is a plan's, which sends nothing. Pure."""

    errand = Errand.REGISTRATION

    def __init__(self, *, apply: bool, settle: float = 0.0) -> None:
        self.verified = apply
        self._settle = settle

    def worked(self, so_far: Result, value: RoleReady) -> Registering | Result:
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
        return self.result(track, outcome_of(ready))

    def wait(self, track: Registering) -> float:
        """A role that was made or changed just now settles first."""
        age = track.ready.age
        return 0.0 if age is None else max(0.0, self._settle - age)

    def request(self, track: Registering, number: int) -> Request | None:
        """A POST, or a PUT where the account is registered already."""
        if not track.changes:
            return None
        found = track.registration
        return Request(
            number=number,
            method=Method.POST if found is None else Method.PUT,
            name=track.name,
            spec=track.ready.spec,
            registration=found,
        )

    def accepted(self, track: Registering, answer: Any) -> None:
        """A POST's answer names the registration."""
        if isinstance(answer, Registration):
            track.registration = answer
            track.made.add(answer.id)
        track.changes = ()

    def found(self, track: Registering, listing: Listing) -> bool:
        """Whether the list still lacks what was sent."""
        spec = track.ready.spec
        track.registration = listing.oldest(spec.account_id)
        track.changes = plan_registration(spec, track.registration)
        return bool(track.changes)

    def finished(self, track: Registering) -> Result | Job | None:
        """Created, which the last list has to confirm, or updated."""
        created = outcome_of(track.ready) is Outcome.CREATED
        return self.result(track, Outcome.CREATED if created else Outcome.UPDATED)

    def last_jobs(self) -> tuple[Job, ...]:
        """None: AWS goes first."""
        return ()

    def result(self, track: Registering, outcome: Outcome, *notes: Note) -> Result:
        """The account's result as far as it is known now."""
        ready = track.ready
        done = outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
        return replace(
            Result.of(ready.account),
            account_id=ready.spec.account_id,
            outcome=outcome,
            changes=ready.role_changes + (ready.registration_changes if done else ()),
            role_arn=ready.spec.role_arn or None,
            cloudcraft_id=track.registration.id if track.registration else None,
            attempts=max(1, track.attempts),
            seconds=track.seconds,
            notes=(*ready.notes, *notes),
        )

    def about_the_account(self, error: Refused) -> bool:
        """Whether Cloudcraft speaks of the role."""
        return _ABOUT_THE_ROLE.search(error.message) is not None

    def again_in(self, track: Registering, error: Refused, now: float) -> float | None:
        """A young role's refusal is tried again, after a growing wait; a redirect is final."""
        age = track.ready.age
        if age is None or track.refusals >= _REFUSAL_RETRIES or error.status < 400:  # noqa: PLR2004 - the class of the status
            return None
        if age + now - track.queued_at > _YOUNG_SECONDS:
            return None
        return max(self._settle, _SHORTEST_REFUSAL_WAIT) * 2.0**track.refusals

    def problem(self, track: Registering, error: Refused) -> Problem:
        """What a refusal means for the person reading."""
        message = f"Cloudcraft refused the registration ({error.status}): {sentence(error.message)}"
        if not error.status:
            message = error.message
        hint = _hint(track, error)
        if track.ready.another_users and self.about_the_account(error):
            message, hint = unverified_update(error.status, error.message)
        return Problem(stage=Stage.REGISTER, code=error.code, message=message, hint=hint)

    def judge(self, track: Registering, listing: Listing) -> Judgment | None:
        """Registered once, by the oldest registration; newer ones go if this run made them."""
        found = listing.of(track.ready.spec.account_id)
        if not found:
            return None
        oldest, *others = found
        ours = [extra for extra in others if _is_ours(track, extra)]
        notes: list[Note] = [
            AnotherRunRegistered(id=extra.id) for extra in others if extra not in ours
        ]
        if track.made and oldest.id not in track.made:
            notes.append(AnotherRunWasFirst())
        track.registration = oldest
        return Judgment(notes=tuple(notes), duplicates=tuple(ours))


def outcome_of(ready: RoleReady) -> Outcome:
    """What the account ends as once everything planned for it is done."""
    if ready.registration is None:
        return Outcome.CREATED
    if ready.role_changes or ready.registration_changes:
        return Outcome.UPDATED
    return Outcome.UNCHANGED


def _is_ours(track: Registering, extra: Registration) -> bool:
    """The answer to a doubtful request never told its ID; the name tells whose it is."""
    return extra.id in track.made or (track.doubted and extra.name == track.ready.spec.name)


def _hint(track: Registering, error: Refused) -> str:
    if error.hint and not _ABOUT_THE_ROLE.search(error.message):
        return error.hint
    region = track.ready.account.region
    return (
        f"Check that no service control policy blocks {region} (if one does, give the account "
        f"another `region`), and that the role {track.ready.spec.role_arn} trusts Cloudcraft with "
        "the external ID of this API key's user."
    )
