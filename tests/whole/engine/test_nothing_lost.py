"""What was done is reported, whatever happens to the machine, the system or AWS meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import HANG, onboard, program, tell, time_budget
from tests.support.world import MakeWorld


def test_a_machine_that_slept_beyond_the_budget_reports_what_was_done(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(9), rate_limit="4/4")
    budget = time_budget(tmp_path / "manifest.yaml", 9)
    arguments = (tmp_path / "manifest.yaml", "--time-budget", f"{budget}s")
    with program(tmp_path / "run", "run", *arguments) as running:
        running.wait_until(lambda: len(world.registered) >= 2, "the first registrations")
        running.send(signal.SIGSTOP)
        time.sleep(budget)
        running.send(signal.SIGCONT)
        ended = running.wait()
    assert ended.code == 1, ended.stderr
    told = {account["account_id"]: account for account in ended.accounts}
    for account_id in world.registered:
        assert told[account_id]["cloudcraft_id"], told[account_id]
        assert told[account_id]["outcome"] == "created"
        assert "register" in told[account_id]["actions"]
    assert set(ended.outcomes) == {"created", "pending"}


def test_a_hang_in_aws_does_not_hide_what_was_done_before_it(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    make_world(hub(2))
    aws_proxy.trouble("AttachRolePolicy", kind="slow", delay=300.0)
    budget = time_budget(tmp_path / "manifest.yaml", 4)
    arguments = (tmp_path / "manifest.yaml", "--time-budget", f"{budget}s")
    ended = onboard(tmp_path / "run", "run", *arguments)
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 2)
    assert [account["actions"] for account in ended.accounts] == [["create-role"]] * 2


@pytest.mark.parametrize("call", ["AssumeRole", "AttachRolePolicy"])
def test_a_throttled_account_gets_another_round(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path, call: str
) -> None:
    world = make_world(hub(1))
    throttled = {"status": 400, "code": "Throttling", "message": "Rate exceeded"}
    aws_proxy.trouble(call, **throttled, times=2)  # and the SDK's own second try
    arguments = (tmp_path / "manifest.yaml", "--retries", 1, "--settle", 0)
    ended = onboard(tmp_path / "run", "run", *arguments)
    assert (ended.code, ended.outcomes) == (0, ["created"]), ended.stderr
    assert ended.accounts[0]["actions"] == ["create-role", "attach-policy", "register"]
    assert len(world.registered) == 1


@pytest.mark.parametrize(
    ("limits", "enough"),
    [
        # With so large a stack each, only about ten threads get one; memory is left.
        pytest.param("ulimit -s 131072 -v 2560000", True, id="few threads"),
        pytest.param("ulimit -v 1024000", True, id="less memory"),
        pytest.param(
            "ulimit -v 716800",
            False,
            id="little memory",
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 13), reason="without memory, Python 3.13.0 itself crashes"
            ),
        ),
    ],
)
def test_a_system_that_gives_few_threads_or_little_memory_costs_time_only(
    make_world: MakeWorld, tmp_path: Path, limits: str, *, enough: bool
) -> None:
    world = make_world(hub(12), latency=0.2)
    program_itself = [
        sys.executable,
        "-m",
        "cloudcraft_onboard",
    ]  # no warnings, which need memory, too
    limited = ["bash", "-c", f'{limits}; exec "$@"', "bash", *program_itself]
    report = tmp_path / "results.json"
    arguments = ["run", tmp_path / "manifest.yaml", "--settle", 0, "--report", report]
    ended = subprocess.run(
        [*limited, *map(str, arguments)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    tell(f"{limits}: exit {ended.returncode}, {ended.stderr[-300:]}")
    for word in ("bug in onboard", "Traceback (most recent call last):\n  File", "Fatal Python"):
        assert word not in ended.stderr, ended.stderr
    told = json.loads(report.read_text(encoding="utf-8"))["accounts"] if report.exists() else []
    done = {a["account_id"] for a in told if a["outcome"] == "created"}
    assert done == set(world.registered)
    assert ended.returncode in (0, 1, 3)
    if enough:
        assert ended.returncode == 0, ended.stderr
