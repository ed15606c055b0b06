"""There and back under both spellings of everything that Cloudcraft's documentation leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.onboarding import existing, rewrite, run
from tests.support.removing import remove
from tests.support.world import MakeWorld

REFERENCE: dict[str, Any] = {
    "created_status": 201,
    "updated_status": 200,
    "deleted_status": 200,
    "teams": "list",
    "empty_list": "list",
    "source": "listed",
}
SDKS: dict[str, Any] = {
    "created_status": 200,
    "updated_status": 204,
    "deleted_status": 204,
    "teams": "object",
    "empty_list": "object",
    "source": "nowhere",
}


@pytest.mark.parametrize("options", [REFERENCE, SDKS], ids=["API reference", "SDKs"])
def test_there_and_back(make_world: MakeWorld, options: dict[str, Any]) -> None:
    world = make_world(existing(2), **options)
    assert run(world).outcomes == ["created", "created"]
    assert run(world).outcomes == ["unchanged", "unchanged"]
    rewrite(world, existing(2).replace("defaults:", "defaults:\n  read_access: [everyone]"))
    assert run(world).outcomes == ["updated", "updated"]
    assert run(world).outcomes == ["unchanged", "unchanged"]
    assert remove(world).outcomes == ["removed", "removed"]
    assert world.accounts == []
    assert remove(world).outcomes == ["unchanged", "unchanged"]
