"""How close `onboard run` comes to the rate limit in force, without being told which it is.

`python -m tests.bench.pace`, about 10 minutes (`--short`: sliding windows alone, the rivals only
under the slow limit; 2 minutes).

Cloudcraft documents 20 requests per 10 s and 20 a minute; here that is 3 s and 18 s: not less, for
a program's start and what clocks may differ do not shrink with them. Accounts whose roles are there
already; a POST takes a share of a fast window. Beside each other, for each window kind: `onboard
run` as it is, pinned to the slow limit, and a plain loop that posts one by one and sleeps at a 429.
The floor is the windows alone: rounds x window.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import httpx

from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.model import RateLimit
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import World, start
from tests.bench.table import aim, say
from tests.support.world import control

Window = Literal["fixed", "sliding", "bucket"]
TOO_MANY = 429
FAST, SLOW = RateLimit(20, 3.0), RateLimit(20, 18.0)
ACCOUNTS = {FAST: 300, SLOW: 60}
AIM = 1.05
MOST_THROTTLED = {FAST: 0, SLOW: 5}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One world: the limit in force, how it is counted, how long a POST takes (fast windows)."""

    truth: RateLimit
    window: Window
    share: float
    burst: int = 0  # so many requests of another client, in the third fast window

    @property
    def usual(self) -> bool:
        """Whether it is what one meets most."""
        return self.window == "sliding" and self.share == 0.3 and not self.burst

    @property
    def floor(self) -> float:
        """The windows alone, for the registrations and the two reads before and one after."""
        return -(-(ACCOUNTS[self.truth] + 3) // self.truth.requests) * self.truth.seconds

    @property
    def aim(self) -> float:
        """The longest that a run should take."""
        one_pause = self.truth == SLOW or self.burst
        return AIM * self.floor + (self.truth.seconds if one_pause else 0)

    @property
    def most_throttled(self) -> int:
        """As many 429s as are fine."""
        return self.truth.requests if self.burst else MOST_THROTTLED[self.truth]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of one run."""

    wall: float
    throttled: int
    registered: int


Program = Callable[[World, Path], float]
"""Registers all accounts of a manifest; the seconds that took."""


def cases() -> Iterator[Case]:
    """What is measured."""
    for window in get_args(Window):
        yield Case(truth=FAST, window=window, share=0.5)
    for share in (0.0, 0.3):
        yield Case(truth=FAST, window="sliding", share=share)
    yield Case(truth=FAST, window="sliding", share=0.3, burst=10)
    for window in get_args(Window):
        yield Case(truth=SLOW, window=window, share=0.3)


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print a table; 1 when an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one case for each limit")
    short: bool = parser.parse_args(given).short
    chosen = [each for each in cases() if each.usual or not short]
    say(f"{FAST} or {SLOW} requests per seconds; nobody tells which")
    say(
        f"{'limit':<7}{'window':<9}{'answer':>7}  {'':<28}{'wall':>8}{'floor':>8}{'ratio':>7}"
        f"{'429s':>6}{'registered':>12}"
    )
    fast, slow = ([case for case in chosen if case.truth == limit] for limit in (FAST, SLOW))
    reached = [measured_well(case) for case in fast]
    # Under the slow limit a program waits nearly all of the time, so nobody disturbs another one.
    others = [
        (name, program, case)
        for case in (slow if short else chosen)
        for name, program in {"pinned to the slow limit": pinned, "a plain loop": plain}.items()
        if case.usual
    ]
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda other: measure(other[2], other[1]), others)
        reached += [measured_well(case) for case in slow]
        for (name, _, case), measured in zip(others, results, strict=True):
            show(case, name, measured)
    say(
        f"aims (ratio up to {AIM}; with the slow limit or a burst one pause more; "
        f"{MOST_THROTTLED[FAST]} and {MOST_THROTTLED[SLOW]} 429s at most): "
        f"{'reached' if all(reached) else 'missed'}"
    )
    return 0 if all(reached) else 1


def measured_well(case: Case) -> bool:
    """Measure `onboard run` and show it; whether the aims were reached."""
    measured = measure(case, finding_out)
    show(case, "onboard run" + (", a burst beside it" if case.burst else ""), measured)
    aim(
        f"{case.truth}, {case.window} window: a run, to its floor",
        measured.wall / case.floor,
        case.aim / case.floor,
    )
    return (
        measured.wall <= case.aim
        and measured.throttled <= case.most_throttled
        and measured.registered == ACCOUNTS[case.truth]
    )


def measure(case: Case, program: Program) -> Measured:
    """Let a program register everything in a world of its own."""
    options = Options(
        rate_limit=str(case.truth),
        window=case.window,
        latency=case.share * FAST.seconds,
        propagation_seconds=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.yaml"
        manifest.write_text(manifest_text(ACCOUNTS[case.truth]), encoding="utf-8")
        with start(load(str(manifest)), options=options, control=True) as world:
            if case.burst:
                wish = {"requests": case.burst, "delay": 2.5 * FAST.seconds}
                control(world, "POST", "consume", wish)
            wall = program(world, manifest)
            log: list[dict[str, Any]] = control(world, "GET", "log")
            accounts = control(world, "GET", "state")["accounts"]
    return Measured(
        wall=wall,
        throttled=sum(not request["admitted"] for request in log),
        registered=len({account["roleArn"] for account in accounts}),
    )


def manifest_text(accounts: int) -> str:
    """Accounts whose role was made by somebody else, so that AWS takes no time."""
    lines = ["version: 1", "defaults: {role: {via: existing}}", "accounts:"]
    lines += [f'  - {{name: A{n}, account_id: "{10**11 + n}"}}' for n in range(accounts)]
    return "\n".join(lines) + "\n"


def finding_out(world: World, manifest: Path) -> float:
    """The real program, which has to find out the limit."""
    return onboard_run(world, manifest, f"{FAST},{SLOW}")


def pinned(world: World, manifest: Path) -> float:
    """The real program, pinned to the slow limit."""
    return onboard_run(world, manifest, str(SLOW))


def onboard_run(world: World, manifest: Path, limits: str) -> float:
    """The real program, from its start to its end as a process."""
    environment = {k: v for k, v in os.environ.items() if k not in world.unset} | world.env
    environment["CLOUDCRAFT_RATE_LIMIT"] = limits
    command = [sys.executable, "-m", "cloudcraft_onboard", "run", str(manifest), "--quiet"]
    started = time.monotonic()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall = time.monotonic() - started
    if ended.returncode:
        raise SystemExit(f"onboard run ended with {ended.returncode}:\n{ended.stderr}")
    return wall


def plain(world: World, manifest: Path) -> float:
    """One POST after the other; a 429 is slept out as the FAQ says, for a slow window."""
    started = time.monotonic()
    headers = {"Authorization": f"Bearer {world.env['CLOUDCRAFT_API_KEY']}"}
    with httpx.Client(base_url=world.cloudcraft_url, headers=headers, trust_env=False) as http:
        for account in load(str(manifest)).accounts:
            body = {"name": account.name, "roleArn": account.expected_role_arn}
            while http.post("/aws/account", json=body).status_code == TOO_MANY:
                time.sleep(SLOW.seconds)
    return time.monotonic() - started


def show(case: Case, program: str, measured: Measured) -> None:
    """One line of the table."""
    say(
        f"{case.truth!s:<7}{case.window:<9}{case.share:>7g}  {program:<28}{measured.wall:>7.1f}s"
        f"{case.floor:>7.1f}s{measured.wall / case.floor:>7.2f}{measured.throttled:>6}"
        f"{measured.registered:>12}"
    )


if __name__ == "__main__":
    sys.exit(main())
