"""Memory and threads stay bounded however many accounts; an embedded sandbox survives Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import resource
import subprocess
import sys
import termios
import time
from contextlib import closing
from io import FileIO
from pathlib import Path

import pytest

from cloudcraft_onboard import defaults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import existing, hub
from tests.support.process import HANG, ONBOARD, Program, environment_with, onboard, program, tell
from tests.support.world import MakeWorld

NEW = 60


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_ten_thousand_accounts_need_no_more_threads_and_little_more_memory(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    peaks = {}
    for count in (1_000, 10_000):
        text = existing(count)
        # Only those that are still to be registered need a role that Cloudcraft can assume.
        world = make_world(existing(NEW, first=200000000001 + count - NEW), rate_limit="100000/1")
        manifest = tmp_path / "manifest.yaml"
        manifest.write_text(text, encoding="utf-8")
        ids = re.findall(r'account_id: "(\d+)"', text)
        world.accounts = [registration(n, ids[n]) for n in range(count - NEW)]
        with program(tmp_path / "run", "run", manifest) as running:
            peaks[count] = watch(running)
            ended = running.wait()
        assert ended.code == 0, ended.stderr[-2000:]
        assert ended.outcomes.count("created") == NEW
        assert ended.outcomes.count("unchanged") == count - NEW
    tell(f"threads and MB by accounts: {peaks}")
    # Workers, requests and their watchdogs, the rest.
    assert peaks[10_000][0] < defaults.CONCURRENCY + 2 * 64 + 16
    # What is said of an account in the manifest and the results is kept: some kilobytes each.
    assert (peaks[10_000][1] - peaks[1_000][1]) / 9_000 < 0.03


def registration(number: int, account_id: str) -> dict[str, object]:
    return {
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "name": f"A{number:03d}",
        "roleArn": f"arn:aws:iam::{account_id}:role/cloudcraft",
        "createdAt": "2026-01-01T00:00:00.000Z",
    }


def watch(running: Program) -> tuple[int, float]:
    """The most threads at any moment of a program, and its largest size in MB."""
    threads, size = 0, 0.0
    while running.running:
        try:
            status = Path(f"/proc/{running.pid}/status").read_text(encoding="ascii")
        except OSError:
            break
        found = dict(re.findall(r"^(Threads|VmHWM):\s+(\d+)", status, re.MULTILINE))
        threads = max(threads, int(found.get("Threads", 0)))
        size = max(size, int(found.get("VmHWM", 0)) / 1024)
        time.sleep(0.01)
    return threads, round(size, 1)


@pytest.mark.parametrize(
    ("soft", "hard", "said"),
    [
        (40, 4096, ""),
        (40, 100, ""),
        (40, 79, "only 79 open files (`ulimit -n`), enough for 5 at a time instead of 12"),
        (20, 20, "only 20 open files (`ulimit -n`), enough for 1 at a time instead of 12"),
    ],
)
def test_open_files_are_as_many_as_needed_or_fewer_accounts_are_worked_on_at_once(
    make_world: MakeWorld, tmp_path: Path, soft: int, hard: int, said: str
) -> None:
    world = make_world(hub(12), rate_limit="1000/1")
    arguments = ("run", str(tmp_path / "manifest.yaml"), "--settle", "0")
    done = subprocess.run(
        [*ONBOARD, *arguments],
        capture_output=True,
        env=environment_with({}),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        timeout=HANG,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(world.registered) == 12
    assert ("open files" in done.stderr) == bool(said)
    assert said in " ".join(done.stderr.split())


def test_accounts_that_the_manifest_lacks_are_looked_at_side_by_side(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path
) -> None:
    """A manifest of one account, and an organization of seven: not one after the other."""
    more = '  - {name: M, account_id: "300000000099", tags: {sandbox: management}}'
    make_world(hub(7, more=more))
    manifest = tmp_path / "one.yaml"
    text = (tmp_path / "manifest.yaml").read_text(encoding="utf-8").splitlines()
    (first,) = [number for number, line in enumerate(text) if line.startswith("accounts:")]
    manifest.write_text("\n".join(text[: first + 2]) + "\n", encoding="utf-8")
    aws_proxy.trouble("AssumeRole", kind="slow", delay=1.0)
    ended = onboard(tmp_path / "status", "status", manifest, "--organization")
    assert ended.code == 0, ended.stderr
    assert aws_proxy.most_slow > 1


# The terminal becomes the program's controlling one, so that its Ctrl-C is a real one.
IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_at_a_terminal_with_the_sandbox_embedded(tmp_path: Path, presses: int) -> None:
    manifest, report = tmp_path / "manifest.yaml", tmp_path / "results.json"
    manifest.write_text(existing(25), encoding="utf-8")
    command = [*ONBOARD, "run", str(manifest), "--sandbox", "--report", str(report)]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x28\x00\x64\x00\x00\x00\x00\x00")
    with closing(FileIO(master, "r+")) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=environment_with({"TERM": "xterm", "CLOUDCRAFT_RATE_LIMIT": "20/60"}),
        )
        os.close(slave)
        try:
            shown = read_until(terminal, b"next")  # it waits for a slot
            children = children_of(process.pid)
            assert children
            terminal.write(b"\x03" * presses)
            shown += read_until(terminal, None)
            code = process.wait(HANG)
        finally:
            process.kill()
            process.wait()
    assert code == 130, shown.decode(errors="replace")
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")  # the cursor is back
    assert b"Traceback" not in shown
    gone_by = time.monotonic() + HANG
    while any(map(alive, children)):
        assert time.monotonic() < gone_by, "the sandbox still runs"
        time.sleep(0.02)
    names = {path.name for path in tmp_path.iterdir()}
    if presses == 1:
        assert b"25 accounts" in shown
        assert "results.json" in names
    assert names <= {"manifest.yaml", "results.json"}


def read_until(terminal: FileIO, word: bytes | None) -> bytes:
    """What the terminal shows until `word`, or until the program has left it."""
    shown = b""
    while word is None or word not in shown:
        try:
            data = os.read(terminal.fileno(), 65536)
        except OSError:  # Linux's way to say that nobody has it open any more
            data = b""
        if not data:
            assert word is None, shown.decode(errors="replace")
            break
        shown += data
    return shown


def children_of(pid: int) -> list[int]:
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text("ascii").split()]


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return False
    return "\nState:\tZ" not in status
