"""Output that nobody reads: neither work nor reports, neither a signal nor a budget waits."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.nursery import Forked, nursery
from tests.support.onboarding import existing
from tests.support.process import AT_ONCE, HANG, tell, time_budget
from tests.support.schemas import accounts_of, read_lines
from tests.support.terminal import onboard_tty
from tests.support.world import MakeWorld

TINY = 4096  # bytes, the least that a pipe can hold
MANY = 60  # accounts, of which progress and results fill that


@contextmanager
def unread(*arguments: object, streams: str) -> Iterator[tuple[Forked, int]]:
    """A program whose `streams`, such as "12", go into a full pipe, and the pipe's other end."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, TINY)
    nothing = os.open(os.devnull, os.O_RDWR)
    where = [nothing, *(writing if number in streams else nothing for number in "12")]
    running = nursery().start([*map(str, arguments)], os.environ, where)
    os.close(nothing)
    os.close(writing)
    try:
        yield running, reading
    finally:
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
        running.wait(HANG)
        os.close(reading)


def wait_for(path: Path) -> dict[str, Any]:
    """The report, as soon as it is there; it is written whole or not at all."""
    until = time.monotonic() + HANG
    while not path.exists():
        assert time.monotonic() < until, "there never was a report"
        time.sleep(0.02)
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def read_all(pipe: int) -> str:
    """What the pipe gives until nobody writes to it any more."""
    with os.fdopen(os.dup(pipe), "rb") as file:
        return file.read().decode()


@pytest.mark.parametrize("noise", [(), ("-v",)], ids=["progress", "logs"])
def test_progress_that_nobody_reads_is_lost_and_nothing_else(
    make_world: MakeWorld, tmp_path: Path, noise: tuple[str, ...]
) -> None:
    world = make_world(existing(MANY))
    path = tmp_path / "results.json"
    arguments = ("run", tmp_path / "manifest.yaml", "--report", path, *noise)
    with unread(*arguments, streams="2") as (running, _pipe):
        assert running.wait(AT_ONCE) == 0
    assert wait_for(path)["summary"]["created"] == MANY
    assert len(world.registered) == MANY


@pytest.mark.parametrize("output", ["table", "json", "jsonl"])
@pytest.mark.parametrize("streams", ["1", "12"])
def test_results_wait_for_a_late_reader_after_the_reports(
    make_world: MakeWorld, tmp_path: Path, streams: str, output: str
) -> None:
    make_world(existing(MANY))
    path = tmp_path / "results.json"
    arguments = ("run", tmp_path / "manifest.yaml", "--report", path, "-o", output)
    with unread(*arguments, streams=streams) as (running, pipe):
        assert wait_for(path)["summary"]["created"] == MANY
        time.sleep(1)
        if output != "table" or streams == "12":  # more than the pipe holds
            assert running.poll() is None
        told = read_all(pipe)
        assert running.wait(HANG) == 0
    if streams == "12":
        assert told.startswith("onboard run"), "progress comes before the results"
        told = told[told.index("+ created" if output == "table" else "{") :]
    match output:
        case "json":
            report, _end = json.JSONDecoder().raw_decode(told)
            assert report["summary"]["created"] == MANY
        case "jsonl":
            lines = [line for line in told.splitlines() if line.startswith("{")]
            assert len(accounts_of(read_lines("\n".join(lines)))) == MANY
        case _:
            assert f"{MANY} accounts: {MANY} created" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("streams", ["1", "2", "12"])
def test_a_signal_ends_it_with_a_report(
    make_world: MakeWorld, tmp_path: Path, streams: str, number: signal.Signals
) -> None:
    world = make_world(existing(MANY), rate_limit=f"{MANY // 2}/600")
    path = tmp_path / "results.json"
    arguments = ("run", tmp_path / "manifest.yaml", "--report", path, "-v", "-o", "json")
    with unread(*arguments, streams=streams) as (running, _pipe):
        until = time.monotonic() + HANG
        while not world.registered and time.monotonic() < until:
            time.sleep(0.02)
        sent = time.monotonic()
        os.kill(running.pid, number)
        assert running.wait(AT_ONCE) == 130
        tell(f"{time.monotonic() - sent:.2f} s from the signal to the end")
    summary = wait_for(path)["summary"]
    assert summary["created"] + summary["pending"] == MANY
    assert summary["pending"]


def test_a_signal_ends_the_wait_for_a_reader(make_world: MakeWorld, tmp_path: Path) -> None:
    make_world(existing(MANY))
    path = tmp_path / "results.json"
    arguments = ("run", tmp_path / "manifest.yaml", "--report", path, "-o", "json")
    with unread(*arguments, streams="12") as (running, _pipe):
        assert wait_for(path)["summary"]["created"] == MANY
        time.sleep(1)
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(AT_ONCE) == 130


def test_so_it_does_for_a_command_that_only_prints() -> None:
    with unread("schema", streams="12") as (running, _pipe):
        with pytest.raises(TimeoutError):
            running.wait(3)
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(AT_ONCE) == 130


@pytest.mark.parametrize("streams", ["1", "2", "12"])
def test_the_budget_holds(make_world: MakeWorld, tmp_path: Path, streams: str) -> None:
    make_world(existing(MANY), rate_limit=f"{MANY // 2}/600")
    path = tmp_path / "results.json"
    budget = time_budget(tmp_path / "manifest.yaml", 4)
    arguments = ("run", tmp_path / "manifest.yaml", "--report", path, "-v", "-o", "json")
    since = time.monotonic()
    with unread(*arguments, "--time-budget", f"{budget}s", streams=streams) as (running, _pipe):
        assert running.wait(AT_ONCE) == 1
    took = time.monotonic() - since
    tell(f"{took:.2f} s of {budget}")
    assert took < 2 * budget  # a busy machine needs longer to begin and to end
    assert wait_for(path)["summary"]["pending"]


def test_a_stopped_terminal_stops_no_run(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(existing(MANY), rate_limit=f"{MANY // 2}/5")
    path = tmp_path / "results.json"
    arguments = ("run", str(tmp_path / "manifest.yaml"), "--report", str(path))
    with onboard_tty(80, 24, *arguments, **world.env) as tty:
        tty.until("onboard run")
        tty.child.send("\x13")  # Ctrl-S
        assert wait_for(path)["summary"]["created"] == MANY
        tty.child.send("\x11")  # Ctrl-Q
        assert tty.to_the_end() == 0
    told = [*tty.scrollback(), *tty.lines()]
    assert any(line.startswith(f"{MANY} accounts: {MANY} created") for line in told)
    assert sum(line.startswith("onboard run") for line in told) == 0, "the live view is gone"
