"""`onboard run` and `onboard plan`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from cloudcraft_onboard.cli import options
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: onboard run org.yaml --only env=prod --report results.md")(run)
    app.command(epilog="Example: onboard plan org.yaml --exit-code -o json | jq .summary")(plan)


@options.with_settings
def run(
    settings: Settings,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done, like onboard plan.")
    ] = False,
    exit_code: options.ExitCode = False,
    no_simulate: options.NoSimulate = False,
) -> None:
    """Onboard every account of MANIFEST: its role in AWS, its registration in Cloudcraft.

    Changes only what differs; on a finished manifest, it changes nothing.
    """
    if exit_code and not dry_run:
        raise UsageError("--exit-code needs --dry-run.", hint="Or use `onboard plan --exit-code`.")
    if no_simulate and not dry_run:
        raise UsageError("--no-simulate needs --dry-run: a run asks nothing beforehand.")
    from cloudcraft_onboard.app import run as story  # noqa: PLC0415 - loads boto3 and httpx
    from cloudcraft_onboard.model import Command  # noqa: PLC0415 - with the story

    if dry_run:
        planned = replace(settings, exit_code=exit_code, simulate=not no_simulate)
        raise typer.Exit(story.plan(planned, Command.RUN))
    raise typer.Exit(story.run(settings))


@options.with_settings
def plan(
    settings: Settings,
    *,
    exit_code: options.ExitCode = False,
    no_simulate: options.NoSimulate = False,
) -> None:
    """Show what `onboard run` would do, account by account. Reads only."""
    from cloudcraft_onboard.app import run as story  # noqa: PLC0415 - loads boto3 and httpx

    raise typer.Exit(story.plan(replace(settings, exit_code=exit_code, simulate=not no_simulate)))
