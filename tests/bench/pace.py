"""How close `onboard run` comes to the rate limit, beside a plain loop.

`python -m tests.bench.pace`, about 3 minutes.

The limit is scaled down to 20 requests in 3 s; 200 accounts whose roles are there already; a POST
takes Cloudcraft 0.3 s. The floor is what no program can beat without breaking the limit under
some window semantics: (windows - 1) x (window + answer time).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import httpx

from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import World, start
from tests.support.world import control

Window = Literal["fixed", "sliding", "bucket"]
TOO_MANY = 429
AIM = 1.05


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What is measured; times are seconds."""

    accounts: int
    limit: int
    window: float
    answer: float

    def floor(self, requests: int) -> float:
        """The least time between the first request and the start of the last."""
        return (-(-requests // self.limit) - 1) * (self.window + self.answer)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of one run."""

    needed: int
    wall: float
    throttled: int
    registered: int


def main() -> int:
    """Measure and print a table; 1 when the aim was missed."""
    scale = _scale()
    say(
        f"{scale.accounts} accounts, {scale.limit} requests in {scale.window:g} s, "
        f"a POST is answered after {scale.answer:g} s"
    )
    say(f"{'window':<9}{'':<14}{'wall':>8}{'floor':>8}{'ratio':>7}{'429s':>6}{'registered':>12}")
    reached = True
    for window in get_args(Window):
        measured = measure(scale, window, onboard_run)
        reached &= measured.wall <= AIM * scale.floor(measured.needed)
        reached &= measured.throttled == 0 and measured.registered == scale.accounts
        show(scale, window, "onboard run", measured)
    # These wait nearly all of the time, so they don't disturb one another.
    with ThreadPoolExecutor() as pool:
        plain = pool.map(lambda window: measure(scale, window, plain_loop), get_args(Window))
        for window, measured in zip(get_args(Window), plain, strict=True):
            show(scale, window, "a plain loop", measured)
    say(f"aim (ratio up to {AIM}, no 429): {'reached' if reached else 'missed'}")
    return 0 if reached else 1


Program = Callable[[World, Path, Scale], float]
"""Registers all accounts of a manifest; the seconds that took."""


def measure(scale: Scale, window: Window, program: Program) -> Measured:
    """Let a program register everything in a world of its own."""
    options = Options(
        rate_limit=f"{scale.limit}/{scale.window:g}",
        window=window,
        latency=scale.answer,
        propagation_seconds=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.yaml"
        manifest.write_text(manifest_text(scale.accounts), encoding="utf-8")
        with start(load(str(manifest)), options=options, control=True) as world:
            wall = program(world, manifest, scale)
            log: list[dict[str, Any]] = control(world, "GET", "log")
            accounts = control(world, "GET", "state")["accounts"]
    admitted = sum(request["admitted"] for request in log)
    return Measured(
        needed=admitted,
        wall=wall,
        throttled=len(log) - admitted,
        registered=len({account["roleArn"] for account in accounts}),
    )


def manifest_text(accounts: int) -> str:
    """Accounts whose role was made by somebody else, so that AWS takes no time."""
    lines = ["version: 1", "defaults: {role: {via: existing}}", "accounts:"]
    lines += [f'  - {{name: A{n}, account_id: "{10**11 + n}"}}' for n in range(accounts)]
    return "\n".join(lines) + "\n"


def onboard_run(world: World, manifest: Path, _: Scale) -> float:
    """The real program, from its start to its end as a process."""
    environment = {k: v for k, v in os.environ.items() if k not in world.unset} | world.env
    command = [sys.executable, "-m", "cloudcraft_onboard", "run", str(manifest)]
    started = time.monotonic()
    ended = subprocess.run(
        [*command, "--settle", "0", "--quiet", "--output", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - started
    if ended.returncode != 0:
        raise SystemExit(f"onboard run ended with {ended.returncode}:\n{ended.stderr}")
    return wall


def plain_loop(world: World, manifest: Path, scale: Scale) -> float:
    """One POST after the other; a 429 is slept out as the documentation says, for a window."""
    started = time.monotonic()
    headers = {"Authorization": f"Bearer {world.env['CLOUDCRAFT_API_KEY']}"}
    with httpx.Client(base_url=world.cloudcraft_url, headers=headers, trust_env=False) as http:
        for account in load(str(manifest)).accounts:
            body = {"name": account.name, "roleArn": account.expected_role_arn}
            while http.post("/aws/account", json=body).status_code == TOO_MANY:
                time.sleep(scale.window)
    return time.monotonic() - started


def show(scale: Scale, window: str, program: str, measured: Measured) -> None:
    """One line of the table."""
    floor = scale.floor(measured.needed)
    say(
        f"{window:<9}{program:<14}{measured.wall:>7.1f}s{floor:>7.1f}s"
        f"{measured.wall / floor:>7.2f}{measured.throttled:>6}{measured.registered:>12}"
    )


def say(text: str) -> None:
    """A line on stdout, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _scale() -> Scale:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--window", type=float, default=3.0)
    parser.add_argument("--answer", type=float, default=0.3)
    found = parser.parse_args()
    return Scale(
        accounts=found.accounts, limit=found.limit, window=found.window, answer=found.answer
    )


if __name__ == "__main__":
    sys.exit(main())
