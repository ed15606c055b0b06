"""`onboard report`: a saved JSON report, shown again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cloudcraft_onboard.app import output
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.report import lines, shape
from cloudcraft_onboard.show.told import Told

_LARGEST = 512 * 1024 * 1024
"""Bytes; a report of 100,000 accounts has a fifth of it."""


def show(path: str, write: tuple[str, ...], form: str) -> int:
    """Print the report and write it in other formats; return 1 if a file failed, else 0.

    `path` may be `-`, standard input.
    """
    for target in write:
        reports.check(target, {path: "the report that is read"})
    saved = load(path)
    written = [output.write(target, saved) for target in write]
    output.show(saved, form)
    return 0 if all(written) else 1


def json_schema_of(*, events: bool) -> dict[str, Any]:
    """The JSON Schema of the reports, or of a line of `-o jsonl`."""
    return lines.json_schema() if events else shape.json_schema()


def load(path: str) -> Told:
    """The report that a file (`-`: standard input) holds; `UsageError` for one that holds none."""
    return reports.from_json(_read(path))


def _read(path: str) -> Any:
    """The file's JSON. Raises `UsageError`."""
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(path).open("rb") as stream:
                raw = stream.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise UsageError(f"{name} is too large for a report.")
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except OSError as error:
        raise UsageError(f"Cannot read {name}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{name} is not JSON: {error}.", hint="Give a file that `--report FILE.json` wrote."
        ) from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number in JSON")
