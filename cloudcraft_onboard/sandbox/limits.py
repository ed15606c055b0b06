"""The rate limit of the local Cloudcraft, as a server keeps it; times come from the caller."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol


class Limiter(Protocol):
    """Counts requests at the server; one that is not admitted does not count."""

    requests: int
    seconds: float

    def admit(self, now: float) -> bool:
        """Whether a request that arrives now may pass; it is counted if so."""

    def remaining(self, now: float) -> int:
        """How many more would pass now."""

    def reset_in(self, now: float) -> float:
        """Seconds until more would pass than now."""


class SlidingLog:
    """No stretch of `seconds` ever holds more than `requests`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.requests, self.seconds = requests, seconds
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> bool:
        if self.remaining(now) == 0:
            return False
        self._admitted.append(now)
        return True

    def remaining(self, now: float) -> int:
        while self._admitted and self._admitted[0] <= now - self.seconds:
            self._admitted.popleft()
        return self.requests - len(self._admitted)

    def reset_in(self, now: float) -> float:
        return max(0.0, self._admitted[0] + self.seconds - now) if self._admitted else 0.0


class FixedWindow:
    """A window opens with the first request after the last one closed."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.requests, self.seconds = requests, seconds
        self._opened = -math.inf
        self._count = 0

    def admit(self, now: float) -> bool:
        if now >= self._opened + self.seconds:
            self._opened, self._count = now, 0
        if self._count >= self.requests:
            return False
        self._count += 1
        return True

    def remaining(self, now: float) -> int:
        return self.requests - (self._count if now < self._opened + self.seconds else 0)

    def reset_in(self, now: float) -> float:
        return max(0.0, self._opened + self.seconds - now)


class TokenBucket:
    """Holds `requests` tokens at most, refilled evenly over `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.requests, self.seconds = requests, seconds
        self._tokens = float(requests)
        self._at = -math.inf

    def admit(self, now: float) -> bool:
        if self.remaining(now) == 0:
            return False
        self._tokens -= 1
        return True

    def remaining(self, now: float) -> int:
        gained = (now - self._at) * self.requests / self.seconds
        self._tokens, self._at = min(float(self.requests), self._tokens + gained), now
        return math.floor(self._tokens)

    def reset_in(self, now: float) -> float:
        missing = self.remaining(now) + 1 - self._tokens
        return missing * self.seconds / self.requests


WINDOWS: dict[str, type[SlidingLog | FixedWindow | TokenBucket]] = {
    "sliding": SlidingLog,
    "fixed": FixedWindow,
    "bucket": TokenBucket,
}
