"""What every test lives in: no network, none of this machine's settings, nothing left behind."""

from __future__ import annotations

import inspect
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from cloudcraft_onboard.sandbox.world import start
from cloudcraft_onboard.show import logs
from tests.support.aws_proxy import AwsProxy
from tests.support.world import MakeWorld, SandboxWorld, written

if TYPE_CHECKING:
    from tests.support.stacksets import Company

# No test asserts how long anything takes, on a busy machine neither.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

SERVERS = {"_servers", "_moto"}
PROCESSES = {"Tty", "onboard", "program", "pexpect", "start"}
"""What a module that starts programs imports."""
USERS_OWN = ("AWS_", "CLOUDCRAFT_", "BOTO_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server or a process: `make check` leaves it out."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if (
            SERVERS & set(item.fixturenames)
            or PROCESSES & set(vars(item.module))
            or "subprocess" in _names(item.function, vars(item.module), set())
            or item.get_closest_marker("slow")
        ):
            item.add_marker("server")
        if "_moto" in item.fixturenames:  # its imports take seconds: one process is enough
            item.add_marker(pytest.mark.xdist_group("moto"))


def _names(function: Any, module: Mapping[str, Any], seen: set[str]) -> set[str]:
    """The names that a test uses, those of its module's own functions included."""
    for name in inspect.unwrap(function).__code__.co_names:
        if name not in seen:
            seen.add(name)
            helper = module.get(name)
            if isinstance(helper, FunctionType) and helper.__module__ == module["__name__"]:
                _names(helper, module, seen)
    return seen


@pytest.fixture(autouse=True, scope="session")
def _signals_reach_programs() -> None:
    """What is ignored stays so in programs that are started, where no shell may trap it.

    A job in the background is started with SIGINT ignored, one under `nohup` with SIGHUP. A handler
    ends with this program.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True, scope="session")
def _nothing_left_behind() -> Iterator[None]:
    threads = set(threading.enumerate())
    children = _children()
    yield
    left = [t for t in set(threading.enumerate()) - threads if not t.daemon]
    assert not left, "threads are still running"
    assert _children() <= children, "child processes are still running"


def _children() -> set[str]:
    """Process IDs of this process's children, where the system tells them."""
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for file in lists for pid in file.read_text(encoding="ascii").split()}


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A story that runs in this process configures its logs."""
    kept = [
        (logger, logger.handlers, logger.propagate, logger.level)
        for logger in map(logging.getLogger, logs.LOGGERS)
    ]
    yield
    for logger, handlers, propagate, level in kept:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    strayed: list[object] = []

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            if sock.family != socket.AF_UNIX and not _is_loopback(str(address[0])):
                strayed.append(address)
                raise ConnectionRefusedError(f"a test may not connect to {address}")
            return original(sock, address)

        return connect

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not _is_loopback(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    assert not strayed, f"the test tried to leave this machine: {strayed}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in os.environ:
        if name.startswith(USERS_OWN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def _servers() -> Iterator[SandboxWorld]:
    with start(control=True) as world:
        yield SandboxWorld(world)


@pytest.fixture
def make_world(
    _servers: SandboxWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[MakeWorld]:
    """Begin anew: a world seeded from a manifest, and the environment that points at it."""

    def make(manifest: Any = None, **options: Any) -> SandboxWorld:
        _servers.begin(written(manifest, tmp_path), **options)
        for name in _servers.unset:
            monkeypatch.delenv(name, raising=False)
        for name, value in _servers.env.items():
            monkeypatch.setenv(name, value)
        return _servers

    yield make
    _servers.close()


@pytest.fixture
def world(make_world: MakeWorld) -> SandboxWorld:
    """An organization without members, no limits worth mentioning."""
    return make_world()


@pytest.fixture
def aws_proxy(_servers: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """A proxy in front of the local AWS; every world of this test is reached through it."""
    with AwsProxy(_servers.aws_url) as proxy:
        monkeypatch.setattr(_servers, "front", {"AWS_ENDPOINT_URL": proxy.url})
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    from tests.support.stacksets import moto  # noqa: PLC0415 - slow to import, for few tests

    with pytest.MonkeyPatch.context() as patch:
        yield from moto(patch)


@pytest.fixture
def company(
    _moto: str, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    """An organization with CloudFormation's StackSets."""
    from tests.support.stacksets import Company  # noqa: PLC0415 - slow to import, for few tests

    made = Company(_moto, make_world, monkeypatch)
    yield made
    made.close()
