"""What an answer's headers say about the rate limit, and nothing that cannot be.

Read are `Retry-After`, `RateLimit-Limit/Remaining/Reset` and `RateLimit-Policy` of the older IETF
drafts, `RateLimit: limit=.., remaining=.., reset=..` of draft 7, the structured `RateLimit:
"name";r=..;t=..` with `RateLimit-Policy: "name";q=..;w=..` of the later ones, and the
`X-RateLimit-*` that many servers send, whose reset is seconds from now or since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

HOUR = 3600.0
DAY = 86400.0
LARGEST_LIMIT = 10_000
EPOCH_FROM = 1_000_000_000
"""A larger reset is a moment since 1970 (this one is in 2001), not a length of time."""

_PARAMETER = re.compile(r"([a-z]+)\s*=\s*\"?(-?[0-9.]+)")
_LEADING_NUMBER = re.compile(r"\s*([0-9.]+)\s*(?:;|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """A limit as the server declares it; None for what it leaves open. Times are in seconds."""

    limit: int | None = None
    window: float | None = None
    remaining: int | None = None
    reset: float | None = None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` asks to wait, an hour at most; None where it says nothing usable.

    `headers` ignore case, `now` is in seconds since 1970, for a date in an answer without `Date`.
    """
    text = headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None:
        moment = _moment(text)
        seconds = None if moment is None else moment - (_moment(headers.get("Date", "")) or now)
    return min(seconds, HOUR) if seconds is not None and 0 < seconds <= DAY else None


def declared(headers: Mapping[str, str], now: float) -> Declared:
    """The limit that an answer's headers declare; nonsense counts as not declared."""
    server_now = _moment(headers.get("Date", "")) or now
    fields = dict(_PARAMETER.findall(headers.get("RateLimit", "").lower()))

    def value(name: str, structured: str = "") -> float | None:
        texts = (
            fields.get(structured),
            fields.get(name.lower()),
            headers.get(f"RateLimit-{name}"),
            headers.get(f"X-RateLimit-{name}"),
        )
        return next((_number(text.split(",")[0]) for text in texts if text), None)

    limit = _limit(value("Limit"))
    policies = _policies(
        f"{headers.get('RateLimit-Policy', '')},{headers.get('RateLimit-Limit', '')}"
    )
    matching = [policy for policy in policies if limit in (None, policy[0])] or policies
    window = None
    if matching:
        # The shortest window is the one that a burst meets first.
        limit, window = min(matching, key=lambda policy: policy[1])
    remaining = value("Remaining", "r")
    return Declared(
        limit=limit,
        window=window,
        remaining=None if remaining is None or remaining < 0 else int(remaining),
        reset=_reset(value("Reset", "t"), server_now),
    )


def _policies(text: str) -> list[tuple[int, float]]:
    """Each (limit, window) of `20;w=60, "burst";q=5;w=1`, unusable ones left out."""
    policies = []
    for item in text.lower().split(","):
        parameters = dict(_PARAMETER.findall(item))
        leading = _LEADING_NUMBER.match(item)
        limit = _limit(_number(parameters.get("q") or (leading.group(1) if leading else "")))
        window = _number(parameters.get("w", ""))
        if limit is not None and window is not None and 0 < window <= HOUR:
            policies.append((limit, window))
    return policies


def _limit(number: float | None) -> int | None:
    return int(number) if number is not None and 1 <= number <= LARGEST_LIMIT else None


def _reset(number: float | None, now: float) -> float | None:
    if number is not None and number >= EPOCH_FROM:
        number -= now
    return number if number is not None and 0 < number <= HOUR else None


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
