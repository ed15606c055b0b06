"""Cloudcraft's API as its documentation has it, without rate limit and faults."""

from __future__ import annotations

import asyncio
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from starlette.responses import JSONResponse, Response

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import DIRECT_SOURCE
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.policies import POLICIES
from cloudcraft_onboard.sandbox.seed import CLOUDCRAFT_ACCOUNT
from cloudcraft_onboard.sandbox.shapes import Seed

USER = "5c9b1a4e-2f0d-4b7e-9a53-0d1e8f7c6b11"
SOMEBODY = "9e2d7c10-8a44-4d0b-b1c6-77f3a2e5d902"
MEMBER = {
    "id": "0b6f7c1e-55d3-4a0e-8f0a-6a1d3c2b9e47",
    "role": "owner",
    "userId": USER,
    "name": "Sandbox",
    "email": "sandbox@example.com",
    "mfaEnabled": False,
}
ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/[\w+=,.@/-]+")
NO_CONTENT = 204


class Json(JSONResponse):
    """A JSON answer whose keys can be left out again."""

    def __init__(self, content: Any, status_code: int = 200) -> None:
        super().__init__(content, status_code)
        self.content = content

    def without(self, keys: tuple[str, ...]) -> Json:
        """The same answer without these keys."""
        kept = {key: value for key, value in self.content.items() if key not in keys}
        return Json(kept, self.status_code)


def error(status: int, text: str) -> Response:
    """An error as Cloudcraft words it."""
    return Json({"error": text}, status)


@frozen
class ApiCall:
    """One request, as far as the API needs it. `lag` and `twin` are a fault's (`faults.py`)."""

    method: str
    path: str
    key: str
    body: Any = None
    lag: float = 0.0
    twin: str = ""


class RoleCheck(Protocol):
    """How Cloudcraft checks an account."""

    async def assumes(
        self, role_arn: str, *, region: str, external_id: str, min_age: float
    ) -> bool:
        """Whether the role can be assumed, by a trust that old at least."""


Handler = Callable[..., Awaitable[Response]]


