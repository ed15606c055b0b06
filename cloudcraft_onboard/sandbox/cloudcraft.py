"""The local Cloudcraft: its documented API, its rate limit, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from cloudcraft_onboard.sandbox.answers import Cut, Hangup
from cloudcraft_onboard.sandbox.aws import Receive, Scope, Send
from cloudcraft_onboard.sandbox.faults import Fault, FaultBox
from cloudcraft_onboard.sandbox.limits import WINDOWS, Limiter
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.policies import POLICIES
from cloudcraft_onboard.sandbox.seed import CLOUDCRAFT_ACCOUNT, Seed, SeedRegistration
from cloudcraft_onboard.sandbox.verify import Verifier

USER = "5c9b1a4e-2f0d-4b7e-9a53-0d1e8f7c6b11"
SOMEBODY = "9e2d7c10-8a44-4d0b-b1c6-77f3a2e5d902"
ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/[\w+=,.@/-]+")


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request, for `/_sandbox/log`; times are seconds since the epoch.

    `status` is None for a request that got no answer (yet); `client` is "other" for the quota that
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

    def __init__(self, verifier: Verifier) -> None:
        self.key = secrets.token_urlsafe(33)
        self.read_only_key = secrets.token_urlsafe(33)
        self.faults = FaultBox()
        self.log: list[Entry] = []
        self._verifier = verifier
        self._late: set[asyncio.Task[Response]] = set()
        self.reset(Options())

    def reset(self, options: Options, seed: Seed | None = None) -> None:
        """Begin anew."""
        self.options = options
        self.limiter: Limiter = WINDOWS[options.window](*options.limit)
        self.accounts: list[dict[str, Any]] = []
        self.teams: list[dict[str, Any]] = []
        self.log.clear()
        self.faults.clear()
        for task in self._late:
            task.cancel()
        for number, registration in enumerate(seed.registrations if seed else ()):
            self._seed_account(registration, minutes_ago=10_000 - number)
        for team in seed.teams if seed else ():
            self.teams.append(_team(team.id, team.name))

    def consume(self, requests: int) -> None:
        """Somebody else sends so many requests now."""
        for _ in range(requests):
            admitted = self.limiter.admit(time.monotonic())
            status = 200 if admitted else 429
            self.log.append(
                Entry(client="other", admitted=admitted, status=status, answered_at=time.time())
            )

    @property
    def late(self) -> int:
        """How many requests are still to be processed, their answers sent already."""
        return len(self._late)

    # --- one request ----------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, check, process and answer, or what a fault makes of it."""
        request = Request(scope, receive)
        try:
            body = await _json(request)
        except ClientDisconnect:
            return
        path = request.url.path
        entry = Entry(method=request.method, path=path, account=self._account_of(path, body))
        self.log.append(entry)
        fault = self.faults.take(entry.method, path, entry.account)
        self.consume(fault.consume)
        now = time.monotonic()
        entry.admitted = not fault.limited or self.limiter.admit(now)
        headers = self._limit_headers(now, entry)
        if entry.admitted:
            response = await self._answer(request, body, entry, fault)
        else:
            response = _error(429, "Too many requests")
        response.headers.update(headers)
        entry.status = None if isinstance(response, Hangup) else response.status_code
        entry.answered_at = time.time()
        await response(scope, receive, send)

    async def _answer(self, request: Request, body: Any, entry: Entry, fault: Fault) -> Response:
        processing = self._process(request, body, entry, fault)
        response: Response = _error(500, "Not processed")
        if fault.process is True:
            response = await processing
        elif fault.process is False:
            processing.close()
        else:
            task = asyncio.create_task(_later(fault.process, processing))
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
                return _error(500, f"No such answer: {unknown}")

    async def _process(self, request: Request, body: Any, entry: Entry, fault: Fault) -> Response:
        """The API itself."""
        entry.processed = True
        method = request.method
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in {self.key, self.read_only_key}:
            return _error(401, "Unauthorized")
        if key == self.read_only_key and method != "GET":
            return _error(403, "Forbidden: this API key is read-only")
        parts = request.url.path.strip("/").split("/")
        match method, parts:
            case "GET", ["aws", "account", "iamParameters"]:
                return Json(self._parameters())
            case "GET", ["aws", "account", "iamParameters", "policy", kind] if kind in POLICIES:
                return Json(POLICIES[kind])
            case "GET", ["aws", "account"]:
                return Json(self._list(fault.lag))
            case "POST", ["aws", "account"]:
                return await self._create(body, fault.twin)
            case "PUT", ["aws", "account", account_id]:
                return await self._update(account_id, body)
            case "DELETE", ["aws", "account", account_id]:
                return self._delete(account_id)
            case "GET", ["team"]:
                teams: Any = self.teams
                return Json({"teams": teams} if self.options.teams == "object" else teams)
            case "GET", ["user", "me"]:
                return Json(_user())
        return _error(404, "Not found")

    # --- the calls ------------------------------------------------------------------------------

    def _parameters(self) -> dict[str, Any]:
        external_id = self.options.external_id
        return {
            "accountId": CLOUDCRAFT_ACCOUNT,
            "externalId": external_id,
            "awsConsoleUrl": "https://console.aws.amazon.com/iam/home?#/roles$new?step=review"
            f"&roleType=crossAccount&accountID={CLOUDCRAFT_ACCOUNT}&externalID={external_id}"
            "&roleName=cloudcraft&policies=arn:aws:iam::aws:policy%2FReadOnlyAccess",
        }

    def _list(self, lag: float) -> dict[str, Any]:
        seen = _iso(datetime.now(UTC) - timedelta(seconds=lag)) if lag else None
        accounts = [a for a in self.accounts if seen is None or a["createdAt"] <= seen]
        if not accounts and self.options.empty_list == "object":
            return {}
        return {"accounts": accounts}

    async def _create(self, body: Any, twin: str) -> Response:
        if problem := _invalid(body):
            return _error(400, problem)
        await asyncio.sleep(self.options.latency)
        if not await self._verified(body["roleArn"], body.get("region") or "us-east-1"):
            return _error(self.options.refusal_status, "Unable to verify AWS account")
        made_at = datetime.now(UTC)
        account = self._add(body, made_at, USER)
        if twin:
            offset = timedelta(seconds=-1 if twin == "older" else 1)
            self._add(body, made_at + offset, SOMEBODY)
        return Json(account, self.options.created_status)

    async def _update(self, account_id: str, body: Any) -> Response:
        account = self._find(account_id)
        if account is None:
            return _error(404, "Not found")
        if problem := _invalid(body):
            return _error(400, problem)
        if self.options.verify_updates and not await self._verified(body["roleArn"], "us-east-1"):
            return _error(self.options.refusal_status, "Unable to verify AWS account")
        account.update(
            name=body["name"],
            roleArn=body["roleArn"],
            readAccess=body.get("readAccess"),
            writeAccess=body.get("writeAccess"),
            updatedAt=_iso(datetime.now(UTC)),
        )
        status = self.options.updated_status
        return Response(status_code=204) if status == 204 else Json(account, status)  # noqa: PLR2004 - HTTP's own number

    def _delete(self, account_id: str) -> Response:
        account = self._find(account_id)
        if account is None:
            return _error(404, "Not found")
        self.accounts.remove(account)
        return Response(status_code=204)

    # --- helpers --------------------------------------------------------------------------------

    async def _verified(self, role_arn: str, region: str) -> bool:
        if region in self.options.blocked_regions:
            return False
        return await self._verifier.assumes(
            role_arn,
            region=region,
            external_id=self.options.external_id,
            min_age=self.options.propagation_seconds,
        )

    def _add(self, body: Any, made_at: datetime, creator: str) -> dict[str, Any]:
        account = {
            "id": str(uuid.uuid4()),
            "name": body["name"],
            "roleArn": body["roleArn"],
            "externalId": self.options.external_id,
            "readAccess": body.get("readAccess"),
            "writeAccess": body.get("writeAccess"),
            "createdAt": _iso(made_at),
            "updatedAt": _iso(made_at),
            "CreatorId": creator,
            "source": "aws",
        }
        self.accounts.append(account)
        return account

    def _seed_account(self, registration: SeedRegistration, *, minutes_ago: int) -> None:
        body = {
            "name": registration.name,
            "roleArn": registration.role_arn,
            "readAccess": _listed(registration.read_access),
            "writeAccess": _listed(registration.write_access),
        }
        self._add(body, datetime.now(UTC) - timedelta(minutes=minutes_ago), USER)

    def _find(self, account_id: str) -> dict[str, Any] | None:
        return next((a for a in self.accounts if a["id"] == account_id), None)

    def _account_of(self, path: str, body: Any) -> str:
        """The AWS account that a request is about, as far as it can be told."""
        known = self._find(path.rpartition("/")[2])
        arn = body.get("roleArn") if isinstance(body, dict) else None
        found = ROLE_ARN.fullmatch(str(arn or (known or {}).get("roleArn")))
        return found[1] if found else ""

    def _limit_headers(self, now: float, entry: Entry) -> dict[str, str]:
        limiter, wanted = self.limiter, self.options.headers
        headers = {}
        wait = limiter.reset_in(now)
        remaining = limiter.remaining(now)
        if "ratelimit" in wanted:
            headers |= {
                "RateLimit-Limit": str(limiter.requests),
                "RateLimit-Remaining": str(remaining),
                "RateLimit-Reset": str(_whole(wait)),
                "RateLimit-Policy": f"{limiter.requests};w={limiter.seconds:g}",
            }
        if "x-ratelimit" in wanted:
            headers |= {
                "X-RateLimit-Limit": str(limiter.requests),
                "X-RateLimit-Remaining": str(remaining),
                "X-RateLimit-Reset": str(_whole(time.time() + wait)),
            }
        if not entry.admitted and "retry-after" in wanted:
            headers["Retry-After"] = str(_whole(wait))
        if not entry.admitted and "retry-after-date" in wanted:
            when = datetime.now(UTC) + timedelta(seconds=_whole(wait))
            headers["Retry-After"] = format_datetime(when, usegmt=True)
        return headers


