"""Reading an organization, on a moto server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.aws.organizations import Progress, connect, members, tags
from cloudcraft_onboard.errors import CannotStart, UsageError
from tests.support.organization import MANAGEMENT, Organization, Throttling


@pytest.fixture
def client(organization: Organization) -> Iterator[Any]:
    assert organization.environment
    client = connect(None)
    yield client
    client.close()


def test_hundreds_of_accounts_in_nested_units_come_with_their_paths(
    organization: Organization, client: Any
) -> None:
    root = organization.create()
    live = organization.unit("Live", root)
    shops = organization.unit("Shops", live)
    deep = organization.unit("Europe", shops)
    expected: dict[str, tuple[str, ...]] = {
        organization.account(f"A{i:03}", deep): ("Root", "Live", "Shops", "Europe")
        for i in range(150)
    }
    expected |= {organization.account(f"B{i:03}"): ("Root",) for i in range(70)}
    found = members(client)
    assert found[0].account_id == MANAGEMENT
    assert found[0].is_management
    assert {m.account_id: m.path for m in found[1:]} == expected
    assert not any(m.is_management for m in found[1:])
    assert {m.state for m in found} == {"ACTIVE"}
    assert [m.name for m in found[1:71]] == sorted(m.name for m in found[1:71])


def test_only_what_is_below_the_units_has_a_path(organization: Organization, client: Any) -> None:
    root = organization.create()
    live, test = organization.unit("Live", root), organization.unit("Test", root)
    shops = organization.unit("Shops", live)
    inside = organization.account("Inside", shops)
    outside = organization.account("Outside", test)
    found = {m.account_id: m.path for m in members(client, [live, shops])}
    assert found == {MANAGEMENT: None, inside: ("Root", "Live", "Shops"), outside: None}
    assert {m.account_id for m in members(client, [root]) if m.path} == {
        MANAGEMENT,
        inside,
        outside,
    }


def test_an_unknown_unit_is_said_with_the_command_that_lists_them(
    organization: Organization, client: Any
) -> None:
    root = organization.create()
    with pytest.raises(UsageError, match="no such organizational unit") as caught:
        members(client, ["ou-abcd-12345678"])
    assert root in caught.value.hint


def test_state_counts_before_status(organization: Organization, client: Any) -> None:
    organization.create()
    closed = organization.account("Closed")
    organization.client.close_account(AccountId=closed)
    organization.account("Leaving")

    def add_state(parsed: Any, **_: Any) -> None:
        for account in parsed["Accounts"]:
            if account["Name"] == "Leaving":
                account["State"] = "PENDING_CLOSURE"

    client.meta.events.register("after-call.organizations.ListAccounts", add_state)
    states = {m.name: m.state for m in members(client)}
    assert (states["Closed"], states["Leaving"]) == ("SUSPENDED", "PENDING_CLOSURE")


def test_throttling_is_waited_out(organization: Organization, client: Any) -> None:
    organization.create()
    throttling = Throttling(2)
    client.meta.events.register("before-send.organizations.ListAccounts", throttling)
    assert len(members(client)) == 1
    assert throttling.times == 0


def test_an_account_that_moves_while_it_is_listed_is_not_lost(
    organization: Organization, client: Any
) -> None:
    root = organization.create()
    moved = organization.account("Moved", organization.unit("Live", root))

    def is_elsewhere(parsed: Any, **_: Any) -> None:
        parsed["Accounts"] = [it for it in parsed["Accounts"] if it["Id"] != moved]

    client.meta.events.register("after-call.organizations.ListAccountsForParent", is_elsewhere)
    found = {m.account_id: m for m in members(client)}
    assert set(found) == {MANAGEMENT, moved}
    assert (found[moved].path, found[moved].unit_ids) == (None, ())
    assert found[MANAGEMENT].path == ("Root",)


def test_where_aws_tells_each_accounts_path_no_unit_is_asked_for_its_accounts(
    organization: Organization, client: Any
) -> None:
    root = organization.create()
    live = organization.unit("Live", root)
    shops = organization.unit("Shops", live)
    inside = organization.account("Inside", shops)
    paths = {
        MANAGEMENT: f"o-a/{root}/{MANAGEMENT}/",
        inside: f"o-a/{root}/{live}/{shops}/{inside}/",
    }
    asked = []

    def add_paths(parsed: Any, **_: Any) -> None:
        for account in parsed["Accounts"]:
            account["Paths"] = [paths[account["Id"]]]

    client.meta.events.register("after-call.organizations.ListAccounts", add_paths)
    client.meta.events.register(
        "before-call.organizations", lambda model, **_: asked.append(model.name)
    )
    found = {m.account_id: m for m in members(client)}
    assert (found[inside].path, found[inside].unit_ids) == (
        ("Root", "Live", "Shops"),
        (root, live, shops),
    )
    assert found[MANAGEMENT].path == ("Root",)
    assert "ListAccountsForParent" not in asked
    within = {m.account_id: m.path for m in members(client, [shops])}
    assert within == {MANAGEMENT: None, inside: ("Root", "Live", "Shops")}


def test_units_alone_are_read_where_nobody_else_is_wanted(
    organization: Organization, client: Any
) -> None:
    root = organization.create()
    inside = organization.account("Inside", organization.unit("Live", root))
    live = next(m for m in members(client) if m.account_id == inside).unit_ids[-1]
    asked: list[str] = []
    client.meta.events.register(
        "before-call.organizations", lambda model, **_: asked.append(model.name)
    )
    assert [m.account_id for m in members(client, [live], outside=False)] == [inside]
    assert "ListAccounts" not in asked


def test_a_unit_that_cannot_be_read_is_named(organization: Organization, client: Any) -> None:
    root = organization.create()
    secret = organization.unit("Secret", organization.unit("Live", root))

    def refuse(http_response: Any, parsed: Any, context: Any, **_: Any) -> None:
        if secret in str(context["body"]):
            http_response.status_code = 400
            parsed["Error"] = {"Code": "AccessDeniedException", "Message": "not this one"}

    client.meta.events.register(
        "before-call.organizations", lambda params, context, **_: context.update(params)
    )
    client.meta.events.register("after-call.organizations.ListAccountsForParent", refuse)
    with pytest.raises(CannotStart, match="not this one") as caught:
        members(client)
    assert f"the organizational unit Root/Live/Secret ({secret})" in caught.value.message


def test_who_waits_sees_what_was_found(organization: Organization, client: Any) -> None:
    root = organization.create()
    organization.account("Inside", organization.unit("Live", root))
    progress = Progress()
    members(client, progress=progress)
    assert str(progress) == "2 accounts and 1 OUs so far"


def test_tags_are_read_for_each_account(organization: Organization, client: Any) -> None:
    organization.create()
    tagged, plain = organization.account("Tagged"), organization.account("Plain")
    organization.client.tag_resource(
        ResourceId=tagged, Tags=[{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": ""}]
    )
    assert tags(client, [plain, tagged]) == [{}, {"team": "a", "cost": ""}]


def test_an_account_without_organization_and_a_refusal_are_explained(
    organization: Organization, client: Any
) -> None:
    with pytest.raises(CannotStart, match="not in an AWS organization"):
        members(client)
    organization.create()

    def refuse(http_response: Any, parsed: Any, **_: Any) -> None:
        http_response.status_code = 400
        parsed["Error"] = {"Code": "AccessDeniedException", "Message": "You don't have permissions"}

    client.meta.events.register("after-call.organizations.ListRoots", refuse)
    with pytest.raises(CannotStart, match="You don't have permissions") as caught:
        members(client)
    assert "delegated administrator" in caught.value.hint
    assert "organizations:ListRoots" in caught.value.message
    assert MANAGEMENT in caught.value.hint


@pytest.mark.parametrize(
    ("own", "asked", "hint"),
    [
        ({}, "nosuch", "Correct the profile's name. `aws"),
        ({"AWS_PROFILE": "nosuch"}, None, "Correct AWS_PROFILE, or unset it. `aws"),
        ({"AWS_PROFILE": "prodd"}, None, "Did you mean prod? `aws"),
        ({"AWS_PROFILE": "nosuch"}, "prdo", "Did you mean prod? `aws"),
        (
            {"AWS_ACCESS_KEY_ID": "x"},
            "nosuch",
            "or leave it out: the environment has credentials of its own. `aws",
        ),
    ],
)
def test_a_missing_profile_is_explained_by_where_it_was_named(
    own: dict[str, str], asked: str | None, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile prod]\nregion = us-east-1\n")
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart, match="could not be found") as caught:
        connect(asked)
    assert hint in caught.value.hint
    assert "manifest" not in caught.value.hint


@pytest.mark.parametrize("own", [None, "nosuch"])
def test_credentials_that_fail_are_explained_whatever_aws_profile_says(
    own: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile prod]\nregion = us-east-1\n")
    if own:
        monkeypatch.setenv("AWS_PROFILE", own)
    client = connect("prod")
    with pytest.raises(CannotStart, match="credentials"):
        members(client, profile="prod")
    client.close()


def test_a_config_that_cannot_be_read_is_said() -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("garbage\n[x\n")
    with pytest.raises(CannotStart, match="Cannot read the AWS config"):
        connect("prod")


def test_a_missing_profile_and_missing_credentials_are_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CannotStart, match="nobody"):
        connect("nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = connect(None)
    with pytest.raises(CannotStart, match="credentials"):
        members(client)
    client.close()
