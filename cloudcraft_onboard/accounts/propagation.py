"""IAM is eventually consistent: a role that was just made or read is "not there yet", not gone."""

from __future__ import annotations

from cloudcraft_onboard.accounts.facts import Paused
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.model import Stage

_PAUSES = (0.5, 1.0, 2.0, 4.0, 7.5, 7.5, 7.5)
"""Seconds, half a minute together."""


class Propagation:
    """Pauses before a role is looked at again; the role is `name` in `account_id`."""

    def __init__(self, name: str, account_id: str) -> None:
        self._role = f"The role {name} in {account_id}"
        self._facts = Facts(role_name=name, account=account_id)
        self._taken = 0

    def pause(self) -> Paused:
        """The next pause. Raises `AccountError`, worth another round, after the last one."""
        if self._taken == len(_PAUSES):
            raise AccountError(
                Stage.ROLE,
                "ConcurrentChange",
                f"{self._role} keeps changing: AWS still answers that it does not exist,"
                f" {sum(_PAUSES):g} s after it was there.",
                cause=Cause(row=ours.ROLE_NOT_THERE_AGAIN, facts=self._facts),
                transient=True,
            )
        seconds = _PAUSES[self._taken]
        self._taken += 1
        error = AccountPending(
            Stage.ROLE, "NotVisibleYet", f"{self._role} is not visible everywhere in AWS yet."
        )
        return Paused(seconds=seconds, error=error)
