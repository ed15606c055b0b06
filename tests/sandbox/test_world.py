from __future__ import annotations

from tests.support.world import SandboxWorld


def test_a_new_world_is_empty(world: SandboxWorld) -> None:
    assert world.accounts == []
    assert world.log == []
