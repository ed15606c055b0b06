"""CSV for spreadsheets: one row for each account, its cells as the JSON report has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.show.report.json import to_json
from cloudcraft_onboard.show.told import Told

_ERROR = ("error_stage", "error_code", "error_message", "error_hint")
_RUN = (
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
)
_STATUS = (
    "name",
    "account_id",
    "ou",
    "state",
    "in_manifest",
    "cloudcraft_ids",
    "actions",
    "notes",
)
_BETWEEN = {"actions": ", ", "notes": "; ", "cloudcraft_ids": " "}

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def render(told: Told) -> str:
    """The report as CSV (RFC 4180), with a row of column names in front."""
    report = to_json(told)
    columns = (*(_STATUS if report["command"] == "status" else _RUN), *_ERROR)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    for account in report["accounts"]:
        writer.writerow(_harmless(_cell(account, column)) for column in columns)
    return file.getvalue()


def _harmless(cell: str) -> str:
    """`cell` as a text that no spreadsheet takes for a formula, nor a terminal for more."""
    cell = clean_lines(cell)
    return f"'{cell}" if cell.lstrip(" \n").startswith(_FORMULAS) else cell


def _cell(account: Mapping[str, Any], column: str) -> str:
    if column in _ERROR:
        return str((account["error"] or {}).get(column.removeprefix("error_"), ""))
    match account[column]:
        case None:
            return ""
        case bool() as truth:
            return str(truth).lower()
        case float() as seconds:
            return f"{seconds:.2f}"
        case list() as parts:
            return _BETWEEN[column].join(dict.fromkeys(parts))
        case value:
            return str(value)
