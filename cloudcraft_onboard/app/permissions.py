"""`onboard permissions`: what the operator and the role in each account need to be allowed.

Generated from the table of AWS calls, so that a security review sees what the code does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any

from cloudcraft_onboard.aws.calls import ORGANIZATION, Call, entry_role_arn
from cloudcraft_onboard.console.streams import json_text
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.manifest.partitions import partition_of
from cloudcraft_onboard.model import MANAGED_BY, Account, AssumeRole, Via
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.plan.documents import VERSION
from cloudcraft_onboard.sources.found import ASSUME_ROLE

MANAGED_POLICY_LIMIT = 6_144
"""Characters of a customer-managed policy, white space not counted (IAM quotas)."""


@frozen
class Permissions:
    """Two IAM policies: for the identity that runs `onboard`, and for the role that it assumes.

    A document without statements means that nothing is needed there.
    """

    operator: dict[str, Any]
    account: dict[str, Any]
    wider: tuple[tuple[str, Width], ...] = ()
    """Which of the two are wider than exact, so that they fit."""

    @property
    def as_json(self) -> str:
        """Both documents, as `-o json` prints them."""
        return json_text({"operator": self.operator, "account": self.account})


class Width(IntEnum):
    """How much wider than exact a document's resources are, so that it fits AWS's limit."""

    EXACT = 0
    ACCOUNTS = 1
    """Any account of the organization."""
    NAMES = 2
    """Any name, too."""


def permissions(
    manifest: str, *, read_only: bool = False, organization: bool = False
) -> Permissions:
    """The policies that a manifest needs, disabled accounts included.

    `read_only`: for plan and status; `organization`: with what `--organization` needs. Each
    document is the narrowest that fits `MANAGED_POLICY_LIMIT`.

    Raises:
        ManifestError: the manifest is not valid.
    """
    loaded = load(manifest)
    accounts = loaded.accounts
    needs = _Needs(
        walked=tuple(account for account in accounts if account.role.via is Via.ASSUME),
        rolled_out=tuple(account for account in accounts if account.role.via is Via.STACKSET),
        read_only=read_only,
        new=loaded.bare if organization else None,
    )
    operator, operators_width = _fitting(needs.of_operator)
    account, accounts_width = _fitting(needs.of_account)
    return Permissions(
        operator=operator,
        account=account,
        wider=tuple(
            (name, width)
            for name, width in (("operator", operators_width), ("account", accounts_width))
            if width
        ),
    )


def _fitting(
    statements: Callable[[Width], Iterable[dict[str, Any]]],
) -> tuple[dict[str, Any], Width]:
    """The narrowest document that fits, and how wide it is."""
    document: dict[str, Any] = {}
    for width in Width:
        document = _document(statements(width))
        if _length(document) <= MANAGED_POLICY_LIMIT:
            return document, width
    return document, Width.NAMES


def _length(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))


@frozen
class _Needs:
    """Whose accounts they are, and what is to be done in them.

    `new` is what the organization's other accounts would be like in the manifest, None where nobody
    asks for these.
    """

    walked: tuple[Account, ...]
    rolled_out: tuple[Account, ...]
    read_only: bool
    new: Account | None

    @property
    def assumed(self) -> list[Account]:
        return [account for account in self.walked if account.assume_role]

    @property
    def signed_in(self) -> list[Account]:
        return [account for account in self.walked if account.sso]

    @property
    def direct(self) -> list[Account]:
        return [account for account in self.walked if not (account.assume_role or account.sso)]

    def of_operator(self, width: Width) -> Iterator[dict[str, Any]]:
        """For the identity that runs `onboard`."""
        yield from _entries(self.assumed, width)
        yield from self._roles(self.direct, width, exact=True)
        yield from self._stack_sets(width)
        if self.new is not None:
            yield _allow("ReadOrganizationsAccounts", ORGANIZATION, ["*"])
            yield from _newcomers(self.new, width)

    def of_account(self, width: Width) -> Iterator[dict[str, Any]]:
        """For the role that is assumed, or the permission set's.

        A stack set leaves the management account to it.
        """
        accounts = [*self.assumed, *self.signed_in, *self.rolled_out]
        yield from self._roles(accounts, width, exact=False)

    def _roles(
        self, accounts: Sequence[Account], width: Width, *, exact: bool
    ) -> Iterator[dict[str, Any]]:
        yield from _role_statements(accounts, width, exact=exact, read_only=self.read_only)
        if not self.read_only:
            yield from _former_roles(accounts)
        yield from _asking(accounts)

    def _stack_sets(self, width: Width) -> Iterator[dict[str, Any]]:
        yield from _stack_set_statements(self.rolled_out, width, read_only=self.read_only)


def _entries(accounts: Sequence[Account], width: Width) -> Iterator[dict[str, Any]]:
    """Allow AssumeRole on exactly the roles through which accounts are entered.

    With the external IDs that the manifest has; tags and source identity are actions of their own
    (Service Authorization Reference, STS).
    """
    by_id: dict[str | None, list[Account]] = defaultdict(list)
    for account in accounts:
        way = account.assume_role
        by_id[way.external_id if way else None].append(account)
    groups = list(by_id.items())
    if width is not Width.EXACT:
        keyed = [account for key, group in groups for account in group if key is not None]
        groups = [(key, group) for key, group in ((None, by_id[None]), ("*", keyed)) if group]
    for number, (external_id, group) in enumerate(groups, 1):
        suffix = str(number) if len(groups) > 1 else ""
        condition: dict[str, Any] = {}
        if external_id == "*":
            condition["Null"] = {"sts:ExternalId": "false"}
        elif external_id is not None:
            condition["StringEquals"] = {"sts:ExternalId": external_id}
        yield _entering(f"EnterAccounts{suffix}", Call.ASSUME_ROLE.actions, group, width, condition)
    tagged = [a for a in accounts if a.assume_role and a.assume_role.tags]
    named = [a for a in accounts if a.assume_role and a.assume_role.source_identity]
    if tagged:
        yield _entering("TagSessions", ["sts:TagSession"], tagged, width, {})
    if named:
        yield _entering("NameSource", ["sts:SetSourceIdentity"], named, width, {})


def _newcomers(new: Account, width: Width) -> Iterator[dict[str, Any]]:
    """Allow `status` to find out which accounts that the manifest lacks a plan could enter."""
    if new.sso or new.role.via is not Via.ASSUME:
        return
    way = new.assume_role or AssumeRole(role=ASSUME_ROLE)
    entered = replace(new, assume_role=way)
    yield _entering("EnterNewAccounts", way.actions, [entered], max(width, Width.ACCOUNTS), {})


def _entering(
    sid: str,
    actions: Iterable[str],
    accounts: Iterable[Account],
    width: Width,
    condition: dict[str, Any],
) -> dict[str, Any]:
    arns = set()
    for account in accounts:
        if not account.assume_role or not account.account_id:
            continue
        exact = entry_role_arn(account.assume_role.role, account.account_id, partition_of(account))
        arn = Arn.parse(exact)
        if arn is not None and width is not Width.EXACT:
            name = arn.resource if width is Width.ACCOUNTS else "role/*"
            exact = str(replace(arn, account_id="*", resource=name))
        arns.add(exact)
    if width is not Width.EXACT:
        equal = {**condition.get("StringEquals", {}), **_SAME_ORGANIZATION}
        condition = {**condition, "StringEquals": equal}
    statement = _allow(sid, actions, arns)
    return {**statement, "Condition": condition} if condition else statement


_SAME_ORGANIZATION = {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}


def _asking(accounts: Sequence[Account]) -> Iterator[dict[str, Any]]:
    """Allow a plan to ask what a run would be denied; IAM acts in the caller's own account only."""
    if accounts:
        actions = (*Call.SIMULATE.actions, *Call.GET_ROLE.actions)
        yield _allow("AskWhatWouldBeDenied", actions, ["*"])


