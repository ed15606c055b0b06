"""`onboard remove`, called in this process, and what is left after it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from cloudcraft_onboard.app import remove as story
from cloudcraft_onboard.settings import Selection, Settings
from tests.support.onboarding import Ended
from tests.support.world import SandboxWorld

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OTHERS = "arn:aws:iam::aws:policy/SecurityAudit"


def remove(world: SandboxWorld, *only: str, **options: Any) -> Ended:
    """`onboard remove --yes` on the world's manifest; options of the command or of all commands."""
    assert world.manifest is not None
    report = Path(world.manifest.path).with_name("removed.json")
    report.unlink(missing_ok=True)
    own = {field.name for field in fields(story.RemoveOptions)}
    given = {key: options[key] for key in own & options.keys()}
    chosen = story.RemoveOptions(**{"yes": True, **given})
    settings = Settings(
        manifest=world.manifest.path,
        selection=Selection(only=only),
        reports=(str(report),),
        **{
            "verbosity": -1,
            **{key: value for key, value in options.items() if key not in own},
        },
    )
    code = story.remove(settings, chosen)
    return Ended(code=code, report=json.loads(report.read_text(encoding="utf-8")))


def roles(world: SandboxWorld, account_id: str) -> dict[str, list[str]]:
    """All roles of an account by name, each with the policies that it holds, inline ones too."""
    iam = world.iam(account_id)
    return {
        role["RoleName"]: [
            *(
                policy["PolicyArn"]
                for policy in iam.list_attached_role_policies(RoleName=role["RoleName"])[
                    "AttachedPolicies"
                ]
            ),
            *iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"],
        ]
        for role in iam.list_roles()["Roles"]
    }


@contextmanager
def meanwhile(when: Callable[[], bool], do: Callable[[], object]) -> Iterator[None]:
    """Let somebody else do something as soon as something has happened; it did happen."""
    over = threading.Event()
    done: list[object] = []

    def watch() -> None:
        while not (happened := when()) and not over.wait(0.01):
            pass
        if happened:
            done.append(do())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert done
