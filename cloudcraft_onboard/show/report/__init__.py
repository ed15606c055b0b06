"""Reports as files: the suffix chooses the format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudcraft_onboard.console.files import is_special, unusable, write_whole
from cloudcraft_onboard.coverage.words import Status
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model import Command, Report
from cloudcraft_onboard.show.report import csv, html, json, junit, markdown, status

Told = Report | Status
"""What a report can be of: a run or plan, or where the accounts stand."""

_FORMATS = {
    ".json": json.render,
    ".md": markdown.render,
    ".html": html.render,
    ".xml": junit.render,
    ".csv": csv.render,
}

SUFFIXES = tuple(_FORMATS)
"""What `--report` paths may end with."""


def to_json(report: Told) -> dict[str, Any]:
    """The report in the shape of its JSON."""
    return status.json.to_json(report) if isinstance(report, Status) else json.to_json(report)


def from_json(data: object) -> Told:
    """The report that `to_json` made. Raises `UsageError` for anything that is no such report."""
    if isinstance(data, Mapping) and data.get("command") == Command.STATUS.value:
        return status.json.from_json(data)
    return json.from_json(data)


def render(report: Told, suffix: str) -> str:
    """The report as the text of a file with this suffix, one of `SUFFIXES`."""
    # Times as the JSON report has them, so that `onboard report` makes the very same files of it.
    if isinstance(report, Status):
        text = status.FORMATS[suffix](report)
    else:
        text = _FORMATS[suffix](json.from_json(json.to_json(report)))
    # Half of a surrogate pair, which YAML's escapes can make, has no bytes in UTF-8.
    return text.encode(errors="replace").decode()


def write(path: str, report: Told) -> None:
    """Write the report to `path`, whole or not at all. Raises `UsageError`, `OSError`."""
    write_whole(path, render(report, _suffix(path)))


def check(path: str) -> None:
    """Say before a run what would keep its report from being written in the end.

    Raises:
        UsageError: an unknown suffix, a folder that is missing or not writable, or a path that is
            a folder or none at all; of a link, what it leads to.
    """
    _suffix(path)
    target = Path(path)
    if why := unusable(target):
        raise UsageError(f"Cannot write the report {path}: {why}.")
    if target.is_dir():
        raise UsageError(f"{path} is a directory.", hint="Give the path of a file.")
    if is_special(target):
        return
    folder = Path(os.path.realpath(target)).parent if target.is_symlink() else target.parent
    if not folder.is_dir():
        raise UsageError(
            f"The directory of the report {path} does not exist.",
            hint=f"Make it with `mkdir -p {folder}`.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"The directory of the report {path} is not writable.",
            hint="Choose another directory, or change its permissions.",
        )


def _suffix(path: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix in _FORMATS:
        return suffix
    raise UsageError(
        f"The report {path} has no known suffix.",
        hint=f"Use one of {', '.join(SUFFIXES)}; the suffix chooses the format.",
    )