def _role_statements(
    accounts: Sequence[Account], width: Width, *, exact: bool, read_only: bool
) -> Iterator[dict[str, Any]]:
    """The IAM actions on exactly the roles that are made; roles with the same needs together.

    Not `exact`: the policy is the same for the entry role of every account.
    """
    needs: dict[str, set[str]] = defaultdict(set)
    calls = [call for call in Call if call.reads or not read_only]
    for account in accounts:
        role = account.role
        actions = {a for call in calls if call.needed_by(role) for a in call.actions}
        owner = (account.account_id or "*") if exact and width is Width.EXACT else "*"
        name, paths = (role.name, {"/", role.path}) if width < Width.NAMES else ("*", {"/"})
        for path in paths:  # IAM looks for a role that isn't there yet without its path
            named = Arn.role(partition_of(account), owner, name, path=path)
            needs[str(named)] |= actions
    alike: dict[frozenset[str], set[str]] = defaultdict(set)
    for arn, wanted in needs.items():
        alike[frozenset(wanted)].add(arn)
    verb = "Read" if read_only else "Manage"
    for number, (together, arns) in enumerate(alike.items(), 1):
        suffix = str(number) if len(alike) > 1 else ""
        yield _allow(f"{verb}CloudcraftRole{suffix}", together, arns)


_REMOVAL = (
    Call.GET_ROLE,
    Call.LIST_ATTACHED,
    Call.LIST_INLINE,
    Call.GET_INLINE,
    Call.DETACH,
    Call.DELETE_INLINE,
    Call.DELETE_ROLE,
)


def _former_roles(accounts: Sequence[Account]) -> Iterator[dict[str, Any]]:
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


def _stack_set_statements(
    accounts: Iterable[Account], width: Width, *, read_only: bool
) -> Iterator[dict[str, Any]]:
    """What the administrator of the stack sets needs (Service Authorization Reference)."""
    names = {
        (partition_of(account), account.role.stackset.name if width < Width.NAMES else "*")
        for account in accounts
    }
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
        actions = _actions_of("cloudformation", read_only=read_only)
        yield _allow("RollOutStackSets", actions, arns)
        yield _allow("ReadOrganization", _actions_of("organizations", read_only=True), ["*"])


def _actions_of(service: str, *, read_only: bool) -> Iterator[str]:
    calls = (call for call in Call if call.service == service and (call.reads or not read_only))
    return (action for call in calls for action in call.actions)


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
    for name, width in found.wider:
        said.append(
            f"The {name} policy would have more than {MANAGED_POLICY_LIMIT:,} characters, so it is"
            f" wider: {_WIDER[width]}"
        )
    return tuple(said)


_WIDER = {
    Width.ACCOUNTS: "it names roles in any account of the organization, not just the manifest's.",
    Width.NAMES: "it names any role or stack set, in any account of the organization.",
}
