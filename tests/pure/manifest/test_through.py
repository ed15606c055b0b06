"""`--assume-role` replaces the role that accounts are entered through, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.manifest.load import loads
from cloudcraft_onboard.manifest.through import through
from cloudcraft_onboard.model import Account

TEXT = """\
version: 1
defaults:
  profile: hub
  assume_role:
    role: Admin
    external_id: org-{account_id}
    session_name: onboard
    duration: 900
    source_identity: me
    tags: {a: b}
accounts:
  - {name: default, account_id: "111122223301"}
  - {name: own, account_id: "111122223302", assume_role: Other}
  - {name: none, account_id: "111122223303", assume_role: null}
  - {name: profile, profile: p}
  - {name: sso, account_id: "111122223304", sso: {session: corp, role: Admin}}
  - {name: existing, account_id: "111122223305", role: {via: existing}}
"""


def accounts(text: str = TEXT) -> tuple[Account, ...]:
    return loads("m.yaml", text.encode()).accounts


@pytest.mark.parametrize(
    ("role", "entered"),
    [
        ("Reader", "Reader"),
        ("arn:aws:iam::{account_id}:role/x/Reader", "arn:aws:iam::111122223301:role/x/Reader"),
        ("Reader-{account_id}", "Reader-111122223301"),
    ],
)
def test_the_role_alone_is_replaced_where_there_is_one(role: str, entered: str) -> None:
    before = {account.name: account for account in accounts()}
    after = {account.name: account for account in through(before.values(), role)}
    way = before["default"].assume_role
    assert way is not None
    assert after["default"] == replace(before["default"], assume_role=replace(way, role=entered))
    changed = {name for name, account in after.items() if account != before[name]}
    assert changed == {"default", "own", "existing"}


def test_without_the_option_accounts_are_as_they_were() -> None:
    assert through(accounts(), None) == accounts()


def test_an_arn_is_for_the_accounts_of_its_own_account() -> None:
    role = "arn:aws:iam::111122223301:role/Reader"
    (first, second, *_) = accounts()
    (found,) = through([first], role)
    assert found.assume_role
    assert found.assume_role.role == role
    with pytest.raises(UsageError) as caught:
        through([first, second], role)
    assert "'own' is 111122223302" in caught.value.message
    assert "{account_id}" in caught.value.hint


@pytest.mark.parametrize(
    "role", ["", "a b", "path/Reader", "arn:aws:sts::1:assumed-role/a/b", "Reader{id}", "x" * 65]
)
def test_what_is_no_role_is_a_usage_error(role: str) -> None:
    with pytest.raises(UsageError) as caught:
        through(accounts(), role)
    assert "--assume-role" in caught.value.message
    assert caught.value.hint
