"""`onboard permissions`."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from cloudcraft_onboard.cli import options
from cloudcraft_onboard.console.harmless import dumps


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: onboard permissions org.yaml -o json | jq .account")(permissions)


def permissions(
    manifest: options.ManifestPath,
    *,
    output: Annotated[
        Literal["text", "json"],
        typer.Option("-o", "--output", help='json is {"operator": POLICY, "account": POLICY}.'),
    ] = "text",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only what plan and status need.")
    ] = False,
    organization: Annotated[
        bool,
        typer.Option(
            "--organization", help="Also what init --organization and status --organization read."
        ),
    ] = False,
) -> None:
    """Print the least-privilege IAM policies that MANIFEST needs. Offline.

    One for the identity that runs onboard, one for the role that it assumes in each account.
    """
    from cloudcraft_onboard.app import permissions as story  # noqa: PLC0415 - loads boto3

    found = story.permissions(manifest, read_only=read_only, organization=organization)
    if output == "json":
        print(found.as_json)
    else:
        for title, document in (
            ("Operator: the identity that runs onboard", found.operator),
            ("Account: the role that onboard assumes in each account", found.account),
        ):
            print(f"# {title}")
            print(dumps(document) if document["Statement"] else "# (nothing)")
            print()
    for sentence in story.advice(found):
        print(sentence, file=sys.stderr)
