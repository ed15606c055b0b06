"""The program's own story, called in this process, and what it reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcraft_onboard.app import run as story
from cloudcraft_onboard.model import Command
from cloudcraft_onboard.settings import Settings
from tests.support.world import SandboxWorld


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An exit code and the JSON report."""

    code: int
    report: dict[str, Any]

    @property
    def outcomes(self) -> list[str]:
        """In the manifest's order."""
        return [account["outcome"] for account in self.report["accounts"]]

    @property
    def actions(self) -> list[list[str]]:
        """In the manifest's order."""
        return [account["actions"] for account in self.report["accounts"]]

    @property
    def requests(self) -> int:
        """Sent to Cloudcraft."""
        requests: int = self.report["cloudcraft"]["requests"]
        return requests

    def account(self, name: str) -> dict[str, Any]:
        """One account of the report."""
        found: dict[str, Any] = next(a for a in self.report["accounts"] if a["name"] == name)
        return found


def existing(count: int, first: int = 200000000001) -> str:
    """A manifest of accounts whose role is there already: Cloudcraft's side alone."""
    lines = [f'  - {{name: "A{n:03d}", account_id: "{first + n}"}}' for n in range(count)]
    return "\n".join(
        ["version: 1", "defaults:", "  role: {via: existing}", "accounts:", *lines, ""]
    )


def hub(count: int, *, more: str = "", first: int = 300000000001) -> str:
    """A manifest of accounts that are reached by an assumed role; `more` are further lines."""
    lines = [f'  - {{name: "A{n:03d}", account_id: "{first + n}"}}' for n in range(count)]
    head = [
        "version: 1",
        "defaults:",
        "  profile: org-admin",
        "  assume_role: OrganizationAccountAccessRole",
        "accounts:",
    ]
    return "\n".join([*head, *lines, more, ""])


def rewrite(world: SandboxWorld, text: str) -> None:
    """Change the world's manifest, not the world."""
    assert world.manifest is not None
    Path(world.manifest.path).write_text(text, encoding="utf-8")


def run(world: SandboxWorld, **settings: Any) -> Ended:
    """`onboard run` on the world's manifest; new roles don't have to settle."""
    return _ended(world, story.run, settings)


def plan(world: SandboxWorld, **settings: Any) -> Ended:
    """`onboard plan` on the world's manifest."""
    return _ended(world, lambda chosen: story.plan(chosen, Command.PLAN), settings)


def _ended(world: SandboxWorld, command: Any, settings: dict[str, Any]) -> Ended:
    assert world.manifest is not None
    report = Path(world.manifest.path).with_name("results.json")
    code = command(
        Settings(
            manifest=world.manifest.path,
            reports=(str(report),),
            **{"settle": 0.0, "verbosity": -1, **settings},
        )
    )
    return Ended(code=code, report=json.loads(report.read_text(encoding="utf-8")))
