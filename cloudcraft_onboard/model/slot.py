"""The right to send one request to Cloudcraft, as the pace gives it."""

from __future__ import annotations

from typing import Protocol, Self


class Slot(Protocol):
    """The right to send one request now. It has one owner at a time, who hands it on or ends it.

    Whoever sends the request opens it as a context manager, which ends it in any case: unused
    unless `sent` was called, else as a request that was counted and not answered.
    """

    def __enter__(self) -> Self:
        """The slot itself."""

    def __exit__(self, *_: object) -> None:
        """End it if that was not done yet."""

    def sent(self) -> None:
        """From here on the server may count the request."""

    def arrived(self, at: float) -> None:
        """The server had the request `at` this time at the latest, by `time.monotonic`."""

    def answered(self) -> None:
        """The request was let through by the server's rate limit."""

    def unused(self) -> None:
        """No request reached the server, or it was turned away uncounted."""

    def throttled(self, retry_after: float | None) -> int:
        """The answer was a 429: everybody waits; how many pauses in a row have begun."""
