"""Sources of credentials: found out once, many at a time, before anything starts."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from botocore.credentials import Credentials

from cloudcraft_onboard.aws.calling import FAULTS, identity_of, send, understood
from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.origin import Origin, origin
from cloudcraft_onboard.aws.sdk import Sdk, Wire
from cloudcraft_onboard.aws.signing import signed_by
from cloudcraft_onboard.blame.grouping import together
from cloudcraft_onboard.console.harmless import listed
from cloudcraft_onboard.errors import AccountError, AccountPending, CannotStart
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Identity, Stage

T = TypeVar("T")

_SHOWN = 5


class Once(Generic[T]):
    """What whoever comes first finds out for all.

    A refusal is remembered, so that an expired session is met once, not a thousand times. An
    outage is not remembered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: T | None = None
        self._refusal: AccountError | None = None

    def get(self, find: Callable[[], T]) -> T:
        """What was found, or what `find` returns. Raises `AccountError` as `find` does."""
        with self._lock:
            if self._refusal:
                raise _copy(self._refusal)
            if self._found is None:
                try:
                    self._found = find()
                except AccountPending:
                    raise
                except AccountError as error:
                    self._refusal = _copy(error)
                    raise
            return self._found

    def refuse(self, error: AccountError) -> None:
        """Remember that it no longer works."""
        with self._lock:
            self._refusal = _copy(error)


def _copy(error: AccountError) -> AccountError:
    """The error without the frames of the thread that met it: 3,000 of them hold 400 MB."""
    return type(error)(error.stage, error.code, error.message, hint=error.hint, cause=error.cause)


@frozen
class Opened:
    """A source that works: its credentials, the clients for its endpoints, whose it is."""

    credentials: Credentials
    wire: Wire
    identity: Identity
    origin: Origin


class CredentialSource(Protocol):
    """A source of credentials, as the check before the start sees it."""

    @property
    def title(self) -> str:
        """What a message calls it."""

    def check(self) -> None:
        """Raise `AccountError` (stage reach) if it does not work."""


class ProfileSource:
    """The credentials of one profile (None: the default chain).

    `region` is for a profile that has none.
    """

    def __init__(self, profile: str | None, region: str, sdk: Sdk) -> None:
        self.profile = profile
        self._region = region
        self._sdk = sdk
        self._once: Once[Opened] = Once()

    @property
    def command(self) -> str:
        """The command whose options hints may name."""
        return self._sdk.command

    @property
    def title(self) -> str:
        """What a message calls it."""
        return f"AWS profile {self.profile}" if self.profile else "AWS default credential chain"

    def check(self) -> None:
        """Raise `AccountError` (stage reach) if it does not work."""
        self.open()

    def open(self) -> Opened:
        """Credentials, clients and identity. Raises `AccountError` (stage reach)."""
        return self._once.get(self._open)

    def refuse(self, error: AccountError) -> None:
        """Remember that the source no longer works."""
        self._once.refuse(error)

    def _open(self) -> Opened:
        made, region = Origin(), ""
        try:
            session = self._sdk.session(self.profile)
            made = origin(session.full_config["profiles"], self.profile)
            region = self._sdk.region(session, self._region)
            credentials = self._sdk.credentials(session, region)
            wire = self._sdk.wire(session, region)
            with signed_by(credentials):
                answer = send(wire, Call.GET_CALLER_IDENTITY, account_id=None)
        except FAULTS as error:
            where = Where(
                stage=Stage.REACH,
                profile=self.profile,
                call=Call.GET_CALLER_IDENTITY,
                region=region,
                command=self.command,
                origin=made,
                profiles=self._sdk.profiles(),
            )
            raise explain(error, where) from error
        with understood(Stage.REACH, "sts:GetCallerIdentity"):
            identity = identity_of(answer["Arn"])
            return Opened(credentials=credentials, wire=wire, identity=identity, origin=made)


def check(sources: Sequence[CredentialSource], *, at_once: int) -> None:
    """Return as soon as one of the sources works. Raises `CannotStart` if none does.

    Whichever is broken costs time beside the others, not before them. After an outage no more are
    tried: it is the network's, and they would meet it, too.
    """
    search = _Search(sources)
    running = search.start(min(at_once, len(sources)))
    problems: dict[int, AccountError] = {}
    while running:
        told = search.told.get()
        if told is None:
            running -= 1
            continue
        number, problem = told
        if isinstance(problem, AccountError):
            problems[number] = problem
            if not isinstance(problem, AccountPending):
                continue
        search.enough.set()
        if problem is None:
            return
        if not isinstance(problem, AccountError):
            raise problem
    if problems:
        raise _cannot_start([(sources[n].title, problems[n]) for n in sorted(problems)])


class _Search:
    """Threads that check one source after the other until it is enough.

    `told` gets a source's number with what came of it, and None from each thread that ends.
    """

    def __init__(self, sources: Sequence[CredentialSource]) -> None:
        self.told: queue.SimpleQueue[tuple[int, Exception | None] | None] = queue.SimpleQueue()
        self.enough = threading.Event()
        self._todo = iter(enumerate(sources))
        self._picking = threading.Lock()

    def start(self, count: int) -> int:
        """Start the threads; return how many there are, one of them this one if need be."""
        started = 0
        with suppress(RuntimeError):  # the system has no more threads
            for number in range(count):
                # What still waits for an answer when the command ends is left behind.
                name = f"source-{number}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
                started += 1
        if count and not started:
            self._work()
        return started or min(count, 1)

    def _work(self) -> None:
        while not self.enough.is_set():
            with self._picking:
                number, source = next(self._todo, (-1, None))
            if source is None:
                break
            try:
                source.check()
                self.told.put((number, None))
            except AccountError as error:
                self.told.put((number, _copy(error)))
            except Exception as error:  # noqa: BLE001 - a bug ends the command, not this thread
                self.told.put((number, error))
        self.told.put(None)


def _cannot_start(problems: Sequence[tuple[str, AccountError]]) -> CannotStart:
    """Each cause once, with what it breaks and what to do."""
    found: dict[tuple[str, ...], list[tuple[str, AccountError]]] = {}
    for title, error in problems:
        key = error.cause.key if error.cause else (error.code, error.message, error.hint)
        found.setdefault(key, []).append((title, error))
    told = [_for_all(some) for some in found.values()]
    if len(told) == 1:
        return CannotStart(told[0][0], hint=told[0][1])
    lines = [message for message, _ in told[:_SHOWN]]
    if len(told) > _SHOWN:
        lines.append(f"and {len(told) - _SHOWN} more")
    hints = dict.fromkeys(hint for _, hint in told[:_SHOWN])
    said = "\n  ".join(("No source of AWS credentials works:", *lines))
    return CannotStart(said, hint="\n".join(hints))


def _for_all(some: Sequence[tuple[str, AccountError]]) -> tuple[str, str]:
    """Message and hint of one cause, for everything that it breaks."""
    _, first = some[0]
    titles = listed([title for title, _ in some], _SHOWN)
    causes = [error.cause for _, error in some if error.cause]
    message, hint = first.message, first.hint
    if len(causes) > 1:
        message, hint = together(message, causes)
    return f"{titles}: {message}", hint
