"""`onboard sandbox`."""

from __future__ import annotations

import os
import queue
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cloudcraft_onboard import settings
from cloudcraft_onboard.console import interrupts
from cloudcraft_onboard.errors import OnboardError

if TYPE_CHECKING:
    from cloudcraft_onboard.model import Manifest
    from cloudcraft_onboard.sandbox.world import World


Accounts = Annotated[
    str | None,
    typer.Argument(
        metavar="MANIFEST", help="The accounts to create. Default: only a management account."
    ),
]
LocalLimit = Annotated[
    str,
    typer.Option(
        "--rate-limit",
        metavar="REQUESTS/SECONDS",
        help="The local Cloudcraft's rate limit, for its whole API.",
    ),
]
RetryAfter = Annotated[
    bool,
    typer.Option(
        "--retry-after/--no-retry-after",
        help="Whether 429 answers say how long to wait.",
    ),
]
Propagation = Annotated[
    float,
    typer.Option(
        "--propagation",
        metavar="SECONDS",
        min=0,
        help="How old a role must be before the local Cloudcraft can assume it.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: onboard sandbox org.yaml; paste the lines it prints into another shell"
    )(sandbox)


def sandbox(
    manifest: Accounts = None,
    *,
    rate_limit: LocalLimit = "20/10",
    retry_after: RetryAfter = True,
    propagation: Propagation = 5.0,
) -> None:
    """Run a local AWS and a local Cloudcraft until Ctrl-C.

    Prints the environment variables that point at them; the aws CLI, curl and SDKs work there.
    """
    from cloudcraft_onboard.manifest.load import load  # noqa: PLC0415 - loads pydantic
    from cloudcraft_onboard.sandbox import world  # noqa: PLC0415 - with the command
    from cloudcraft_onboard.sandbox.options import Options  # noqa: PLC0415 - with the command

    if settings.rate_limit(rate_limit) is None:
        raise typer.BadParameter(
            "write it as REQUESTS/SECONDS, such as 20/10", param_hint="--rate-limit"
        )
    options = Options(
        rate_limit=rate_limit,
        headers=("retry-after",) if retry_after else (),
        propagation_seconds=propagation,
    )
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()  # what a handler may use: no lock
    accounts = load(manifest) if manifest else None
    with (
        interrupts.handled_by(lambda number, _: signals.put(number)),
        world.start(accounts, options=options) as local,
    ):
        _print_environment(local, _profile(accounts))
        print(
            "The sandbox is up until Ctrl-C. Paste these lines into another shell to use it.",
            file=sys.stderr,
        )
        while not _came(signals):
            if not local.alive:
                raise OnboardError("The sandbox stopped unexpectedly.", hint="Start it again.")


def _came(signals: queue.SimpleQueue[int]) -> bool:
    """Whether a signal came within a second."""
    try:
        signals.get(timeout=1)
    except queue.Empty:
        return False
    return True


def _profile(manifest: Manifest | None) -> str | None:
    """The defaults' profile, for `aws` without `--profile`; none where it is not everybody's.

    An account without any profile means the SDK's default chain, where the variable would stand.
    """
    used = {account.profile for account in manifest.accounts} if manifest else set()
    return manifest.profile if manifest and manifest.profile in used and None not in used else None


def _print_environment(local: World, profile: str | None) -> None:
    # All of it, not what is set here: the lines are for another shell, which may have more.
    own = {name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")}
    env = {"AWS_PROFILE": profile, **local.env} if profile else local.env
    exports = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
    # At once: a script that waits for one of them in a file may read it before the next is there.
    print("\n".join([f"unset {' '.join(sorted({*local.unset, *own}))}", *exports]), flush=True)
