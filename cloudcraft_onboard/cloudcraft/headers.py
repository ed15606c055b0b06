"""What an answer's headers say about the rate limit, if it makes sense.

Read are `Retry-After`, which Cloudcraft documents, and what a server or a CDN may add: the fields
`RateLimit-Limit/Remaining/Reset/Policy` of draft-ietf-httpapi-ratelimit-headers-06, and the
`X-RateLimit-*` before them, whose reset is seconds from now or since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from cloudcraft_onboard.model import RateLimit

HOUR = 3600.0
DAY = 86400.0
LARGEST_LIMIT = 10_000
EPOCH_FROM = 1_000_000_000
"""A larger reset is a moment since 1970 (this one is in 2001), not a length of time."""

_POLICY = re.compile(r"([0-9]{1,9})\s*;\s*w=([0-9]{1,9})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What the server declares; None for what it leaves out.

    `limit` is what it allows in each window; `remaining` requests are left for `reset` seconds.
    """

    limit: RateLimit | None = None
    remaining: int | None = None
    reset: float | None = None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` asks to wait, at most an hour; None if it says nothing usable.

    `headers` ignore case, `now` is in seconds since 1970, for a date in an answer without `Date`.
    """
    text = headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None:
        moment = _moment(text)
        seconds = None if moment is None else moment - (_moment(headers.get("Date", "")) or now)
    return min(seconds, HOUR) if seconds is not None and 0 < seconds <= DAY else None


def declared(headers: Mapping[str, str], now: float) -> Declared:
    """What an answer's headers declare; nonsense counts as not declared, as does a mere limit."""

    def value(name: str) -> float | None:
        texts = (headers.get(f"{prefix}RateLimit-{name}") for prefix in ("", "X-"))
        return next((_number(text) for text in texts if text), None)

    remaining, reset = value("Remaining"), value("Reset")
    if reset is not None and reset >= EPOCH_FROM:
        reset -= _moment(headers.get("Date", "")) or now
    return Declared(
        limit=_limit(value("Limit"), headers.get("RateLimit-Policy", "")),
        remaining=None if remaining is None or remaining < 0 else int(remaining),
        reset=reset if reset is not None and 0 < reset <= HOUR else None,
    )


def _limit(requests: float | None, policies: str) -> RateLimit | None:
    """The limit with the window that `20;w=60, 1000;w=3600` gives it."""
    windows = {int(quota): float(window) for quota, window in _POLICY.findall(policies)}
    window = windows.get(int(requests or 0), 0.0)
    if requests is None or not (1 <= requests <= LARGEST_LIMIT and 0 < window <= HOUR):
        return None
    return RateLimit(int(requests), window)


def _number(text: str) -> float | None:
    """A finite number written in plain digits, else None."""
    return float(text) if re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,9})?\s*", text) else None


def _moment(text: str) -> float | None:
    """An HTTP date in seconds since 1970."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
