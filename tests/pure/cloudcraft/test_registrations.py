"""Cloudcraft's JSON in every shape that its documentation leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cloudcraft import registrations as shapes
from cloudcraft_onboard.model import CloudcraftParameters, Registration, RegistrationSpec, Team

ROLE = "arn:aws:iam::111122223333:role/cloudcraft"
ENTRY = {
    "id": "fe3e5b29-a0e8-41ca-91e2-02a0441b1d33",
    "name": "Production",
    "roleArn": ROLE,
    "externalId": "ex-1",
    "readAccess": ["team/cb2fcfbb", "team/aa"],
    "writeAccess": None,
    "createdAt": "2026-01-02T03:04:05.000Z",
    "updatedAt": "2026-01-02T03:04:05.000Z",
    "CreatorId": "us-1",
    "source": "aws",
}
ODD_IDS: list[Any] = [None, "", ".", "..", "a/b", "a b", "\ud800", {}, True]
REGISTRATION = Registration(
    id="fe3e5b29-a0e8-41ca-91e2-02a0441b1d33",
    name="Production",
    role_arn=ROLE,
    external_id="ex-1",
    read_access=("cb2fcfbb", "aa"),
    write_access=None,
    created_at="2026-01-02T03:04:05.000Z",
    source="aws",
    listed_access={"readAccess": ["team/cb2fcfbb", "team/aa"]},
)


def spec(**changes: Any) -> RegistrationSpec:
    words: dict[str, Any] = {
        "account_id": "111122223333",
        "name": "Production",
        "role_arn": ROLE,
        "region": "eu-west-1",
    }
    return RegistrationSpec(**{**words, **changes})


@pytest.mark.parametrize("payload", [{"accounts": [ENTRY]}, [ENTRY]], ids=["under a key", "bare"])
def test_a_list_of_accounts(payload: object) -> None:
    assert shapes.registrations_of(payload) == (REGISTRATION,)


@pytest.mark.parametrize("payload", [{}, {"accounts": []}, {"accounts": None}, []], ids=str)
def test_an_empty_list(payload: object) -> None:
    assert shapes.registrations_of(payload) == ()


@pytest.mark.parametrize(
    "payload",
    [{"error": "try later"}, None, "nothing", 0, {"accounts": "none"}, {"accounts": {}}],
    ids=str,
)
def test_an_unknown_answer_never_counts_as_an_empty_list(payload: object) -> None:
    with pytest.raises(ValueError, match="accounts"):
        shapes.registrations_of(payload)


@pytest.mark.parametrize(
    "broken",
    [
        *({**ENTRY, "id": odd} for odd in ODD_IDS),
        {**ENTRY, "roleArn": None},
        {key: value for key, value in ENTRY.items() if key not in {"roleArn", "source"}},
        {"ID" if key == "id" else key: value for key, value in ENTRY.items()},
        {},
        None,
        "x",
        [ENTRY],
    ],
    ids=repr,
)
def test_one_entry_that_cannot_be_understood_makes_it_no_answer(broken: object) -> None:
    with pytest.raises(ValueError, match="account 2 in it"):
        shapes.registrations_of({"accounts": [ENTRY, broken]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*ENTRY, "accountId", "accounts"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(
    st.builds(
        lambda odd: {"accounts": [{**ENTRY, **odd}]},
        st.dictionaries(st.sampled_from([*ENTRY, "accountId"]), JSON, max_size=4),
    )
    | JSON
)
def test_whatever_the_list_is_it_is_understood_or_refused(payload: object) -> None:
    try:
        found = shapes.registrations_of(payload)
    except ValueError:
        return
    for registration in found:
        assert registration.id
        assert registration.role_arn or not registration.is_direct


@pytest.mark.parametrize("key", ["source", "readAccess", "extra"])
def test_what_is_nested_deeply_is_no_trouble(key: str) -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    (found,) = shapes.registrations_of([{"source": "datadog", **ENTRY, key: [deep]}])
    assert found.id == ENTRY["id"]


# --- who brought it in ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "understood"),
    [
        (None, None),
        ("", None),
        ("aws", "aws"),
        ("datadog", "datadog"),
        (7, "7"),
        ({}, "{}"),
        (False, "false"),
    ],
)
def test_the_source_as_it_is_given(source: object, understood: str | None) -> None:
    (found,) = shapes.registrations_of([{**ENTRY, "source": source}])
    assert found.source == understood
    assert found.is_direct == (understood in {None, "aws"})


@pytest.mark.parametrize(
    ("fields", "mentioned"),
    [
        ({"name": "Prod (111122223333)"}, ("111122223333",)),
        ({"name": "aws-111122223333-eu"}, ("111122223333",)),
        ({"accountId": "012345678901"}, ("012345678901",)),
        ({"accountId": 12345678901}, ("012345678901",)),
        ({"aws": {"accounts": ["111122223333"]}}, ("111122223333",)),
        ({"accounts": {"111122223333": {"enabled": True}}}, ("111122223333",)),
        ({"arn": "arn:aws:iam::111122223333:root"}, ("111122223333",)),
        ({"readAccess": ["team/111122223333"], "externalId": "111122223333"}, ()),
        ({"integration": "5c9b1a4e-2f0d-4b7e-9a53-111122223333"}, ()),
        ({"name": "1111222233334"}, ()),
    ],
)
def test_datadogs_entry_without_a_role_mentions_its_account(
    fields: dict[str, Any], mentioned: tuple[str, ...]
) -> None:
    (found,) = shapes.registrations_of([{"id": "x", "source": "datadog", **fields}])
    assert (found.role_arn, found.mentioned) == ("", mentioned)


@pytest.mark.parametrize(
    "payload", [[{"id": "t1", "name": "Ops"}], {"teams": [{"id": "t1", "name": "Ops"}]}]
)
def test_teams_come_as_a_list_or_under_a_key(payload: object) -> None:
    assert shapes.teams_of(payload) == (Team(id="t1", name="Ops"),)


def test_a_team_tells_its_customer() -> None:
    (team,) = shapes.teams_of([{"id": "t1", "name": "Ops", "customerId": "c1", "members": [{}]}])
    assert team == Team(id="t1", name="Ops", customer_id="c1")


def test_a_teams_id_never_has_the_prefix() -> None:
    assert shapes.teams_of([{"id": "team/t1", "name": "Ops"}]) == (Team(id="t1", name="Ops"),)


def test_parameters() -> None:
    payload = {"accountId": "912185983511", "externalId": "ex", "awsConsoleUrl": "https://x"}
    expected = CloudcraftParameters(account_id="912185983511", external_id="ex")
    assert shapes.parameters_of(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        None,
        {"accountId": "912185983511"},
        {"accountId": "x", "externalId": "e"},
        {"accountId": "912185983511", "externalId": ""},
        {"externalId": "e"},
    ],
    ids=str,
)
def test_parameters_without_both_values_are_refused(payload: object) -> None:
    with pytest.raises(ValueError, match="externalId"):
        shapes.parameters_of(payload)


@pytest.mark.parametrize(
    "payload", [{}, [], None, {"Version": "2012-10-17", "Statement": []}], ids=str
)
def test_a_policy_without_statements_is_refused(payload: object) -> None:
    with pytest.raises(ValueError, match="Statement"):
        shapes.policy_of(payload)


def test_what_an_accepted_account_leaves_out_is_as_it_was_sent() -> None:
    sent = spec()
    found = shapes.registration_of({"id": "x"}, sent)
    assert found == Registration(id="x", name="Production", role_arn=ROLE)


@pytest.mark.parametrize(
    "payload", [{}, {"id": None}, {"id": ""}, {"id": True}, [], None, "x"], ids=str
)
def test_without_an_id_nothing_was_registered(payload: object) -> None:
    assert shapes.registration_of(payload, spec()) is None


def test_a_creation_names_access_only_where_it_is_given() -> None:
    bare = {"name": "Production", "roleArn": ROLE, "region": "eu-west-1"}
    assert shapes.creation(spec()) == bare
    assert shapes.creation(spec(read_access=(), write_access=("t1",))) == {
        **bare,
        "readAccess": [],
        "writeAccess": ["team/t1"],
    }


def test_an_update_never_drops_access_that_the_manifest_leaves_open() -> None:
    body = {"name": "New", "roleArn": ROLE}
    assert shapes.replacement(REGISTRATION, spec(name="New")) == {
        **body,
        "readAccess": ["team/cb2fcfbb", "team/aa"],
    }
    assert shapes.replacement(REGISTRATION, spec(name="New", read_access=())) == {
        **body,
        "readAccess": [],
    }


def test_access_that_is_not_a_teams_goes_back_as_it_came() -> None:
    entry = {**ENTRY, "readAccess": ["user/u1", "team/t1"]}
    found = shapes.registration_of(entry)
    assert found is not None
    assert shapes.replacement(found, spec())["readAccess"] == ["user/u1", "team/t1"]


def test_access_goes_back_as_it_came_where_the_manifest_leaves_it_open() -> None:
    listed = ["customer/c1", "plain", {"kind": "group", "id": 7}, None, "team/t1"]
    found = shapes.registration_of({**ENTRY, "readAccess": listed, "writeAccess": {"all": True}})
    assert found is not None
    assert found.read_access == ("customer/c1", "plain", '{"kind": "group", "id": 7}', "null", "t1")
    assert found.write_access is None
    assert shapes.replacement(found, spec(name="New")) == {
        "name": "New",
        "roleArn": ROLE,
        "readAccess": listed,
        "writeAccess": {"all": True},
    }
    assert shapes.replacement(found, spec(write_access=("customer/c1", "t1"))) == {
        "name": "Production",
        "roleArn": ROLE,
        "readAccess": listed,
        "writeAccess": ["customer/c1", "team/t1"],
    }
