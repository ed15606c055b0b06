"""Example rows of `onboard status`."""

from __future__ import annotations

from datetime import UTC, datetime

from cloudcraft_onboard.coverage.words import Standing, State, Status
from cloudcraft_onboard.model import Problem, Stage
from cloudcraft_onboard.model.notes import NotActive, SavedNote
from tests.support.reports import DRIFT, NEW

DENIED = Problem(
    stage=Stage.REACH,
    code="AccessDenied",
    message="not authorized to perform: sts:AssumeRole",
    hint="let the role trust the profile's identity",
)


def standing(name: str, state: State = State.ONBOARDED, **other: object) -> Standing:
    """A row; only what matters to the test is given."""
    values: dict[str, object] = {
        "account_id": "111122223333",
        "in_manifest": state not in (State.UNCOVERED, State.UNLISTED),
        "changes": {State.DRIFTED: DRIFT, State.MISSING: NEW}.get(state, ()),
        "error": DENIED if state is State.UNREACHABLE else None,
        "line": 7,
        # Whom the manifest lacks is known as one of the organization.
        "ou": "" if state in (State.UNCOVERED, State.UNLISTED) else None,
    }
    return Standing(name=name, state=state, **{**values, **other})  # type: ignore[arg-type]


def status(*accounts: Standing, **other: object) -> Status:
    """The status of these accounts, seen with Organizations."""
    values: dict[str, object] = {
        "manifest": "org.yaml",
        "organization": True,
        "roles": True,
        "tried": True,
        "checked_at": datetime(2026, 11, 23, 10, tzinfo=UTC),
    }
    return Status(accounts=accounts, **{**values, **other})  # type: ignore[arg-type]


def typical() -> Status:
    """One account of each state, in four OUs."""
    return status(
        standing("Shop", ou="Prod/Shop"),
        standing("결제 서비스", State.DRIFTED, ou="Prod/Shop"),
        standing("New", State.MISSING, ou="Prod"),
        standing("Locked", State.UNREACHABLE, ou="Prod"),
        standing("Legacy", State.DISABLED, ou="Prod"),
        standing(
            "Closed",
            State.GONE,
            account_id="444455556666",
            notes=(NotActive(state="SUSPENDED"),),
        ),
        standing("Watched", State.DATADOG, ou=""),
        standing("Lab", State.UNCOVERED, ou="Labs"),
        standing(
            "By hand",
            State.UNLISTED,
            ou="Labs",
            cloudcraft_ids=("a", "b"),
            notes=(SavedNote(text="twice"),),
        ),
    )
