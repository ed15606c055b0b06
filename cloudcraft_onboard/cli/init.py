"""`onboard init`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from cloudcraft_onboard.errors import UsageError

if TYPE_CHECKING:
    from cloudcraft_onboard.app.init import FromOrganization, FromProfiles

_ORGANIZATION = "From AWS Organizations"
_PROFILES = "From the AWS config"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard init --organization --profile org-admin -f org.yaml")(init)


def init(
    *,
    organization: Annotated[
        bool,
        typer.Option(
            "--organization",
            help="Take all active accounts of the organization.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="PROFILE",
            help="The profile to use; it becomes the manifest's default unless it is AWS_PROFILE.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    ou: Annotated[
        list[str] | None,
        typer.Option(
            "--ou",
            metavar="OU",
            help="Only accounts in this unit, at any depth. Repeatable.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="ID",
            help="Leave this account out. Repeatable.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    assume_role: Annotated[
        str | None,
        typer.Option(
            "--assume-role",
            metavar="NAME",
            help="The role to assume in the accounts. Default: OrganizationAccountAccessRole.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="PATTERN",
            help="How to name accounts, with {name}, {id}, {email}, {ou}. Default: {name}.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(
            "--share",
            metavar="GLOB=WHO",
            help="Who sees the accounts whose OU path matches: 'Prod/*=Platform', '*=everyone'."
            " Repeatable; the first match wins.",
            rich_help_panel=_ORGANIZATION,
        ),
    ] = None,
    profiles: Annotated[
        str | None,
        typer.Option(
            "--profiles",
            metavar="GLOB",
            help="Take the profiles of the AWS config whose names match.",
            rich_help_panel=_PROFILES,
        ),
    ] = None,
    resolve: Annotated[
        bool,
        typer.Option(
            "--resolve",
            help="Look up account IDs missing from the config (sts:GetCallerIdentity); --update"
            " always does.",
            rich_help_panel=_PROFILES,
        ),
    ] = False,
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", metavar="FILE", help="Write to FILE, which must not exist."),
    ] = None,
    update: Annotated[
        str | None,
        typer.Option("--update", metavar="FILE", help="Add missing accounts to FILE, in place."),
    ] = None,
    disable_closed: Annotated[
        bool,
        typer.Option(
            "--disable-closed",
            help="With --update --organization: set `enabled: false` for accounts that are gone.",
        ),
    ] = False,
) -> None:
    """Make a manifest from AWS Organizations or from the profiles of the AWS config.

    Writes it to stdout, or to a file. Stderr says what is left out, and why.
    """
    from cloudcraft_onboard.app import init as story  # noqa: PLC0415 - loads boto3
    from cloudcraft_onboard.manifest.share import share_of  # noqa: PLC0415 - with it

    if organization == (profiles is not None):
        raise UsageError("Choose one source of accounts: --organization or --profiles 'GLOB'.")
    if file is not None and update is not None:
        raise UsageError("-f makes a new file, --update changes one: give only one of them.")
    for_organization = (
        ("--profile", profile),
        ("--ou", ou),
        ("--exclude", exclude),
        ("--assume-role", assume_role),
        ("--name", name),
        ("--share", share),
        ("--disable-closed", disable_closed),
    )
    source: FromOrganization | FromProfiles
    if profiles is None:
        _only_with("--profiles", (("--resolve", resolve),))
        source = story.FromOrganization(
            profile=profile,
            units=tuple(ou or ()),
            excluded=tuple(exclude or ()),
            assume_role=assume_role,
            name=name or "{name}",
            shares=tuple(map(share_of, share or ())),
        )
    else:
        _only_with("--organization", for_organization)
        source = story.FromProfiles(glob=profiles, resolve=resolve)
    if update is None:
        _only_with("--update", (("--disable-closed", disable_closed),))
        outcome = story.create(source, file)
    else:
        outcome = story.update(source, update, disable_closed=disable_closed)
    for sentence in outcome.said:
        print(sentence, file=sys.stderr)
    print(outcome.text, end="")


def _only_with(option: str, given: Iterable[tuple[str, object]]) -> None:
    """Raise `UsageError` for options that need another one."""
    for name, value in given:
        if value:
            raise UsageError(f"{name} needs {option}.")
