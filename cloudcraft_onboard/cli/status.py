"""`onboard status`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from cloudcraft_onboard.cli import complete, options
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Settings

SOURCES = "What to compare"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard status org.yaml --organization --report status.html")(
        status
    )


@options.without("settle", "max_failures", "retry", streams=False)
def status(
    settings: Settings,
    *,
    organization: Annotated[
        bool,
        typer.Option(
            "--organization",
            help="Also compare with all accounts of AWS Organizations.",
            rich_help_panel=SOURCES,
        ),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="PROFILE",
            autocompletion=complete.profiles,
            help="With --organization: the profile to use. By default, the one from which most of "
            "the manifest's accounts are entered.",
            rich_help_panel=SOURCES,
        ),
    ] = None,
    no_roles: Annotated[
        bool,
        typer.Option(
            "--no-roles",
            help="Skip the roles: takes seconds and, without --organization, no AWS credentials.",
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
    """Show which accounts Cloudcraft sees and which it doesn't, and what to do. Reads only.

    Compares the manifest, Cloudcraft's list, the roles in AWS and, with --organization, AWS
    Organizations.
    """
    if profile is not None and not organization:
        raise UsageError("--profile needs --organization.")
    from cloudcraft_onboard.app import status as story  # noqa: PLC0415 - loads boto3 and httpx

    sources = story.Sources(organization=organization, profile=profile, roles=not no_roles)
    raise typer.Exit(story.status(replace(settings, exit_code=exit_code), sources))
