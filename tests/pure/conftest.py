"""A pure test opens no connection, starts no process, and imports no SDK and no HTTP client."""

from __future__ import annotations

import sys
import threading
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
    """Refuses what is impure while `on`; a hook that is added stays for good.

    Tests run in the main thread. In another one a server of a test before this one, in the same
    process, may still answer.
    """

    on = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        impure = event in IMPURE or (event == "import" and arguments[0] in SDKS)
        if self.on and impure and threading.current_thread() is threading.main_thread():
            pytest.fail(f"a test of tests/pure may not do this: {event} {arguments[0]!r}")


_watch = _Watch()
sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _pure() -> Iterator[None]:
    _watch.on = True
    yield
    _watch.on = False
