"""How long a plan takes by the number of accounts at a time, at AWS's usual latencies.

`python -m tests.bench.concurrency`, about 5 minutes. A relay in front of the local AWS delays each
answer and throttles AssumeRole as AWS does (STS quotas: 600 a second and account; a plan asks once
for each account). The numbers of one latency are measured in turn, twice, and the better counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cloudcraft_onboard.settings import Settings
from tests.bench.aws import measure, world
from tests.bench.table import aim, say

ACCOUNTS = 500
ROUNDS = 2
LATENCIES = (0.05, 0.1, 0.2)
DEFAULT = Settings(manifest="").concurrency
OTHERS = (32, 64, 128, 256)
STS_QUOTA = 600
THROTTLED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>"
    b"<Message>Rate exceeded</Message></Error></ErrorResponse>"
)
MUCH_FASTER = 1.25
"""By this no other number may be faster than the default."""


def main() -> int:
    """Measure and print; 1 when another number is much faster."""
    reached = []
    with tempfile.TemporaryDirectory() as folder, world(ACCOUNTS, Path(folder)) as local:
        manifest = str(Path(folder) / "manifest.yaml")
        for latency in LATENCIES:
            with relay(local.env["AWS_ENDPOINT_URL"], latency) as url:
                local.env["AWS_ENDPOINT_URL"], before = url, local.env["AWS_ENDPOINT_URL"]
                seconds: dict[int, float] = {}
                for number in sorted({DEFAULT, *OTHERS}) * ROUNDS:
                    program = [sys.executable, "-m", "cloudcraft_onboard", "plan", manifest]
                    options = ["--quiet", "--output", "json", "--concurrency", str(number)]
                    name = f"{latency * 1000:g} ms, {number}"
                    wall = measure(name, ACCOUNTS, [*program, *options], local).wall
                    seconds[number] = min(wall, seconds.get(number, wall))
                local.env["AWS_ENDPOINT_URL"] = before
            best = min(seconds, key=seconds.__getitem__)
            label = f"{latency * 1000:g} ms a call: the default ({DEFAULT}) to the best ({best})"
            reached.append(aim(label, seconds[DEFAULT] / seconds[best], MUCH_FASTER))
            say("")
    return 0 if all(reached) else 1


@contextlib.contextmanager
def relay(url: str, latency: float) -> Iterator[str]:
    """The address of a relay that passes requests on, and takes its time for it."""
    upstream = urlsplit(url)
    loop = asyncio.new_event_loop()
    quota = Quota()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(upstream.hostname, upstream.port)
        await asyncio.gather(ask(reader, to_there, writer), answer(there, writer))

    async def ask(
        reader: asyncio.StreamReader, to_there: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(latency)
                if b"Action=AssumeRole" in data and not quota.lets_through():
                    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(THROTTLED)}\r\n\r\n"
                    writer.write(head.encode() + THROTTLED)
                else:
                    to_there.write(data)
        to_there.close()

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes back."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


class Quota:
    """A bucket that STS_QUOTA calls fill, and a second empties."""

    def __init__(self) -> None:
        self._left, self._at = float(STS_QUOTA), time.monotonic()

    def lets_through(self) -> bool:
        """Whether one more call is within it."""
        now = time.monotonic()
        self._left = min(STS_QUOTA, self._left + (now - self._at) * STS_QUOTA)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


if __name__ == "__main__":
    sys.exit(main())
