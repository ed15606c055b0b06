"""Ctrl-C and SIGTERM in every stage of real runs: what is said, sent and reported after them."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import AT_ONCE, Exited, Program, fresh_program, interrupt, program, tell
from tests.support.world import MakeWorld, SandboxWorld

MARGIN = 0.3  # a request that was under way when the signal came reaches the log a bit later
SIGNALS = [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM")]
HANGING = faults.hang(60, processed=False)
NOT_FINISHED = "Not finished: the run was interrupted. Run the same command again to continue."


def sent_after(world: SandboxWorld, at: float) -> list[str]:
    return [f"{r.method} {r.path}" for r in world.requests() if r.at > at + MARGIN]


def check(ended: Exited, stage: str, *, left: str = "pending") -> None:
    """What holds in whatever stage a run is interrupted."""
    tell(f"{stage}: {ended.seconds:.2f} s from the signal to the end")
    assert ended.code == 130, ended.stderr
    assert ended.seconds < AT_ONCE  # a hang guard; 5 are promised
    assert "stopping: " in ended.stderr
    assert left in ended.stdout
    assert all(a["notes"] for a in ended.accounts if a["outcome"] == "pending")


def test_while_the_first_read_hangs(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(3))
    world.fault({**HANGING, **faults.READING_PARAMETERS})
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: bool(world.requests()), "the first read")
        at, ended = interrupt(running, signal.SIGTERM)
    check(ended, "first read")
    assert set(ended.outcomes) == {"pending"}
    assert ended.notes() == {NOT_FINISHED}
    assert sent_after(world, at) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_while_aws_is_slow(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path, number: int
) -> None:
    world = make_world(hub(12))
    aws_proxy.trouble("CreateRole", kind="slow", delay=1.0)
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 0, "--concurrency", 4)
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: aws_proxy.calls["CreateRole"] == 4, "the first roles")
        at, ended = interrupt(running, number)
    check(ended, "slow AWS")
    assert set(ended.outcomes) == {"pending"}
    # The four calls under way were answered; no account was begun and no further step taken.
    assert (aws_proxy.calls["CreateRole"], aws_proxy.calls["AttachRolePolicy"]) == (4, 0)
    assert aws_proxy.calls["AssumeRole"] == 4
    assert sum(bool(account["actions"]) for account in ended.accounts) == 4
    assert sent_after(world, at) == []


def test_while_aws_hangs(make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path) -> None:
    make_world(hub(6))
    aws_proxy.trouble("GetRole", kind="slow", delay=60.0)
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: aws_proxy.calls["GetRole"] == 6, "the accounts")
        _, ended = interrupt(running)
    check(ended, "hanging AWS")
    assert ended.notes() == {NOT_FINISHED}


def test_while_the_check_of_credentials_hangs(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    world = make_world(hub(2))
    aws_proxy.trouble("GetCallerIdentity", kind="slow", delay=60.0)
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: bool(aws_proxy.calls["GetCallerIdentity"]), "the check")
        _, ended = interrupt(running)
    check(ended, "check of credentials")
    assert ended.notes() == {NOT_FINISHED}
    assert world.requests() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_while_waiting_for_a_slot(make_world: MakeWorld, tmp_path: Path, number: int) -> None:
    world = make_world(existing(8), rate_limit="6/90")
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.registered) == 4, "the first window")
        time.sleep(0.2)
        at, ended = interrupt(running, number)
    check(ended, "waiting for a slot")
    assert ended.outcomes.count("created") == 4
    assert ended.notes() == {"Its role is ready; its registration is queued."}
    # The quota is used up, so nothing could be looked up.
    assert any("not verified" in note for note in ended.notes("created"))
    assert sent_after(world, at) == []


def test_while_a_new_role_settles(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(hub(3))
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 90)
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: made(world, 3), "the roles")
        time.sleep(0.2)
        _, ended = interrupt(running)
    check(ended, "settling")
    assert ended.outcomes == ["pending"] * 3
    assert world.requests("POST") == []


def made(world: SandboxWorld, count: int) -> bool:
    """Whether the roles of `hub(count)` are complete."""
    for number in range(count):
        iam = world.iam(f"{300000000001 + number}")
        try:
            answer = iam.list_attached_role_policies(RoleName="cloudcraft")
        except iam.exceptions.NoSuchEntityException:
            return False
        if not answer["AttachedPolicies"]:
            return False
    return True


@pytest.mark.parametrize(("number", "processed"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_registration_in_flight_is_looked_up(
    make_world: MakeWorld,
    tmp_path: Path,
    number: int,
    processed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    world = make_world(existing(3))
    hanging = faults.hang(60, processed=processed)
    world.fault({**hanging, **faults.REGISTERING, "times": -1})
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.requests("POST")) == 3, "the registrations")
        at, ended = interrupt(running, number)
    check(ended, "POST in flight", left="created" if processed else "pending")
    assert sent_after(world, at) == ["GET /aws/account"]
    assert set(ended.outcomes) == {"created" if processed else "pending"}
    if not processed:
        (note,) = ended.notes()
        assert "answer never came" in note


def test_a_registration_in_flight_stays_pending_without_a_free_slot(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(1), rate_limit="3/60")
    world.fault({**HANGING, **faults.REGISTERING, "process": True})
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: bool(world.requests("POST")), "the registration")
        at, ended = interrupt(running)
    check(ended, "POST in flight, no slot")
    assert ended.outcomes == ["pending"]
    assert "answer never came" in ended.notes().pop()
    assert sent_after(world, at) == []


def test_while_doubts_are_resolved(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(2))
    world.fault(
        faults.reset(processed=True, **faults.REGISTERING, times=-1),
        {**HANGING, **faults.LISTING, "skip": 1},
    )
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.requests("GET", "/aws/account")) == 2, "the look-up")
        at, ended = interrupt(running, signal.SIGTERM)
    check(ended, "resolving doubts")
    assert ended.outcomes == ["pending"] * 2
    assert all("Could not check" in note for note in ended.notes())
    assert [r for r in sent_after(world, at) if r.startswith("POST")] == []


def test_doubts_that_nobody_looked_up_yet(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(2))
    world.fault(faults.reset(processed=True, **faults.REGISTERING, times=-1))
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.registered) == 2, "the registrations")
        at, ended = interrupt(running)
    check(ended, "doubts", left="created")
    assert ended.outcomes == ["created"] * 2
    assert len(world.requests("POST")) == 2
    assert [r for r in sent_after(world, at) if r.startswith("POST")] == []


def test_while_the_verifying_read_hangs(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(3))
    world.fault({**HANGING, **faults.LISTING, "skip": 1})
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.requests("GET", "/aws/account")) == 2, "the read")
        at, ended = interrupt(running, signal.SIGTERM)
    check(ended, "verifying read", left="created")
    assert ended.outcomes == ["created"] * 3  # each POST was answered with an ID
    assert all("not verified" in note for note in ended.notes("created"))
    assert sent_after(world, at) == []


def test_while_a_plan_is_made(make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path) -> None:
    make_world(hub(4))
    aws_proxy.trouble("AssumeRole", kind="slow", delay=60.0)
    with program(tmp_path / "run", "plan", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: bool(aws_proxy.calls["AssumeRole"]), "the first account")
        _, ended = interrupt(running)
    check(ended, "plan")


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_program_is_starting(make_world: MakeWorld, tmp_path: Path, number: int) -> None:
    world = make_world(existing(1))
    with fresh_program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: handles_signals(running, signal.SIGTERM), "the program")
        ended = interrupt(running, number)[1]
    assert ended.code == 130
    assert len(world.requests("POST")) == 0


@pytest.mark.parametrize("part", range(8))
def test_at_any_moment_of_the_start(make_world: MakeWorld, tmp_path: Path, part: int) -> None:
    make_world(existing(1))
    delay = (part + random.random()) * 0.6 / 8  # others in each run of the suite
    with fresh_program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: handles_signals(running, signal.SIGHUP), "the program")
        time.sleep(delay)
        ended = interrupt(running, signal.SIGHUP)[1]
    assert ended.code in {0, 130}  # it may have been done already


def handles_signals(running: Program, number: int) -> bool:
    """Whether the process has a handler of its own for the signal."""
    status = Path(f"/proc/{running.pid}/status").read_text(encoding="ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def test_the_second_signal_ends_at_once(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(2))
    world.fault({**HANGING, **faults.REGISTERING, "times": -1})
    (tmp_path / "run").mkdir()
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.requests("POST")) == 2, "the registrations")
        running.send(signal.SIGINT)
        running.wait_until(lambda: "stopping: " in running.stderr, "the word stopping")
        _, ended = interrupt(running, signal.SIGTERM)
    tell(f"second signal: {ended.seconds:.2f} s")
    assert ended.code == 130
    assert ended.report is None  # the first would have left one
    assert "Stopped at once; reports not yet written are lost." in ended.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"stdout", "stderr"}


def test_after_an_interrupt_the_next_run_goes_on(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(hub(6), latency=0.2)
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 0)
    with program(tmp_path / "run", *arguments) as running:
        running.wait_until(lambda: bool(world.requests("POST")), "the first registration")
        assert interrupt(running)[1].code == 130
    with program(tmp_path / "run", *arguments) as running:
        ended = running.wait()
    assert ended.code == 0
    assert world.registered == [f"{300000000001 + number}" for number in range(6)]
