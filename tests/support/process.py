"""The real program as a process: started, watched, sent signals, and what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ONBOARD = (sys.executable, "-W", "error", "-m", "cloudcraft_onboard")
"""Warnings are errors there, too."""
HANG = 120.0
"""Only a guard: what takes so long hangs, also on a machine that is busy."""
AT_ONCE = 45.0
"""Another guard: sooner than what hangs in these tests would end by itself, after a minute."""
LEFT_BEHIND = ("ResourceWarning", "Exception ignored", "Traceback", "never awaited", "Fatal Python")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exited:
    """What a program left when it ended; `report` is None if it wrote none."""

    code: int
    stdout: str
    stderr: str
    report: dict[str, Any] | None
    seconds: float

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """The report's accounts, in the manifest's order."""
        assert self.report is not None, self.stderr
        accounts: list[dict[str, Any]] = self.report["accounts"]
        return accounts

    @property
    def outcomes(self) -> list[str]:
        """In the manifest's order."""
        return [account["outcome"] for account in self.accounts]

    def notes(self, outcome: str = "pending") -> set[str]:
        """All notes of the accounts that ended so."""
        return {n for a in self.accounts if a["outcome"] == outcome for n in a["notes"]}


class Program:
    """`onboard ARGUMENTS` under way; its output goes to files in `folder`."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str | None]
    ) -> None:
        self.report = folder / "results.json"
        self._out, self._err = folder / "stdout", folder / "stderr"
        self.started = time.monotonic()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [*ONBOARD, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment_with(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def stderr(self) -> str:
        return self._err.read_text(encoding="utf-8", errors="replace")

    def send(self, number: int) -> float:
        """Send a signal; the time of it (seconds since the epoch, as in the sandbox's log)."""
        now = time.time()
        self._process.send_signal(number)
        return now

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something has happened, while the program runs."""
        until = time.monotonic() + HANG
        while not condition():
            assert self.running, f"it ended before {what}: {self.stderr}"
            assert time.monotonic() < until, f"{what} never happened: {self.stderr}"
            time.sleep(0.01)

    def wait(self, seconds: float = HANG) -> Exited:
        """Wait for its end."""
        since = time.monotonic()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {seconds} s: {self.stderr}") from None
        ended = Exited(
            code=self._process.returncode,
            stdout=self._out.read_text(encoding="utf-8", errors="replace"),
            stderr=self.stderr,
            report=json.loads(self.report.read_text("utf-8")) if self.report.exists() else None,
            seconds=time.monotonic() - since,
        )
        for word in LEFT_BEHIND:
            assert word not in ended.stderr, ended.stderr
        return ended

    def stop(self) -> None:
        """End it if it still runs."""
        if self.running:
            self._process.kill()
        self._process.wait()


def environment_with(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with `changes`; None takes a variable away."""
    environment: dict[str, str | None] = {**os.environ, **changes}
    return {name: value for name, value in environment.items() if value is not None}


@contextmanager
def program(
    folder: Path, command: str, *arguments: object, **environment: str | None
) -> Iterator[Program]:
    """`onboard COMMAND ARGUMENTS --report results.json`, ended at the latest when the test is."""
    folder.mkdir(exist_ok=True)
    report = folder / "results.json"
    report.unlink(missing_ok=True)
    started = Program([command, *map(str, arguments), "--report", str(report)], folder, environment)
    try:
        yield started
    finally:
        started.stop()


def onboard(folder: Path, command: str, *arguments: object, **environment: str | None) -> Exited:
    """The same, from start to end."""
    with program(folder, command, *arguments, **environment) as started:
        return started.wait()


def time_budget(manifest: Path | str, seconds: int) -> int:
    """A `--time-budget` that leaves so many seconds for work, also where starting takes long."""
    since = time.monotonic()
    subprocess.run([*ONBOARD, "validate", manifest], capture_output=True, timeout=HANG, check=True)
    return seconds + round(3 * (time.monotonic() - since))


def interrupt(running: Program, number: int = signal.SIGINT) -> tuple[float, Exited]:
    """Send a signal and wait for the end: when it was sent, and what was left."""
    at = running.send(number)
    return at, running.wait()


def tell(measured: str) -> None:
    """A measured value, shown by `pytest -rP` and where a test fails."""
    sys.stdout.write(f"{measured}\n")
