"""The options that `run`, `plan` and `remove` share (README, Options)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Annotated, Any, Literal, get_args

import typer

from cloudcraft_onboard import defaults
from cloudcraft_onboard.cli.complete import patterns
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import Selection, Settings, duration

SELECT = "Which accounts"
PACE = "Pace and limits"
RESULTS = "Results"


ManifestPath = Annotated[
    str,
    typer.Argument(
        metavar="MANIFEST", help="The YAML file that lists the accounts; - reads stdin."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Only these accounts: a name or a glob of names, an account ID, or a tag as "
        "key=value, whose value may be a glob. Repeatable.",
        autocompletion=patterns,
        rich_help_panel=SELECT,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Leave these accounts out; patterns as in --only. Repeatable.",
        autocompletion=patterns,
        rich_help_panel=SELECT,
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="GITREF",
        help="Only accounts whose entry or defaults changed since that git revision.",
        rich_help_panel=SELECT,
    ),
]
EnterThrough = Annotated[
    str | None,
    typer.Option(
        "--assume-role",
        metavar="ROLE",
        help="Enter accounts through this role wherever the manifest names one: a name, or an ARN "
        "with {account_id} in it.",
        rich_help_panel=SELECT,
    ),
]
Retry = Annotated[
    str | None,
    typer.Option(
        "--retry",
        metavar="RESULTS.json",
        help="Only accounts that this saved report says are failed or pending.",
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
        help="How many accounts to work on in AWS at once. Lower it if AWS throttles you.",
        rich_help_panel=PACE,
    ),
]
Settle = Annotated[
    float | None,
    typer.Option(
        "--settle",
        metavar="SECONDS",
        min=0,
        max=3600,
        help="How old a new role must be before Cloudcraft is asked to check it"
        " (default: found out in the run, at most 10).",
        rich_help_panel=PACE,
    ),
]
MaxFailures = Annotated[
    int | None,
    typer.Option(
        "--max-failures",
        metavar="N",
        min=1,
        help="Start no new accounts after N failures; the rest stay pending.",
        rich_help_panel=PACE,
    ),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        metavar="DURATION",
        help="Finish within this time (90s, 5h30m); the rest stay pending.",
        rich_help_panel=PACE,
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        metavar="N",
        min=0,
        max=100,
        help="How often to retry a request, if that is safe.",
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
        help="How long to wait for one answer from Cloudcraft.",
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
    Literal["table", "json"],
    typer.Option(
        "-o", "--output", help="The format of the results on stdout.", rich_help_panel=RESULTS
    ),
]
StreamFormat = Annotated[
    Literal["table", "json", "jsonl"],
    typer.Option(
        "-o",
        "--output",
        help="The format of the results on stdout; jsonl is a line of JSON for each thing that "
        "happens.",
        rich_help_panel=RESULTS,
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        help="Show more on stderr: -v every request, -vv the SDKs' logs, without secrets.",
        rich_help_panel=RESULTS,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Show only failures on stderr.", rich_help_panel=RESULTS),
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
        help="Exit 1 if something would change, like git diff --exit-code.",
        rich_help_panel=RESULTS,
    ),
]

NoSimulate = Annotated[
    bool,
    typer.Option(
        "--no-simulate",
        help="Don't ask AWS what it would deny a run (iam:SimulatePrincipalPolicy).",
    ),
]


def _settings(
    manifest: ManifestPath,
    *,
    only: Only = None,
    exclude: Exclude = None,
    changed_since: ChangedSince = None,
    assume_role: EnterThrough = None,
    retry: Retry = None,
    concurrency: Concurrency = defaults.CONCURRENCY,
    settle: Settle = None,
    max_failures: MaxFailures = None,
    time_budget: TimeBudget = None,
    retries: Retries = defaults.RETRIES,
    timeout: Timeout = defaults.TIMEOUT,
    report: Reports = None,
    output: StreamFormat = "table",
    sandbox: Sandbox = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> Settings:
    """Turn options into `Settings`; `UsageError` for values that exclude each other."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other.", hint="Use one of them.")
    return Settings(
        manifest=manifest,
        selection=Selection(
            only=tuple(only or ()),
            exclude=tuple(exclude or ()),
            changed_since=changed_since,
            retry=retry,
        ),
        assume_role=assume_role,
        concurrency=concurrency,
        reports=tuple(report or ()),
        output=output,
        settle=settle,
        max_failures=max_failures,
        time_budget=None if time_budget is None else duration(time_budget),
        retries=retries,
        timeout=timeout,
        sandbox=sandbox,
        verbosity=-1 if quiet else verbose,
    )


_SHARED = inspect.signature(_settings, eval_str=True)


def _hidden(annotation: Any) -> Any:
    """The same option, which `--help` leaves out."""
    kind, option = get_args(annotation)
    option = copy(option)
    option.hidden = True
    return Annotated[kind, option]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command MANIFEST and the shared options in place of its parameter `settings`."""
    return without()(command)


def without(
    *unused: str, hidden: str = "", streams: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`with_settings` without the options that the command does not take.

    `hidden` is one that the command takes, but that has nothing to do there. `streams`: whether its
    results can be had as lines.

    Typer reads options off a signature; this writes the shared ones into it, once for all commands.
    """

    def give(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        manifest, *shared = _SHARED.parameters.values()
        common = [option for option in shared if option.name not in unused]
        common = [
            option.replace(annotation=_hidden(option.annotation))
            if option.name == hidden
            else option
            for option in common
        ]
        if not streams:
            at = next(n for n, option in enumerate(common) if option.name == "output")
            common[at] = common[at].replace(annotation=OutputFormat)

        @wraps(command)
        def taking_all(**given: Any) -> None:
            mine = {parameter.name: given.pop(parameter.name) for parameter in own}
            command(_settings(**given), **mine)

        parameters = [manifest, *own, *common]
        taking_all.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        taking_all.__annotations__ = {each.name: each.annotation for each in parameters}
        return taking_all

    return give
