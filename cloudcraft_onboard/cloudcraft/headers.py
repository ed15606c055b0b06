"""What `Retry-After` asks for, if it makes sense: the one header that Cloudcraft documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

HOUR = 3600.0
DAY = 86400.0


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
