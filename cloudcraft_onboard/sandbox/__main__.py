"""The child process of `world.py`: serves until its standard input ends, then leaves nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.utils import wrap_app

from cloudcraft_onboard.sandbox.answers import CONNECTION
from cloudcraft_onboard.sandbox.control import Sandbox


async def listen(app: Any) -> str:
    """Serve an app on a loopback port that the system chooses; its URL.

    Instead of hypercorn's own `serve`, which neither tells the port nor shows an app its
    connection, and would run MiniStack's lifespan.
    """
    config = Config()
    config.keep_alive_timeout = 300
    config.keep_alive_max_requests = sys.maxsize
    config.include_server_header = False
    config.errorlog = None
    context = WorkerContext(None)
    wrapped = wrap_app(app, config.wsgi_max_body_size, "asgi")
    loop = asyncio.get_running_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        CONNECTION.set(writer)
        await TCPServer(wrapped, loop, config, context, {}, reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def serve(folder: Path, wish: Any) -> None:
    """Run both servers as the parent wishes, tell it where, and wait for ever."""
    sandbox = Sandbox(folder, wish["secret"])
    sandbox.aws_url = await listen(sandbox.aws_app)
    sandbox.cloudcraft_url = await listen(sandbox.cloudcraft_app)
    environment = await sandbox.begin(wish)
    told = {"aws": sandbox.aws_url, "cloudcraft": sandbox.cloudcraft_url, "env": environment}
    print(json.dumps(told), flush=True)  # noqa: T201 - the parent reads it
    await asyncio.Event().wait()


def leave_with_parent(folder: str) -> None:
    """Wait for the end of standard input, which comes when the parent dies, however it dies."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # requests in flight have nobody left to answer to


def main() -> None:
    """Serve as long as there is a parent."""
    with tempfile.TemporaryDirectory(prefix="onboard-sandbox-") as folder:
        # What the parent wishes is nobody else's to read: neither an argument nor a variable.
        wish = json.loads(sys.stdin.buffer.readline() or "null")
        threading.Thread(target=leave_with_parent, args=(folder,), daemon=True).start()
        if wish is not None:
            asyncio.run(serve(Path(folder), wish))


if __name__ == "__main__":
    main()
