"""`onboard template`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cloudcraft_onboard.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: onboard template org.yaml > role.yaml; aws cloudformation deploy "
        "--template-file role.yaml --stack-name cloudcraft --capabilities CAPABILITY_NAMED_IAM "
        "--parameter-overrides CloudcraftAccountId=... ExternalId=..."
    )(template)


def template(
    manifest: options.ManifestPath,
    *,
    only: options.Only = None,
    exclude: options.Exclude = None,
    output: Annotated[
        Literal["yaml", "json"], typer.Option("-o", "--output", help="The template's format.")
    ] = "yaml",
) -> None:
    """Print the role of MANIFEST's accounts as a CloudFormation template.

    Works offline, unless the role uses cloudcraft:minimal or cloudcraft:custom: their documents
    are read from Cloudcraft with the API key. The parameters are Cloudcraft's AWS account and
    your external ID: accountId and externalId of GET /aws/account/iamParameters.
    """
    from cloudcraft_onboard.app import template as story  # noqa: PLC0415 - loads httpx
    from cloudcraft_onboard.settings import Selection  # noqa: PLC0415 - with the command

    selection = Selection(only=tuple(only or ()), exclude=tuple(exclude or ()))
    print(story.template(manifest, selection, output).rstrip("\n"))
