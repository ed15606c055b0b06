"""CSV for spreadsheets: one row for each account."""

from __future__ import annotations

import csv
import io

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.model import Report, Result
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.notes import all_told

COLUMNS = (
    "name",
    "account_id",
    "profile",
    "region",
    "outcome",
    "actions",
    "role_arn",
    "cloudcraft_id",
    "attempts",
    "seconds",
    "notes",
    "error_stage",
    "error_code",
    "error_message",
    "error_hint",
)

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> str:
    """The report as CSV (RFC 4180), with a row of column names in front."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for result in report.results:
        writer.writerow(map(harmless, _cells(result)))
    return file.getvalue()


def harmless(cell: str) -> str:
    """`cell` as a text that no spreadsheet takes for a formula, nor a terminal for more."""
    cell = clean_lines(cell)
    return f"'{cell}" if cell.lstrip(" \n").startswith(_FORMULAS) else cell


def _cells(result: Result) -> tuple[str, ...]:
    error = result.error
    problem = (error.stage.value, error.code, error.message, error.hint) if error else ("",) * 4
    return (
        result.name,
        result.account_id or "",
        result.profile or "",
        result.region,
        result.outcome.word,
        text.actions(result),
        result.role_arn or "",
        result.cloudcraft_id or "",
        str(result.attempts),
        f"{result.seconds:.2f}",
        "; ".join(all_told(result.notes)),
        *problem,
    )
