"""Why an account failed."""

from __future__ import annotations

from enum import StrEnum

from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.frozen import frozen


class Stage(StrEnum):
    """Where an account's problem arose (README, The JSON report: `error.stage`)."""

    REACH = "reach"
    ROLE = "role"
    REGISTER = "register"
    VERIFY = "verify"


@frozen
class Problem:
    """Why an account failed, for people to read: what happened and what to do next.

    `cause` is its kind and facts, by which failures are grouped; None for one from a saved report.
    """

    stage: Stage
    code: str
    message: str
    hint: str
    cause: Cause | None = None

    @classmethod
    def of(cls, stage: Stage, code: str, message: str, cause: Cause) -> Problem:
        """A problem whose hint the table of causes has."""
        return cls(stage=stage, code=code, message=message, hint=cause.hint, cause=cause)
