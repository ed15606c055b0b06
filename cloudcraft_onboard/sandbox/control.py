"""The initial state of the sandbox, and `/_sandbox/…`, which steers it.

These requests are neither limited nor logged, and locked (`door.py`) unless they were asked for.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shlex
import shutil
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudcraft_onboard.model import SSO_CACHE
from cloudcraft_onboard.sandbox.aws import LocalAws, make_user
from cloudcraft_onboard.sandbox.cloudcraft import LocalCloudcraft
from cloudcraft_onboard.sandbox.door import Door
from cloudcraft_onboard.sandbox.faults import Fault
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.portal import REGION, cache_name, start_url
from cloudcraft_onboard.sandbox.seed import CLOUDCRAFT_ACCOUNT
from cloudcraft_onboard.sandbox.shapes import Seed, SeedUser, allow
from cloudcraft_onboard.sandbox.verify import AwsVerifier
from cloudcraft_onboard.settings import DEFAULT_RATE_LIMIT

SEED = TypeAdapter(Seed)
OPTIONS = TypeAdapter(Options)
Keys = dict[str | None, tuple[str, str]]


class Sandbox:
    """Both servers' state, and the AWS config files in `folder`.

    `secret` lets those who know it steer the sandbox; without one, nobody may.
    """

    def __init__(self, folder: Path, secret: str | None) -> None:
        # Of each account's root, whose access key is the account's ID.
        self._root_secret = secrets.token_urlsafe(30)
        self.aws = LocalAws(self._root_secret)
        self._verifier = AwsVerifier(self.aws)
        self.cloudcraft = LocalCloudcraft(self._verifier)
        self.aws_url = self.cloudcraft_url = ""
        self._folder = folder
        self._waiting: set[asyncio.Task[None]] = set()
        control = Starlette(
            routes=[
                Route("/_sandbox/reset", _checked(self._reset), methods=["POST"]),
                Route("/_sandbox/faults", _checked(self._faults), methods=["POST", "DELETE"]),
                Route("/_sandbox/consume", _checked(self._consume), methods=["POST"]),
                Route("/_sandbox/log", _checked(self._log), methods=["GET"]),
                Route("/_sandbox/state", _checked(self._state), methods=["GET", "POST"]),
            ]
        )
        # MiniStack has doors of its own under `/_`, for which nobody has a key.
        self.aws_app = Door(self.aws)
        self.cloudcraft_app = Door(self.cloudcraft, control, secret)

    async def begin(self, body: Any) -> dict[str, str | None]:
        """Start over from `{"options": {...}, "seed": {...}}`; the environment to use it with."""
        options = OPTIONS.validate_python(body.get("options", {}))
        seed = SEED.validate_python(body["seed"])
        profiles = [user.profile or "" for user in seed.users]
        for name in (*profiles, *(each.session for each in seed.assignments)):
            _check_name(name)
        for task in self._waiting:
            task.cancel()
        self.aws.reset()
        own = SeedUser(profile="cloudcraft", account_id=CLOUDCRAFT_ACCOUNT, policy=allow("sts:*"))
        self._verifier.aim(self.aws_url, *await make_user(own))
        keys = await self.aws.fill(seed)
        self.aws.portal.reset(options, seed.assignments)
        self.cloudcraft.reset(options, seed)
        address = urlsplit(self.cloudcraft_url)
        return {
            "CLOUDCRAFT_API_KEY": self.cloudcraft.api.key,
            "CLOUDCRAFT_BASE_URL": self.cloudcraft_url,
            "CLOUDCRAFT_RATE_LIMIT": _told(options.rate_limit),
            # Datadog's SDK for Python reads these three.
            "CLOUDCRAFT_PROTOCOL": address.scheme,
            "CLOUDCRAFT_HOST": address.hostname,
            "CLOUDCRAFT_PORT": str(address.port),
            "AWS_ENDPOINT_URL": self.aws_url,
            **self._write_config(keys, self._sign_in(seed)),
        }

    def _sign_in(self, seed: Seed) -> list[str]:
        """The sections of the IAM Identity Center sessions, whose tokens are cached."""
        cache = self._folder / "sso-cache"
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        sections = []
        for name in dict.fromkeys(each.session for each in seed.assignments):
            url = start_url(self.aws_url, name)
            if name not in seed.signed_out:
                token = json.dumps(self.aws.portal.sign_in(name, url))
                (cache / cache_name(name)).write_text(token, encoding="utf-8")
            sections.append(
                f"[sso-session {shlex.quote(name)}]\nsso_region = {REGION}\n"
                f"sso_start_url = {url}\nsso_registration_scopes = sso:account:access\n"
                f"{SSO_CACHE} = {cache}\n"
            )
        return sections

    def _write_config(self, keys: Keys, sessions: list[str]) -> dict[str, str]:
        """The AWS config of this world; the variables that name it."""
        config, credentials = sessions, []
        for profile, (access_key, secret) in keys.items():
            section = f"profile {profile}" if profile else "default"
            config.append(f"[{section}]\nregion = us-east-1\n")
            credentials.append(
                f"[{profile or 'default'}]\naws_access_key_id = {access_key}\n"
                f"aws_secret_access_key = {secret}\n"
            )
        files = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials}
        for name, sections in files.items():
            (self._folder / name.lower()).write_text("\n".join(sections), encoding="utf-8")
        return {name: str(self._folder / name.lower()) for name in files}

    async def _reset(self, request: Request) -> Any:
        """Start over."""
        return await self.begin(await request.json())

    async def _faults(self, request: Request) -> Any:
        """Add faults, `[{...}, ...]`, or let nothing more go wrong."""
        if request.method == "DELETE":
            self.cloudcraft.faults.clear()
        else:
            for fault in [Fault(**item) for item in await request.json()]:
                self.cloudcraft.faults.add(fault)
        return {"left": self.cloudcraft.faults.left}

    async def _consume(self, request: Request) -> Any:
        """Another client's requests, `{"requests": N, "delay": SECONDS from now}`."""
        body = await request.json()

        async def send() -> None:
            await asyncio.sleep(body.get("delay", 0))
            self.cloudcraft.consume(body["requests"])

        if body.get("delay"):
            task = asyncio.create_task(send())
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        else:
            await send()
        return {}

    async def _log(self, _: Request) -> Any:
        """Every request since the last reset."""
        return [asdict(entry) for entry in self.cloudcraft.log]

    async def _state(self, request: Request) -> Any:
        """What Cloudcraft holds; a POST replaces its accounts or teams."""
        cloudcraft, api = self.cloudcraft, self.cloudcraft.api
        if request.method == "POST":
            body = await request.json()
            api.accounts = body.get("accounts", api.accounts)
            api.teams = body.get("teams", api.teams)
        return {
            "accounts": api.accounts,
            "teams": api.teams,
            "faults_left": cloudcraft.faults.left,
            "late": cloudcraft.late,
            "read_only_key": api.read_only_key,
            "root_secret": self._root_secret,
            "options": asdict(cloudcraft.options),
        }


def _check_name(name: str) -> None:
    """A line break would let a name write lines of its own into the AWS config."""
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in name):
        raise ValueError(f"{name!r} is not a name for the AWS config")


def _checked(
    handler: Callable[[Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer JSON, and what cannot be understood with a 400 that says why."""

    async def handle(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except (KeyError, TypeError, ValueError) as problem:
            return JSONResponse({"error": repr(problem)}, 400)

    return handle


def _told(limit: str) -> str:
    """What clients are told of the rate limit: one that Cloudcraft documents they find out."""
    return DEFAULT_RATE_LIMIT if limit in DEFAULT_RATE_LIMIT.split(",") else limit
