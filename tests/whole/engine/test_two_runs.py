"""Two runs at the same time: two CI jobs, two people."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.support.onboarding import hub
from tests.support.process import Exited, onboard, program, tell
from tests.support.world import MakeWorld

COUNT = 6
IDS = [f"{300000000001 + number}" for number in range(COUNT)]


@pytest.mark.parametrize("seed", range(3))
def test_two_runs_at_the_same_time(make_world: MakeWorld, tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    world = make_world(hub(COUNT), latency=chosen.uniform(0.05, 0.3))
    arguments = ("run", tmp_path / "manifest.yaml", "--settle", 0, "--timeout", 20)
    with program(tmp_path / "one", *arguments) as one:
        time.sleep(chosen.choice((0.0, 0.05, 0.3)))
        with program(tmp_path / "two", *arguments) as two:
            ended = [one.wait(), two.wait()]
    healed = sum("was registered twice" in note for each in ended for note in notes(each))
    tell(f"seed {seed}: {len(world.requests('POST'))} POSTs, {healed} duplicates taken back")
    assert [each.code for each in ended] == [0, 0], [each.stderr for each in ended]
    assert world.registered == IDS
    assert len(world.requests("POST")) - healed == COUNT
    again = onboard(tmp_path / "again", *arguments)
    assert (again.code, set(again.outcomes)) == (0, {"unchanged"})
    for account_id in IDS:
        attached = world.iam(account_id).list_attached_role_policies(RoleName="cloudcraft")
        assert len(attached["AttachedPolicies"]) == 1


def notes(ended: Exited) -> list[str]:
    return [note for account in ended.accounts for note in account["notes"]]
