"""Cloudcraft's refusals: one cause in many accounts is one, whatever their IDs and regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudcraft_onboard.accounts.account import RoleState, ready_of
from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.removal import Removal
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
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


def made(account: Account, external_id: str = "e") -> Registration:
    return Registration(
        id=f"id-of-{account.name}",
        name=account.name,
        role_arn=account.expected_role_arn or "",
        external_id=external_id,
    )


def registering(account: Account, seen: Snapshot = SEEN) -> Track:
    role = RoleState(
        account_id=account.account_id or "", arn=account.expected_role_arn or "", age=None
    )
    ready = ready_of(account, seen, (None, None), role)
    track = Register(apply=True).worked(Result.of(account), ready)
    assert isinstance(track, Track)
    return track


def deleting(account: Account) -> Track:
    found = made(account)
    removal = Removal(account=account, account_id=found.account_id, registrations=(found,))
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


@pytest.mark.parametrize("make", [registering, deleting])
def test_what_no_account_can_help_is_one_cause_whatever_is_in_the_words(
    make: Callable[[Account], Track],
) -> None:
    unusable = Cause(row=ours.UNUSABLE_ID, facts=Facts())
    results = []
    for account in (HERE, THERE):
        error = Refused(0, f"The ID of '{account.name}' is not valid.", cause=unusable)
        results.append(Result.of(account).failed(make(account).problem(error)))
    (cause,) = causes(results)
    assert cause.names == ("Shop", "Web")
    assert cause.problem.hint == "Change or remove this account in Cloudcraft itself."


def test_another_users_registrations_are_one_cause() -> None:
    theirs = replace(SEEN, listing=Listing([made(each, external_id="x") for each in (HERE, THERE)]))
    tracks = [registering(replace(each, name=f"{each.name} 2"), theirs) for each in (HERE, THERE)]
    (cause,) = refused("Unable to verify AWS account {id}", RefusalKind.ROLE, *tracks)
    assert "Another Cloudcraft user registered it" in cause.problem.message
    assert cause.problem.hint.startswith("Use that user's API key, or take the account out")


def test_a_refused_deletion_is_one_cause_with_a_word_for_the_registration() -> None:
    tracks = deleting(HERE), deleting(THERE)
    (cause,) = refused("Read-only key", RefusalKind.RIGHTS, *tracks, status=403)
    assert "or delete REGISTRATION_ID in Cloudcraft" in cause.problem.hint
    (alone,) = causes([Result.of(HERE).failed(tracks[0].problem(Refused(403, "Read-only key")))])
    assert "or delete id-of-Shop in Cloudcraft" in alone.problem.hint
