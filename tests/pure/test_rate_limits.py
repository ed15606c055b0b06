"""`CLOUDCRAFT_RATE_LIMIT`: one limit pins the pace, several may hold."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model import RateLimit
from cloudcraft_onboard.settings import DEFAULT_RATE_LIMIT, rate_limits

FAST, SLOW = RateLimit(20, 10), RateLimit(20, 60)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (DEFAULT_RATE_LIMIT, (FAST, SLOW)),
        ("20/60", (SLOW,)),
        (" 20/10 , 20 / 60 ", (FAST, SLOW)),
        ("20/60,20/10", (FAST, SLOW)),
        ("20/60,20/60", (SLOW,)),
        ("5/0.5", (RateLimit(5, 0.5),)),
    ],
)
def test_limits_come_fastest_first_and_once(text: str, limits: tuple[RateLimit, ...]) -> None:
    assert rate_limits(text) == limits


@pytest.mark.parametrize("text", ["", "20", "0/60", "20/0", "20/10,", "20/10;20/60", "-1/5", "a/b"])
def test_anything_else_is_wrong_usage_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="CLOUDCRAFT_RATE_LIMIT") as told:
        rate_limits(text)
    assert DEFAULT_RATE_LIMIT in told.value.hint
    assert not text or text not in told.value.message


@pytest.mark.parametrize("limit", [FAST, RateLimit(5, 0.5)])
def test_a_limit_is_written_as_it_is_read(limit: RateLimit) -> None:
    assert rate_limits(str(limit)) == (limit,)
