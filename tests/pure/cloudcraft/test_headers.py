"""What `Retry-After` says, in all its dialects."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cloudcraft.headers import retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf", "1e9", "many", "", "99999999999999999"])
def test_nonsense_is_ignored(value: str) -> None:
    assert retry_after({"Retry-After": value}, NOW) is None


@given(
    st.dictionaries(
        st.sampled_from(["Retry-After", "Date"]),
        st.text('0123456789;=w"rtq,.-+ :GMTanJlimtesg', max_size=40),
    )
)
def test_whatever_is_sent_only_usable_numbers_come_out(headers: dict[str, str]) -> None:
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
