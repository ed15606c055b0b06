"""AWS or Cloudcraft out of reach: at the start nothing is changed, later nothing is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

import pytest

from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import AT_ONCE, onboard, program, tell
from tests.support.world import MakeWorld, SandboxWorld


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, nor can: it is taken."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A port where connections are taken and never answered."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


def test_cloudcraft_refuses_connections(
    make_world: MakeWorld, tmp_path: Path, closed_port: int
) -> None:
    world = make_world(hub(2))
    ended = onboard(
        tmp_path / "run",
        *("run", tmp_path / "manifest.yaml", "--retries", 1),
        CLOUDCRAFT_BASE_URL=f"http://127.0.0.1:{closed_port}",
    )
    assert ended.code == 3
    assert "Cannot reach Cloudcraft at 127.0.0.1" in ended.stderr
    assert ended.report is None
    assert "hint: " in ended.stderr
    nothing_was_made(world)


def test_cloudcraft_hangs(make_world: MakeWorld, tmp_path: Path, hanging_port: int) -> None:
    world = make_world(hub(1))
    ended = onboard(
        tmp_path / "run",
        *("plan", tmp_path / "manifest.yaml", "--retries", 0, "--timeout", 2),
        CLOUDCRAFT_BASE_URL=f"http://127.0.0.1:{hanging_port}",
    )
    tell(f"{ended.seconds:.2f} s with --timeout 2")
    assert ended.code == 3
    assert "within 2 s" in ended.stderr
    assert ended.seconds < AT_ONCE  # a hang guard
    nothing_was_made(world)


@pytest.mark.parametrize("name", ["CLOUDCRAFT_BASE_URL", "AWS_ENDPOINT_URL"])
def test_a_name_that_does_not_resolve(make_world: MakeWorld, tmp_path: Path, name: str) -> None:
    world = make_world(hub(1))
    ended = onboard(
        tmp_path / "run",
        *("run", tmp_path / "manifest.yaml", "--retries", 0),
        **{name: "https://no-such-host.invalid"},
    )
    assert ended.code == 3
    assert "no-such-host.invalid" in ended.stderr
    assert world.requests("POST") == []


def test_aws_refuses_connections(make_world: MakeWorld, tmp_path: Path, closed_port: int) -> None:
    world = make_world(hub(2))
    ended = onboard(
        tmp_path / "run",
        *("run", tmp_path / "manifest.yaml", "--retries", 1),
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{closed_port}",
    )
    assert ended.code == 3
    assert ended.report is None
    assert "hint: " in ended.stderr
    nothing_was_made(world)


def nothing_was_made(world: SandboxWorld) -> None:
    assert world.requests("POST") == []
    names = [r["RoleName"] for r in world.iam("300000000001").list_roles()["Roles"]]
    assert "cloudcraft" not in names


def test_a_short_outage_of_cloudcraft_costs_only_time(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(4))
    match = {"times": -1, "path": "aws/account"}
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        world.fault(faults.reset(processed=False, skip=2, **match))
        running.wait_until(lambda: len(world.requests()) > 4, "the outage")
        time.sleep(0.5)
        world.calm()
        ended = running.wait()
    assert (ended.code, ended.outcomes) == (0, ["created"] * 4)
    assert len(world.registered) == len(set(world.registered)) == 4


def test_a_long_outage_of_cloudcraft_leaves_accounts_pending(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(4))
    world.fault(faults.reset(processed=False, skip=2, times=-1, path="aws/account"))
    arguments = ("run", tmp_path / "manifest.yaml", "--retries", 1)
    ended = onboard(tmp_path / "run", *arguments)
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 4)
    assert all("Could not check" in note for note in ended.notes())
    world.calm()
    assert onboard(tmp_path / "run", *arguments).code == 0
    assert len(world.registered) == 4


def test_cloudcraft_that_goes_away_for_good(make_world: MakeWorld, tmp_path: Path) -> None:
    """Nobody listens any more after the first two reads: connections are refused."""
    world = make_world(existing(4))
    with Relay(world.cloudcraft_url, answers=2) as relay:
        ended = onboard(
            tmp_path / "run",
            *("run", tmp_path / "manifest.yaml", "--retries", 1),
            CLOUDCRAFT_BASE_URL=relay.url,
        )
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 4)
    assert any("Cannot reach Cloudcraft" in note for note in ended.notes())
    assert world.requests("POST") == []


class Relay:
    """A port in front of another that listens for a number of connections only."""

    def __init__(self, url: str, *, answers: int) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._upstream = (host, int(port))
        self._answers = answers
        self._server = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _serve(self) -> None:
        for _ in range(self._answers):
            client, _ = self._server.accept()
            with client, socket.create_connection(self._upstream) as upstream:
                upstream.sendall(client.recv(65536))
                while data := upstream.recv(65536):
                    client.sendall(data)
        self._server.close()


def test_a_short_outage_of_aws_costs_only_time(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(hub(3))
    for call in ("AssumeRole", "GetRole", "CreateRole", "AttachRolePolicy"):
        aws_proxy.trouble(call, kind="drop", times=2)
    aws_proxy.trouble("CreateRole", kind="lost", times=1)
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--settle", 0)
    assert (ended.code, ended.outcomes) == (0, ["created"] * 3)
    assert len(world.registered) == 3


def test_a_long_outage_of_aws_leaves_accounts_pending(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(hub(4))
    aws_proxy.trouble("CreateRole", kind="drop")
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 0, "--retries", 1)
    ended = onboard(tmp_path / "run", *arguments)
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 4)
    assert all(account["error"] is None for account in ended.accounts)
    # Each account once, once again, and the same in another round.
    assert aws_proxy.calls["CreateRole"] == 16
    assert all("Run the same command again" in note for note in ended.notes())
    aws_proxy.calm()
    assert onboard(tmp_path / "run", *arguments).code == 0
    assert len(world.registered) == 4
