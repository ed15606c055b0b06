"""A thousand worlds, others in each run: whatever happens, accounts are registered once.

`make simulate` lives through as many as it is asked for.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.story import Verdict, attempt

WORLDS = 500


@pytest.mark.parametrize("part", range(2))
def test_no_world_breaks_a_promise(part: int) -> None:
    start = int.from_bytes(os.urandom(4))
    seeds = f"part {part}: seeds {start} to {start + WORLDS - 1}"
    verdicts = [attempt(seed) for seed in range(start, start + WORLDS)]
    broken = [verdict for verdict in verdicts if verdict.wrong]
    assert not broken, "\n".join([seeds, *map(_report, broken[:5])])
    accounts = sum(verdict.accounts for verdict in verdicts)
    excused = sum(len(verdict.excused) for verdict in verdicts)
    assert excused < accounts / 20, "what no client can know is rare, even where much goes wrong"


def test_the_same_seed_is_the_same_world() -> None:
    assert [attempt(seed) for seed in range(50)] == [attempt(seed) for seed in range(50)]


def _report(verdict: Verdict) -> str:
    return "\n    ".join(
        [f"python -m tests.simulation --seed {verdict.seed} --trace", *verdict.wrong]
    )
