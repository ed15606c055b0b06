"""What servers say about their limit, in all its dialects."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cloudcraft.headers import Declared, declared, retry_after
from cloudcraft_onboard.model import RateLimit

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Declared()),
        (
            {"RateLimit-Limit": "20", "RateLimit-Remaining": "7", "RateLimit-Reset": "30"},
            Declared(remaining=7, reset=30),
        ),
        (
            {"RateLimit-Limit": "20", "RateLimit-Policy": "20;w=60"},
            Declared(limit=RateLimit(20, 60)),
        ),
        (
            {"RateLimit-Limit": "20", "RateLimit-Policy": "1000;w=3600, 20; w=60"},
            Declared(limit=RateLimit(20, 60)),
        ),
        ({"RateLimit-Policy": "20;w=60"}, Declared()),
        ({"RateLimit-Limit": "20", "RateLimit-Policy": "5;w=1"}, Declared()),
        (
            {
                "X-RateLimit-Limit": "60",
                "X-RateLimit-Remaining": "59",
                "X-RateLimit-Reset": "45",
            },
            Declared(remaining=59, reset=45),
        ),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 30)},
            Declared(remaining=0, reset=30),
        ),
        (
            {
                "Date": formatdate(NOW - 500, usegmt=True),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(int(NOW) - 470),
            },
            Declared(remaining=0, reset=30),
        ),
    ],
    ids=str,
)
def test_declared_limits_are_understood(headers: dict[str, str], expected: Declared) -> None:
    assert declared(headers, NOW) == expected


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf", "1e9", "many", "", "99999999999999999"])
def test_nonsense_is_ignored(value: str) -> None:
    headers = {
        "RateLimit-Limit": value,
        "RateLimit-Policy": f"{value};w={value}",
        "RateLimit-Reset": value,
        "Retry-After": value,
    }
    assert declared(headers, NOW) == Declared()
    assert retry_after(headers, NOW) is None


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "RateLimit-Limit",
                "RateLimit-Policy",
                "RateLimit-Remaining",
                "RateLimit-Reset",
                "X-RateLimit-Limit",
                "X-RateLimit-Reset",
                "Retry-After",
                "Date",
            ]
        ),
        st.text('0123456789;=w"rtq,.-+ :GMTanJlimtesg', max_size=40),
    )
)
def test_whatever_is_sent_only_usable_numbers_come_out(headers: dict[str, str]) -> None:
    found = declared(headers, NOW)
    assert found.limit is None or 1 <= found.limit.requests <= 10_000
    assert found.limit is None or 0 < found.limit.seconds <= 3600
    assert found.remaining is None or found.remaining >= 0
    assert found.reset is None or 0 < found.reset <= 3600
    wait = retry_after(headers, NOW)
    assert wait is None or 0 < wait <= 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("7200", 3600),
        (formatdate(NOW + 40, usegmt=True), 40),
        (formatdate(NOW - 40, usegmt=True), None),
        (formatdate(NOW + 10**7, usegmt=True), None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_a_date_is_read_by_the_servers_clock() -> None:
    headers = {
        "Date": formatdate(NOW - 1000, usegmt=True),
        "Retry-After": formatdate(NOW - 980, usegmt=True),
    }
    assert retry_after(headers, NOW) == 20
