"""The local Cloudcraft: its API behind a rate limit, and everything that can go wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from cloudcraft_onboard.sandbox.answers import Cut, Hangup
from cloudcraft_onboard.sandbox.api import Api, ApiCall, Json, RoleCheck, error
from cloudcraft_onboard.sandbox.aws import Receive, Scope, Send
from cloudcraft_onboard.sandbox.faults import Fault, FaultBox
from cloudcraft_onboard.sandbox.limits import WINDOWS, Limiter
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.shapes import Seed


@dataclass(kw_only=True, slots=True)
class Logged:
    """One request, for `/_sandbox/log`; times are seconds since the epoch.

    `status` is None for a request that got no answer (yet); `client` is "other" for quota that
    somebody else used.
    """

    at: float = field(default_factory=time.time)
    method: str = ""
    path: str = ""
    account: str = ""
    client: str = "key"
    admitted: bool = True
    processed: bool = False
    status: int | None = None
    answered_at: float | None = None


class LocalCloudcraft:
    """An ASGI app; `reset` gives it its options and its accounts."""

    def __init__(self, verifier: RoleCheck) -> None:
        self.faults = FaultBox()
        self.log: list[Logged] = []
        self._verifier = verifier
        self._in_flight: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Response]] = set()
        self.reset(Options())

    def reset(self, options: Options, seed: Seed | None = None) -> None:
        """Start over; what is in flight gets no answer and has no effect."""
        for task in self._in_flight | self._late:
            task.cancel()
        self.options = options
        self.api = Api(options, self._verifier, seed)
        self.limiter: Limiter = WINDOWS[options.window](*options.limit)
        self.log.clear()
        self.faults.clear()

    def consume(self, requests: int) -> None:
        """Somebody else sends so many requests now."""
        for _ in range(requests):
            admitted = self.limiter.admit(time.monotonic())
            status = 200 if admitted else 429
            self.log.append(
                Logged(client="other", admitted=admitted, status=status, answered_at=time.time())
            )

    @property
    def late(self) -> int:
        """How many requests are still to be processed, their answers sent already."""
        return len(self._late)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, process and answer one request, or what a fault makes of it."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - for the type checker: an app always runs in a task
        self._in_flight.add(task)
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            response = Hangup(reset=True)
        finally:
            self._in_flight.discard(task)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        body = await _json(request)
        method, path = request.method, request.url.path
        entry = Logged(method=method, path=path, account=self.api.account_of(path, body))
        self.log.append(entry)
        fault = self.faults.take(method, path, entry.account)
        self.consume(fault.consume)
        now = time.monotonic()
        entry.admitted = not fault.limited or self.limiter.admit(now)
        headers = self._limit_headers(now, admitted=entry.admitted)
        if entry.admitted:
            call = ApiCall(
                method=method,
                path=path,
                key=request.headers.get("authorization", "").removeprefix("Bearer "),
                body=body,
                lag=fault.lag,
                twin=fault.twin,
            )
            response = await self._answer(call, entry, fault)
        else:
            response = error(429, "Too many requests")
        response.headers.update(headers)
        entry.status = None if isinstance(response, Hangup) else response.status_code
        entry.answered_at = time.time()
        return response

    async def _answer(self, call: ApiCall, entry: Logged, fault: Fault) -> Response:
        """The true answer, unless the fault has another."""
        response = error(500, "Not processed")
        if fault.process is True:
            response = await self._process(call, entry)
        elif fault.process is not False:
            processing = _later(fault.process, self._process(call, entry))
            task = asyncio.create_task(processing)
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        await asyncio.sleep(fault.delay)
        if fault.without and isinstance(response, Json):
            response = response.without(fault.without)
        match fault.answer:
            case None:
                return response
            case "cut":
                return Cut(response)
            case "reset" | "close":
                return Hangup(reset=fault.answer == "reset")
            case dict() as answer:
                return _made_up(answer)
            case unknown:
                return error(500, f"No such answer: {unknown}")

    async def _process(self, call: ApiCall, entry: Logged) -> Response:
        entry.processed = True
        return await self.api.answer(call)

    def _limit_headers(self, now: float, *, admitted: bool) -> dict[str, str]:
        limiter, wanted = self.limiter, self.options.headers
        headers: dict[str, str] = {}
        wait = limiter.reset_in(now)
        if not admitted and "retry-after" in wanted:
            headers["Retry-After"] = str(math.ceil(wait))
        if not admitted and "retry-after-date" in wanted:
            # A date has whole seconds; one is added so that it is never too early.
            when = datetime.now(UTC) + timedelta(seconds=wait + 1)
            headers["Retry-After"] = format_datetime(when, usegmt=True)
        return headers


async def _later(seconds: float, processing: Coroutine[Any, Any, Response]) -> Response:
    await asyncio.sleep(seconds)
    return await processing


async def _json(request: Request) -> Any:
    with contextlib.suppress(ValueError):
        return await request.json()
    return None


def _made_up(answer: dict[str, Any]) -> Response:
    body, headers = answer.get("body", ""), answer.get("headers", {})
    if isinstance(body, str):
        return Response(body, answer["status"], headers)
    return JSONResponse(body, answer["status"], headers)
