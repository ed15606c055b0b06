"""The options that `run`, `plan` and `remove` share (contract §1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cloudcraft_onboard.cli.complete import patterns

SELECT = "Which accounts"
PACE = "Pace and limits"
RESULTS = "Results"


class Output(StrEnum):
    """What stdout gets at the end."""

    table = "table"
    json = "json"


ManifestPath = Annotated[
    str, typer.Argument(metavar="MANIFEST", help="The YAML file that lists the accounts.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Only these accounts: a name or name glob, an account ID, or key=value of a tag. "
        "Repeatable.",
        autocompletion=patterns,
        rich_help_panel=SELECT,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="All but these accounts; patterns as for --only. Repeatable.",
        autocompletion=patterns,
        rich_help_panel=SELECT,
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="GITREF",
        help="Only accounts whose entry or defaults differ from that git revision's manifest.",
        rich_help_panel=SELECT,
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        max=256,
        help="Accounts worked on in AWS at the same time.",
        rich_help_panel=PACE,
    ),
]
Settle = Annotated[
    float,
    typer.Option(
        "--settle",
        metavar="SECONDS",
        min=0,
        max=3600,
        help="How old a new role must be before Cloudcraft is asked to check it.",
        rich_help_panel=PACE,
    ),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Start no new account after N failures; the rest stays pending.",
        rich_help_panel=PACE,
    ),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        metavar="DURATION",
        help="End within this time (90s, 5h30m); the rest stays pending.",
        rich_help_panel=PACE,
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        metavar="N",
        min=0,
        max=20,
        help="How often one request is tried again when that is safe.",
        rich_help_panel=PACE,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        max=3600,
        help="How long one answer of Cloudcraft may take.",
        rich_help_panel=PACE,
    ),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="PATH",
        help="Write the results to PATH: .json, .md, .html, .xml (JUnit) or .csv. Repeatable.",
        rich_help_panel=RESULTS,
    ),
]
OutputFormat = Annotated[
    Output,
    typer.Option("-o", "--output", help="What stdout gets at the end.", rich_help_panel=RESULTS),
]
Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        help="More on stderr: -v every request, -vv the SDKs' logs, without secrets.",
        rich_help_panel=RESULTS,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Less on stderr: failures only.", rich_help_panel=RESULTS),
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox", help="Use an embedded local AWS and Cloudcraft instead of the real ones."
    ),
]
ExitCode = Annotated[
    bool,
    typer.Option(
        "--exit-code",
        help="Exit 1 when something would change, like git diff --exit-code.",
        rich_help_panel=RESULTS,
    ),
]
