"""The `onboard` command line. Commands import their story when they are called, not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cloudcraft_onboard import __version__
from cloudcraft_onboard.cli import files, init, permissions, remove, run, sandbox, status, template
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import UsageError

# The parser's own base of all usage errors; Typer exports only this one of them.
_Usage: type[Any] = typer.BadParameter.__mro__[1]


class _Plain:
    """Help without noise: no `<bool>` beside a flag, no braces around MANIFEST."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters; a flag takes no value, so none is shown."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False) or getattr(param, "count", False):
                param.metavar = ""
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`MANIFEST...`, as in every other manual."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


class _Command(_Plain, TyperCommand):
    """A command."""


class _App(typer.Typer):
    """Typer, with our kind of command."""

    def command(self, name: str | None = None, **given: Any) -> Any:
        """Add a command."""
        return super().command(name, **{"cls": _Command, **given})


class _Commands(_Plain, TyperGroup):
    """The commands; a wrong command line is reported like any other error."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the options before the command."""
        with _told_plainly():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Find the command, parse its options, run it."""
        with _told_plainly():
            return super().invoke(ctx)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except _Usage as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "onboard"
        message = error.format_message()
        for said, plain in _PLAIN.items():
            message = message.replace(said, plain)
        hint = f"`{command} --help` shows the usage."
        if "'version'" in message:
            message, hint = message.partition(" Did you mean")[0], "`onboard --version` prints it."
        raise UsageError(sentence(message), hint=hint) from None


_PLAIN = {
    "Input should be greater than or equal to": "must be at least",
    "Input should be less than or equal to": "must be at most",
    "Input should be greater than": "must be more than",
    "Input should be less than": "must be less than",
    "Value error, ": "",
    "Input should be a valid number, unable to parse string as a number": "not a number",
    "Input should be a valid integer, unable to parse string as an integer": "not a whole number",
}
"""The validator's wording, and ours."""


app = _App(
    name="onboard",
    cls=_Commands,
    help="Connect many AWS accounts to Cloudcraft in one command.",
    epilog="Start with: onboard init --organization -f org.yaml; onboard plan org.yaml; "
    "onboard run org.yaml. To try it without accounts of your own: onboard sandbox --help.",
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
