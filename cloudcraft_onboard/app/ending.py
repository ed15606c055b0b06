"""The last words of a command, on stderr: where its reports are, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from cloudcraft_onboard.coverage.words import Status
from cloudcraft_onboard.manifest.load import STANDARD_INPUT
from cloudcraft_onboard.model import Command, Report
from cloudcraft_onboard.settings import Settings
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.told import Told


def ending(report: Told, settings: Settings, written: Sequence[str]) -> list[str]:
    """Lines about the command as a whole; `written` are the reports that could be written."""
    lines: list[str] = []
    if isinstance(report, Report) and not report.results:
        lines.append(_nothing_to_do(report, settings))
    if written:
        paths = ", ".join(map(text.clean, written))
        lines.append(f"{'Report' if len(written) == 1 else 'Reports'}: {paths}")
    if settings.sandbox:
        lines += ["", *_sandbox(report, settings)]
    return lines


def _nothing_to_do(report: Report, settings: Settings) -> str:
    manifest, since = text.clean(report.manifest), settings.selection.changed_since
    if settings.selection.retry is not None:
        again = text.clean(settings.selection.retry)
        return f"Nothing to do: no selected account is failed or pending in {again}."
    if report.command is Command.REMOVE:
        return f"Nothing to do: every registration in Cloudcraft is in {manifest}."
    if since is not None:
        return f"Nothing to do: no account of {manifest} has changed since {text.clean(since)}."
    return "Nothing to do: no account is selected."


def _sandbox(report: Told, settings: Settings) -> list[str]:
    if isinstance(report, Status):
        return ["This was a sandbox: nothing outside this machine was contacted."]
    seen = report.cloudcraft.registered
    end = ""
    if seen is not None and not text.is_plan(report):
        end = f" Its Cloudcraft now sees {text.counted(seen, 'account')}."
    told = ["This was a sandbox: nothing outside this machine was contacted." + end]
    told[0] += " Each --sandbox starts anew."
    if report.manifest == STANDARD_INPUT:
        return told  # no command can read it again
    commands = _next(report, settings)
    width = max(len(command) for command, _ in commands)
    return [
        *told,
        "Try next:",
        *(f"  {command.ljust(width)}  # {why}" for command, why in commands),
    ]


def _next(report: Report, settings: Settings) -> list[tuple[str, str]]:
    manifest = _quoted(report.manifest)
    beside = Path(report.manifest).with_name("trouble.yaml")
    shown = (
        (f"onboard run {_quoted(beside)} --sandbox", "accounts that fail for different reasons")
        if beside.exists() and not beside.samefile(report.manifest)
        else (f"onboard remove {manifest} --sandbox --dry-run", "what removing them would do")
    )
    return [
        (f"onboard sandbox {manifest}", "one that stays, for several commands")
        if not text.is_plan(report)
        else (_in_earnest(report, settings), "carry the plan out"),
        (
            f"onboard status {manifest} --sandbox --organization",
            "whether Cloudcraft sees every account",
        ),
        shown,
    ]


def _in_earnest(report: Report, settings: Settings) -> str:
    """The command that does what this plan of it shows, for the same accounts."""
    command = "remove" if report.command is Command.REMOVE else "run"
    chosen = settings.selection
    options = [
        *(f"--only={pattern}" for pattern in chosen.only),
        *(f"--exclude={pattern}" for pattern in chosen.exclude),
        *([f"--changed-since={chosen.changed_since}"] if chosen.changed_since else []),
        *settings.extra,
    ]
    told = ["onboard", command, _quoted(report.manifest), "--sandbox", *map(_quoted, options)]
    return " ".join(told)


def _quoted(path: str | Path) -> str:
    return shlex.quote(text.clean(str(path)))
