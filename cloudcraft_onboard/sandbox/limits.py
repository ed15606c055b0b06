"""The rate limit of the local Cloudcraft, as a server keeps it; times come from the caller."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque


class Limiter(ABC):
    """Counts requests at the server; one that is not admitted does not count."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.requests, self.seconds = requests, seconds

    def admit(self, now: float) -> bool:
        """Whether a request that arrives now may pass; it is counted if so."""
        if self.remaining(now) == 0:
            return False
        self._take(now)
        return True

    def remaining(self, now: float) -> int:
        """How many more would pass now."""
        return self._left(now)

    def reset_in(self, now: float) -> float:
        """Seconds until more would pass than now; 0 when all would."""
        return max(0.0, self._wait(now))

    @abstractmethod
    def _left(self, now: float) -> int: ...

    @abstractmethod
    def _take(self, now: float) -> None: ...

    @abstractmethod
    def _wait(self, now: float) -> float: ...


class SlidingLog(Limiter):
    """No stretch of `seconds` ever holds more than `requests`."""

    def __init__(self, requests: int, seconds: float) -> None:
        super().__init__(requests, seconds)
        self._admitted: deque[float] = deque()

    def _left(self, now: float) -> int:
        while self._admitted and self._admitted[0] <= now - self.seconds:
            self._admitted.popleft()
        return self.requests - len(self._admitted)

    def _take(self, now: float) -> None:
        self._admitted.append(now)

    def _wait(self, now: float) -> float:
        return self._admitted[0] + self.seconds - now if self._admitted else 0.0


class FixedWindow(Limiter):
    """A window opens with the first request after the last one closed."""

    def __init__(self, requests: int, seconds: float) -> None:
        super().__init__(requests, seconds)
        self._closes = -math.inf
        self._count = 0

    def _left(self, now: float) -> int:
        return self.requests - (self._count if now < self._closes else 0)

    def _take(self, now: float) -> None:
        if now >= self._closes:
            self._closes, self._count = now + self.seconds, 0
        self._count += 1

    def _wait(self, now: float) -> float:
        return self._closes - now


class TokenBucket(Limiter):
    """Holds `requests` tokens at most, refilled evenly over `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        super().__init__(requests, seconds)
        self._tokens = float(requests)
        self._at = -math.inf

    def _left(self, now: float) -> int:
        gained = (now - self._at) * self.requests / self.seconds
        self._tokens, self._at = min(float(self.requests), self._tokens + gained), now
        return math.floor(self._tokens)

    def _take(self, now: float) -> None:
        self._at = now
        self._tokens -= 1

    def _wait(self, now: float) -> float:
        if self._left(now) == self.requests:
            return 0.0
        return (math.floor(self._tokens) + 1 - self._tokens) * self.seconds / self.requests


WINDOWS: dict[str, type[Limiter]] = {
    "sliding": SlidingLog,
    "fixed": FixedWindow,
    "bucket": TokenBucket,
}
