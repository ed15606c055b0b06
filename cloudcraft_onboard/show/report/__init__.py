"""Reports as files: the suffix chooses the format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from cloudcraft_onboard.console.files import is_special, same, unusable, write_whole
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model import Report, Result
from cloudcraft_onboard.show.document import Document
from cloudcraft_onboard.show.report import csv, html, json, junit, markdown
from cloudcraft_onboard.show.report.json import from_json as from_json
from cloudcraft_onboard.show.report.json import to_json as to_json
from cloudcraft_onboard.show.told import Told, document

_DATA: dict[str, Callable[[Told], str]] = {".json": json.render, ".csv": csv.render}
_TEXTS: dict[str, Callable[[Document], str]] = {
    ".md": markdown.render,
    ".html": html.render,
    ".xml": junit.render,
}

SUFFIXES = (".json", ".md", ".html", ".xml", ".csv")
"""What `--report` paths may end with."""


def render(told: Told, suffix: str) -> str:
    """The report as the text of a file with this suffix, one of `SUFFIXES`."""
    text = _DATA[suffix](told) if suffix in _DATA else _TEXTS[suffix](document(_as_saved(told)))
    # Half of a surrogate pair, which YAML's escapes can make, has no bytes in UTF-8.
    return text.encode(errors="replace").decode()


def _as_saved(told: Told) -> Told:
    """With times as the JSON has them, so that `onboard report` makes the very same files of it."""
    if not isinstance(told, Report):
        return told
    return replace(
        told,
        started_at=told.started_at.replace(microsecond=0),
        finished_at=told.finished_at.replace(microsecond=0),
        results=tuple(map(_timed, told.results)),
    )


def _timed(result: Result) -> Result:
    return replace(result, seconds=round(result.seconds, 2))


def write(path: str, report: Told) -> None:
    """Write the report to `path`, whole or not at all. Raises `UsageError`, `OSError`."""
    write_whole(path, render(report, _suffix(path)))


def check(path: str, inputs: Mapping[str, str] | None = None) -> None:
    """Say before a run what would keep its report from being written.

    `inputs` are the paths of files that are read, each with what it is: none of them is replaced.

    Raises:
        UsageError: an unknown suffix, a folder that is missing or not writable, or a path that is
            a folder, an input or none at all; of a link, what it leads to.
    """
    _suffix(path)
    target = Path(path)
    for file, what in (inputs or {}).items():
        if same(target, file):
            raise UsageError(
                f"The report {path} is {what}, which it would replace.",
                hint="Give the report another name, such as `--report results.json`.",
            )
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
    if suffix in SUFFIXES:
        return suffix
    raise UsageError(
        f"The report {path} has no known suffix.",
        hint=f"Use one of {', '.join(SUFFIXES)}; the suffix chooses the format.",
    )
