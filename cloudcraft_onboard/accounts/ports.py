"""What the work on accounts needs of AWS; `aws` supplies it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import (
    Account,
    DesiredRole,
    DesiredStackSet,
    Identity,
    ObservedRole,
    ObservedStackSet,
    Organization,
    RoleSpec,
    StackOperation,
    StackSetSpec,
)
from cloudcraft_onboard.model.changes import RoleChange
from cloudcraft_onboard.model.role_notes import RoleNote


class AccountSession(Protocol):
    """One AWS account that was reached, with working credentials for it."""

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""

    def observe(self, role_name: str, *, inline: bool = False) -> ObservedRole | None:
        """The role as it is, None where there is none.

        Raises `ConcurrentChange` when it was there for one call and not for the next one,
        `AccountError` (stage role) otherwise.
        """

    def apply(
        self, change: RoleChange, desired: DesiredRole, observed: ObservedRole | None
    ) -> str | None:
        """Make one change of a role; harmless to repeat. The role's ARN where the change made it.

        Raises `ConcurrentChange` when the role appeared or vanished since it was observed,
        `AccountError` (stage role) otherwise.
        """

    def would_be_denied(
        self,
        changes: Sequence[RoleChange],
        desired: DesiredRole,
        observed: ObservedRole | None,
    ) -> tuple[RoleNote, ...]:
        """What AWS says that it would deny of these changes; nothing where that isn't asked."""


class StackSets(Protocol):
    """CloudFormation's stack sets in the account that administers them.

    Every call raises `AccountError` (stage role). Those that start an operation return its ID,
    and raise `ConcurrentChange` while another one is in progress: a stack set has one at a time.
    """

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""

    def organization(self) -> Organization:
        """The organization that the account is in."""

    def explain(self, role: RoleSpec, reason: str, account_id: str) -> AccountError:
        """CloudFormation's reason for an account's failed instance, and what to do about it."""

    def observe(self, name: str) -> ObservedStackSet | None:
        """The stack set with all its instances, None where there is none."""

    def create(self, desired: DesiredStackSet) -> None:
        """Make the stack set, without instances; fine if it is there already."""

    def update(self, desired: DesiredStackSet) -> str:
        """Make template, parameters and automatic deployment as desired, in every instance."""

    def fill(self, name: str, units: Sequence[str], account_ids: Sequence[str] = ()) -> str:
        """Make missing instances in the units, and those that are outdated once more.

        With `account_ids` in these accounts of the units only.
        """

    def empty(self, name: str, units: Sequence[str], account_ids: Sequence[str]) -> str:
        """Delete the instances of these accounts of the units, and their roles with them."""

    def delete(self, name: str) -> None:
        """Delete the stack set, which has no instance any more; fine if it is gone already."""

    def operation(self, name: str, operation_id: str) -> StackOperation:
        """How far an operation has come."""


class Aws(Protocol):
    """The way into accounts."""

    def check_sources(self, accounts: Sequence[Account]) -> None:
        """Raise `CannotStart` if not one of the accounts has a working source of credentials."""

    def reach(self, account: Account) -> AccountSession:
        """Credentials inside the account. Raises `AccountError` (stage reach)."""

    def stack_sets(self, spec: StackSetSpec) -> StackSets:
        """Stack sets, by the profile that administers them. Raises `AccountError` (stage reach)."""

    def close(self) -> None:
        """Let go of every connection."""
