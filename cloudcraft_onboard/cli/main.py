"""The `onboard` command line. Commands import their story when they are called, not before."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudcraft_onboard import __version__
from cloudcraft_onboard.cli import files, init, permissions, remove, run, sandbox, status, template

app = typer.Typer(
    name="onboard",
    help="Connect many AWS accounts to Cloudcraft in one command.",
    epilog="Start with: onboard init --organization -f org.yaml; onboard plan org.yaml; "
    "onboard run org.yaml. Without any account of your own: onboard sandbox --help.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - Typer passes the option's value
    if value:
        print(f"onboard {__version__}")
        raise typer.Exit


@app.callback()
def onboard(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Connect many AWS accounts to Cloudcraft in one command."""


for commands in (run, remove, status, init, files, permissions, template, sandbox):
    commands.register(app)
