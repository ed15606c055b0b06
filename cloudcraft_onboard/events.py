"""What the engine tells its listeners: frozen facts on a queue, read by the main thread.

`name` is an account's name in the manifest, unique there. Times are seconds. Views fold these into
a state of their own; they never ask the engine anything.
"""

from __future__ import annotations

from datetime import datetime

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Command, RateLimit, Report, Result


@frozen
class RunStarted:
    """The first event: which command over how many selected accounts.

    `skipped` of them are disabled. `total` is 0 where it is not known yet.
    """

    command: Command
    manifest: str
    total: int
    dry_run: bool
    skipped: int = 0


@frozen
class Forecast:
    """How many requests are still to be sent, and about how long that takes.

    Sent after the first look and again when the AWS stage knows more. `writes` counts
    registrations, updates and deletions; `limit` requests are allowed per `window` seconds.
    `limits` are all that may hold, fastest first, where it is not known yet.
    """

    writes: int
    requests: int
    seconds: float
    limit: int
    window: float
    limits: tuple[RateLimit, ...] = ()


@frozen
class StepStarted:
    """An account is being worked on; `step` is a short verb phrase, such as "assuming role"."""

    name: str
    step: str


@frozen
class StepEnded:
    """Work on `name` has ended; only for what is not an account of the manifest."""

    name: str


@frozen
class AccountQueued:
    """The account's AWS work is done; it waits to be registered."""

    name: str
    ready_in: float = 0.0


@frozen
class AccountRetried:
    """The account is retried after `wait` seconds, and why."""

    name: str
    reason: str
    wait: float


@frozen
class AccountFinished:
    """The account has its result. `provisional` results wait for the verifying read."""

    result: Result
    provisional: bool = False


@frozen
class PaceWaited:
    """Nothing can be sent for `seconds`, then `slots` requests. Not a hang."""

    seconds: float
    slots: int
    waiting: int


@frozen
class Throttled:
    """Cloudcraft answered 429: somebody else uses the same quota. All wait for `seconds`."""

    seconds: float


@frozen
class RateLimitKnown:
    """It is now known which limit holds: `limit` requests per `window` seconds."""

    limit: int
    window: float


@frozen
class RequestRetried:
    """A request that was not processed is resent after `wait` seconds, and why.

    `account_id` is the AWS account that it is for, None for one that is for all.
    """

    request: str
    reason: str
    wait: float
    account_id: str | None = None


@frozen
class OperationAwaited:
    """The accounts `names` wait for an operation on their stack set, asked for at `since`.

    Said once for each operation; how long it takes nobody knows.
    """

    stack_set: str
    operation_id: str
    since: datetime | None
    names: tuple[str, ...]


@frozen
class RequestPutOff:
    """A request was answered 429 and is sent again after the pause, in about `wait` seconds."""

    wait: float
    account_id: str | None = None


@frozen
class Said:
    """A sentence for the person watching, such as why a run stops early."""

    text: str


@frozen
class Stopping:
    """No new work is started from here on, and why."""

    reason: str


@frozen
class RunFinished:
    """The last event."""

    report: Report


Event = (
    RunStarted
    | Forecast
    | StepStarted
    | StepEnded
    | OperationAwaited
    | AccountQueued
    | AccountRetried
    | AccountFinished
    | PaceWaited
    | Throttled
    | RateLimitKnown
    | RequestRetried
    | RequestPutOff
    | Said
    | Stopping
    | RunFinished
)
