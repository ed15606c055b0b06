"""What every test lives in: no network, none of this machine's settings, nothing left behind."""

from __future__ import annotations

import gc
import ipaddress
import itertools
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from cloudcraft_onboard.show import logs
from tests.support.groups import Scheduling
from tests.support.programs import UNTESTED

# No test asserts how long anything takes, on a busy machine neither. Examples are the same in each
# run, so that none depends on luck; others are tried each week.
settings.register_profile(
    "house",
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", settings.get_profile("house"), max_examples=10)
settings.register_profile(
    "weekly", settings.get_profile("house"), max_examples=500, derandomize=False
)
settings.load_profile("house")

USERS_OWN = ("AWS_", "CLOUDCRAFT_", "BOTO_", "SSL_CERT_", "REQUESTS_CA_")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Run groups as the suite's are; whoever asks for another distribution gets it."""
    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_finish() -> None:
    """What was imported and collected stays: nobody looks for garbage in it again."""
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """The last lines say what was not tested for want of a program, and how to get it."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2].removeprefix("Skipped: ") for report in skipped}):
        if UNTESTED in reason:
            terminalreporter.write_line(reason, yellow=True, bold=True)


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


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One new folder after another: pytest's own way looks through all that there are each time."""
    return _folders(tmp_path_factory.mktemp("homes"))


def _folders(parent: Path) -> Iterator[Path]:
    for number in itertools.count():
        folder = parent / str(number)
        folder.mkdir()
        yield folder


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> None:
    home = next(homes)
    for name in os.environ:
        if name.startswith(USERS_OWN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
