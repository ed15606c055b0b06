"""Example results and reports, built from the real words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cloudcraft_onboard.model import (
    Action,
    CloudcraftUsage,
    Command,
    Outcome,
    Problem,
    Report,
    Result,
    Stage,
)
from cloudcraft_onboard.model.changes import SavedChange
from cloudcraft_onboard.model.notes import SavedNote

NEW = (
    SavedChange(
        action=Action.CREATE_ROLE,
        reason="new role",
        after={
            "trust": {"account_id": "912185983511", "external_id": "4414aef4"},
            "path": "/",
            "max_session_duration": 3600,
            "permissions_boundary": None,
            "tags": {"ManagedBy": "cloudcraft-onboard"},
        },
    ),
    SavedChange(
        action=Action.ATTACH_POLICY,
        subject="arn:aws:iam::aws:policy/ReadOnlyAccess",
        reason="missing from the role",
    ),
    SavedChange(
        action=Action.REGISTER, reason="not in Cloudcraft yet", after={"region": "us-east-1"}
    ),
)
DRIFT = (
    SavedChange(
        action=Action.UPDATE_TRUST,
        reason="external ID differs",
        before={"external_ids": ["older"]},
        after={"external_ids": ["4414aef4"]},
    ),
)


def result(
    name: str,
    outcome: Outcome = Outcome.CREATED,
    *,
    notes: Iterable[str] = (),
    **other: object,
) -> Result:
    """A result; only what matters to the test is given, its notes as sentences."""
    values: dict[str, object] = {
        "account_id": "111122223333",
        "profile": "org-admin",
        "region": "us-east-1",
        "changes": {Outcome.CREATED: NEW, Outcome.UPDATED: DRIFT}.get(outcome, ()),
        "seconds": 2.314,
        "notes": tuple(SavedNote(text=note) for note in notes),
    }
    return Result(name=name, outcome=outcome, **{**values, **other})  # type: ignore[arg-type]


def denied(name: str, account_id: str = "222233334444", **other: object) -> Result:
    """An account whose role may not be assumed; the message names the account."""
    role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
    problem = Problem(
        stage=Stage.REACH,
        code="AccessDenied",
        message=f"User: arn:aws:iam::999988887777:user/ops is not authorized to perform: "
        f"sts:AssumeRole on resource: {role}",
        hint="let the role's trust policy name the profile's identity, "
        "or set assume_role to a role that does",
    )
    values: dict[str, object] = {"account_id": account_id, "seconds": 0.42, "error": problem}
    return result(name, Outcome.FAILED, **{**values, **other})  # type: ignore[arg-type]


def report(*results: Result, command: Command = Command.RUN, dry_run: bool = False) -> Report:
    """A report of these results over three minutes and ten seconds."""
    return Report(
        command=command,
        manifest="manifests/org.yaml",
        dry_run=dry_run or command is Command.PLAN,
        started_at=datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC),
        finished_at=datetime(2026, 11, 23, 10, 3, 10, tzinfo=UTC),
        cloudcraft=CloudcraftUsage(requests=5, rate_limit="20/10"),
        results=results,
    )


def typical(command: Command = Command.RUN) -> Report:
    """Five accounts with five ends."""
    return report(
        result("Production", role_arn="arn:aws:iam::111122223333:role/cloudcraft"),
        result("결제 서비스", Outcome.UPDATED, account_id="333344445555", seconds=1.0),
        result("Data 🚀", Outcome.UNCHANGED, account_id="444455556666", seconds=0.9),
        denied("Payments"),
        result("Legacy", Outcome.SKIPPED, account_id="012345678901", seconds=0),
        command=command,
    )
