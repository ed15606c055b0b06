"""Registrations of our own and of others: which is whose, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Registration, Team
from cloudcraft_onboard.model.notes import BroughtIn
from cloudcraft_onboard.plan.registration import (
    Listing,
    access_ids,
    access_names,
    foreign_note,
    is_access_id,
    unlisted,
)

ACCOUNT = "111122223333"
OTHER = "444455556666"


def registration(number: int = 1, account_id: str = ACCOUNT, **fields: Any) -> Registration:
    words = {
        "id": f"id-{number}",
        "name": "Production",
        "role_arn": f"arn:aws:iam::{account_id}:role/cloudcraft",
        "created_at": f"2026-01-0{number}T00:00:00Z",
    }
    return Registration(**{**words, **fields})


OURS = registration(2, source="aws")
SILENT = registration(1)
DATADOG = registration(3, source="datadog")


def test_a_registration_without_source_is_as_direct_as_one_from_aws() -> None:
    listing = Listing([OURS, SILENT])
    assert listing.of(ACCOUNT) == (SILENT, OURS)
    assert listing.foreign(ACCOUNT) is None
    assert listing.remarks() == ()


@pytest.mark.parametrize("source", ["datadog", "AWS", "aws ", "azure"])
def test_any_other_source_is_somebody_elses(source: str) -> None:
    foreign = registration(source=source)
    listing = Listing([foreign])
    assert (listing.of(ACCOUNT), listing.oldest(ACCOUNT), listing.all()) == ((), None, ())
    assert listing.foreign(ACCOUNT) == foreign
    assert listing.foreign_accounts() == {ACCOUNT: foreign}
    assert unlisted(listing, ()) == ()
    assert foreign_note(foreign) == BroughtIn(source=source)


def test_of_both_the_direct_one_is_ours() -> None:
    listing = Listing([DATADOG, OURS])
    assert listing.of(ACCOUNT) == (OURS,)
    assert listing.foreign(ACCOUNT) is None
    assert listing.foreign_accounts() == {}
    assert unlisted(listing, ()) == ((OURS,),)


@pytest.mark.parametrize("role_arn", ["", "none", "arn:aws:iam::1:role/x"])
def test_one_without_a_role_is_known_by_the_accounts_it_mentions(role_arn: str) -> None:
    foreign = registration(source="datadog", role_arn=role_arn, mentioned=(OTHER,))
    listing = Listing([foreign])
    assert listing.foreign(OTHER) == foreign
    assert listing.remarks() == ()


def test_a_role_tells_the_account_better_than_what_is_mentioned() -> None:
    foreign = registration(source="datadog", mentioned=(OTHER, ACCOUNT))
    assert list(Listing([foreign]).foreign_accounts()) == [ACCOUNT]


def test_what_belongs_to_no_known_account_is_said() -> None:
    lost = [registration(n, source=s, role_arn="") for n, s in ((1, "datadog"), (2, "x"))]
    (remark,) = Listing(lost).remarks()
    assert "2 registrations are left alone" in remark
    assert "'datadog', 'x'" in remark


def test_an_account_without_an_id_has_no_foreign_registration() -> None:
    assert Listing([DATADOG]).foreign(None) is None


# --- who sees an account --------------------------------------------------------------------------

UUID = "5c9b1a4e-2f0d-4b7e-9a53-0d1e8f7c6b11"
TEAMS = (
    Team(id="t1", name="Platform", customer_id="c1"),
    Team(id="t2", name="Twin", customer_id="c1"),
    Team(id="t3", name="Twin", customer_id="c1"),
)


@pytest.mark.parametrize(
    ("word", "entry", "asks"),
    [
        ("Platform", "t1", True),
        ("everyone", "customer/c1", True),
        ("customer/c9", "customer/c9", False),
        ("team/t9", "t9", False),
        (UUID, UUID, False),
        (UUID.upper(), UUID.upper(), False),
    ],
)
def test_words_for_access(word: str, entry: str, *, asks: bool) -> None:
    assert access_ids([word], TEAMS) == (entry,)
    assert is_access_id(word) is not asks


def test_the_same_team_by_name_and_id_is_sent_once() -> None:
    assert access_ids(["Platform", "team/t1", "everyone"], TEAMS) == ("t1", "customer/c1")
    assert access_ids(None, TEAMS) is None
    assert access_ids([], TEAMS) == ()


def test_ids_are_shown_by_the_words_for_them_where_these_are_clear() -> None:
    assert access_names(TEAMS) == {"t1": "Platform", "customer/c1": "everyone"}
    guests = Team(id="t4", name="Guests", customer_id="c2")
    assert access_names((*TEAMS, guests)) == {"t1": "Platform", "t4": "Guests"}
    assert access_names(()) == {}


@pytest.mark.parametrize(
    ("word", "teams", "code", "hint"),
    [
        ("Nobody", TEAMS, "UnknownTeam", "(Platform, Twin)"),
        ("Twin", TEAMS, "AmbiguousTeam", "team/t2 or team/t3"),
        ("everyone", (), "UnknownCustomer", "Create a team in Cloudcraft, or give customer/ID"),
        ("everyone", (Team(id="t", name="T"),), "UnknownCustomer", "customer/ID"),
        (
            "everyone",
            (*TEAMS, Team(id="t4", name="Guests", customer_id="c2")),
            "AmbiguousCustomer",
            "customer/c1 or customer/c2",
        ),
    ],
)
def test_what_cannot_be_told_is_an_error_with_the_way_out(
    word: str, teams: tuple[Team, ...], code: str, hint: str
) -> None:
    with pytest.raises(AccountError) as raised:
        access_ids([word], teams)
    assert raised.value.code == code
    assert hint in raised.value.hint
