"""Cloudcraft's refusals: one cause in many accounts is one, whatever their IDs and regions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudcraft_onboard.accounts.account import RoleState, ready_of
from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.removal import Removal
from cloudcraft_onboard.engine.register import Register
from cloudcraft_onboard.engine.tracks import Track
from cloudcraft_onboard.engine.unregister import Unregister
from cloudcraft_onboard.errors import RefusalKind, Refused
from cloudcraft_onboard.model import Account, CloudcraftParameters, Registration, Result
from cloudcraft_onboard.plan.registration import Listing
from cloudcraft_onboard.show.causes import CauseGroup, causes

SEEN = Snapshot(
    parameters=CloudcraftParameters(account_id="912185983511", external_id="e"),
    listing=Listing(()),
)
HERE = Account(name="Shop", account_id="111111111111", region="us-east-1")
THERE = Account(name="Web", account_id="222222222222", region="eu-central-1")


def registering(account: Account) -> Track:
    role = RoleState(
        account_id=account.account_id or "", arn=account.expected_role_arn or "", age=None
    )
    ready = ready_of(account, SEEN, (None, None), role)
    track = Register(apply=True).worked(Result.of(account), ready)
    assert isinstance(track, Track)
    return track


def deleting(account: Account) -> Track:
    made = Registration(
        id=f"id-of-{account.name}",
        name=account.name,
        role_arn=account.expected_role_arn or "",
        external_id="e",
    )
    removal = Removal(account=account, account_id=made.account_id, registrations=(made,))
    (track,) = Unregister([removal]).tracks()
    return track


def refused(
    words: str, kind: RefusalKind, *tracks: Track, status: int = 400
) -> tuple[CauseGroup, ...]:
    """The causes where Cloudcraft says this to each, with its own ID and name in the words."""
    results = []
    for track, account in zip(tracks, (HERE, THERE), strict=True):
        said = words.format(id=account.account_id, name=account.name)
        result = replace(Result.of(account), account_id=account.account_id)
        results.append(result.failed(track.problem(Refused(status, said, kind=kind))))
    return causes(results)


def test_a_role_that_cannot_be_assumed_is_one_cause_in_all_regions() -> None:
    tracks = registering(HERE), registering(THERE)
    (cause,) = refused("Unable to verify AWS account {id}", RefusalKind.ROLE, *tracks)
    assert cause.names == ("Shop", "Web")
    assert "Unable to verify AWS account ACCOUNT_ID" in cause.problem.message
    assert "blocks REGION" in cause.problem.hint
    assert "the role ROLE_ARN trusts Cloudcraft" in cause.problem.hint
    (first, second) = (refused_alone(account).problem.hint for account in (HERE, THERE))
    assert "blocks us-east-1" in first
    assert f"the role {THERE.expected_role_arn} trusts" in second


def refused_alone(account: Account) -> CauseGroup:
    problem = registering(account).problem(Refused(400, "No.", kind=RefusalKind.UNCLEAR))
    (cause,) = causes([Result.of(account).failed(problem)])
    return cause


@pytest.mark.parametrize(
    ("kind", "words", "hint"),
    [
        (RefusalKind.REQUEST, "The name '{name}' is not possible", "in the account's entry"),
        (RefusalKind.PLAN, "No more than 100 accounts", "owner of the Cloudcraft account"),
    ],
)
def test_what_is_the_accounts_own_parts_no_cause_and_other_words_do(
    kind: RefusalKind, words: str, hint: str
) -> None:
    tracks = registering(HERE), registering(THERE)
    (cause,) = refused(words, kind, *tracks)
    assert hint in cause.problem.hint
    one, other = (
        track.problem(Refused(400, w, kind=kind)) for track, w in zip(tracks, "ab", strict=True)
    )
    assert len(causes([Result.of(HERE).failed(one), Result.of(THERE).failed(other)])) == 2


def test_a_refused_deletion_is_one_cause_with_a_word_for_the_registration() -> None:
    tracks = deleting(HERE), deleting(THERE)
    (cause,) = refused("Read-only key", RefusalKind.RIGHTS, *tracks, status=403)
    assert "or delete REGISTRATION_ID in Cloudcraft" in cause.problem.hint
    (alone,) = causes([Result.of(HERE).failed(tracks[0].problem(Refused(403, "Read-only key")))])
    assert "or delete id-of-Shop in Cloudcraft" in alone.problem.hint
