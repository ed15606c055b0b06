"""Output that is closed, full or abandoned costs neither work nor reports."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.onboarding import existing
from tests.support.process import HANG, program
from tests.support.world import MakeWorld

PROGRAM = f"{shlex.quote(sys.executable)} -W error -m cloudcraft_onboard"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `onboard` is the program; the exit code is the program's own."""
    return subprocess.run(
        ["bash", "-c", line.replace("onboard ", f"{PROGRAM} ") + '; exit "${PIPESTATUS[0]}"'],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (">&-", 1),
        ("2>&-", 0),
        ("<&- >&- 2>&-", 1),
        (">/dev/full", 1),
        ("2>/dev/full", 0),
        ("-o json >/dev/full", 1),
        ("-o json | true", 1),
        ("-v 2> >(head -1)", 0),
    ],
)
def test_broken_output_costs_no_work_and_no_report(
    make_world: MakeWorld, tmp_path: Path, output: str, code: int
) -> None:
    world = make_world(existing(4))
    report = tmp_path / "results.json"
    manifest = tmp_path / "manifest.yaml"
    done = shell(f"onboard run {manifest} --report {report} {output}")
    assert done.returncode == code, done.stderr
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr
    outcomes = [a["outcome"] for a in json.loads(report.read_text("utf-8"))["accounts"]]
    assert outcomes == ["created"] * 4
    assert len(world.registered) == 4


@pytest.mark.parametrize(
    ("command", "wanted"),
    [("--help", 0), ("--version", 0), ("schema", 0), ("run", 2), ("report nothing.json", 2)],
)
def test_every_end_survives_closed_output(command: str, wanted: int) -> None:
    for output in (">&-", ">&- 2>&-", ">/dev/full 2>/dev/full"):
        done = shell(f"onboard {command} {output}")
        assert done.returncode == (wanted or 1), output
        assert not done.stderr or "could not be written" in done.stderr


def test_full_output_is_said() -> None:
    done = shell("onboard schema >/dev/full")
    assert done.returncode == 1
    assert "Standard output could not be written: No space left on device" in done.stderr


def test_a_reader_that_has_enough_hears_nothing() -> None:
    done = shell("onboard schema | head -1")
    assert done.stdout == "{\n"
    assert not done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_never_lossy(tmp_path: Path, encoding: str) -> None:
    manifest = tmp_path / "m.yaml"
    name = "Zürich 北京 🚀"
    manifest.write_text(
        f'version: 1\naccounts: [{{name: "{name}", account_id: "111122223333", enabled: false}}]\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "cloudcraft_onboard", "plan", str(manifest), "-o", "json"],
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=HANG,
        check=True,
    )
    assert json.loads(done.stdout.decode("utf-8"))["accounts"][0]["name"] == name


def test_policies_are_never_lossy(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(
        "version: 1\ndefaults: {role: {via: stackset, stackset: {name: cloudcraft}}}\n"
        'accounts: [{name: A, account_id: "111122223333"}]\n',
        encoding="utf-8",
    )
    printed = {
        encoding: subprocess.run(
            [
                sys.executable,
                "-m",
                "cloudcraft_onboard",
                "permissions",
                str(manifest),
                "-o",
                "json",
            ],
            env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            capture_output=True,
            timeout=HANG,
            check=True,
        ).stdout
        for encoding in ("ascii", "utf-8")
    }
    assert json.loads(printed["ascii"]) == json.loads(printed["utf-8"])


def test_a_closed_terminal_is_an_interrupt_with_a_report(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(existing(8), rate_limit="6/30")
    with program(tmp_path / "run", "run", tmp_path / "manifest.yaml") as running:
        running.wait_until(lambda: len(world.registered) == 4, "the first window")
        running.send(signal.SIGHUP)
        ended = running.wait()
    assert ended.code == 130
    assert sorted(ended.outcomes) == ["created"] * 4 + ["pending"] * 4  # who comes first is open


def test_nohup_is_respected(tmp_path: Path) -> None:
    look = (
        "import signal; from cloudcraft_onboard.console import interrupts; interrupts.install();"
        "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    )
    (tmp_path / "look.py").write_text(look, encoding="utf-8")
    started = f"nohup {shlex.quote(sys.executable)} {tmp_path / 'look.py'}"
    done = shell(started, PYTHONPATH=str(Path.cwd()))
    assert done.stdout.strip() == "True"


AFTER_THE_END = """
import sys
from cloudcraft_onboard.console import streams
streams.secure()
print("in time")
streams.end(hurried=False)
print("late")
class Last:
    def __del__(self):
        print("last", file=sys.stderr)
last = Last()
"""


def test_what_is_printed_after_the_end_is_written_and_hangs_nothing() -> None:
    """Python stops threads before it flushes: the stream's own cannot write any more."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", AFTER_THE_END],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "in time\nlate\n", "last\n")
