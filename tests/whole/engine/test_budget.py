"""`--time-budget` and `--max-failures`: a run that ends early, knowing why, and what goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.aws_proxy import SCP, AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import AT_ONCE, Exited, onboard, tell, time_budget
from tests.support.world import MakeWorld

GOES_ON = "run the same command again to continue where this run stopped"


def test_it_ends_inside_the_budget_and_the_next_runs_finish(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(30), rate_limit="5/1")
    # One window goes by where the run before has used up its quota, and two more are of use.
    budget = time_budget(tmp_path / "manifest.yaml", 4)
    arguments = ("run", tmp_path / "manifest.yaml", "--time-budget", f"{budget}s")
    registered = []
    for _ in range(30):  # each registers one at least
        ended = onboard(tmp_path / "run", *arguments)
        registered.append(len(world.registered))
        tell(f"{ended.seconds:.2f} s of {budget}, {registered[-1]} registered")
        assert ended.seconds < 1.5 * budget  # a busy machine needs longer to begin and to end
        assert len(set(world.registered)) == len(world.registered)
        if ended.code == 0:
            break
        assert ended.code == 1
        assert "pending" in ended.outcomes
        assert "failed" not in ended.outcomes
        assert GOES_ON in " ".join(ended.stdout.split())
        assert len(registered) < 2 or registered[-1] > registered[-2]
    assert ended.code == 0
    assert len(world.registered) == 30


def test_no_wait_for_a_slot_beyond_the_budget(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(6), rate_limit="5/60")
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--time-budget", "55s")
    tell(f"{ended.seconds:.2f} s of 55")
    assert ended.code == 1
    assert ended.seconds < AT_ONCE  # a window is 60 seconds: nothing to wait for
    # Two reads, two registrations, and the last slot is for the verifying read.
    assert Counter(ended.outcomes) == {"created": 2, "pending": 4}
    assert not ended.notes("created")
    assert len(world.requests()) == 5


@pytest.mark.parametrize("call", ["GetCallerIdentity", "GetRole"])
def test_a_hanging_aws_does_not_exceed_the_budget(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path, call: str
) -> None:
    make_world(hub(2))
    aws_proxy.trouble(call, kind="slow", delay=60.0)
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--time-budget", "3s")
    within_three_seconds(ended)
    assert ended.notes() == {
        "Not finished: the time budget was used up. Run the same command again to continue."
    }


@pytest.mark.parametrize(
    "request_", [faults.READING_PARAMETERS, faults.REGISTERING, {**faults.LISTING, "skip": 1}]
)
def test_a_hanging_cloudcraft_does_not_exceed_the_budget(
    make_world: MakeWorld, tmp_path: Path, request_: faults.Fault
) -> None:
    world = make_world(existing(2))
    world.fault({**faults.hang(60, processed=False), **request_, "times": -1})
    ended = onboard(tmp_path / "run", "run", tmp_path / "manifest.yaml", "--time-budget", "3s")
    within_three_seconds(ended)


def within_three_seconds(ended: Exited) -> None:
    tell(f"{ended.seconds:.2f} s of 3")
    assert ended.seconds < AT_ONCE  # a hang guard
    assert ended.code == 1 or ended.outcomes == ["created"] * 2
    assert set(ended.outcomes) <= {"pending", "created"}


def test_a_role_that_cannot_settle_in_time_waits_for_the_next_run(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(hub(2))
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 90, "--time-budget", "60s")
    ended = onboard(tmp_path / "run", *arguments)
    tell(f"{ended.seconds:.2f} s of 60")
    assert (ended.code, ended.outcomes) == (1, ["pending"] * 2)
    assert ended.seconds < AT_ONCE
    assert "stopping: the time budget" in ended.stderr
    assert world.requests("POST") == []


def test_failures_of_both_stages_count_together(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    there = [
        f'  - {{name: E{number}, account_id: "20000000000{number}", role: {{via: existing}}}}'
        for number in range(9)
    ]
    world = make_world(hub(3, more="\n".join(there)), rate_limit="1/2")
    aws_proxy.deny("CreateRole", SCP, times=2)
    world.fault(
        faults.error(400, "name is not valid", processed=False, **faults.REGISTERING, times=-1)
    )
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 60, "--max-failures", 4)
    ended = onboard(tmp_path / "run", *arguments)
    assert ended.code == 1
    stages = Counter(a["error"]["stage"] for a in ended.accounts if a["error"])
    assert stages["role"] == 2
    assert 2 <= stages["register"] <= 3  # one more may have been in flight
    assert Counter(ended.outcomes) == {
        "failed": stages.total(),
        "pending": 12 - stages.total(),
    }
    assert len(world.requests("POST")) == stages["register"]
    assert "(--max-failures)" in ended.stderr


def test_max_failures_starts_no_new_account(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    make_world(hub(12))
    aws_proxy.deny("CreateRole", SCP)
    arguments = ("run", tmp_path / "manifest.yaml", "--concurrency", 2, "--max-failures", 3)
    ended = onboard(tmp_path / "run", *arguments)
    assert ended.code == 1
    assert 3 <= ended.outcomes.count("failed") <= 4  # two at a time
    assert aws_proxy.calls["AssumeRole"] == ended.outcomes.count("failed")
    (note,) = ended.notes()
    assert note.startswith("Not finished: the run stopped after --max-failures. Run the same")
