"""The local IAM Identity Center: signing in, and credentials for the accounts that are assigned.

After the API references "IAM Identity Center Portal" and "IAM Identity Center OIDC". Whoever asks
is let in at once; the credentials are MiniStack's, so IAM is enforced behind them.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ministack.core.responses import set_request_account_id
from ministack.services import iam, sts
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.seed import entry_of
from cloudcraft_onboard.sandbox.shapes import SeedAssignment

REGION = "us-east-1"
USER = "you@example.com"
PATHS = (
    "/federation/credentials",
    "/assignment/accounts",
    "/assignment/roles",
    "/logout",
    "/client/register",
    "/device_authorization",
    "/authorize",
    "/token",
)
_REGISTERED = 90 * 24 * 3600.0
_PAGE = 100


@dataclass(kw_only=True)
class _Client:
    """A program that may sign somebody in to `session`."""

    secret: str
    session: str


@dataclass(kw_only=True)
class _Known:
    """What is valid: tokens with session and end, refresh tokens and codes with session."""

    clients: dict[str, _Client] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)


class LocalPortal:
    """An ASGI app for the paths of `PATHS`."""

    def __init__(self) -> None:
        self._options = Options()
        self._assignments: tuple[SeedAssignment, ...] = ()
        self._known = _Known()
        self._app = Starlette(
            routes=[
                Route("/federation/credentials", self._signed_in(self._credentials)),
                Route("/assignment/accounts", self._signed_in(self._accounts)),
                Route("/assignment/roles", self._signed_in(self._roles)),
                Route("/logout", self._logout, methods=["POST"]),
                Route("/client/register", self._register, methods=["POST"]),
                Route("/device_authorization", self._device, methods=["POST"]),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    def reset(self, options: Options, assignments: tuple[SeedAssignment, ...]) -> None:
        """Forget who signed in; from now on these accounts are assigned."""
        self._options = options
        self._assignments = assignments
        self._known = _Known()

    def sign_in(self, session: str, start_url: str) -> dict[str, Any]:
        """A token as the AWS CLI caches it."""
        client_id, client = self._new_client(session)
        given = self._granted(session)
        return {
            "startUrl": start_url,
            "region": REGION,
            "accessToken": given["accessToken"],
            "expiresAt": _utc(time.time() + given["expiresIn"]),
            "clientId": client_id,
            "clientSecret": client.secret,
            "registrationExpiresAt": _utc(time.time() + _REGISTERED),
            "refreshToken": given["refreshToken"],
        }

    # --- the portal -------------------------------------------------------------------------------

    def _signed_in(
        self, answer: Callable[[Request, str], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Only those who have a token that is valid get an answer."""

        async def handle(request: Request) -> Response:
            token = request.headers.get("x-amz-sso_bearer_token", "")
            session, end = self._known.tokens.get(token, ("", 0.0))
            if time.time() >= end:
                return _error(401, "UnauthorizedException", "Session token not found or invalid")
            return answer(request, session)

        return handle

    def _accounts(self, request: Request, session: str) -> Response:
        assigned = [it for it in self._assignments if it.session == session]
        start = int(request.query_params.get("next_token", 0))
        end = start + int(request.query_params.get("max_result", _PAGE))
        listed = [
            {
                "accountId": it.account_id,
                "accountName": it.name,
                "emailAddress": f"aws+{it.account_id}@example.com",
            }
            for it in assigned[start:end]
        ]
        more = {"nextToken": str(end)} if end < len(assigned) else {}
        return JSONResponse({"accountList": listed, **more})

    def _roles(self, request: Request, session: str) -> Response:
        assigned = self._assigned(request, session)
        if assigned is None:
            return _no_access()
        listed = [{"roleName": role, "accountId": assigned.account_id} for role in assigned.roles]
        return JSONResponse({"roleList": listed})

    def _credentials(self, request: Request, session: str) -> Response:
        assigned = self._assigned(request, session)
        role = request.query_params.get("role_name", "")
        if assigned is None or role not in assigned.roles:
            return _no_access()
        end = time.time() + self._options.portal_seconds
        key, secret, token = _session_of(assigned.account_id, entry_of(role), end)
        given = {
            "accessKeyId": key,
            "secretAccessKey": secret,
            "sessionToken": token,
            "expiration": int(end * 1000),
        }
        return JSONResponse({"roleCredentials": given})

    def _assigned(self, request: Request, session: str) -> SeedAssignment | None:
        account_id = request.query_params.get("account_id")
        named = (
            it for it in self._assignments if (it.session, it.account_id) == (session, account_id)
        )
        return next(named, None)

    async def _logout(self, request: Request) -> Response:
        self._known.tokens.pop(request.headers.get("x-amz-sso_bearer_token", ""), None)
        return JSONResponse({})

    # --- signing in (OIDC) ------------------------------------------------------------------------

    async def _register(self, request: Request) -> Response:
        body = await request.json()
        client_id, client = self._new_client(_session(body.get("issuerUrl", "")))
        now = int(time.time())
        return JSONResponse(
            {
                "clientId": client_id,
                "clientSecret": client.secret,
                "clientIdIssuedAt": now,
                "clientSecretExpiresAt": now + int(_REGISTERED),
                "authorizationEndpoint": str(request.url_for("_authorize")),
                "tokenEndpoint": str(request.url_for("_token")),
            }
        )

    async def _device(self, request: Request) -> Response:
        """Somebody at another device is taken to have agreed already."""
        body = await request.json()
        code = self._code(_session(body.get("startUrl", "")))
        shown = body.get("startUrl", "")
        return JSONResponse(
            {
                "deviceCode": code,
                "userCode": "ABCD-EFGH",
                "verificationUri": shown,
                "verificationUriComplete": shown,
                "expiresIn": 600,
                "interval": 1,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        """The page on which a person signs in: straight back to the program that opened it."""
        asked = request.query_params
        client = self._known.clients.get(asked.get("client_id", ""))
        back = asked.get("redirect_uri", "")
        if client is None or not back.startswith("http://127.0.0.1:"):
            return _error(400, "InvalidClientException", "The client is not registered.")
        given = {"code": self._code(client.session), "state": asked.get("state", "")}
        return RedirectResponse(f"{back}?{urlencode(given)}", 302)

    async def _token(self, request: Request) -> Response:
        body = await request.json()
        client = self._known.clients.get(body.get("clientId", ""))
        if client is None or client.secret != body.get("clientSecret"):
            return _error(401, "InvalidClientException", "The client is not registered.")
        grant = body.get("refreshToken") or body.get("deviceCode") or body.get("code") or ""
        session = self._known.grants.pop(grant, None)
        if session is None:
            return _error(400, "InvalidGrantException", "The grant is not valid, or was used.")
        return JSONResponse(self._granted(session))

    def _new_client(self, session: str) -> tuple[str, _Client]:
        client_id = secrets.token_urlsafe(16)
        client = _Client(secret=secrets.token_urlsafe(32), session=session)
        self._known.clients[client_id] = client
        return client_id, client

    def _code(self, session: str) -> str:
        code = secrets.token_urlsafe(32)
        self._known.grants[code] = session
        return code

    def _granted(self, session: str) -> dict[str, Any]:
        token, lasts = secrets.token_urlsafe(48), self._options.token_seconds
        self._known.tokens[token] = (session, time.time() + lasts)
        return {
            "accessToken": token,
            "tokenType": "Bearer",
            "expiresIn": int(lasts),
            "refreshToken": self._code(session),
        }


def start_url(aws_url: str, session: str) -> str:
    """Where people sign in to a session."""
    return f"{aws_url}/start/{session.encode().hex()}"


def cache_name(session: str) -> str:
    """The file of a session's token in the AWS CLI's cache."""
    return f"{hashlib.sha1(session.encode(), usedforsecurity=False).hexdigest()}.json"


def _session(url: str) -> str:
    return bytes.fromhex(url.rpartition("/")[2]).decode()


def _session_of(account_id: str, role: str, end: float) -> tuple[str, str, str]:
    """A session of a role until `end`, as MiniStack's STS makes one: key, secret, token."""
    set_request_account_id(account_id)
    key, secret, token = iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token()  # noqa: SLF001 - nothing public makes them
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role}/{USER}",
            "UserId": f"AROA{role[:16].upper()}:{USER}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": end,
            "AccountId": account_id,
            "PrincipalType": "AssumedRole",
            "SessionTags": [],
            "SessionPolicies": None,
        },
    )
    return key, secret, token


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _no_access() -> Response:
    return _error(403, "ForbiddenException", "No access")


def _error(status: int, kind: str, text: str) -> Response:
    body: Mapping[str, str] = {"message": text, "__type": kind, "error": kind}
    return JSONResponse(body, status, headers={"x-amzn-ErrorType": kind})