class Json(JSONResponse):
    """A JSON answer whose keys can be left out again."""

    def __init__(self, content: Any, status_code: int = 200) -> None:
        super().__init__(content, status_code)
        self.content = content

    def without(self, keys: tuple[str, ...]) -> Json:
        """The same answer without these keys."""
        kept = {key: value for key, value in self.content.items() if key not in keys}
        return Json(kept, self.status_code)


def _error(status: int, text: str) -> Response:
    return Json({"error": text}, status)


def _made_up(answer: dict[str, Any]) -> Response:
    body, headers = answer.get("body", ""), answer.get("headers", {})
    if isinstance(body, str):
        return Response(body, answer["status"], headers)
    return JSONResponse(body, answer["status"], headers)


def _invalid(body: Any) -> str:
    """What is wrong with the body of a POST or PUT; empty if nothing is."""
    if not isinstance(body, dict):
        return "Body must be a JSON object"
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        return "name is required"
    if not ROLE_ARN.fullmatch(str(body.get("roleArn"))):
        return "roleArn is not valid"
    for key in ("readAccess", "writeAccess"):
        access = body.get(key)
        if access is not None and not (
            isinstance(access, list) and all(str(item).startswith("team/") for item in access)
        ):
            return f"{key} must be a list of team/ID"
    return ""


async def _json(request: Request) -> Any:
    with contextlib.suppress(ValueError):
        return await request.json()
    return None


async def _later(seconds: float, processing: Any) -> Response:
    await asyncio.sleep(seconds)
    return await processing  # type: ignore[no-any-return]


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(seconds: float) -> int:
    """Seconds as headers have them, never too few."""
    return int(seconds) + (seconds % 1 > 0)


def _listed(access: tuple[str, ...] | None) -> list[str] | None:
    return None if access is None else list(access)


def _team(team_id: str, name: str) -> dict[str, Any]:
    made = _iso(datetime.now(UTC) - timedelta(days=100))
    return {
        "id": team_id,
        "name": name,
        "role": "team",
        "visible": True,
        "members": [USER],
        "createdAt": made,
        "updatedAt": made,
    }


def _user() -> dict[str, Any]:
    return {"id": USER, "name": "Sandbox", "email": "sandbox@example.com", "settings": {}}

