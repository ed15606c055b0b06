"""What the AWS side costs at 100, 1,000 and 5,000 accounts, beside botocove and a thread pool.

`python -m tests.bench.aws`, about 10 minutes (`--accounts 100 1000` for less). The local AWS and
Cloudcraft run in another process, without a rate limit; every program measured is a process of its
own, from its start to its end: CPU, peak memory, wall time.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cloudcraft_onboard
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import World, start
from tests.bench.table import aim, say

CPU_AIM = 0.10
MEMORY_AIM = 150
GROWTH_AIM = 1.2
HELP_AIM = 0.45
PLAN_AIM = 1.3
ENTRY = "OrganizationAccountAccessRole"
FIRST_ID = 2 * 10**11

# A process of its own between: a child's peak memory is otherwise at least that of its parent.
STOPWATCH = """
import json, resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime,
                  "memory": used.ru_maxrss / 1024, "code": done.returncode,
                  "said": done.stderr.decode(errors="replace")[-2000:]}))
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One process: seconds, and MB at its peak."""

    name: str
    accounts: int
    wall: float
    cpu: float
    memory: float

    @property
    def each(self) -> float:
        """Milliseconds of CPU for each account."""
        return self.cpu / self.accounts * 1000


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print a table; 1 when an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--botocove", type=int, default=150, help="accounts botocove works on")
    options = parser.parse_args(given)
    say(f"{'':<25}{'accounts':>9}{'wall s':>9}{'each/s':>9}{'CPU ms each':>13}{'peak MB':>9}")
    sizes: Sequence[int] = sorted(options.accounts)
    ours = {size: onboard(size) for size in sizes}
    cove = botocove(options.botocove)
    middle = 1000 if 1000 in ours else sizes[-1]
    first = ours[middle][0]
    pool = threads(middle)
    aims = [
        aim(f"CPU each, first run of {middle}, to botocove's", first.each / cove.each, CPU_AIM),
        aim(f"CPU, first run of {middle}, to a thread pool's", first.cpu / pool.cpu, 1.0),
        aim(f"wall, first run of {middle}, to a thread pool's", first.wall / pool.wall, 1.0),
        aim(f"peak MB at {middle}", max(each.memory for each in ours[middle]), MEMORY_AIM),
        *growth(ours, sizes),
        *startup(),
    ]
    return 0 if all(aims) else 1


def growth(ours: dict[int, list[Measured]], sizes: Sequence[int]) -> list[bool]:
    """What a further account costs among many, to what it costs among few; and memory."""
    if len(sizes) < 3:
        return []
    few, some, many = (ours[size] for size in (sizes[0], sizes[-2], sizes[-1]))
    reached = []
    for small, medium, large in zip(few, some, many, strict=True):
        early = (medium.cpu - small.cpu) / (medium.accounts - small.accounts)
        late = (large.cpu - medium.cpu) / (large.accounts - medium.accounts)
        label = f"{large.name}: a further account at {large.accounts}, to one at {medium.accounts}"
        reached.append(aim(label, late / early, GROWTH_AIM))
    more = many[0].memory - some[0].memory
    say(f"memory, {some[0].accounts} to {many[0].accounts} accounts: {more:+.0f} MB")
    return reached


def onboard(accounts: int) -> list[Measured]:
    """The real program: first run, run again, plan, status with and without roles."""
    program = [sys.executable, "-m", "cloudcraft_onboard"]
    settings, settle = ["--quiet", "--output", "json"], ["--settle", "0"]
    with tempfile.TemporaryDirectory() as folder, world(accounts, Path(folder)) as local:
        manifest = str(Path(folder) / "manifest.yaml")
        return [
            measure(f"onboard {name}", accounts, [*program, *command, *settings], local)
            for name, command in (
                ("run", ["run", manifest, *settle]),
                ("run again", ["run", manifest, *settle]),
                ("plan", ["plan", manifest, *settle]),
                ("status", ["status", manifest, "--organization"]),
                ("status, no roles", ["status", manifest, "--organization", "--no-roles"]),
            )
        ]


def botocove(accounts: int) -> Measured:
    """The same calls to IAM, made as botocove's documentation shows it."""
    script = Path(__file__).with_name("cove.py")
    with tempfile.TemporaryDirectory() as folder, world(accounts, Path(folder)) as local:
        return measure("botocove", accounts, [sys.executable, str(script)], local)


