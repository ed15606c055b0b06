"""The whole table, in the order in which its rows are tried."""

from __future__ import annotations

from cloudcraft_onboard.blame import access, credentials, service, settings, stacksets
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.blame.row import Row

# What is about stack sets or this machine's settings is told apart by more than AWS's codes.
TABLE: tuple[Row, ...] = (
    service.OUTAGE,
    *stacksets.ROWS,
    *settings.ROWS,
    *credentials.ROWS,
    *access.ROWS,
    *service.ROWS,
)


def cause_of(code: str, message: str, facts: Facts) -> Cause:
    """The cause of an error: the first row that fits, or the fallback."""
    row = next((row for row in TABLE if row.fits(code, message, facts)), service.FALLBACK)
    return Cause(row=row, facts=facts)
