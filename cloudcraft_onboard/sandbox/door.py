"""Who may talk to the sandbox: programs on this machine, but no web page that a user visits.

A page can send requests to loopback: then they carry its `Origin`, or, where they only get
something (an image, a link), a `Sec-Fetch-Site` that says that they come from elsewhere, or, where
its name was made to point here (DNS rebinding), its name as `Host`. What steers the servers
(`/_...`) is closed to all but who started them with a secret, and sends it in a header.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from cloudcraft_onboard.sandbox.aws import Receive, Scope, Send
from cloudcraft_onboard.sandbox.world import HEADER

_FROM_NOWHERE = {"none", "same-origin"}  # a typed address, and what its answer asks for

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """An ASGI app in front of another one, and of its `control` for those who know the secret."""

    def __init__(self, app: App, control: App | None = None, secret: str | None = None) -> None:
        self._app = app
        self._control = control
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        inside = scope["path"].startswith("/_")
        app = self._control if inside and self._control else self._app
        why = self._refusal(request) or (self._locked(request) if inside else "")
        if why:
            await _drain(request)
        await (JSONResponse({"error": why}, 403) if why else app)(scope, receive, send)

    @staticmethod
    def _refusal(request: Request) -> str:
        if not _is_loopback(request.headers.get("host", "")):
            return "the sandbox only serves this machine"
        sites = request.headers.getlist("sec-fetch-site")
        page = "origin" in request.headers or not _FROM_NOWHERE.issuperset(sites)
        return "the sandbox does not serve web pages" if page else ""

    def _locked(self, request: Request) -> str:
        given = request.headers.get(HEADER, "").encode()
        if self._secret and secrets.compare_digest(given, self._secret.encode()):
            kind = request.headers.get("content-type", "application/json")
            return "" if kind.partition(";")[0] == "application/json" else "send JSON"
        return "send the secret of the process that started the sandbox"


async def _drain(request: Request) -> None:
    """Read the body and forget it.

    An answer that overtakes the body makes the server close the connection, under a client that
    may have begun its next request on it.
    """
    with contextlib.suppress(ClientDisconnect):
        async for _ in request.stream():
            pass


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
