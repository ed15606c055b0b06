"""Where the accounts stand, for spreadsheets: one row for each account."""

from __future__ import annotations

import csv
import io

from cloudcraft_onboard.coverage.words import Standing, Status
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.report.csv import harmless

COLUMNS = (
    "name",
    "account_id",
    "ou",
    "state",
    "in_manifest",
    "cloudcraft_ids",
    "actions",
    "notes",
    "error_stage",
    "error_code",
    "error_message",
    "error_hint",
)


def render(status: Status) -> str:
    """The status as CSV (RFC 4180), with a row of column names in front."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for account in status.accounts:
        writer.writerow(map(harmless, _cells(account)))
    return file.getvalue()


def _cells(account: Standing) -> tuple[str, ...]:
    error = account.error
    problem = (error.stage.value, error.code, error.message, error.hint) if error else ("",) * 4
    return (
        account.name,
        account.account_id or "",
        account.ou or "",
        account.state.word,
        str(account.in_manifest).lower(),
        " ".join(account.cloudcraft_ids),
        text.action_words(account.changes),
        "; ".join(all_told(account.notes)),
        *problem,
    )
