"""AWS partitions that Cloudcraft treats differently. Pure; nothing is refused that might work."""

from __future__ import annotations

_NOTES = {
    "aws-cn": "Cloudcraft does not support the AWS China partition; it may refuse the account.",
    "aws-us-gov": (
        "GovCloud accounts need Cloudcraft's Enterprise plan and its US GovCloud service, whose API"
        " has an address of its own: ask Cloudcraft's support, and set CLOUDCRAFT_BASE_URL."
    ),
}


def partition_notes(role_arn: str) -> tuple[str, ...]:
    """What is to be said of an account with this role."""
    note = _NOTES.get(role_arn.split(":")[1]) if role_arn.startswith("arn:") else None
    return (note,) if note else ()
