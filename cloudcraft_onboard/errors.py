"""Everything that can go wrong, each with its exit code and a hint.

OnboardError            1
├─ UsageError           2   wrong usage; nothing was contacted
│  └─ ManifestError     2   one or more places in manifests
├─ CannotStart          3   nothing could start; nothing was changed
├─ Interrupted        130   Ctrl-C, SIGTERM, SIGHUP
├─ RequestError             a request to Cloudcraft without a usable answer
│  └─ Refused, Doubtful, Unavailable (Unreadable), PaceClosed, Outdated
└─ AccountError             one account's problem: ends as its result, never as the program's
   └─ AccountPending        not the account's fault: it stays `pending` for a later run
      └─ OutOfResources
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Self

from cloudcraft_onboard.frozen import frozen

if TYPE_CHECKING:  # `onboard --help` needs no model, and building its classes takes a while
    from cloudcraft_onboard.blame.cause import Cause
    from cloudcraft_onboard.model import Problem, Stage


class OnboardError(Exception):
    """An error for people to read: what happened, and what to do next (hint)."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OnboardError):
    """Wrong usage; nothing was contacted."""

    exit_code = 2


@frozen
class ManifestProblem:
    """One error in a manifest. Line and column count from 1; `source` is the line.

    Line 0: the file as a whole, which could not be read; `hint` is the next step then.
    """

    file: str
    line: int
    column: int
    message: str
    source: str = ""
    hint: str = ""

    def __str__(self) -> str:
        if not self.line:
            return f"{self.file}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ManifestError(UsageError):
    """All errors of one or more manifests, in file order."""

    def __init__(self, problems: tuple[ManifestProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class CannotStart(OnboardError):
    """Nothing could start: no key, no Cloudcraft, no credentials. Nothing was changed."""

    exit_code = 3


class Interrupted(OnboardError):
    """Ctrl-C, SIGTERM or SIGHUP before there was anything to report."""

    exit_code = 130


class AccountError(OnboardError):
    """One account's problem; it becomes the `error` of that account's result.

    `cause` is its kind and facts, which make the hint where none is given. `transient`:
    throttling, 5xx, a broken connection; worth another try later.
    """

    def __init__(
        self,
        stage: Stage,
        code: str,
        message: str,
        *,
        hint: str = "",
        cause: Cause | None = None,
        transient: bool = False,
    ) -> None:
        super().__init__(message, hint=hint or (cause.hint if cause else ""))
        self.stage = stage
        self.code = code
        self.cause = cause
        self.transient = transient

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Make an error of a problem."""
        return cls(
            problem.stage, problem.code, problem.message, hint=problem.hint, cause=problem.cause
        )

    @property
    def problem(self) -> Problem:
        """The error as the model has it."""
        from cloudcraft_onboard.model import Problem  # noqa: PLC0415 - see the imports above

        return Problem(
            stage=self.stage,
            code=self.code,
            message=self.message,
            hint=self.hint,
            cause=self.cause,
        )


class AccountPending(AccountError):
    """An outage or a stop, not the account's fault: it ends `pending` with this as its note."""


class OutOfResources(AccountPending):
    """The system has no memory or threads left; fewer accounts at a time may help."""


class ConcurrentChange(Exception):
    """Somebody else made or deleted what was observed before it could be acted on.

    `problem` is what it comes to where that goes on: not every refusal of this kind is a race.
    """

    def __init__(self, problem: AccountError | None = None) -> None:
        super().__init__()
        self.problem = problem


# --- what a request to Cloudcraft can end in, besides its answer ---------------------------------


class RequestError(OnboardError):
    """A request to Cloudcraft without a usable answer; the message holds no secret."""


class RefusalKind(Enum):
    """What an answer that means no is about (`cloudcraft/refusals.py` tells it)."""

    KEY = "the key is wrong or was revoked"
    RIGHTS = "the key, or its user, may not do that"
    PLAN = "the customer's plan does not allow it"
    ROLE = "the role cannot be assumed"
    FORBIDDEN = "it may be the key, it may be the role"
    UNCLEAR = "it may be the role"
    GONE = "there is no such registration"
    REQUEST = "what was asked for is not possible"


class Refused(RequestError):
    """An answer that means no: 4xx except 429, or a redirect. `message` is the server's.

    `status` is 0 if the request cannot be sent as it is. `cause` is what is known of it
    whatever the account.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        cause: Cause | None = None,
        kind: RefusalKind = RefusalKind.REQUEST,
    ) -> None:
        super().__init__(message, hint=cause.hint if cause else "")
        self.status = status
        self.cause = cause
        self.kind = kind

    @property
    def code(self) -> str:
        """The code that a report shows."""
        return f"HTTP{self.status}" if self.status else "NotSent"


class Doubtful(RequestError):
    """It may have been processed: a timeout, a reset, a 5xx, an unreadable answer.

    `wait` is how many seconds the server asked to wait before another try.
    """

    def __init__(self, message: str, *, hint: str = "", wait: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.wait = wait


class Unavailable(RequestError):
    """It was not processed, and the retries are used up."""


class Unreadable(Unavailable):
    """The answer to a read is not as Cloudcraft documents it."""


class Outdated(RequestError):
    """It was not sent: its turn came so late that what it was decided on may have changed."""


class PaceClosed(RequestError):
    """It was not sent: the run is stopping, or its slot would come after the deadline."""
