"""An AWS of plain values behind the ports of `accounts`, and a driver for its generators."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.facts import Changed, HandedBack, Paused, Worked
from cloudcraft_onboard.accounts.facts import Failed as FailedFact
from cloudcraft_onboard.accounts.ports import AccountSession
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.events import Said, StepStarted
from cloudcraft_onboard.model import (
    MANAGED_BY,
    NOTHING,
    Account,
    CloudcraftParameters,
    DesiredRole,
    DesiredStackSet,
    Identity,
    ObservedRole,
    ObservedStackSet,
    Organization,
    Registration,
    RoleSpec,
    StackInstance,
    StackOperation,
    StackSetSpec,
    Stage,
)
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.changes import (
    AttachPolicy,
    CreateRole,
    DeleteRole,
    DetachPolicy,
    PutPolicy,
    RoleChange,
    TagRole,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.model.role_notes import RoleNote
from cloudcraft_onboard.plan.registration import Listing
from cloudcraft_onboard.plan.stackset import SERVICE_MANAGED
from cloudcraft_onboard.plan.trust import trust_document

CLOUDCRAFT = CloudcraftParameters(account_id="912185983511", external_id="4414aef4")
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MINE = dict([MANAGED_BY])
ONE, TWO = "111111111111", "222222222222"
HUB = "999999999999"
BEGUN = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)

T = TypeVar("T")


def driven(steps: Generator[Any, None, T], *, patience: int = 200) -> tuple[list[Any], T]:
    """Everything that the work says, and what it comes to."""
    said: list[Any] = []
    while len(said) < patience:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return said, end.value
    raise AssertionError(f"it goes on and on: {said[-3:]}")


def told(steps: Generator[Any, None, T]) -> T:
    """What the work comes to."""
    return driven(steps)[1]


def steps_of(said: Sequence[Any]) -> list[str]:
    return [fact.step for fact in said if isinstance(fact, StepStarted)]


def changed(said: Sequence[Any]) -> list[str]:
    return [fact.change.action.word for fact in said if isinstance(fact, Changed)]


def worked(said: Sequence[Any]) -> dict[str, Any]:
    return {fact.name: fact.value for fact in said if isinstance(fact, Worked)}


def failed(said: Sequence[Any]) -> dict[str, Any]:
    return {fact.name: fact.error for fact in said if isinstance(fact, FailedFact)}


def handed_back(said: Sequence[Any]) -> list[str]:
    return [fact.account.name for fact in said if isinstance(fact, HandedBack)]


def pauses(said: Sequence[Any]) -> int:
    return sum(isinstance(fact, Paused) for fact in said)


def sayings(said: Sequence[Any]) -> list[str]:
    return [fact.text for fact in said if isinstance(fact, Said)]


# --- Cloudcraft ---------------------------------------------------------------------------------


def registered(
    account_id: str = ONE, *, ident: str = "r1", role: str = "cloudcraft", **other: Any
) -> Registration:
    return replace(
        Registration(
            id=ident,
            name="A",
            role_arn=str(Arn.role("aws", account_id, role)),
            external_id=CLOUDCRAFT.external_id,
        ),
        **other,
    )


def snapshot(*registrations: Registration, **other: Any) -> Snapshot:
    return replace(
        Snapshot(
            parameters=CLOUDCRAFT,
            listing=Listing(registrations),
            documents={"minimal": NOTHING, "custom": NOTHING},
        ),
        **other,
    )


# --- IAM ----------------------------------------------------------------------------------------


@dataclass
class FakeAccount:
    """One account's IAM; it is the session in it as well."""

    account_id: str = ONE
    partition: str = "aws"
    roles: dict[str, ObservedRole] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    unreadable: dict[str, AccountError] = field(default_factory=dict)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    """What somebody else does, one of it before each change."""
    refused: list[str] = field(default_factory=list)
    denies: RoleNote | None = None
    """What it says that it would deny, of any change."""
    asked: int = 0
    hidden: list[bool] = field(default_factory=list)
    """IAM is slow: looks that show no role, though there is one; or (True) half of it."""

    @property
    def identity(self) -> Identity:
        arn = f"arn:{self.partition}:sts::{self.account_id}:assumed-role/Admin/me"
        return Identity(account_id=self.account_id, partition=self.partition, arn=arn)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call != "observe"]

    def give(self, name: str, **differences: Any) -> ObservedRole:
        """A role such as this program makes it, with some differences."""
        path = differences.get("path", "/")
        right = ObservedRole(
            arn=str(Arn.role(self.partition, self.account_id, name, path=path)),
            path=path,
            description="",
            max_session_duration=3600,
            permissions_boundary=None,
            tags=MINE,
            trust=trusting(self.partition),
            attached=(READ_ONLY.replace("arn:aws:", f"arn:{self.partition}:"),),
            inline={},
            created_at=datetime.now(UTC) - timedelta(days=1),
        )
        self.roles[name] = replace(right, **differences)
        return self.roles[name]

    def refuse_once(self, word: str) -> None:
        """The next change of this kind finds no role."""
        self.refused.append(word)

    def observe(self, role_name: str, *, inline: bool = False) -> ObservedRole | None:
        self.calls.append("observe")
        if role_name in self.unreadable:
            raise self.unreadable[role_name]
        role = self.roles.get(role_name)
        if role is not None and self.hidden:
            if self.hidden.pop(0):
                raise ConcurrentChange
            return None
        return role if role is None or inline else replace(role, inline={})

    def would_be_denied(
        self, changes: Sequence[RoleChange], desired: DesiredRole, observed: ObservedRole | None
    ) -> tuple[RoleNote, ...]:
        del desired, observed
        self.asked += 1
        return (self.denies,) if self.denies and changes else ()

    def apply(
        self, change: RoleChange, desired: DesiredRole, observed: ObservedRole | None
    ) -> str | None:
        del observed
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.calls.append(change.action.word)
        if change.action.word in self.refused:
            self.refused.remove(change.action.word)
            raise ConcurrentChange
        role = self.roles.get(desired.name)
        if isinstance(change, CreateRole):
            if role is not None:
                raise ConcurrentChange
            made = self.give(
                desired.name,
                path=desired.path,
                description=desired.description,
                max_session_duration=desired.max_session_duration,
                permissions_boundary=_last(desired),
                tags={**desired.tags, **MINE},
                trust=trust_document(desired.trust),
                attached=(),
                created_at=datetime.now(UTC),
            )
            return made.arn
        if role is None:
            raise ConcurrentChange
        self._change(change, desired, role)
        return None

    def _change(self, change: RoleChange, desired: DesiredRole, role: ObservedRole) -> None:
        match change:
            case UpdateTrust():
                role = replace(role, trust=trust_document(desired.trust))
            case UpdateRole():
                role = replace(role, max_session_duration=desired.max_session_duration)
            case TagRole():
                role = replace(role, tags={**role.tags, **change.after})
            case AttachPolicy():
                role = replace(role, attached=(*role.attached, change.policy.arns[0]))
            case PutPolicy():
                inline = {**role.inline, change.name: desired.inline[change.name]}
                role = replace(role, inline=inline)
            case DetachPolicy(inline=True):
                inline = {name: it for name, it in role.inline.items() if name != change.policy}
                role = replace(role, inline=inline)
            case DetachPolicy():
                left = tuple(arn for arn in role.attached if arn != change.policy)
                role = replace(role, attached=left)
            case DeleteRole():
                if role.attached or role.inline:
                    raise ConcurrentChange
                del self.roles[desired.name]
                return
        self.roles[desired.name] = role


