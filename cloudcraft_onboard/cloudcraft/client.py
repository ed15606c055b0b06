"""The Cloudcraft API: every request is paced, classified, and retried only if that is safe.

Each call returns its answer or raises one of the kinds of `errors.RequestError`:

    Refused       the server said no (4xx, a redirect), or it cannot be sent at all (status 0)
    Doubtful      a write that may have been processed; never sent again here
    Unavailable   not processed (or only a read), and the retries are used up
    PaceClosed    not sent: the run is stopping
    Outdated      not sent: its turn came too late
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.cloudcraft import registrations as shapes
from cloudcraft_onboard.cloudcraft.answers import Answer
from cloudcraft_onboard.cloudcraft.exchange import NEVER_SENT, HttpsClient, Unreachable, Unusable
from cloudcraft_onboard.cloudcraft.headers import retry_after
from cloudcraft_onboard.cloudcraft.pace import PaceKeeper
from cloudcraft_onboard.cloudcraft.refusals import kind_of
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.errors import (
    Doubtful,
    Outdated,
    PaceClosed,
    RefusalKind,
    Refused,
    Unavailable,
    Unreadable,
)
from cloudcraft_onboard.events import Event, RequestPutOff, RequestRetried
from cloudcraft_onboard.model import (
    CloudcraftParameters,
    CloudcraftUsage,
    ListReading,
    Registration,
    RegistrationSpec,
    Slot,
    Team,
)

BACKOFF = wait_exponential_jitter(max=30)
"""1, 2, 4, ... seconds, each with up to one more."""

_ACCOUNTS = "/aws/account"
_PARAMETERS = f"{_ACCOUNTS}/iamParameters"
_TOO_MANY = 429
_REQUEST_TIMEOUT = 408
_NOT_FOUND = 404

_REFUSED = {
    401: Cause(row=ours.REFUSED_KEY, facts=Facts()),
    403: Cause(row=ours.REFUSED_RIGHTS, facts=Facts()),
    404: Cause(row=ours.NOT_FOUND, facts=Facts()),
}
_TROUBLE_HINT = (
    "Cloudcraft, or something in front of it, is in trouble: run the same command later."
)
_SHAPE_HINT = "Check CLOUDCRAFT_BASE_URL: something other than Cloudcraft may have answered."

_T = TypeVar("_T")


class CloudcraftClient:
    """`engine.ports.Cloudcraft` over HTTP. Safe to share among threads."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        pace: PaceKeeper,
        timeout: float,
        certificates: str | None = None,
        retries: int,
        emit: Callable[[Event], None],
        stop: threading.Event,
        deadline: float | None = None,
    ) -> None:
        self._wire = HttpsClient(
            base_url=base_url, api_key=api_key, timeout=timeout, certificates=certificates
        )
        self.pace = pace
        self._retries = retries
        self._emit = emit
        self._stop = stop
        self._deadline = deadline
        self._counting = threading.Lock()
        self._requests = self._throttled = self._retried = 0
        self._registered: int | None = None

    @property
    def usage(self) -> CloudcraftUsage:
        """What was sent so far."""
        with self._counting:
            return CloudcraftUsage(
                requests=self._requests,
                throttled=self._throttled,
                retried=self._retried,
                rate_limit=str(self.pace.limits[0]),
                registered=self._registered,
            )

    def parameters(self) -> CloudcraftParameters:
        """`GET /aws/account/iamParameters`."""
        return self._read(_PARAMETERS, shapes.parameters_of, self._turn())

    def registrations(self, slot: Slot | None = None) -> ListReading:
        """`GET /aws/account`."""
        turn = self._turn(slot)
        listed = self._read(_ACCOUNTS, shapes.registrations_of, turn)
        with self._counting:
            self._registered = len(listed)
        return ListReading(registrations=listed, asked_at=turn.began)

    def teams(self) -> tuple[Team, ...]:
        """`GET /team`."""
        return self._read("/team", shapes.teams_of, self._turn())

    def policy(self, kind: str) -> Mapping[str, Any]:
        """`GET /aws/account/iamParameters/policy/KIND`, KIND minimal or custom."""
        return self._read(f"{_PARAMETERS}/policy/{kind}", shapes.policy_of, self._turn())

    def register(self, spec: RegistrationSpec, slot: Slot | None = None) -> Registration:
        """`POST /aws/account`. A 2xx without an ID in it is `Doubtful`."""
        with self._turn(slot) as turn:
            answer = self._ask("POST", _ACCOUNTS, shapes.creation(spec), turn, spec.account_id)
        registration = shapes.registration_of(answer.json(), spec)
        if registration is None:
            raise Doubtful("Cloudcraft accepted the account, but returned no ID.")
        self._now_registered(1)
        return registration

    def update(
        self,
        registration: Registration,
        spec: RegistrationSpec,
        slot: Slot | None = None,
        *,
        until: float = math.inf,
    ) -> None:
        """`PUT /aws/account/{id}`; access lists that the spec leaves open are sent as they are.

        Raises `Outdated` rather than sending it after `until`, by `time.monotonic`.
        """
        with self._turn(slot, until) as turn:
            self._ask("PUT", _path(registration), shapes.replacement(registration, spec), turn)

    def delete(self, registration: Registration, slot: Slot | None = None) -> None:
        """`DELETE /aws/account/{id}`; one that is gone already (404) is fine."""
        with self._turn(slot) as turn:
            try:
                self._ask("DELETE", _path(registration), None, turn, registration.account_id)
                self._now_registered(-1)
            except Refused as refused:
                if refused.status != _NOT_FOUND:
                    raise

    def _now_registered(self, more: int) -> None:
        with self._counting:
            if self._registered is not None:
                self._registered += more

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()

    def _read(self, path: str, understand: Callable[[Any], _T], turn: _Turn) -> _T:
        with turn:
            answer = self._ask("GET", path, None, turn)
        try:
            return understand(answer.json())
        except ValueError as error:
            raise Unreadable(
                f"Cloudcraft's answer to GET {path} is not as documented: {sentence(str(error))}",
                hint=_SHAPE_HINT,
            ) from error

    def _turn(self, slot: Slot | None = None, until: float = math.inf) -> _Turn:
        return _Turn(slot, lambda: self.pace.acquire(self._deadline, self._stop), until)

    def _ask(
        self, method: str, path: str, body: Any, turn: _Turn, account_id: str | None = None
    ) -> Answer:
        """Send until there is an answer, or another attempt is unsafe or one too many.

        `account_id`: the AWS account that it is for.
        """

        def again(error: BaseException) -> bool:
            if isinstance(error, Unreachable | Unusable):
                return False
            return isinstance(error, Unavailable) or (
                method == "GET" and isinstance(error, Doubtful)
            )

        retrying = Retrying(
            retry=retry_if_exception(again),
            stop=stop_after_attempt(self._retries + 1),
            wait=_wait,
            sleep=self._sleep,
            before_sleep=lambda state: self._tell_retry(f"{method} {path}", account_id, state),
            reraise=True,
        )
        try:
            return retrying(self._attempt, method, path, body, turn, account_id)
        except Doubtful as doubtful:
            if method != "GET":
                raise
            if isinstance(doubtful, Unusable):
                raise Unreadable(doubtful.message, hint=_SHAPE_HINT) from doubtful
            raise Unavailable(doubtful.message, hint=doubtful.hint) from doubtful

    def _attempt(
        self, method: str, path: str, body: Any, turn: _Turn, account_id: str | None
    ) -> Answer:
        """Send one request in a slot, and again after the pause of each 429."""
        while True:
            with turn.slot() as slot:
                answer = self._exchange(method, path, body, slot)
                if answer.status != _TOO_MANY:
                    if answer.status < 500:  # noqa: PLR2004 - else usually a gateway's
                        slot.answered()
                    return _judged(method, path, answer)
                pauses = slot.throttled(retry_after(answer.headers, time.time()))
            if pauses > self._retries + 1:
                raise Unreachable(
                    "Cloudcraft's rate limit let no request through in "
                    f"{self._retries + 1} pauses.",
                    hint="Something else uses up the quota. Stop it, or run again later.",
                )
            self._emit(RequestPutOff(wait=self.pace.next_in(), account_id=account_id))

    def _exchange(self, method: str, path: str, body: Any, slot: Slot) -> Answer:
        """Send one request, and count it unless it was not sent."""
        try:
            answer = self._wire.exchange(method, path, body, slot)
        except Unavailable:
            slot.unused()
            raise
        except Doubtful:
            self._count()
            raise
        self._count(throttled=answer.status == _TOO_MANY)
        return answer

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        if self._deadline is not None and ends > self._deadline:
            raise PaceClosed("The time budget ends before Cloudcraft can be asked again.")
        if self._stop.wait(min(seconds, threading.TIMEOUT_MAX)):
            raise PaceClosed("The run is stopping; nothing more is sent to Cloudcraft.")

    def _tell_retry(self, request: str, account_id: str | None, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        self._count(requests=0, retried=1)
        self._emit(
            RequestRetried(request=request, reason=str(error), wait=wait, account_id=account_id)
        )

    def _count(self, *, requests: int = 1, throttled: int = 0, retried: int = 0) -> None:
        with self._counting:
            self._requests += requests
            self._throttled += throttled
            self._retried += retried


def _wait(state: RetryCallState) -> float:
    """Seconds until the next attempt: the server's word, where that is longer."""
    error = state.outcome.exception() if state.outcome else None
    return max(BACKOFF(state), error.wait if isinstance(error, Doubtful) else 0.0)


def _judged(method: str, path: str, answer: Answer) -> Answer:
    """Return a usable answer; raise `Refused` or `Doubtful` for any other."""
    if answer.good and _readable(method, answer):
        return answer
    request, status, words = f"{method} {path}", answer.status, answer.words()
    said = f": {sentence(words)}" if words else "."
    if answer.good:
        raise Doubtful(f"Cannot read Cloudcraft's answer to {request}{said}", hint=_SHAPE_HINT)
    if 300 <= status < 400:  # noqa: PLR2004 - the class of the status
        target = excerpt(answer.headers.get("Location", "elsewhere"), 200)
        message = f"{request} is redirected to {target}."
        raise Refused(status, message, cause=Cause(row=ours.REDIRECTED, facts=Facts()))
    if status >= 500 or status == _REQUEST_TIMEOUT:  # noqa: PLR2004 - the class of the status
        raise Doubtful(
            f"Cloudcraft answered {request} with {status}{said}",
            hint=_TROUBLE_HINT,
            wait=retry_after(answer.headers, time.time()) or 0.0,
        )
    kind = kind_of(status, words)
    cause = None if kind is RefusalKind.PLAN else _REFUSED.get(status)
    raise Refused(status, words or f"HTTP status {status}", cause=cause, kind=kind)


def _readable(method: str, answer: Answer) -> bool:
    if method in {"PUT", "DELETE"}:  # what they answer isn't needed, and may be nothing
        return not answer.is_page
    try:
        answer.json()
    except ValueError:
        return False
    return True


class _Turn:
    """Hands each attempt of one request its slot; the first may be the caller's.

    What was not handed on is given back. `began` is when the last attempt got its slot.
    """

    def __init__(self, given: Slot | None, acquire: Callable[[], Slot], until: float) -> None:
        self._given = given
        self._acquire = acquire
        self._until = until
        self.began = -math.inf

    def slot(self) -> Slot:
        """The slot of the next attempt, which owns it from here on; `Outdated` after `until`."""
        given, self._given = self._given, None
        slot = given or self._acquire()
        self.began = time.monotonic()
        if self.began > self._until:
            slot.unused()
            raise Outdated("Its turn came too late.")
        return slot

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._given is not None:
            self._given.unused()


def _path(registration: Registration) -> str:
    """The path of a registration; an ID is the server's word, and must not lead elsewhere."""
    if not shapes.is_usable_id(registration.id):
        raise Refused(
            NEVER_SENT,
            f"Cloudcraft lists it with the ID {registration.id[:50]!a}, which is not a valid ID. "
            "Nothing was sent.",
            cause=Cause(row=ours.UNUSABLE_ID, facts=Facts()),
        )
    return f"{_ACCOUNTS}/{registration.id}"
