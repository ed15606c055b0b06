"""The sandbox as tests use it: begin anew, make things go wrong, look at what came of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import httpx

from cloudcraft_onboard.model import Account, Manifest
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import HEADER, SETTLED, World, beginning
from tests.support.process import HANG

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

_SESSION: Any = boto3.Session(region_name="us-east-1")
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of loopback, which speaks no TLS: to read all certificates takes 30 ms each time."""

_MOST_CLIENTS = 30

Beginning = Manifest | Iterable[Account] | str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One line of the log; fields as in `sandbox.cloudcraft.Entry`."""

    at: float
    method: str
    path: str
    account: str
    client: str
    admitted: bool
    processed: bool
    status: int | None
    answered_at: float | None


class Control:
    """What calls `/_sandbox/`, over one connection."""

    def __init__(self, world: World) -> None:
        # Loopback is never reached through a proxy of the environment.
        self._client = httpx.Client(
            base_url=f"{world.cloudcraft_url}/_sandbox/",
            verify=PLAIN,
            trust_env=False,
            timeout=HANG,
            headers={HEADER: str(world.secret)},
        )

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Call `/_sandbox/PATH`; the parsed answer."""
        answer = self._client.request(method, path, json=body)
        if answer.is_error:
            raise ValueError(f"{method} {path}: {answer.text}")
        return answer.json()

    def close(self) -> None:
        self._client.close()


def control(world: World, method: str, path: str, body: Any = None) -> Any:
    """One call of `/_sandbox/PATH`; the parsed answer."""
    with closing(Control(world)) as call:
        return call(method, path, body)


