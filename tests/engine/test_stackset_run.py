"""Roles by a stack set, from the manifest to the registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudcraft_onboard.engine import watch
from tests.support.onboarding import plan, run

if TYPE_CHECKING:
    from tests.support.stacksets import Company

OTHERS = "e8f3a3c4-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)


def manifest(accounts: dict[str, str], *, role: str = "", stack_set: str = "") -> str:
    """A manifest of accounts by name, the stack set's keys and the role's as JSON's insides."""
    entries = [f'  - {{name: "{name}", account_id: "{i}"}}' for name, i in accounts.items()]
    settings = ", ".join(filter(None, ["via: stackset", role, f"stackset: {{{stack_set}}}"]))
    head = ["version: 1", "defaults:", f"  role: {{{settings}}}", "accounts:"]
    return "\n".join([*head, *entries, ""])


def members(company: Company, count: int, unit: str = "") -> dict[str, str]:
    return {f"A{n}": company.member(f"A{n}", unit) for n in range(count)}


def test_a_run_makes_the_stack_set_and_registers_every_account(company: Company) -> None:
    accounts = members(company, 3)
    stranger = company.member("Stranger")
    world = company.world(manifest(accounts))
    planned = plan(world)
    assert company.aws.writes == []
    assert [set(each) for each in planned.actions] == [{"create-role", "register"}] * 3
    assert "cloudcraft-onboard" in planned.report["accounts"][0]["notes"][0]
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"] * 3)
    assert ended.actions == planned.actions
    assert world.registered == sorted(accounts.values())
    assert company.role(stranger) is None
    assert company.aws.writes == ["create_stack_set", "create_stack_instances"]


def test_a_second_run_writes_nothing(company: Company) -> None:
    world = company.world(manifest(members(company, 2)))
    run(world)
    company.aws.asked.clear()
    again = run(world)
    assert (again.code, again.outcomes, again.actions) == (0, ["unchanged"] * 2, [[], []])
    assert company.aws.writes == []
    assert again.requests == 2