class Api:
    """One state of Cloudcraft: its keys, accounts and teams."""

    def __init__(self, options: Options, verifier: RoleCheck, seed: Seed | None = None) -> None:
        self.key = secrets.token_urlsafe(33)
        self.read_only_key = secrets.token_urlsafe(33)
        self.accounts: list[dict[str, Any]] = []
        self.teams: list[dict[str, Any]] = []
        self._options = options
        self._verifier = verifier
        self._routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", r"/aws/account/iamParameters", self._parameters),
            ("GET", r"/aws/account/iamParameters/policy/(minimal|custom)", self._policy),
            ("GET", r"/aws/account", self._list),
            ("POST", r"/aws/account", self._create),
            ("PUT", r"/aws/account/([^/]+)", self._update),
            ("DELETE", r"/aws/account/([^/]+)", self._delete),
            ("GET", r"/team", self._teams),
            ("GET", r"/user/me", self._user),
        )
        if seed:
            self._fill(seed)

    async def answer(self, call: ApiCall) -> Response:
        """Process one request."""
        if call.key not in {self.key, self.read_only_key}:
            return error(401, "Unauthorized")
        if call.key == self.read_only_key and call.method != "GET":
            return error(403, "Forbidden: this API key is read-only")
        for method, pattern, handler in self._routes:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                return await handler(call, *found.groups())
        return error(404, "Not found")

    def account_of(self, path: str, body: Any) -> str:
        """The AWS account that a request is about, as far as it can be told."""
        known = self._find(path.rpartition("/")[2]) or {}
        arn = body.get("roleArn") if isinstance(body, dict) else known.get("roleArn")
        found = ROLE_ARN.fullmatch(str(arn))
        return found[1] if found else ""

    # --- the calls ------------------------------------------------------------------------------

    async def _parameters(self, _: ApiCall) -> Response:
        external_id = self._options.external_id
        return Json(
            {
                "accountId": CLOUDCRAFT_ACCOUNT,
                "externalId": external_id,
                "awsConsoleUrl": "https://console.aws.amazon.com/iam/home?#/roles$new?step=review"
                f"&roleType=crossAccount&accountID={CLOUDCRAFT_ACCOUNT}&externalID={external_id}"
                "&roleName=cloudcraft&policies=arn:aws:iam::aws:policy%2FReadOnlyAccess",
            }
        )

    async def _policy(self, _: ApiCall, kind: str) -> Response:
        return Json(POLICIES[kind])

    async def _list(self, call: ApiCall) -> Response:
        horizon = _iso(datetime.now(UTC) - timedelta(seconds=call.lag))
        accounts = [a for a in self.accounts if not call.lag or a["createdAt"] <= horizon]
        if not accounts and self._options.empty_list == "object":
            return Json({})
        return Json({"accounts": [self._shown(a, listed=True) for a in accounts]})

    async def _create(self, call: ApiCall) -> Response:
        body = call.body
        if problem := _invalid(body):
            return error(400, problem)
        await asyncio.sleep(self._options.latency)
        region = body.get("region") or "us-east-1"
        if not await self._verified(body["roleArn"], region, self._options.external_id):
            return self._unverified()
        made_at = datetime.now(UTC)
        account = self._add(body, made_at, USER)
        if call.twin:
            offset = timedelta(seconds=-1 if call.twin == "older" else 1)
            self._add(body, made_at + offset, SOMEBODY)
        return Json(self._shown(account), self._options.created_status)

    async def _update(self, call: ApiCall, account_id: str) -> Response:
        body, account = call.body, self._find(account_id)
        if account is None:
            return error(404, "Not found")
        if problem := _invalid(body, account):
            return error(400, problem)
        if self._options.verify_updates:
            theirs = self._options.verified_by == "registration"
            external_id = account["externalId"] if theirs else self._options.external_id
            if not await self._verified(body["roleArn"], "us-east-1", external_id):
                return self._unverified()
        account.update(
            name=body["name"],
            roleArn=body["roleArn"],
            readAccess=body.get("readAccess"),
            writeAccess=body.get("writeAccess"),
            updatedAt=_iso(datetime.now(UTC)),
        )
        status = self._options.updated_status
        shown = self._shown(account)
        return Response(status_code=status) if status == NO_CONTENT else Json(shown, status)

    async def _delete(self, _: ApiCall, account_id: str) -> Response:
        account = self._find(account_id)
        if account is None:
            return error(404, "Not found")
        self.accounts.remove(account)
        return Response(status_code=self._options.deleted_status)

    async def _teams(self, _: ApiCall) -> Response:
        return Json({"teams": self.teams} if self._options.teams == "object" else self.teams)

    async def _user(self, _: ApiCall) -> Response:
        return Json({"id": USER, "name": "Sandbox", "email": "sandbox@example.com"})

    # --- helpers --------------------------------------------------------------------------------

    async def _verified(self, role_arn: str, region: str, external_id: str) -> bool:
        if region in self._options.blocked_regions:
            return False
        return await self._verifier.assumes(
            role_arn,
            region=region,
            external_id=external_id,
            min_age=self._options.propagation_seconds,
        )

    def _unverified(self) -> Response:
        return error(self._options.refusal_status, "Unable to verify AWS account")

    def _find(self, account_id: str) -> dict[str, Any] | None:
        return next((a for a in self.accounts if a["id"] == account_id), None)

    def _shown(self, account: dict[str, Any], *, listed: bool = False) -> dict[str, Any]:
        """An account as an answer has it: `source` is where the options want it."""
        wanted = self._options.source
        if wanted == "everywhere" or (listed and wanted == "listed"):
            return account
        return {k: v for k, v in account.items() if k != "source" or v != DIRECT_SOURCE}

    def _add(self, body: Any, made_at: datetime, creator: str) -> dict[str, Any]:
        account = {
            "id": str(uuid.uuid4()),
            "name": body["name"],
            "roleArn": body["roleArn"],
            "externalId": self._options.external_id,
            "readAccess": body.get("readAccess"),
            "writeAccess": body.get("writeAccess"),
            "createdAt": _iso(made_at),
            "updatedAt": _iso(made_at),
            "CreatorId": creator,
            "source": DIRECT_SOURCE,
        }
        self.accounts.append(account)
        return account

    def _fill(self, seed: Seed) -> None:
        """Accounts and teams that have been there for days."""
        long_ago = datetime.now(UTC) - timedelta(days=100)
        for minute, registration in enumerate(seed.registrations):
            body = {
                "name": registration.name,
                "roleArn": registration.role_arn,
                "readAccess": registration.read_access,
                "writeAccess": registration.write_access,
            }
            account = self._add(body, long_ago + timedelta(minutes=minute), USER)
            account["source"] = registration.source
            if registration.external_id:
                account.update(externalId=registration.external_id, CreatorId=SOMEBODY)
        owner = {"customerId": self._options.customer_id} if self._options.customer_id else {}
        for team in seed.teams:
            self.teams.append(
                {
                    "id": team.id,
                    "name": team.name,
                    "visible": True,
                    "crossOrganizational": False,
                    **owner,
                    "externalSharing": False,
                    "role": "team",
                    "members": [MEMBER],
                    "createdAt": _iso(long_ago),
                    "updatedAt": _iso(long_ago),
                }
            )


def _invalid(body: Any, account: dict[str, Any] | None = None) -> str:
    """What is wrong with the body of a POST or PUT; empty if nothing is.

    What stands in the access lists of the `account` already is right in any case.
    """
    if not isinstance(body, dict):
        return "Body must be a JSON object"
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        return "name is required"
    if not ROLE_ARN.fullmatch(str(body.get("roleArn"))):
        return "roleArn is not valid"
    for key in ("readAccess", "writeAccess"):
        access = body.get(key)
        known = (account or {}).get(key) or []
        if access is not None and not (
            isinstance(access, list)
            and all(item in known or re.match("(team|customer)/", str(item)) for item in access)
        ):
            return f"{key} must be a list of team/ID or customer/ID"
    return ""


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
