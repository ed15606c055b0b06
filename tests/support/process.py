"""The real program as a process: started, watched, sent signals, and what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tests.support import schemas
from tests.support.nursery import nursery

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


class Running(Protocol):
    """A process, as far as `subprocess.Popen` and the nursery have the same to tell of it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...


Start = Callable[[Sequence[str], Mapping[str, str], Sequence[int]], Running]
"""Starts `onboard` with arguments, an environment, and descriptors as its standard streams."""


class Program:
    """`onboard ARGUMENTS` under way; its output goes to files in `folder`."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str | None],
        start: Start,
    ) -> None:
        self.report = folder / "results.json"
        self._out, self._err = folder / "stdout", folder / "stderr"
        self.started = time.monotonic()
        self._streams = "jsonl" in arguments
        with (
            Path(os.devnull).open("rb") as nothing,
            self._out.open("wb") as out,
            self._err.open("wb") as err,
        ):
            streams = [file.fileno() for file in (nothing, out, err)]
            self._process = start(arguments, environment_with(environment), streams)

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
        if self.running:
            os.kill(self.pid, number)
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
            code = self._process.wait(seconds)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise AssertionError(f"it still runs after {seconds} s: {self.stderr}") from None
        ended = Exited(
            code=code,
            stdout=self._out.read_text(encoding="utf-8", errors="replace"),
            stderr=self.stderr,
            report=json.loads(self.report.read_text("utf-8")) if self.report.exists() else None,
            seconds=time.monotonic() - since,
        )
        for word in LEFT_BEHIND:
            assert word not in ended.stderr, ended.stderr
        if ended.report is not None:
            schemas.check_report(ended.report)
        if self._streams and ended.stdout:
            schemas.read_lines(ended.stdout)
        return ended

    def stop(self) -> None:
        """End it if it still runs."""
        self.send(signal.SIGKILL)
        self._process.wait(HANG)


def _fresh(
    arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]
) -> subprocess.Popen[bytes]:
    """Start `onboard ARGUMENTS` anew, with these files as its standard streams."""
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        [*ONBOARD, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        start_new_session=True,
    )


def door() -> str:
    """A command that is `onboard` from the nursery: in a shell's PATH, for `subprocess`."""
    return str(nursery().door)


def environment_with(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with `changes`; None takes a variable away."""
    environment: dict[str, str | None] = {**os.environ, **changes}
    return {name: value for name, value in environment.items() if value is not None}


@contextmanager
def _running(
    start: Start, folder: Path, words: Sequence[object], environment: Mapping[str, str | None]
) -> Iterator[Program]:
    folder.mkdir(exist_ok=True)
    report = folder / "results.json"
    report.unlink(missing_ok=True)
    started = Program([*map(str, words), "--report", str(report)], folder, environment, start)
    try:
        yield started
    finally:
        started.stop()


def program(
    folder: Path, *words: object, **environment: str | None
) -> AbstractContextManager[Program]:
    """`onboard WORDS --report results.json`, ended at the latest when the test is.

    It comes from the nursery; `fresh_program` is for tests of the start itself.
    """
    return _running(nursery().start, folder, words, environment)


def fresh_program(
    folder: Path, *words: object, **environment: str | None
) -> AbstractContextManager[Program]:
    """The same, started as users start it."""
    return _running(_fresh, folder, words, environment)


def onboard(folder: Path, *words: object, **environment: str | None) -> Exited:
    """A program from start to end."""
    with program(folder, *words, **environment) as started:
        return started.wait()


def fresh_onboard(folder: Path, *words: object, **environment: str | None) -> Exited:
    """The same, started as users start it."""
    with fresh_program(folder, *words, **environment) as started:
        return started.wait()


def time_budget(manifest: Path | str, seconds: int) -> int:
    """A `--time-budget` that leaves so many seconds for work, also where starting takes long."""
    since = time.monotonic()
    with TemporaryDirectory() as folder:
        started = Program(["validate", str(manifest)], Path(folder), {}, nursery().start)
        assert started.wait().code == 0
    return seconds + round(3 * (time.monotonic() - since))


def interrupt(running: Program, number: int = signal.SIGINT) -> tuple[float, Exited]:
    """Send a signal and wait for the end: when it was sent, and what was left."""
    at = running.send(number)
    return at, running.wait()


def tell(measured: str) -> None:
    """A measured value, shown by `pytest -rP` and where a test fails."""
    sys.stdout.write(f"{measured}\n")
