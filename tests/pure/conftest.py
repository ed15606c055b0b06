"""A pure test opens no connection, starts no process, and imports no SDK and no HTTP client."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

IMPURE = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
}
"""Events that Python tells its audit hooks (https://docs.python.org/3/library/audit_events.html)."""
SDKS = {"boto3", "botocore", "httpx"}


class _Watch:
    """Refuses what is impure while `on`; a hook that is added stays for good."""

    on = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and (event in IMPURE or (event == "import" and arguments[0] in SDKS)):
            pytest.fail(f"a test of tests/pure may not do this: {event} {arguments[0]!r}")


_watch = _Watch()
sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _pure() -> Iterator[None]:
    _watch.on = True
    yield
    _watch.on = False
