"""Bring roles up and down as the engine does, without Cloudcraft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cloudcraft_onboard.aws.session import BotoAccount, BotoAws
from cloudcraft_onboard.model import Account, AssumeRole, DesiredRole, RoleSpec, Trust
from cloudcraft_onboard.model.changes import RoleChange
from cloudcraft_onboard.plan.diff import RolePlan, desired_role, plan_removal, plan_role

HUB = "111111111111"
MEMBER = "222222222222"
OTHER = "333333333333"
ENTRY = "OrganizationAccountAccessRole"
CLOUDCRAFT = "912185983511"
EXTERNAL_ID = "4414aef4"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"

DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "minimal": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeTags"], "Resource": "*"}],
    },
    "custom": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"}],
    },
}


def member(account_id: str = MEMBER, **fields: Any) -> Account:
    """An account that is entered from the profile `hub`."""
    settings = {
        "name": account_id,
        "profile": "hub",
        "assume_role": AssumeRole(role=ENTRY),
        **fields,
    }
    return Account(account_id=account_id, **settings)


def hub(**fields: Any) -> Account:
    """The account that the profile `hub` is in, listed like every other."""
    return member(HUB, tags={"sandbox": "management"}, **fields)


def wanted(account: BotoAccount, spec: RoleSpec) -> DesiredRole:
    trust = Trust(
        account_id=CLOUDCRAFT, external_id=EXTERNAL_ID, partition=account.identity.partition
    )
    return desired_role(spec, account.identity, trust, DOCUMENTS)


def plan(account: BotoAccount, spec: RoleSpec) -> RolePlan:
    desired = wanted(account, spec)
    return plan_role(desired, account.observe(desired.name, inline=bool(desired.inline)))


def bring(account: BotoAccount, spec: RoleSpec) -> tuple[RoleChange, ...]:
    """Make or mend the role; the changes that were made."""
    desired = wanted(account, spec)
    observed = account.observe(desired.name, inline=bool(desired.inline))
    planned = plan_role(desired, observed)
    assert planned.conflict is None
    for change in planned.changes:
        account.apply(change, desired, observed)
    return planned.changes


def take_away(account: BotoAccount, spec: RoleSpec) -> RolePlan:
    """Remove the role, if it may be removed."""
    desired = wanted(account, spec)
    observed = account.observe(desired.name, inline=True)
    planned = plan_removal(desired, observed, force=False)
    for change in planned.changes:
        account.apply(change, desired, observed)
    return planned


@contextmanager
def opened(*, retries: int = 0, concurrency: int = 4) -> Iterator[BotoAws]:
    """The way into accounts, closed again."""
    aws = BotoAws(concurrency=concurrency, retries=retries)
    try:
        yield aws
    finally:
        aws.close()


def words(changes: Iterable[RoleChange]) -> list[str]:
    return [change.action.word for change in changes]
