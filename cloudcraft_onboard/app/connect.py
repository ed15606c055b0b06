"""The tools of a run: AWS, Cloudcraft and its pace, real or the sandbox's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from cloudcraft_onboard import defaults
from cloudcraft_onboard import settings as environment
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.cloudcraft.client import CloudcraftClient
from cloudcraft_onboard.cloudcraft.pace import PaceKeeper
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.redact import protect
from cloudcraft_onboard.engine.control import Control
from cloudcraft_onboard.engine.driver import Tools
from cloudcraft_onboard.errors import (
    CannotStart,
    PaceClosed,
    Refused,
    RequestError,
    Unreadable,
    UsageError,
)
from cloudcraft_onboard.events import AccountFinished, Event, StepEnded
from cloudcraft_onboard.model import Account, Command, Manifest, Via
from cloudcraft_onboard.settings import DEFAULT_RATE_LIMIT, Settings


def connect(
    settings: Settings,
    manifest: Manifest,
    control: Control,
    emit: Callable[[Event], None],
    stack: ExitStack,
    *,
    accounts: Sequence[Account],
    command: Command,
    asks: bool = False,
) -> Tools:
    """Open the tools of a command on these accounts; `stack` closes them.

    `asks`: AWS is asked what it would deny of the changes that are found.

    Raises:
        UsageError: an environment variable's value cannot be used, the sandbox's extra is not
            installed, or the manifest needs StackSets, which the sandbox lacks.
        CannotStart: there is no usable API key.
    """
    if settings.sandbox:
        _check_sandbox(accounts)
        _enter_sandbox(manifest, stack)
    environment.trust_one_bundle(os.environ)
    cloudcraft = open_cloudcraft(
        stack, control=control, emit=emit, timeout=settings.timeout, retries=settings.retries
    )
    aws = BotoAws(
        concurrency=settings.concurrency,
        retries=settings.retries,
        command=command.value,
        asks=asks,
    )
    stack.callback(aws.close)
    return Tools(aws=aws, cloudcraft=cloudcraft, pace=cloudcraft.pace, control=control, emit=emit)


def open_cloudcraft(
    stack: ExitStack,
    *,
    control: Control | None = None,
    emit: Callable[[Event], None] | None = None,
    timeout: float = defaults.TIMEOUT,
    retries: int = defaults.RETRIES,
) -> CloudcraftClient:
    """Open Cloudcraft as the environment names it, at its pace; `stack` closes it.

    Raises:
        UsageError: an environment variable's value cannot be used.
        CannotStart: there is no usable API key.
    """
    tell = emit or _unheard
    control = control or Control(emit=tell)
    endpoint = environment.endpoint(os.environ)
    protect(endpoint.api_key)
    pace = PaceKeeper(endpoint.rate_limits, emit=tell)
    control.on_stop(lambda _kind: pace.wake())
    cloudcraft = CloudcraftClient(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        certificates=endpoint.certificates,
        pace=pace,
        timeout=timeout,
        retries=retries,
        emit=tell,
        stop=control.interrupted,
        deadline=control.deadline,
    )
    stack.callback(cloudcraft.close)
    return cloudcraft


def _unheard(_event: Event) -> None:
    """One or two requests need no progress display."""


def without_ends(tools: Tools) -> Tools:
    """The same tools, but no view hears that an account ended: it is none of the command's own."""

    def tell(event: Event) -> None:
        if isinstance(event, AccountFinished):
            event = StepEnded(name=event.result.name)
        tools.emit(event)

    return replace(tools, emit=tell)


@contextmanager
def first_reads() -> Iterator[None]:
    """Turn an error of the first requests to Cloudcraft into `CannotStart`.

    Raises:
        CannotStart: Cloudcraft cannot be reached, or refuses the key.
    """
    try:
        yield
    except PaceClosed:
        raise
    except Refused as error:
        raise CannotStart(
            f"Cloudcraft refused the first request ({error.status}): {sentence(error.message)}"
            " Nothing was changed.",
            hint=error.hint or "Check the API key in CLOUDCRAFT_API_KEY.",
        ) from error
    except Unreadable as error:
        raise CannotStart(f"{error.message} Nothing was changed.", hint=error.hint) from error
    except RequestError as error:
        raise CannotStart(
            error.message,
            hint=error.hint or "Check the network and CLOUDCRAFT_BASE_URL.",
        ) from error


def _check_sandbox(accounts: Sequence[Account]) -> None:
    """Refuse stack sets: the local AWS has no CloudFormation."""
    rolled_out = [a.name for a in accounts if a.enabled and a.role.via is Via.STACKSET]
    if rolled_out:
        raise UsageError(
            f"The sandbox has no CloudFormation StackSets, which {rolled_out[0]!r} needs.",
            hint="Leave such accounts out with --exclude, or try them with `role.via: assume`.",
        )


def _enter_sandbox(manifest: Manifest, stack: ExitStack) -> None:
    """Start the local AWS and Cloudcraft, and point this process at them alone."""
    from cloudcraft_onboard.sandbox import world  # noqa: PLC0415 - an extra that may be missing

    told = os.environ.get("CLOUDCRAFT_RATE_LIMIT") or DEFAULT_RATE_LIMIT
    limit, *_ = environment.rate_limits(told)
    local = stack.enter_context(world.start(manifest, rate_limit=str(limit)))
    for name in (*local.unset, *environment.BUNDLES):  # loopback speaks no TLS
        os.environ.pop(name, None)
    os.environ.update(local.env, CLOUDCRAFT_RATE_LIMIT=told)