def _last(desired: DesiredRole) -> str | None:
    return desired.permissions_boundary.arns[-1] if desired.permissions_boundary else None


def trusting(partition: str = "aws", **changes: Any) -> dict[str, Any]:
    """The wanted trust policy with some elements of its statement replaced; None takes one away."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": str(Arn.root(partition, CLOUDCRAFT.account_id))},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": CLOUDCRAFT.external_id}},
        **changes,
    }
    statement = {key: value for key, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


# --- the way into accounts ----------------------------------------------------------------------


class FakeAws:
    """Accounts by ID, and by the profile that leads to them; `refuses` whom it lets in nowhere."""

    def __init__(self, *accounts: FakeAccount, profiles: Mapping[str, str] = NOTHING) -> None:
        self.accounts = {account.account_id: account for account in accounts}
        self.profiles = dict(profiles)
        self.reached: list[str] = []
        self.refuses: dict[str, AccountError] = {}
        self.sets: FakeStackSets | None = None

    def check_sources(self, accounts: Sequence[Account]) -> None:
        raise AssertionError(f"the work on one account does not ask for this: {accounts}")

    def reach(self, account: Account) -> AccountSession:
        self.reached.append(account.name)
        if account.name in self.refuses:
            raise self.refuses[account.name]
        return self.accounts[self.profiles.get(account.profile or "", account.account_id or "")]

    def stack_sets(self, spec: StackSetSpec) -> FakeStackSets:
        assert self.sets is not None, spec
        return self.sets

    def close(self) -> None:
        raise AssertionError("the work on one account does not ask for this")


# --- CloudFormation -----------------------------------------------------------------------------


class FakeStackSets:
    """One stack set, whose operations take `looks`; `fails` and `cancels` are by account ID."""

    def __init__(self, *, members: Sequence[str] = (ONE, TWO)) -> None:
        self.members = tuple(members)
        self.observed: ObservedStackSet | None = None
        self.calls: list[str] = []
        self.fails: dict[str, str] = {}
        self.cancels: set[str] = set()
        self.looks = 2
        self.busy: list[str] = []
        """Actions of others' operations, one for each look, until none is left."""
        self._looks: dict[str, int] = {}
        self._targets: dict[str, tuple[str, ...]] = {}

    @property
    def identity(self) -> Identity:
        return Identity(account_id=HUB, partition="aws", arn=f"arn:aws:iam::{HUB}:user/ops")

    def organization(self) -> Organization:
        return Organization(management=HUB, root="r-root")

    def explain(self, role: RoleSpec, reason: str, account_id: str) -> AccountError:
        del role
        return AccountError(Stage.ROLE, "StackInstanceFailed", f"{account_id}: {reason}")

    def observe(self, name: str) -> ObservedStackSet | None:
        del name
        self.calls.append("observe")
        busy = self.busy.pop(0) if self.busy else ""
        return self.observed and replace(
            self.observed,
            busy=busy,
            busy_id="op-others" if busy else "",
            busy_since=BEGUN if busy else None,
        )

    def create(self, desired: DesiredStackSet) -> None:
        self.calls.append("create")
        self.observed = replace(as_desired(desired), units=())

    def update(self, desired: DesiredStackSet) -> str:
        self.calls.append("update")
        assert self.observed is not None
        self.observed = replace(as_desired(desired), instances=self.observed.instances)
        return self._started([each.account_id for each in self.observed.instances])

    def fill(self, name: str, units: Sequence[str], account_ids: Sequence[str] = ()) -> str:
        del name
        self.calls.append(f"fill {','.join(units)} {','.join(account_ids)}".rstrip())
        assert self.observed is not None
        self.observed = replace(self.observed, units=tuple(units))
        filled = [each for each in account_ids or self.members if each in self.members]
        for account_id in filled:
            if account_id not in self.fails and account_id not in self.cancels:
                self._set(account_id, "CURRENT")
        return self._started(filled)

    def empty(self, name: str, units: Sequence[str], account_ids: Sequence[str]) -> str:
        del name, units
        self.calls.append(f"empty {','.join(account_ids)}")
        assert self.observed is not None
        gone = {each for each in account_ids if each not in self.fails}
        left = tuple(each for each in self.observed.instances if each.account_id not in gone)
        self.observed = replace(self.observed, instances=left)
        return self._started(account_ids)

    def delete(self, name: str) -> None:
        self.calls.append(f"delete {name}")
        self.observed = None

    def operation(self, name: str, operation_id: str) -> StackOperation:
        del name
        self._looks[operation_id] += 1
        if self._looks[operation_id] < self.looks:
            running = dict.fromkeys(self._targets[operation_id], ("RUNNING", ""))
            return StackOperation(status="RUNNING", reason="", results=running, since=BEGUN)
        results = {each: self._result(each) for each in self._targets[operation_id]}
        return StackOperation(status="SUCCEEDED", reason="", results=results)

    def _result(self, account_id: str) -> tuple[str, str]:
        if account_id in self.cancels:
            return "CANCELLED", ""
        reason = self.fails.get(account_id)
        return ("SUCCEEDED", "") if reason is None else ("FAILED", reason)

    def _started(self, account_ids: Sequence[str]) -> str:
        operation_id = f"op-{len(self._looks)}"
        self._looks[operation_id] = 0
        self._targets[operation_id] = tuple(account_ids)
        return operation_id

    def _set(self, account_id: str, status: str) -> None:
        assert self.observed is not None
        others = tuple(it for it in self.observed.instances if it.account_id != account_id)
        made = StackInstance(account_id=account_id, status=status, unit="r-root")
        self.observed = replace(self.observed, instances=(*others, made))


def as_desired(desired: DesiredStackSet, *account_ids: str) -> ObservedStackSet:
    return ObservedStackSet(
        template=desired.template,
        parameters=desired.parameters,
        permission_model=SERVICE_MANAGED,
        auto_deployment=True,
        tags=MINE,
        units=desired.units,
        instances=tuple(
            StackInstance(account_id=each, status="CURRENT", unit="r-root") for each in account_ids
        ),
        changed_at=datetime.now(UTC) - timedelta(days=1),
    )
