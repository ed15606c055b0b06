"""Who may talk to the sandbox: no web page, and nobody steers it without its secret."""

from __future__ import annotations

import os
import select
import socket
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import HEADER, beginning, start
from tests.support.process import HANG
from tests.support.world import PLAIN, SandboxWorld, control

CONTROLS = ("reset", "faults", "consume", "log", "state")


@pytest.fixture
def http() -> Any:
    with httpx.Client(verify=PLAIN, trust_env=False, timeout=HANG) as client:
        yield client


def secret_of(world: SandboxWorld) -> str:
    return str(world._world.secret)


@pytest.mark.parametrize("path", CONTROLS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nobody_steers_without_the_secret(
    world: SandboxWorld, http: httpx.Client, path: str, method: str
) -> None:
    url = f"{world.cloudcraft_url}/_sandbox/{path}"
    for headers in ({}, {HEADER: ""}, {HEADER: "None"}, {HEADER: world.api_key}):
        answer = http.request(method, url, headers=headers, json={})
        assert answer.status_code == 403
        assert world.api_key not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.example:80"},
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
def test_no_web_page_steers_even_if_it_knew_the_secret(
    world: SandboxWorld, http: httpx.Client, headers: dict[str, str]
) -> None:
    answer = http.post(
        f"{world.cloudcraft_url}/_sandbox/faults",
        headers={HEADER: secret_of(world), **headers},
        content="[]",
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Origin": "https://a.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"Sec-Fetch-Site": "Cross-Site"},
        {"Sec-Fetch-Site": "none, cross-site"},
        {"Sec-Fetch-Site": ""},
    ],
    ids=str,
)
def test_no_web_page_talks_to_either_server(
    world: SandboxWorld, http: httpx.Client, headers: dict[str, str]
) -> None:
    key = {"Authorization": f"Bearer {world.api_key}"}
    assert http.get(f"{world.cloudcraft_url}/aws/account", headers=key).status_code == 200
    for url in (
        f"{world.cloudcraft_url}/aws/account",
        f"{world.cloudcraft_url}/health",
        f"{world.aws_url}/",
        f"{world.aws_url}/health",
        f"{world.aws_url}/assignment/accounts",
    ):
        answer = http.get(url, headers={**key, **headers})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def presigned(world: SandboxWorld, access_key: str, secret: str, action: str) -> str:
    """What a page can have a browser get, by a link or an image."""
    url = f"{world.aws_url}/?Action={action}&UserName=evil&Version=2010-05-08"
    request = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(access_key, secret), "iam", "us-east-1").add_auth(request)
    return str(request.url)


@pytest.mark.parametrize("access_key", ["100000000001", "test", "000000000000"])
@pytest.mark.parametrize("secret", ["test", "", "None", "secret"])
def test_nobody_can_guess_a_key_of_the_local_aws(
    world: SandboxWorld, http: httpx.Client, access_key: str, secret: str
) -> None:
    for action in ("CreateUser", "ListUsers"):
        answer = http.get(presigned(world, access_key, secret, action))
        assert answer.status_code == 403, answer.text
        unsigned = f"{world.aws_url}/?Action={action}&UserName=evil&Version=2010-05-08"
        for headers in (
            {},
            {"Authorization": "Bearer x"},
            {"Authorization": f"AWS {access_key}:x"},
        ):
            assert http.get(unsigned, headers=headers).status_code == 403
        form = {"Action": action, "UserName": "evil", "X-Amz-Credential": f"{access_key}/1/2/3/4"}
        assert http.post(world.aws_url, data=form).status_code == 403
    assert http.get(presigned(world, access_key, world.root_secret, "ListUsers")).is_success


def test_each_sandbox_has_secrets_of_its_own(world: SandboxWorld) -> None:
    with start(control=True) as other:
        theirs = control(other, "GET", "state")
        assert theirs["root_secret"] != world.root_secret
        assert other.env["CLOUDCRAFT_API_KEY"] != world.api_key
        assert len(theirs["root_secret"]) >= 40


def test_a_refusal_leaves_the_connection_usable(world: SandboxWorld) -> None:
    """It waits for the request's body: a client sends its next request on the same connection."""
    address = urlsplit(world.cloudcraft_url)
    with socket.create_connection((address.hostname, address.port), timeout=HANG) as connection:
        for _ in range(2):
            connection.sendall(
                b"POST /_sandbox/faults HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
            )
            # It must not answer yet; on a slow machine this may miss a fault, never invent one.
            assert not select.select([connection], [], [], 0.2)[0]
            connection.sendall(b"[]")
            answer = HTTPResponse(connection)
            answer.begin()
            assert answer.status == 403
            answer.read()
            assert not answer.will_close


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80"])
def test_programs_of_this_machine_do(world: SandboxWorld, http: httpx.Client, host: str) -> None:
    headers = {"Authorization": f"Bearer {world.api_key}", "Host": host}
    assert http.get(f"{world.cloudcraft_url}/aws/account", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["_ministack/reset", "_ministack/config", "_localstack/health"])
def test_the_local_aws_has_no_other_door(
    world: SandboxWorld, http: httpx.Client, path: str
) -> None:
    for headers in ({}, {HEADER: secret_of(world)}):
        answer = http.post(f"{world.aws_url}/{path}", headers=headers, json={})
        assert answer.status_code == 403


@pytest.mark.parametrize("name", ["x]\ncredential_process = a\n[y", "a\rb", "a\u2028b", "\0"])
def test_a_profiles_name_writes_no_lines_of_its_own(
    world: SandboxWorld, http: httpx.Client, name: str
) -> None:
    body = beginning(None, Options())
    body["seed"]["users"] = [{"profile": name, "account_id": "1" * 12, "policy": {}}]
    before = Path(os.environ["AWS_CONFIG_FILE"]).read_text(encoding="utf-8")
    answer = http.post(
        f"{world.cloudcraft_url}/_sandbox/reset", headers={HEADER: secret_of(world)}, json=body
    )
    assert answer.status_code == 400
    assert Path(os.environ["AWS_CONFIG_FILE"]).read_text(encoding="utf-8") == before


def test_a_sandbox_cannot_be_steered_unless_that_was_asked_for() -> None:
    with start() as local, httpx.Client(verify=PLAIN, trust_env=False, timeout=HANG) as http:
        assert local.secret is None
        for headers in ({}, {HEADER: ""}, {HEADER: "None"}):
            answer = http.get(f"{local.cloudcraft_url}/_sandbox/state", headers=headers)
            assert answer.status_code == 403


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_the_secret_stands_where_nobody_else_can_read_it(world: SandboxWorld) -> None:
    process = Path(f"/proc/{world._world.pid}")
    secret = secret_of(world).encode()
    folder = Path(os.environ["AWS_CONFIG_FILE"]).parent
    written = [path for path in folder.rglob("*") if path.is_file()]
    for file in (process / "cmdline", process / "environ", *written):
        assert secret not in file.read_bytes()
    assert folder.stat().st_mode & 0o077 == 0
    assert not any(secret_of(world) in value for value in world.env.values())
