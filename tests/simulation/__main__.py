"""Simulate runs: `python -m tests.simulation --seeds 2000`, or `--seed 17 --trace`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.simulation.story import Verdict, attempt, live

_SHOWN = 20


def _verdicts(seeds: range, workers: int) -> Iterator[Verdict]:
    if workers == 1:
        yield from map(attempt, seeds)
        return
    with multiprocessing.Pool(workers) as pool:
        yield from pool.imap_unordered(attempt, seeds, chunksize=50)


def main() -> int:
    """Live through many seeds, or one; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many worlds")
    parser.add_argument("--start", type=int, default=None, help="the first seed (default: random)")
    parser.add_argument("--seed", type=int, help="this one world")
    parser.add_argument("--trace", action="store_true", help="every message of it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.seed is not None:
        verdict = live(options.seed, traced=options.trace)
        for line in (*(f"excused: {e}" for e in verdict.excused), *verdict.wrong):
            print(line)
        print(f"seed {options.seed}: {len(verdict.wrong)} things wrong")
        return 1 if verdict.wrong else 0
    start = int.from_bytes(os.urandom(4)) if options.start is None else options.start
    return _simulate(range(start, start + options.seeds), options.workers)


def _simulate(seeds: range, workers: int) -> int:
    began = time.monotonic()
    worlds = accounts = messages = bad = 0
    excused: Counter[str] = Counter()
    for verdict in _verdicts(seeds, workers):
        worlds += 1
        accounts += verdict.accounts
        messages += verdict.messages
        excused.update(" ".join(each.split(": ", 1)[1].split()[1:]) for each in verdict.excused)
        if verdict.wrong:
            bad += 1
            if bad <= _SHOWN:
                print(f"python -m tests.simulation --seed {verdict.seed} --trace")
                for what in verdict.wrong[:5]:
                    print(f"    {what}")
                sys.stdout.flush()
    seconds = time.monotonic() - began
    print(
        f"{worlds:,} worlds (seeds {seeds.start} to {seeds.stop - 1}), {accounts:,} accounts, "
        f"{messages:,} messages in {seconds:.0f} s: {bad} with something wrong"
    )
    for what, count in excused.most_common():
        print(f"    {count:,} accounts {what}: no client can know")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