class SandboxWorld:
    """Both servers, shared by all tests of one process and begun anew by each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._control = Control(world)
        self.manifest: Manifest | None = None
        self.front: dict[str, str] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    def begin(self, manifest: Manifest | None, **options: Any) -> None:
        """Forget everything; by default without propagation delay and with a generous limit."""
        settings = {"rate_limit": "1000/1", "propagation_seconds": 0.0, **options}
        self.manifest = manifest
        told = self._control("POST", "reset", beginning(manifest, Options(**settings)))
        self._world.env = {**told, **SETTLED}

    @property
    def env(self) -> dict[str, str]:
        """What points a program at this world, through the proxy if there is one."""
        return {**self._world.env, **self.front}

    @property
    def unset(self) -> tuple[str, ...]:
        return self._world.unset

    @property
    def aws_url(self) -> str:
        return self._world.aws_url

    @property
    def cloudcraft_url(self) -> str:
        return self._world.cloudcraft_url

    @property
    def api_key(self) -> str:
        return self.env["CLOUDCRAFT_API_KEY"]

    @property
    def read_only_key(self) -> str:
        return str(self.state["read_only_key"])

    @cached_property
    def root_secret(self) -> str:
        """The secret of each account's root, whose access key is the account's ID."""
        return str(self.state["root_secret"])

    # --- what goes wrong ------------------------------------------------------------------------

    def fault(self, *faults: dict[str, Any], **fields: Any) -> None:
        """Add faults (`tests.support.faults`), or one made of `sandbox.faults.Fault`'s fields."""
        self._control("POST", "faults", [*faults, *([fields] if fields else [])])

    def calm(self) -> None:
        """Forget the faults that have not happened yet."""
        self._control("DELETE", "faults")

    def consume(self, requests: int, delay: float = 0.0) -> None:
        """Another client uses so much of the quota, `delay` seconds from now."""
        self._control("POST", "consume", {"requests": requests, "delay": delay})

    # --- what came of it ------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Accounts, teams, `faults_left`, `late` (still to be processed), options."""
        state: dict[str, Any] = self._control("GET", "state")
        return state

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """Cloudcraft's accounts, as its API shows them."""
        accounts: list[dict[str, Any]] = self.state["accounts"]
        return accounts

    @accounts.setter
    def accounts(self, accounts: list[dict[str, Any]]) -> None:
        self._control("POST", "state", {"accounts": accounts})

    @property
    def registered(self) -> list[str]:
        """The AWS account IDs that Cloudcraft lists, as often as it lists them, sorted."""
        return sorted(account["roleArn"].split(":")[4] for account in self.accounts)

    def requests(self, method: str = "", path: str = "") -> list[Request]:
        """Requests of our own so far, in the order they came in; `path` is how it ends."""
        return [
            request
            for request in self.log
            if request.client == "key"
            and request.method.startswith(method)
            and request.path.endswith(path)
        ]

    @property
    def log(self) -> list[Request]:
        """All requests, other clients' included."""
        return [Request(**entry) for entry in self._control("GET", "log")]

    @property
    def throttled(self) -> int:
        """How many of our own requests were answered 429 by the limit."""
        return sum(not request.admitted for request in self.requests())

    def busiest(self, seconds: float) -> int:
        """The most requests that came in within any stretch of so many seconds."""
        times = [request.at for request in self.requests()]
        return max(
            (sum(start <= at < start + seconds for at in times) for start in times), default=0
        )

    def kept_to(self, requests: int, seconds: float) -> bool:
        """Whether a limit was kept to, as far as a busy machine can tell.

        One that reads its connections late sees requests of two windows closer together than they
        were sent. What is exact about the pace is tested without a clock, with its `Ledger`.
        """
        return self.busiest(seconds / 2) <= requests

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
        """One request to Cloudcraft, by the key that may write unless another is given."""
        headers = {"Authorization": f"Bearer {key or self.api_key}"}
        with httpx.Client(
            base_url=self.cloudcraft_url, verify=PLAIN, headers=headers, timeout=HANG
        ) as client:
            return client.request(method, path, json=body)

    # --- a look behind the scenes ---------------------------------------------------------------

    def iam(self, account_id: str) -> IAMClient:
        """IAM as the account's root."""
        client: IAMClient = self._client("iam", account_id)
        return client

    def role(self, account_id: str, name: str = "cloudcraft") -> dict[str, Any]:
        """A role as `iam:GetRole` shows it; the trust policy parsed."""
        return dict(self.iam(account_id).get_role(RoleName=name)["Role"])

    def sts(self, account_id: str) -> STSClient:
        """STS as the account's root."""
        client: STSClient = self._client("sts", account_id)
        return client

    def _client(self, service: str, account_id: str) -> Any:
        """One for all calls: to make one takes as long as to use it a few times."""
        if (service, account_id) not in self._clients:
            self._clients[service, account_id] = _SESSION.client(
                service,
                endpoint_url=self.aws_url,
                aws_access_key_id=account_id,
                aws_secret_access_key=self.root_secret,
            )
        return self._clients[service, account_id]

    def tidy(self) -> None:
        """After a test: let go of clients if there are many."""
        if len(self._clients) > _MOST_CLIENTS:
            self._let_go()

    def close(self) -> None:
        """Let go of connections."""
        self._let_go()
        self._control.close()

    def _let_go(self) -> None:
        while self._clients:
            self._clients.popitem()[1].close()


class MakeWorld(Protocol):
    """`make_world(manifest, **options)`: a manifest, accounts, a manifest's text, or nothing."""

    def __call__(self, manifest: Beginning = None, **options: Any) -> SandboxWorld: ...


def written(manifest: Beginning, folder: Path) -> Manifest | None:
    """The manifest that is meant; a text is written to `manifest.yaml` in `folder` and loaded."""
    if manifest is None or isinstance(manifest, Manifest):
        return manifest
    if isinstance(manifest, str):
        from cloudcraft_onboard.manifest.load import load  # noqa: PLC0415 - for texts only

        path = folder / "manifest.yaml"
        path.write_text(manifest, encoding="utf-8")
        return load(str(path))
    return Manifest(path="manifest.yaml", accounts=tuple(manifest))
