"""Whatever the environment: an exit code of the contract, no traceback, no secret."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.onboarding import existing, hub
from tests.support.process import HANG, door, environment_with
from tests.support.world import MakeWorld

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's"),
]
ONBOARD = [sys.executable, "-m", "cloudcraft_onboard"]
MIB = 1024 * 1024


def limit(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


def close(*descriptors: int) -> Callable[[], None]:
    def closing() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return closing


def full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def gone() -> None:
    folder = f"/tmp/gone-{os.getpid()}"
    Path(folder).mkdir()
    os.chdir(folder)
    Path(folder).rmdir()


ODD: dict[str, tuple[Callable[[], None] | None, dict[str, str | None]]] = {
    "stdin closed": (close(0), {}),
    "stdout closed": (close(1), {}),
    "stderr closed": (close(2), {}),
    "all closed": (close(0, 1, 2), {}),
    "stdout full": (full, {}),
    "no folder": (gone, {}),
    "few descriptors": (limit(resource.RLIMIT_NOFILE, 16), {}),
    "very few descriptors": (limit(resource.RLIMIT_NOFILE, 8), {}),
    "no file may grow": (limit(resource.RLIMIT_FSIZE, 0), {}),
    "little memory": (limit(resource.RLIMIT_AS, 300 * MIB), {}),
    "no home": (None, {"HOME": None}),
    "home is a file": (None, {"HOME": "/etc/passwd"}),
    "no temporary folder": (None, {"TMPDIR": "/nowhere"}),
    "odd locale": (None, {"LC_ALL": "xx_YY.utf-99"}),
    "ASCII": (None, {"PYTHONIOENCODING": "ascii"}),
    "odd terminal": (None, {"TERM": "\x1b[2J", "COLUMNS": "0", "LINES": "-1"}),
    "narrow terminal": (None, {"COLUMNS": "1"}),
    "odd columns": (None, {"COLUMNS": "many"}),
    "odd time zone": (None, {"TZ": "Moon/Sea"}),
    "odd proxy": (None, {"HTTP_PROXY": "::::", "ALL_PROXY": "socks9://x", "NO_PROXY": None}),
    "odd certificates": (None, {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/etc/passwd"}),
    "odd AWS config": (None, {"AWS_CONFIG_FILE": "/dev/null/x"}),
    "odd AWS numbers": (None, {"AWS_MAX_ATTEMPTS": "x", "AWS_RETRY_MODE": "y"}),
    "odd AWS address": (None, {"AWS_ENDPOINT_URL": "::", "AWS_REGION": "no where"}),
    "summary in a folder": (None, {"GITHUB_STEP_SUMMARY": "/etc", "GITHUB_ACTIONS": "true"}),
    "summary nowhere": (None, {"GITHUB_STEP_SUMMARY": "/no/where", "GITHUB_ACTIONS": "true"}),
}
MAY_KILL = {"little memory"}
"""Python itself may not get up then."""


@pytest.mark.parametrize("name", ODD)
def test_a_plan_in_an_odd_environment(make_world: MakeWorld, tmp_path: Path, name: str) -> None:
    world = make_world(hub(1) if "AWS" in name else existing(3))
    prepare, environment = ODD[name]
    manifest = tmp_path / "manifest.yaml"
    report = tmp_path / "r.json"
    # What Python itself sees as it starts needs a real start.
    program = ONBOARD if prepare or name in {"odd locale", "ASCII"} else [door()]
    done = subprocess.run(
        [*program, "plan", str(manifest), "--report", str(report), "--retries", "0"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment_with({**environment, "PYTHONPATH": str(Path.cwd())}),
        preexec_fn=prepare,
        timeout=HANG,
        check=False,
    )
    told = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    if name not in MAY_KILL:
        assert done.returncode in {0, 1, 2, 3}, told
        assert "Traceback" not in told
        assert "bug in onboard" not in told
    assert world.api_key not in told
    assert {request.method for request in world.requests()} <= {"GET"}
    assert report.exists() or done.returncode, told
