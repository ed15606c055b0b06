"""`onboard run` and `onboard plan`."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudcraft_onboard.cli import options
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Selection, Settings, duration


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: onboard run org.yaml --only env=prod --report results.md")(run)
    app.command(epilog="Example: onboard plan org.yaml --exit-code -o json | jq .summary")(plan)


def run(
    manifest: options.ManifestPath,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, like onboard plan.")
    ] = False,
    exit_code: options.ExitCode = False,
    only: options.Only = None,
    exclude: options.Exclude = None,
    changed_since: options.ChangedSince = None,
    concurrency: options.Concurrency = 16,
    settle: options.Settle = 10.0,
    max_failures: options.MaxFailures = None,
    time_budget: options.TimeBudget = None,
    retries: options.Retries = 5,
    timeout: options.Timeout = 60.0,
    report: options.Reports = None,
    output: options.OutputFormat = options.Output.table,
    sandbox: options.Sandbox = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Bring every account of MANIFEST to its desired state.

    Its role in AWS, its registration in Cloudcraft; on a finished manifest it writes nothing.
    """
    if exit_code and not dry_run:
        raise UsageError("--exit-code goes with --dry-run", hint="or use onboard plan --exit-code")
    settings = collect(
        manifest,
        only=only,
        exclude=exclude,
        changed_since=changed_since,
        concurrency=concurrency,
        settle=settle,
        max_failures=max_failures,
        time_budget=time_budget,
        retries=retries,
        timeout=timeout,
        report=report,
        output=output,
        sandbox=sandbox,
        verbose=verbose,
        quiet=quiet,
        exit_code=exit_code,
    )
    from cloudcraft_onboard.app import run as story  # noqa: PLC0415 - loads boto3 and httpx
    from cloudcraft_onboard.model import Command  # noqa: PLC0415 - with the story

    code = story.plan(settings, Command.RUN) if dry_run else story.run(settings)
    raise typer.Exit(code)


def plan(
    manifest: options.ManifestPath,
    *,
    exit_code: options.ExitCode = False,
    only: options.Only = None,
    exclude: options.Exclude = None,
    changed_since: options.ChangedSince = None,
    concurrency: options.Concurrency = 16,
    settle: options.Settle = 10.0,
    max_failures: options.MaxFailures = None,
    time_budget: options.TimeBudget = None,
    retries: options.Retries = 5,
    timeout: options.Timeout = 60.0,
    report: options.Reports = None,
    output: options.OutputFormat = options.Output.table,
    sandbox: options.Sandbox = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Say what `onboard run` would do, account by account. Reads only."""
    settings = collect(
        manifest,
        only=only,
        exclude=exclude,
        changed_since=changed_since,
        concurrency=concurrency,
        settle=settle,
        max_failures=max_failures,
        time_budget=time_budget,
        retries=retries,
        timeout=timeout,
        report=report,
        output=output,
        sandbox=sandbox,
        verbose=verbose,
        quiet=quiet,
        exit_code=exit_code,
    )
    from cloudcraft_onboard.app import run as story  # noqa: PLC0415 - loads boto3 and httpx

    raise typer.Exit(story.plan(settings))


def collect(
    manifest: str,
    *,
    only: list[str] | None,
    exclude: list[str] | None,
    changed_since: str | None,
    concurrency: int,
    settle: float,
    max_failures: int | None,
    time_budget: str | None,
    retries: int,
    timeout: float,
    report: list[str] | None,
    output: options.Output,
    sandbox: bool,
    verbose: int,
    quiet: bool,
    exit_code: bool = False,
) -> Settings:
    """Options into `Settings`; `UsageError` for values that don't go together."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet contradict each other", hint="use one of them")
    return Settings(
        manifest=manifest,
        selection=Selection(
            only=tuple(only or ()), exclude=tuple(exclude or ()), changed_since=changed_since
        ),
        concurrency=concurrency,
        reports=tuple(report or ()),
        output=output.value,
        settle=settle,
        max_failures=max_failures,
        time_budget=None if time_budget is None else duration(time_budget),
        retries=retries,
        timeout=timeout,
        sandbox=sandbox,
        verbosity=-1 if quiet else verbose,
        exit_code=exit_code,
    )
