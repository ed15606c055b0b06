"""What must change about a stack set: a pure function of the desired and the observed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    MANAGED_BY,
    CloudcraftParameters,
    DesiredStackSet,
    ObservedStackSet,
    Organization,
    Problem,
    RoleSpec,
    StackInstance,
    Stage,
    Trust,
)
from cloudcraft_onboard.model.changes import (
    CreateByStackSet,
    NewRole,
    StackSetChange,
    UpdateByStackSet,
    UpdateInstance,
)
from cloudcraft_onboard.model.differences import (
    NoAutoDeployment,
    ParameterDiffers,
    StackSetDifference,
    TemplateDiffers,
)
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.role_notes import StackSetStays
from cloudcraft_onboard.plan.template import (
    ACCOUNT_PARAMETER,
    EXTERNAL_ID_PARAMETER,
    ROLE,
    role_template,
    template_role,
)

SERVICE_MANAGED = "SERVICE_MANAGED"
"""The permission model under which AWS itself goes into the accounts of an organization."""

_CURRENT, _INOPERABLE = "CURRENT", "INOPERABLE"


@frozen
class StackSetPlan:
    """The operations to start, in this order, and what they do to each account.

    First the stack set itself, if `create`; then it and all its instances, if `differs` says why;
    then instances in `units`: all of their accounts, or `accounts` only. No operation without
    `units`. `changes` and `problems` are by account ID; `conflict` is everybody's.
    """

    create: bool = False
    differs: tuple[StackSetDifference, ...] = ()
    units: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    changes: Mapping[str, StackSetChange] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    conflict: Problem | None = None


def desired_stack_set(
    role: RoleSpec,
    organization: Organization,
    parameters: CloudcraftParameters,
    documents: Mapping[str, Mapping[str, Any]],
) -> DesiredStackSet:
    """The stack set that the manifest asks for.

    One external ID for all, the key's own: with automatic deployment, accounts that are
    not in the manifest get the role too.
    """
    return DesiredStackSet(
        spec=role.stackset,
        template=role_template(template_role(role, documents)),
        parameters={
            ACCOUNT_PARAMETER: parameters.account_id,
            EXTERNAL_ID_PARAMETER: parameters.external_id,
        },
        units=role.stackset.organizational_units or (organization.root,),
    )


def plan_stack_set(
    desired: DesiredStackSet, observed: ObservedStackSet | None, account_ids: Sequence[str]
) -> StackSetPlan:
    """The operations that bring the role into these accounts; takes nothing from any other."""
    name = desired.spec.name
    if observed is None:
        return StackSetPlan(
            create=True,
            units=desired.units,
            accounts=_only(desired, account_ids),
            changes=dict.fromkeys(account_ids, _made_role(desired, new=True)),
        )
    conflict = not_ours(name, observed)
    if conflict:
        return StackSetPlan(conflict=conflict)
    differs = tuple(_differences(desired, observed))
    instances = {instance.account_id: instance for instance in observed.instances}
    changes: dict[str, StackSetChange] = {}
    problems: dict[str, Problem] = {}
    for account_id in account_ids:
        found = instances.get(account_id)
        if found is not None and found.status == _INOPERABLE:
            problems[account_id] = _inoperable(name, found)
        elif found is None:
            changes[account_id] = _made_role(desired, new=False)
        elif differs:
            changes[account_id] = UpdateByStackSet(stack_set=name, differences=differs)
        elif found.status != _CURRENT:
            changes[account_id] = UpdateInstance(stack_set=name, status=found.status)
    unready = tuple(each for each in changes if _needs_filling(instances.get(each)))
    fresh = tuple(unit for unit in desired.units if unit not in observed.units)
    whole = fresh if desired.spec.organizational_units else ()
    return StackSetPlan(
        differs=differs,
        units=desired.units if unready or whole else (),
        accounts=() if whole else unready,
        changes=changes,
        problems=problems,
        notes=tuple(_left_alone(desired, observed)),
    )


def _only(desired: DesiredStackSet, account_ids: Sequence[str]) -> tuple[str, ...]:
    """The account filter: none where the manifest names OUs, which are meant as a whole."""
    return () if desired.spec.organizational_units else tuple(account_ids)


def _made_role(desired: DesiredStackSet, *, new: bool) -> CreateByStackSet:
    """The role that the template makes."""
    role = desired.template["Resources"][ROLE]["Properties"]
    boundary = role.get("PermissionsBoundary")
    return CreateByStackSet(
        stack_set=desired.spec.name,
        new=new,
        role=NewRole(
            trust=Trust(
                account_id=desired.parameters[ACCOUNT_PARAMETER],
                external_id=desired.parameters[EXTERNAL_ID_PARAMETER],
                partition="",
            ),
            path=role["Path"],
            max_session_duration=role["MaxSessionDuration"],
            permissions_boundary=boundary and _policy_name(boundary),
            tags={tag["Key"]: tag["Value"] for tag in role["Tags"]},
        ),
        policies=(
            *map(_policy_name, role.get("ManagedPolicyArns", ())),
            *(policy["PolicyName"] for policy in role.get("Policies", ())),
        ),
    )


def _policy_name(arn: Any) -> str:
    """A policy's ARN, or the plain name in one that CloudFormation is to fill."""
    if isinstance(arn, Mapping):
        return str(arn.get("Fn::Sub", "")).partition(":policy/")[2]
    return str(arn)


def _needs_filling(found: StackInstance | None) -> bool:
    return found is None or found.status != _CURRENT


def _differences(
    desired: DesiredStackSet, observed: ObservedStackSet
) -> Iterator[StackSetDifference]:
    if observed.template != desired.template:
        yield TemplateDiffers()
    for name, value in desired.parameters.items():
        was = observed.parameters.get(name)
        if was != value:
            yield ParameterDiffers(name=name, before=was, after=value)
    if not observed.auto_deployment:
        yield NoAutoDeployment()


def _left_alone(desired: DesiredStackSet, observed: ObservedStackSet) -> Iterator[Note]:
    beyond = tuple(unit for unit in observed.units if unit not in desired.units)
    if beyond and desired.spec.organizational_units:
        yield StackSetStays(stack_set=desired.spec.name, units=beyond)


def not_ours(name: str, observed: ObservedStackSet) -> Problem | None:
    """Why a stack set is left alone: somebody else made it, or it has other permissions."""
    key, value = MANAGED_BY
    if observed.tags.get(key) != value:
        why = f"was not made by onboard (it has no tag {key}={value})"
    elif observed.permission_model != SERVICE_MANAGED:
        why = f"has {observed.permission_model.lower().replace('_', '-')} permissions"
    else:
        return None
    return Problem.of(
        Stage.ROLE,
        "StackSetConflict",
        f"A stack set {name} already exists, and it {why}. It is left alone.",
        Cause(row=ours.STACK_SET_CONFLICT, facts=Facts(stack=name, reason=why)),
    )


def _inoperable(name: str, found: StackInstance) -> Problem:
    return Problem.of(
        Stage.ROLE,
        "StackInstanceInoperable",
        f"The account's instance of the stack set {name} is inoperable: deleting it failed"
        f" ({found.reason or 'no reason given'}).",
        Cause(row=ours.INOPERABLE, facts=Facts(stack=name, reason=found.reason)),
    )
