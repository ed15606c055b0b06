"""`onboard init`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from cloudcraft_onboard import defaults
from cloudcraft_onboard.cli import complete
from cloudcraft_onboard.errors import UsageError

if TYPE_CHECKING:
    from cloudcraft_onboard.sources.found import Source

_SOURCES = "Where the accounts come from"
_WHICH = "Which accounts, and how they are entered"
_HOW = "How they are written"

_ONLY_WITH = {
    "--profile": ("--organization", "--from"),
    "--assume-role": ("--organization", "--from"),
    "--ou": ("--organization",),
    "--exclude": ("--organization",),
    "--tags": ("--organization",),
    "--resolve": ("--profiles",),
    "--sso-role": ("--sso",),
    "--disable-closed": ("--organization", "--from"),
}
"""Options that not every source takes."""


FromOrganization = Annotated[
    bool,
    typer.Option(
        "--organization",
        help="All active accounts of AWS Organizations.",
        rich_help_panel=_SOURCES,
    ),
]
FromProfiles = Annotated[
    str | None,
    typer.Option(
        "--profiles",
        metavar="GLOB",
        help="The profiles of the AWS config whose names match.",
        rich_help_panel=_SOURCES,
    ),
]
FromSso = Annotated[
    str | None,
    typer.Option(
        "--sso",
        metavar="SESSION",
        help="All accounts that IAM Identity Center shows you; the name of an sso-session.",
        rich_help_panel=_SOURCES,
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="A list: CSV, c7n-org's accounts.yml, Prowler's providers, the JSON of `aws"
        " organizations list-accounts` or `terraform output -json`; - reads stdin.",
        rich_help_panel=_SOURCES,
    ),
]
EntryProfile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        autocompletion=complete.profiles,
        help="The profile to use; it becomes the manifest's default unless it is AWS_PROFILE.",
        rich_help_panel=_WHICH,
    ),
]
Unit = Annotated[
    list[str] | None,
    typer.Option(
        "--ou",
        metavar="OU",
        help="Only accounts in this unit, at any depth. Repeatable.",
        rich_help_panel=_WHICH,
    ),
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="ID|OU",
        help="Leave out this account, or this OU (ID or path). Repeatable.",
        rich_help_panel=_WHICH,
    ),
]
EntryRole = Annotated[
    str | None,
    typer.Option(
        "--assume-role",
        metavar="NAME",
        help="The role to assume in the accounts. Default: OrganizationAccountAccessRole.",
        rich_help_panel=_WHICH,
    ),
]
PermissionSet = Annotated[
    str | None,
    typer.Option(
        "--sso-role",
        metavar="NAME",
        help="With --sso: the permission set to enter with, if there are several.",
        rich_help_panel=_WHICH,
    ),
]
Resolve = Annotated[
    bool,
    typer.Option(
        "--resolve",
        help="With --profiles: look up account IDs missing from the config"
        " (sts:GetCallerIdentity); --update always does.",
        rich_help_panel=_WHICH,
    ),
]
Name = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="PATTERN",
        help="How to name accounts, with {name}, {id}, {email}, {ou}.",
        rich_help_panel=_HOW,
    ),
]
Shares = Annotated[
    list[str] | None,
    typer.Option(
        "--share",
        metavar="GLOB=WHO",
        help="Who sees the accounts whose OU path matches: 'Prod/*=Platform', '*=everyone'."
        " Repeatable; the first match wins.",
        rich_help_panel=_HOW,
    ),
]
Tags = Annotated[
    str | None,
    typer.Option(
        "--tags",
        metavar="KEY,...",
        help="Copy these tags of AWS Organizations; '*' for all.",
        rich_help_panel=_HOW,
    ),
]
File = Annotated[
    str | None,
    typer.Option("-f", "--file", metavar="FILE", help="Write to FILE, which must not exist."),
]
Update = Annotated[
    str | None,
    typer.Option("--update", metavar="FILE", help="Add missing accounts to FILE, in place."),
]
DisableClosed = Annotated[
    bool,
    typer.Option(
        "--disable-closed",
        help="With --update: set `enabled: false` for accounts that are gone.",
    ),
]
MaxDisabled = Annotated[
    int | None,
    typer.Option(
        "--max-disabled",
        metavar="N",
        min=0,
        help="Write nothing if --disable-closed would disable more."
        f" Default: {defaults.MOST}, or a tenth if that is more.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard init --organization --profile org-admin -f org.yaml")(init)


def init(
    *,
    organization: FromOrganization = False,
    profiles: FromProfiles = None,
    sso: FromSso = None,
    from_file: FromFile = None,
    profile: EntryProfile = None,
    ou: Unit = None,
    exclude: LeaveOut = None,
    assume_role: EntryRole = None,
    sso_role: PermissionSet = None,
    resolve: Resolve = False,
    name: Name = "{name}",
    share: Shares = None,
    tags: Tags = None,
    file: File = None,
    update: Update = None,
    disable_closed: DisableClosed = False,
    max_disabled: MaxDisabled = None,
) -> None:
    """Make a manifest from one source of accounts, or bring one up to date.

    Writes it to stdout, or to a file. Stderr says what is left out, and why.
    """
    from cloudcraft_onboard.app import init as story  # noqa: PLC0415 - loads boto3
    from cloudcraft_onboard.manifest.share import share_of  # noqa: PLC0415 - with it
    from cloudcraft_onboard.sources.listed import ListFile  # noqa: PLC0415 - with it
    from cloudcraft_onboard.sources.organization import OrganizationAccounts  # noqa: PLC0415 - with it
    from cloudcraft_onboard.sources.profiles import Profiles  # noqa: PLC0415 - with it
    from cloudcraft_onboard.sources.sso import IdentityCenter  # noqa: PLC0415 - with it

    source = _one_of(
        {
            "--organization": OrganizationAccounts(
                profile=profile,
                units=tuple(ou or ()),
                excluded=tuple(exclude or ()),
                tags=tuple(key.strip() for key in (tags or "").split(",") if key.strip()),
                assume_role=assume_role,
            )
            if organization
            else None,
            "--profiles": None if profiles is None else Profiles(glob=profiles),
            "--sso": None if sso is None else IdentityCenter(session=sso, role=sso_role),
            "--from": None
            if from_file is None
            else ListFile(path=from_file, profile=profile, assume_role=assume_role),
        },
        {
            "--profile": profile,
            "--assume-role": assume_role,
            "--ou": ou,
            "--exclude": exclude,
            "--tags": tags,
            "--resolve": resolve,
            "--sso-role": sso_role,
            "--disable-closed": disable_closed,
        },
    )
    _check_files(file, update, disable=disable_closed, most=max_disabled)
    wishes = story.Wishes(name=name, shares=tuple(map(share_of, share or ())), resolve=resolve)
    if update is None:
        outcome = story.create(source, wishes, file)
    else:
        disabling = story.Disabling(disable=disable_closed, most=max_disabled)
        outcome = story.update(source, wishes, update, disabling)
    for sentence in outcome.said:
        print(sentence, file=sys.stderr)
    print(outcome.text, end="")
    raise typer.Exit(outcome.code)


def _check_files(file: str | None, update: str | None, *, disable: bool, most: int | None) -> None:
    """Raise `UsageError` for options of a new file and of an update that exclude each other."""
    if file is not None and update is not None:
        raise UsageError("-f makes a new file, --update changes one: give only one of them.")
    if disable and update is None:
        raise UsageError("--disable-closed needs --update.")
    if most is not None and not disable:
        raise UsageError("--max-disabled needs --disable-closed.")


def _one_of(sources: Mapping[str, Source | None], options: Mapping[str, object]) -> Source:
    """The source that is given; `UsageError` unless it is one, and takes the given options."""
    given = {option: source for option, source in sources.items() if source is not None}
    if len(given) != 1:
        raise UsageError(
            "Choose one source of accounts: --organization, --profiles 'GLOB', --sso SESSION or"
            " --from FILE."
        )
    ((name, source),) = given.items()
    for option, value in options.items():
        if value and name not in _ONLY_WITH[option]:
            raise UsageError(f"{option} needs {' or '.join(_ONLY_WITH[option])}.")
    return source
