"""AWS partitions that Cloudcraft treats differently. Pure; nothing is refused that might work."""

from __future__ import annotations

from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.role_notes import InChina, InGovCloud

_NOTES: dict[str, Note] = {"aws-cn": InChina(), "aws-us-gov": InGovCloud()}


def partition_notes(role_arn: str) -> tuple[Note, ...]:
    """What is to be said of an account with this role."""
    arn = Arn.parse(role_arn)
    note = _NOTES.get(arn.partition) if arn else None
    return (note,) if note else ()
