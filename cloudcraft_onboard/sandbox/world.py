"""A local AWS and a local Cloudcraft in a child process, and the environment that points there."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any, Self

from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import CannotStart, UsageError
from cloudcraft_onboard.installation import command_for_extra
from cloudcraft_onboard.model import Manifest
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.seed import seed

HEADER = "X-Sandbox-Secret"
"""What carries the secret of those who steer the sandbox."""

NEEDED = ("ministack", "hypercorn", "starlette")
_LONGEST_END = 30.0  # seconds, on a machine that is very busy
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH")
SETTLED = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}
UNSET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ENDPOINT_URL_CLOUDFORMATION",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_ORGANIZATIONS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
    "CLOUDCRAFT_API_KEY_FILE",
)


class World:
    """Both servers. `env` is to be set, `unset` to be removed, for a program to find them.

    `secret` steers them further (`control.py`), where that was asked for.
    """

    def __init__(
        self, process: subprocess.Popen[str], told: Mapping[str, Any], secret: str | None
    ) -> None:
        self._process = process
        self.aws_url: str = told["aws"]
        self.cloudcraft_url: str = told["cloudcraft"]
        self.env: dict[str, str] = {**told["env"], **SETTLED}
        self.unset = UNSET
        self.secret = secret

    @property
    def pid(self) -> int:
        """The child's process ID."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the servers are still there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the child and everything it holds; harmless to repeat."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    manifest: Manifest | None = None,
    *,
    rate_limit: str = "20/10",
    propagation_seconds: float = 5,
    options: Options | None = None,
    control: bool = False,
) -> World:
    """Start both servers, seeded from the manifest (`seed.py` says how).

    `options` replaces the two settings before it; `control` lets the caller steer the servers
    further. Raises `UsageError` when the extra is not installed, `CannotStart` when the servers
    don't come up.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The sandbox needs packages that are not installed: {', '.join(missing)}.",
            hint=f"Add them: `{command_for_extra('sandbox')}`.",
        )
    options = options or Options(rate_limit=rate_limit, propagation_seconds=propagation_seconds)
    with tempfile.TemporaryFile("w+") as errors:
        return _spawn(
            errors, beginning(manifest, options), secrets.token_urlsafe() if control else None
        )


def beginning(manifest: Manifest | None, options: Options) -> dict[str, Any]:
    """What a sandbox begins with, as it is told."""
    told = seed(manifest, options.external_id, options.customer_id)
    return {"options": asdict(options), "seed": asdict(told)}


def _spawn(errors: IO[str], wish: Mapping[str, Any], secret: str | None) -> World:
    """The child, once it has said where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cloudcraft_onboard.sandbox"],
        env=_child_env(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,  # Ctrl-C is for the parent, which still needs the servers then
    )
    assert process.stdin  # noqa: S101 - both are piped, for the type checker
    assert process.stdout  # noqa: S101
    try:
        with contextlib.suppress(BrokenPipeError):  # why it has ended already is said below
            process.stdin.write(json.dumps({**wish, "secret": secret}) + "\n")
            process.stdin.flush()
        return World(process, json.loads(process.stdout.readline() or "{}"), secret)
    except BaseException as problem:
        _end(process)
        if isinstance(problem, KeyError):
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["no reason given"])[-1]
            raise CannotStart(f"The sandbox did not start: {sentence(last)}") from None
        raise


def _end(process: subprocess.Popen[str]) -> None:
    """Closing its input ends the child and cleans up its files, as no signal would."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):  # what was not read any more
                pipe.close()
    try:
        process.wait(_LONGEST_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _child_env() -> dict[str, str]:
    """The child sees nothing of the user's AWS or Cloudcraft; MiniStack is set by variables."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "AUTH": "true",
        "LOG_LEVEL": "CRITICAL",
        "SERVICES": "iam,sts,organizations",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