def threads(accounts: int) -> Measured:
    """The same calls to IAM, by a pool of threads that share a session."""
    with tempfile.TemporaryDirectory() as folder, world(accounts, Path(folder)) as local:
        ids = " ".join(str(FIRST_ID + number) for number in range(accounts))
        command = [sys.executable, "-m", "tests.bench.pool"]
        return measure("a thread pool", accounts, command, local, stdin=ids)


def world(accounts: int, folder: Path, *, spread: float = 0.0) -> World:
    """A hub and its members, and a Cloudcraft that everybody may ask as often as he likes.

    `spread`: seconds until a new role is known everywhere.
    """
    lines = ["version: 1", f"defaults: {{profile: hub, assume_role: {ENTRY}}}", "accounts:"]
    lines += [f'  - {{name: A{n}, account_id: "{FIRST_ID + n}"}}' for n in range(accounts)]
    manifest = folder / "manifest.yaml"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = Options(rate_limit="5000/1", propagation_seconds=spread)
    return start(load(str(manifest)), options=options)


def measure(
    name: str, accounts: int, command: list[str], local: World, *, stdin: str = "", code: int = 0
) -> Measured:
    """Run a program against the local AWS, and print its line of the table.

    `code`: how it ends; anything else ends the benchmark.
    """
    environment = {k: v for k, v in os.environ.items() if k not in local.unset} | local.env
    environment["CLOUDCRAFT_RATE_LIMIT"] = "5000/1"
    watched = subprocess.run(
        [sys.executable, "-c", STOPWATCH, *command],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(watched.stdout)
    if seen["code"] != code:
        raise SystemExit(f"{name} ended with {seen['code']}:\n{seen['said']}")
    measured = Measured(
        name=name, accounts=accounts, wall=seen["wall"], cpu=seen["cpu"], memory=seen["memory"]
    )
    say(
        f"{name:<25}{accounts:>9}{measured.wall:>9.1f}{accounts / measured.wall:>9.0f}"
        f"{measured.each:>13.1f}{measured.memory:>9.0f}"
    )
    return measured


def startup() -> Iterator[bool]:
    """The CPU of a start beside `aws --version`'s: help, and a plan of which no account is left."""
    aws = shutil.which("aws")
    if aws is None or not works([aws, "--version"]):
        say("start-up: the aws command is not installed here, nothing to compare with")
        return
    compileall.compile_dir(Path(cloudcraft_onboard.__file__).parent, quiet=1)
    onboard = str(Path(sys.executable).with_name("onboard"))
    with tempfile.TemporaryDirectory() as folder, world(1, Path(folder)) as local:
        manifest = Path(folder) / "manifest.yaml"
        text = manifest.read_text(encoding="utf-8").replace("}\n", ", enabled: false}\n")
        manifest.write_text(text.replace(f"{ENTRY}, enabled: false", ENTRY), encoding="utf-8")
        commands = ([aws, "--version"], [onboard, "--help"], [onboard, "plan", str(manifest)])
        rounds = [[used(command, local) for command in commands] for _ in range(8)]
    theirs, shown, planned = (min(times) for times in zip(*rounds, strict=True))
    yield aim("CPU of onboard --help, to aws --version", shown / theirs, HELP_AIM)
    yield aim("CPU of a plan with nothing to do, to aws --version", planned / theirs, PLAN_AIM)


def works(command: list[str]) -> bool:
    """Whether the command can be run at all."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def used(command: list[str], local: World) -> float:
    """A process's CPU, seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if k not in local.unset} | local.env
    subprocess.run(command, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
