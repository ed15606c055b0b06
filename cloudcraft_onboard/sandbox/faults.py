"""What can be made to go wrong with the next requests to the local Cloudcraft."""

from __future__ import annotations

import re
from typing import Any

from cloudcraft_onboard.frozen import frozen


@frozen
class Fault:
    """What happens to matching requests, after `skip` of them, `times` times (-1: for ever).

    Attributes:
        method, path, account: what to match: an HTTP method, a regular expression that is searched
            in the path, the AWS account ID in the body's role ARN (or of the registration that the
            path names). Empty: any.
        consume: requests of another client that are counted just before this one.
        process: whether it is processed: True, False, or seconds from now, whatever is answered.
        twin: "older" or "newer": another client registers the same role at the same moment.
        lag: a list leaves out what was registered in the last so many seconds.
        delay: seconds between processing and answer; long: a hang.
        answer: None for the true one; "reset", "close" (no bytes), "cut" (half of the body), or
            {"status": 502, "headers": {...}, "body": text or JSON}.
        without: keys left out of the true answer's JSON.
        limited: whether the rate limit applies to it.
    """

    method: str = ""
    path: str = ""
    account: str = ""
    times: int = 1
    skip: int = 0
    consume: int = 0
    process: bool | float = True
    twin: str = ""
    lag: float = 0.0
    delay: float = 0.0
    answer: str | dict[str, Any] | None = None
    without: tuple[str, ...] = ()
    limited: bool = True

    def matches(self, method: str, path: str, account: str) -> bool:
        """Whether such a request is meant."""
        return (
            self.method in {"", method}
            and re.search(self.path, path) is not None
            and self.account in {"", account}
        )


NO_FAULT = Fault()


class FaultBox:
    """The faults that are still to come; the first that matches is the one that happens."""

    def __init__(self) -> None:
        self._waiting: list[list[Any]] = []  # [fault, still to skip, still to happen]

    def add(self, fault: Fault) -> None:
        """Put one behind the others."""
        self._waiting.append([fault, fault.skip, fault.times])

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._waiting.clear()

    @property
    def left(self) -> int:
        """How many faults have not happened as often as they were meant to."""
        return sum(times > 0 for _, _, times in self._waiting)

    def take(self, method: str, path: str, account: str) -> Fault:
        """What happens to this request."""
        for entry in self._waiting:
            fault, skip, times = entry
            if times == 0 or not fault.matches(method, path, account):
                continue
            if skip:
                entry[1] -= 1
                continue
            entry[2] -= times > 0
            return fault  # type: ignore[no-any-return]
        return NO_FAULT
