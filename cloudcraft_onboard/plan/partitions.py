"""AWS partitions that Cloudcraft treats differently. Pure; nothing is refused that might work."""

from __future__ import annotations

from cloudcraft_onboard.model.notes import InChina, InGovCloud, Note

_NOTES: dict[str, Note] = {"aws-cn": InChina(), "aws-us-gov": InGovCloud()}


def partition_notes(role_arn: str) -> tuple[Note, ...]:
    """What is to be said of an account with this role."""
    note = _NOTES.get(role_arn.split(":")[1]) if role_arn.startswith("arn:") else None
    return (note,) if note else ()
