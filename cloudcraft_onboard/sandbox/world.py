"""A local AWS and a local Cloudcraft in a child process, and the environment that points there."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any, Self

from cloudcraft_onboard.errors import CannotStart, UsageError
from cloudcraft_onboard.model import Manifest
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.seed import seed

NEEDED = ("ministack", "hypercorn", "starlette")
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
    "AWS_ENDPOINT_URL_STS",
    "CLOUDCRAFT_API_KEY_FILE",
)


class World:
    """Both servers. `env` is to be set, `unset` to be removed, for a program to find them."""

    def __init__(self, process: subprocess.Popen[str], aws_url: str, cloudcraft_url: str) -> None:
        self._process = process
        self.aws_url = aws_url
        self.cloudcraft_url = cloudcraft_url
        self.env: dict[str, str] = {}
        self.unset = UNSET

    @property
    def pid(self) -> int:
        """The child's process ID."""
        return self._process.pid

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call `/_sandbox/PATH`; the parsed answer."""
        import httpx  # noqa: PLC0415 - imported by those who use it only

        # Loopback is never reached through a proxy of the environment.
        with httpx.Client(trust_env=False, timeout=120) as client:
            answer = client.request(method, f"{self.cloudcraft_url}/_sandbox/{path}", json=body)
        if answer.is_error:
            raise ValueError(f"{method} {path}: {answer.text}")
        return answer.json()

    def reset(self, manifest: Manifest | None = None, options: Options | None = None) -> None:
        """Begin anew, as the manifest says; `env` changes with it."""
        options = options or Options()
        beginning = asdict(seed(manifest, options.external_id))
        told = self.control("POST", "reset", {"options": asdict(options), "seed": beginning})
        self.env = {**told, **SETTLED}

    @property
    def alive(self) -> bool:
        """Whether the servers are still there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the child and everything it holds; harmless to repeat."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    manifest: Manifest | None = None,
    *,
    rate_limit: str = "20/60",
    propagation_seconds: float = 5,
    options: Options | None = None,
) -> World:
    """Start both servers, seeded from the manifest (`seed.py` says how).

    `options` replaces the two settings before it. Raises `UsageError` when the extra is not
    installed, `CannotStart` when the servers don't come up.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The sandbox needs packages that are not installed: {', '.join(missing)}.",
            hint="pip install 'cloudcraft-onboard[sandbox]'",
        )
    with tempfile.TemporaryFile("w+") as errors:
        world = _spawn(errors)
    try:
        world.reset(
            manifest,
            options or Options(rate_limit=rate_limit, propagation_seconds=propagation_seconds),
        )
    except BaseException:
        world.stop()
        raise
    return world


def _spawn(errors: IO[str]) -> World:
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
    assert process.stdout  # noqa: S101 - it is piped, for the type checker
    try:
        told = json.loads(process.stdout.readline() or "{}")
        return World(process, told["aws"], told["cloudcraft"])
    except BaseException as problem:
        process.kill()
        process.communicate()
        if isinstance(problem, KeyError):
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["it said nothing"])[-1]
            raise CannotStart(f"The sandbox did not start: {last}") from None
        raise


def _child_env() -> dict[str, str]:
    """The child sees nothing of the user's AWS or Cloudcraft; MiniStack is set by variables."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "AUTH": "true",
        "LOG_LEVEL": "CRITICAL",
        "SERVICES": "iam,sts,organizations",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
