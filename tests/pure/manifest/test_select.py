"""Which accounts the patterns mean, and which ones a git revision lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.manifest.select import select
from cloudcraft_onboard.model import Account

ACCOUNTS = (
    Account(name="Production", profile="p", tags={"env": "prod", "ou": "Root/Live"}),
    Account(name="Payments", account_id="111122223333", tags={"env": "prod"}),
    Account(name="Staging", account_id="012345678901", tags={"env": "stage"}, enabled=False),
    Account(name="Team [a]", profile="t"),
    Account(name="env=prod", profile="e"),
    Account(name="999900001111", profile="n"),
)


def names(*only: str, exclude: tuple[str, ...] = ()) -> list[str]:
    return [account.name for account in select(ACCOUNTS, only, exclude)]


@pytest.mark.parametrize(
    ("only", "exclude", "expected"),
    [
        ((), (), [account.name for account in ACCOUNTS]),
        (("Staging", "Production"), (), ["Production", "Staging"]),
        (("P*",), (), ["Production", "Payments"]),
        (("P*",), ("Pay*",), ["Production"]),
        (("111122223333",), (), ["Payments"]),
        (("env=stage",), (), ["Staging"]),
        (("env=*",), (), ["Production", "Payments", "Staging", "env=prod"]),
        (("ou=Root/*",), (), ["Production"]),
        (("env=prod",), (), ["env=prod"]),
        (("Team [a]",), (), ["Team [a]"]),
        (("999900001111",), (), ["999900001111"]),
        ((), ("env=p*", "Team*", "9*"), ["Staging"]),
    ],
)
def test_patterns_mean(
    only: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]
) -> None:
    assert names(*only, exclude=exclude) == expected


@pytest.mark.parametrize(
    ("only", "exclude", "message"),
    [
        (["Paymnts"], [], "--only 'Paymnts' matches no account; did you mean 'Payments'?"),
        ([], ["staging"], "--exclude 'staging' matches no account; did you mean 'Staging'?"),
        (["prod"], [], "--only 'prod' matches no account; did you mean 'env=prod'?"),
        (["pay*"], [], "--only 'pay*' matches no account; did you mean 'Payments'?"),
        (["env=dev"], [], "--only 'env=dev' matches no account; values of env: prod, stage."),
        (["enw=dev"], [], "--only 'enw=dev' matches no account; did you mean 'env=...'?"),
        (
            ["111122223334"],
            [],
            "--only '111122223334' matches no account; did you mean '111122223333'?",
        ),
        (["x"], ["y"], "--only 'x' matches no account.\n--exclude 'y' matches no account."),
        (["P*"], ["P*"], "--only and --exclude together leave no account."),
        ([""], [], "--only '' matches no account."),
    ],
)
def test_a_pattern_without_a_match_is_an_error(
    only: list[str], exclude: list[str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        select(ACCOUNTS, only, exclude)
    assert caught.value.message == message


@given(st.lists(st.text(min_size=1, max_size=6), unique=True, min_size=1, max_size=8))
def test_a_name_always_selects_its_account_in_the_order_of_the_manifest(
    wanted: list[str],
) -> None:
    accounts = tuple(Account(name=name, profile=name) for name in wanted)
    some = wanted[::2]
    assert [a.name for a in select(accounts, list(reversed(some)), [])] == some
