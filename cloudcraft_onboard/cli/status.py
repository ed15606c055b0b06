"""`onboard status`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from cloudcraft_onboard.cli import options
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Settings

SOURCES = "Whom to ask"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard status org.yaml --organization --report status.html")(
        status
    )


@options.without("settle", "max_failures")
def status(
    settings: Settings,
    *,
    organization: Annotated[
        bool,
        typer.Option(
            "--organization",
            help="Compare with all accounts of AWS Organizations, too.",
            rich_help_panel=SOURCES,
        ),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="PROFILE",
            help="With --organization: whose credentials to ask with; by default those from which "
            "most accounts of the manifest are entered.",
            rich_help_panel=SOURCES,
        ),
    ] = None,
    no_roles: Annotated[
        bool,
        typer.Option(
            "--no-roles",
            help="Skip the roles: takes seconds, needs no AWS credentials without --organization.",
            rich_help_panel=SOURCES,
        ),
    ] = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Exit 1 unless every account is onboarded, disabled or Datadog's.",
            rich_help_panel=options.RESULTS,
        ),
    ] = False,
) -> None:
    """Show which accounts Cloudcraft sees, which it doesn't, and what to do. Reads only.

    Compares the manifest, Cloudcraft's list, the roles in AWS and, with --organization, AWS
    Organizations.
    """
    if profile is not None and not organization:
        raise UsageError("--profile needs --organization")
    from cloudcraft_onboard.app import status as story  # noqa: PLC0415 - loads boto3 and httpx

    sources = story.Sources(organization=organization, profile=profile, roles=not no_roles)
    raise typer.Exit(story.status(replace(settings, exit_code=exit_code), sources))
