"""`onboard remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudcraft_onboard import defaults
from cloudcraft_onboard.cli import options
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Selection, Settings

WHAT = "What to remove"


Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Skip the confirmation. Required without a terminal."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")]
KeepRoles = Annotated[
    bool,
    typer.Option(
        "--keep-roles",
        help="Delete only registrations; keep the roles in AWS.",
        rich_help_panel=WHAT,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Also delete roles made by onboard that have others' policies, or trust others.",
        rich_help_panel=WHAT,
    ),
]
Unlisted = Annotated[
    bool,
    typer.Option(
        "--unlisted",
        help="Instead, delete registrations of accounts not in the manifest; keep all roles.",
        rich_help_panel=WHAT,
    ),
]
MaxRemovals = Annotated[
    int | None,
    typer.Option(
        "--max-removals",
        metavar="N",
        min=0,
        help=f"With --unlisted: delete nothing if there are more. Default: {defaults.MOST}.",
        rich_help_panel=WHAT,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard remove org.yaml --only Legacy --report removed.md")(remove)


@options.without("changed_since", hidden="settle")
def remove(
    settings: Settings,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    keep_roles: KeepRoles = False,
    force: Force = False,
    unlisted: Unlisted = False,
    max_removals: MaxRemovals = None,
) -> None:
    """Remove what onboard made: registrations in Cloudcraft, then roles in AWS.

    Shows the plan and asks first. Roles that onboard didn't make are kept.
    """
    if unlisted and settings.selection != Selection():
        raise UsageError(
            "--unlisted is for accounts that are not in the manifest: drop --only, --exclude and "
            "--retry."
        )
    if unlisted and force:
        raise UsageError("--unlisted deletes no roles: drop --force.")
    if max_removals is not None and not unlisted:
        raise UsageError("--max-removals needs --unlisted.", hint="Use --only to select accounts.")
    from cloudcraft_onboard.app import remove as story  # noqa: PLC0415 - loads boto3 and httpx

    chosen = story.RemoveOptions(
        yes=yes,
        dry_run=dry_run,
        keep_roles=keep_roles,
        force=force,
        unlisted=unlisted,
        most=defaults.MOST if max_removals is None else max_removals,
    )
    raise typer.Exit(story.remove(settings, chosen))
