"""What is said of a partition stands in plans and runs."""

from __future__ import annotations

import pytest

from tests.support.onboarding import existing, plan, rewrite, run
from tests.support.world import MakeWorld


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_plan_and_run_say_it_and_go_on(make_world: MakeWorld, partition: str) -> None:
    world = make_world(existing(1))
    manifest = existing(1).replace("via: existing", f"via: existing, partition: {partition}")
    rewrite(world, manifest)
    planned, ended = plan(world), run(world)
    assert planned.account("A000")["notes"] == ended.account("A000")["notes"]
    assert "Cloudcraft" in ended.account("A000")["notes"][0]
    assert ended.outcomes == ["created"]
    assert world.accounts[0]["roleArn"].startswith(f"arn:{partition}:")
