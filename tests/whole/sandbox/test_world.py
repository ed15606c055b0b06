"""The child process that holds both servers: how it comes, and that it always goes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.sandbox import world as world_module
from cloudcraft_onboard.sandbox.world import start
from tests.support.process import HANG
from tests.support.world import SandboxWorld

PARENT = """
import json, signal, sys, time
from cloudcraft_onboard.sandbox import world as world_module
from cloudcraft_onboard.sandbox.world import start
world = start()
print(json.dumps({"pid": world.pid, **world.env}), flush=True)
time.sleep(120)
"""


def is_running(pid: int) -> bool:
    """Whether a process that is not ours to wait for still runs."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="ascii")


def gone(pid: int, folder: Path) -> bool:
    deadline = time.monotonic() + HANG
    while (is_running(pid) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid) and not folder.exists()


def test_a_new_world_is_empty(world: SandboxWorld) -> None:
    assert world.accounts == []
    assert world.log == []


def test_stopping_leaves_no_process_and_no_file() -> None:
    with start() as world:
        folder = Path(world.env["AWS_CONFIG_FILE"]).parent
        assert is_running(world.pid)
        assert folder.is_dir()

    assert not is_running(world.pid)
    assert not folder.exists()
    world.stop()  # once more does no harm


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the process in /proc")
@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["kill -9", "TERM", "Ctrl-C"]
)
def test_nothing_is_left_when_the_parent_dies(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout
        told = json.loads(parent.stdout.readline())
        # A terminal sends its signals to the whole group.
        os.killpg(parent.pid, number)
        parent.wait(timeout=HANG)

    assert gone(told["pid"], Path(told["AWS_CONFIG_FILE"]).parent)


def test_a_start_that_is_interrupted_leaves_no_process_and_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[int] = []

    def interrupted(process: subprocess.Popen[str], *_: object) -> NoReturn:
        started.append(process.pid)
        raise KeyboardInterrupt

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(world_module, "World", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert not any(map(is_running, started))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_does_not_reach_the_servers() -> None:
    with start() as world:
        assert os.getpgid(world.pid) != os.getpgid(0)


def test_two_worlds_do_not_know_each_other(world: SandboxWorld) -> None:
    with start() as other:
        assert {other.aws_url, other.cloudcraft_url}.isdisjoint(
            {world.aws_url, world.cloudcraft_url}
        )
        assert other.env["CLOUDCRAFT_API_KEY"] != world.api_key


def test_the_users_own_settings_are_neither_used_nor_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / ".aws"
    config.mkdir()
    for name in ("config", "credentials"):
        (config / name).write_text("[broken\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with start() as world:
        assert {"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} <= set(world.unset)
        assert not set(world.unset) & set(world.env)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        ".aws",
        ".aws/config",
        ".aws/credentials",
    ]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ministack" else find(name)
    )

    with pytest.raises(UsageError, match="ministack") as problem:
        start()
    assert "pip install '.[sandbox]'" in problem.value.hint
    assert "cloudcraft-onboard[sandbox]" not in problem.value.hint  # nobody has published that
