"""Answers that break off, for which the server's connection has to be at hand."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextvars import ContextVar

from starlette.responses import Response

from cloudcraft_onboard.sandbox.aws import Receive, Scope, Send

CONNECTION: ContextVar[asyncio.StreamWriter] = ContextVar("CONNECTION")
"""The connection that the current request came in by."""


class Hangup(Response):
    """No byte of an answer: the connection is reset, or just closed."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Hang up."""
        transport = CONNECTION.get().transport
        if self._reset:
            linger = struct.pack("ii", 1, 0)  # on, for no time: close() sends RST instead of FIN
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
        transport.abort()
        await _gone(receive)


class Cut(Response):
    """A true answer whose body breaks off in the middle."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code, media_type=whole.media_type)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of it and hang up."""
        body = bytes(self.body)
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        half = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        CONNECTION.get().transport.close()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Until the server has noticed; it would try to answer for an app that returns before."""
    while (await receive())["type"] != "http.disconnect":
        pass
