"""`onboard permissions`: what the operator and the role in each account need to be allowed.

Generated from the table of AWS calls, so that a security review sees what the code does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cloudcraft_onboard.aws.calls import Call, entry_role_arn
from cloudcraft_onboard.console.streams import json_text
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.manifest.partitions import partition_of
from cloudcraft_onboard.model import MANAGED_BY, Account, Via
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.plan.documents import VERSION

MANAGED_POLICY_LIMIT = 6_144
"""Characters of a customer-managed policy, white space not counted (IAM quotas)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Permissions:
    """Two IAM policies: for the identity that runs `onboard`, and for the role that it assumes.

    A document without statements means that nothing is needed there.
    """

    operator: dict[str, Any]
    account: dict[str, Any]

    @property
    def as_json(self) -> str:
        """Both documents, as `-o json` prints them."""
        return json_text({"operator": self.operator, "account": self.account})


def permissions(manifest: str) -> Permissions:
    """The policies that a manifest needs, disabled accounts included.

    Raises:
        ManifestError: the manifest is not valid.
    """
    accounts = load(manifest).accounts
    walked = [account for account in accounts if account.role.via is Via.ASSUME]
    rolled_out = [account for account in accounts if account.role.via is Via.STACKSET]
    assumed = [account for account in walked if account.assume_role]
    direct = [account for account in walked if not account.assume_role]
    return Permissions(
        operator=_document(
            (
                *_entries(assumed),
                *_role_statements(direct, exact=True),
                *_former_roles(direct),
                *_stack_set_statements(rolled_out),
            )
        ),
        # A stack set leaves the management account out, which is done like any other.
        account=_document(
            (
                *_role_statements([*assumed, *rolled_out], exact=False),
                *_former_roles([*assumed, *rolled_out]),
            )
        ),
    )


def _entries(accounts: Iterable[Account]) -> Iterable[dict[str, Any]]:
    """Allow AssumeRole on exactly the roles through which accounts are entered."""
    arns = {
        entry_role_arn(account.assume_role.role, account.account_id, partition_of(account))
        for account in accounts
        if account.assume_role and account.account_id
    }
    if arns:
        yield _allow("EnterAccounts", Call.ASSUME_ROLE.actions, arns)


def _role_statements(accounts: Sequence[Account], *, exact: bool) -> Iterable[dict[str, Any]]:
    """The IAM actions on exactly the roles that are made; roles with the same needs together.

    Not `exact`: the policy is the same for the entry role of every account.
    """
    needs: dict[str, set[str]] = defaultdict(set)
    for account in accounts:
        role = account.role
        actions = {a for call in Call if call.needed_by(role) for a in call.actions}
        owner = (account.account_id or "*") if exact else "*"
        for path in {"/", role.path}:  # IAM looks for a role that isn't there yet without its path
            named = Arn.role(partition_of(account), owner, role.name, path=path)
            needs[str(named)] |= actions
    alike: dict[frozenset[str], set[str]] = defaultdict(set)
    for arn, wanted in needs.items():
        alike[frozenset(wanted)].add(arn)
    for number, (together, arns) in enumerate(alike.items(), 1):
        suffix = str(number) if len(alike) > 1 else ""
        yield _allow(f"ManageCloudcraftRole{suffix}", together, arns)


_REMOVAL = (
    Call.GET_ROLE,
    Call.LIST_ATTACHED,
    Call.LIST_INLINE,
    Call.GET_INLINE,
    Call.DETACH,
    Call.DELETE_INLINE,
    Call.DELETE_ROLE,
)


def _former_roles(accounts: Sequence[Account]) -> Iterable[dict[str, Any]]:
    """Allow `remove` to take along the role that a registration names instead of the manifest's.

    The manifest doesn't tell its name, but it has this program's tag, to which every action on a
    role can be bound (Service Authorization Reference, IAM, `aws:ResourceTag`). IAM acts in the
    caller's own account only.
    """
    arns = {str(Arn.role(partition_of(account), "*", "*")) for account in accounts}
    if arns:
        key, value = MANAGED_BY
        actions = (action for call in _REMOVAL for action in call.actions)
        tagged = {"StringEquals": {f"aws:ResourceTag/{key}": value}}
        yield {**_allow("RemoveFormerRoles", actions, arns), "Condition": tagged}


def _stack_set_statements(accounts: Iterable[Account]) -> Iterable[dict[str, Any]]:
    """What the administrator of the stack sets needs (Service Authorization Reference)."""
    names = {(partition_of(account), account.role.stackset.name) for account in accounts}
    if names:
        kinds = ("stackset/{}:*", "stackset-target/{}:*", "type/resource/AWS-IAM-Role")
        arns = [
            str(
                Arn(
                    partition=partition,
                    service="cloudformation",
                    region="*",
                    account_id="*",
                    resource=kind.format(name),
                )
            )
            for partition, name in names
            for kind in kinds
        ]
        yield _allow("RollOutStackSets", _actions_of("cloudformation"), arns)
        yield _allow("ReadOrganization", _actions_of("organizations"), ["*"])


def _actions_of(service: str) -> Iterable[str]:
    return (action for call in Call if call.service == service for action in call.actions)


def _allow(sid: str, actions: Iterable[str], resources: Iterable[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(set(actions)),
        "Resource": sorted(set(resources)),
    }


def _document(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": list(statements)}


def advice(found: Permissions) -> tuple[str, ...]:
    """What else to know about the two documents."""
    said = []
    if found.account["Statement"] and found.operator["Statement"]:
        said.append(
            "If the manifest lists the operator's own account, no role is assumed there: the"
            " operator needs the account policy too."
        )
    length = len(json.dumps(found.operator, separators=(",", ":")))
    if length > MANAGED_POLICY_LIMIT:
        said.append(
            f"The operator's policy has {length:,} characters; IAM allows {MANAGED_POLICY_LIMIT:,}"
            " in one policy. Split its resources into several, or use * for the account ID."
        )
    return tuple(said)
