"""Commands that only read and print: `validate`, `schema`, `report`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cloudcraft_onboard.cli import options
from cloudcraft_onboard.console.streams import print_json
from cloudcraft_onboard.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: onboard validate manifests/*.yaml")(validate)
    app.command(epilog="Example: onboard schema > onboard.schema.json")(schema)
    app.command(epilog="Example: onboard report results.json --report results.html")(report)


def validate(
    manifests: Annotated[
        list[str], typer.Argument(metavar="MANIFEST", help="The manifests to check; - reads stdin.")
    ],
) -> None:
    """Check manifests offline: no network, no credentials."""
    from cloudcraft_onboard.manifest.load import load_all  # noqa: PLC0415 - loads pydantic
    from cloudcraft_onboard.manifest.partitions import mixed_partitions  # noqa: PLC0415 - with it

    for manifest in load_all(manifests):
        disabled = sum(not account.enabled for account in manifest.accounts)
        aside = f" ({disabled} disabled)" if disabled else ""
        count = len(manifest.accounts)
        print(f"{manifest.path}: {count} account{'' if count == 1 else 's'}{aside}, valid")
        if warning := mixed_partitions(manifest.accounts):
            print(f"{manifest.path}: warning: {warning}", file=sys.stderr)


def schema(
    *,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Print that of the JSON reports instead (run, plan, remove, status)."
        ),
    ] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Print that of a line of -o jsonl instead.")
    ] = False,
) -> None:
    """Print the manifest's JSON Schema (draft 2020-12), for editors."""
    if report and events:
        raise UsageError("--report and --events exclude each other.", hint="Use one of them.")
    if report or events:
        from cloudcraft_onboard.app.report import json_schema_of  # noqa: PLC0415 - loads pydantic

        print_json(json_schema_of(events=events))
        return
    from cloudcraft_onboard.manifest.schema import json_schema  # noqa: PLC0415 - loads pydantic

    print_json(json_schema())


def report(
    results: Annotated[
        str,
        typer.Argument(
            metavar="RESULTS.json", help="A report from --report FILE.json; - reads stdin."
        ),
    ],
    *,
    write: options.Reports = None,
    output: options.OutputFormat = "table",
) -> None:
    """Render a saved JSON report again, as a table or into other formats."""
    from cloudcraft_onboard.app.report import show  # noqa: PLC0415 - with the command

    sys.exit(show(results, tuple(write or ()), output))
