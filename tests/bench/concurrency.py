"""How long a plan takes by the number of accounts at a time, at AWS's usual latencies.

`python -m tests.bench.concurrency`, about 3 minutes. A relay in front of the local AWS delays each
answer; the numbers of one latency are measured side by side, and printed as ratios to the default.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cloudcraft_onboard.settings import Settings
from tests.bench.aws import aim, measure, say, world

ACCOUNTS = 300
LATENCIES = (0.05, 0.1, 0.2)
DEFAULT = Settings(manifest="").concurrency
OTHERS = (16, 32, 64, 128, 256)
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
                seconds = {}
                for number in sorted({DEFAULT, *OTHERS}):
                    program = [sys.executable, "-m", "cloudcraft_onboard", "plan", manifest]
                    options = ["--quiet", "--output", "json", "--concurrency", str(number)]
                    name = f"{latency * 1000:g} ms, {number}"
                    seconds[number] = measure(name, ACCOUNTS, [*program, *options], local).wall
                local.env["AWS_ENDPOINT_URL"] = before
            best = min(seconds, key=seconds.__getitem__)
            label = f"{latency * 1000:g} ms a call: the default ({DEFAULT}) to the best ({best})"
            reached.append(aim(label, seconds[DEFAULT] / seconds[best], MUCH_FASTER))
            say("")
    return 0 if all(reached) else 1


@contextlib.contextmanager
def relay(url: str, latency: float) -> Iterator[str]:
    """The address of a relay that passes requests on and holds each answer back."""
    upstream = urlsplit(url)
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(upstream.hostname, upstream.port)
        await asyncio.gather(pump(reader, to_there, latency), pump(there, writer, 0.0))

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


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece after `delay` seconds."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            await asyncio.sleep(delay)
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    sys.exit(main())
