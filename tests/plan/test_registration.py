"""Registrations of our own and of others: which is whose, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.model import Registration
from cloudcraft_onboard.plan.registration import Listing, foreign_note, unlisted

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
    assert repr(source) in foreign_note(foreign)


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
