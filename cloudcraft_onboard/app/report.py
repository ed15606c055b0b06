"""`onboard report`: a saved JSON report, shown again."""

from __future__ import annotations

import json
from pathlib import Path

from cloudcraft_onboard.app import results
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import report as reports


def show(path: str, write: tuple[str, ...], output: str) -> int:
    """Print the report and write it into other formats; the exit code, 1 if a file failed."""
    for target in write:
        reports.check(target)
    try:
        saved = reports.from_json(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f"{path} is no JSON: {error}", hint="give a file that --report x.json wrote"
        ) from error
    written = [results.write(target, saved) for target in write]
    results.show(saved, output)
    return 0 if all(written) else 1
