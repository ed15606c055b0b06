"""Whatever the network does, a run ends with every account registered exactly once."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.app.run import run
from cloudcraft_onboard.settings import Settings
from tests.support import faults
from tests.support.world import MakeWorld, SandboxWorld

IDS = ["111122223331", "111122223332", "111122223333"]
MANIFEST = "version: 1\ndefaults: {role: {via: existing}}\naccounts:\n" + "".join(
    f'  - {{name: A{number}, account_id: "{account_id}"}}\n'
    for number, account_id in enumerate(IDS)
)

FAULTS = [
    pytest.param(faults.error(500, processed=True), id="500 after"),
    pytest.param(faults.error(503, processed=False), id="503 before"),
    pytest.param(faults.reset(processed=True), id="reset after"),
    pytest.param(faults.reset(processed=False), id="reset before"),
    pytest.param(faults.close(processed=True), id="close after"),
    pytest.param(faults.hang(5, processed=True), id="hang"),
    pytest.param(faults.slow(3), id="slow"),
    pytest.param(faults.cut(), id="cut"),
    pytest.param(faults.empty(201), id="empty"),
    pytest.param(faults.html(502, processed=False), id="HTML 502"),
    pytest.param(faults.html(502, processed=True), id="HTML 502 after"),
    pytest.param(faults.not_json(), id="not JSON"),
    pytest.param(faults.without_id(), id="no ID"),
    pytest.param(faults.late(0.3), id="late"),
    pytest.param(faults.late(1.5), id="later"),
    pytest.param(faults.too_many(1), id="429"),
]


WHILE_WRITING = [
    *FAULTS,
    pytest.param(faults.twin("older"), id="another client's, older"),
    pytest.param(faults.burst(20), id="another client's burst"),
]


@pytest.mark.parametrize("fault", WHILE_WRITING)
def test_a_fault_while_registering(make_world: MakeWorld, fault: faults.Fault) -> None:
    world = make_world(MANIFEST, rate_limit="20/1")
    world.fault({**fault, **faults.REGISTERING, "times": 2})
    assert run(settings(world)) == 0
    assert world.registered == IDS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_verifying(make_world: MakeWorld, fault: faults.Fault) -> None:
    world = make_world(MANIFEST, rate_limit="20/1")
    world.fault({**fault, **faults.LISTING, "skip": 1})
    assert run(settings(world)) == 0
    assert world.registered == IDS
    assert len(world.requests("POST")) == len(IDS)


def settings(world: SandboxWorld) -> Settings:
    assert world.manifest is not None
    return Settings(manifest=world.manifest.path, settle=0.0, timeout=1.0, retries=3)
