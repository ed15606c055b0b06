"""What must change about a role: a pure function of the desired and the observed role.

`run` applies the changes, `plan` shows them, reports list them: all use the same objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import (
    MANAGED_BY,
    Account,
    DesiredRole,
    Identity,
    ObservedRole,
    PolicyRef,
    Problem,
    RoleSpec,
    Stage,
    Trust,
    Via,
)
from cloudcraft_onboard.model.arn import Arn, is_arn
from cloudcraft_onboard.model.changes import (
    AttachPolicy,
    CreateRole,
    DeleteRole,
    DetachPolicy,
    NewRole,
    PutPolicy,
    RoleChange,
    TagRole,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.model.differences import Differs, ForeignTrust, clauses
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.role_notes import (
    BoundaryKept,
    NotMadeHere,
    PoliciesKept,
    RoleKept,
    RoleNotMoved,
)
from cloudcraft_onboard.plan.documents import as_json, compact, same
from cloudcraft_onboard.plan.parts import policy_parts, trust_parts
from cloudcraft_onboard.plan.trust import compare_trust, trust_document

DESCRIPTION = "Programmatically created IAM role for use with Cloudcraft."
"""As in Datadog's guide "Add AWS accounts via the Cloudcraft API"."""

INLINE_LIMIT = 10_240
"""Characters that IAM allows for all inline policies of one role together, white space not counted
(IAM and STS quotas, "IAM object character limits")."""


@frozen
class RolePlan:
    """The writes to make, in this order; none when `conflict` says why the role is left alone."""

    changes: tuple[RoleChange, ...] = ()
    notes: tuple[Note, ...] = ()
    conflict: Problem | None = None


def needed_documents(accounts: Iterable[Account]) -> frozenset[str]:
    """The kinds of Cloudcraft's policy documents, "minimal" or "custom", that accounts ask for."""
    return frozenset(
        kind
        for account in accounts
        if account.enabled and account.role.via is not Via.EXISTING
        for kind in account.role.documents
    )


def desired_role(
    spec: RoleSpec,
    identity: Identity,
    trust: Trust,
    documents: Mapping[str, Mapping[str, Any]],
) -> DesiredRole:
    """The role that the manifest asks for, in the account and partition of `identity`.

    `documents` holds Cloudcraft's policy documents by kind, those that `spec` names at least.
    """
    boundary = spec.permissions_boundary
    return DesiredRole(
        name=spec.name,
        path=spec.path,
        description=DESCRIPTION,
        max_session_duration=spec.max_session_duration,
        permissions_boundary=_policy(boundary, identity) if boundary else None,
        tags={key: value for key, value in spec.tags.items() if key != MANAGED_BY[0]},
        trust=trust,
        policies=tuple(_policy(name, identity) for name in dict.fromkeys(spec.attached)),
        inline={f"cloudcraft-{kind}": compact(documents[kind]) for kind in spec.documents},
        adopt=spec.adopt,
    )


def _policy(name: str, identity: Identity) -> PolicyRef:
    """A plain name is AWS's own policy, or else the account's; only AWS can tell which."""
    if is_arn(name):
        return PolicyRef(name=name, arns=(name,))
    owners = ("aws", identity.account_id)
    arns = tuple(str(Arn.policy(identity.partition, owner, name)) for owner in owners)
    return PolicyRef(name=name, arns=arns)


def plan_role(desired: DesiredRole, observed: ObservedRole | None) -> RolePlan:
    """The changes that make the role as desired; removes nothing that the manifest doesn't name.

    The description is written when the role is made, and not compared later.
    """
    too_long = _too_long(desired)
    if too_long:
        return RolePlan(conflict=too_long)
    if observed is None:
        create = CreateRole(role=_new_role(desired))
        return RolePlan(changes=(create, *_policy_changes(desired, (), {})))
    notes = tuple(_left_alone(desired, observed))
    finding = compare_trust(desired.trust, observed.trust)
    if finding.foreign and not desired.adopt:
        conflict = _trust_conflict(desired, observed, finding.foreign)
        return RolePlan(notes=notes, conflict=conflict)
    changes: list[RoleChange] = []
    if not finding.same:
        changes.append(
            UpdateTrust(
                differences=(finding.foreign,) if finding.foreign else finding.differences,
                before=trust_parts(observed.trust),
                after=trust_parts(trust_document(desired.trust)),
                adopted=finding.foreign is not None,
            )
        )
    changes += _settings(desired, observed)
    changes += _tags(desired, observed)
    changes += _policy_changes(desired, observed.attached, observed.inline)
    return RolePlan(changes=tuple(changes), notes=notes)


def _new_role(desired: DesiredRole) -> NewRole:
    boundary = desired.permissions_boundary
    return NewRole(
        trust=desired.trust,
        path=desired.path,
        max_session_duration=desired.max_session_duration,
        permissions_boundary=boundary.name if boundary else None,
        tags={**desired.tags, MANAGED_BY[0]: MANAGED_BY[1]},
    )


def _settings(desired: DesiredRole, observed: ObservedRole) -> Iterator[UpdateRole]:
    duration: Differs[int] | None = None
    boundary: Differs[str | None] | None = None
    if observed.max_session_duration != desired.max_session_duration:
        duration = Differs(before=observed.max_session_duration, after=desired.max_session_duration)
    wanted = desired.permissions_boundary
    if wanted and observed.permissions_boundary not in wanted.arns:
        boundary = Differs(before=observed.permissions_boundary, after=wanted.name)
    if duration or boundary:
        yield UpdateRole(max_session_duration=duration, permissions_boundary=boundary)


def _tags(desired: DesiredRole, observed: ObservedRole) -> Iterator[TagRole]:
    after = {key: it for key, it in desired.tags.items() if observed.tags.get(key) != it}
    if after:
        yield TagRole(before={key: observed.tags.get(key) for key in after}, after=after)


def _policy_changes(
    desired: DesiredRole, attached: tuple[str, ...], inline: Mapping[str, Mapping[str, Any]]
) -> Iterator[AttachPolicy | PutPolicy]:
    for policy in desired.policies:
        if not set(policy.arns) & set(attached):
            yield AttachPolicy(policy=policy)
    for name, document in desired.inline.items():
        found = inline.get(name)
        if found is None or not same(found, document):
            before = None if found is None else policy_parts(found)
            yield PutPolicy(name=name, before=before, after=policy_parts(document))


def _left_alone(desired: DesiredRole, observed: ObservedRole) -> Iterator[Note]:
    if observed.path != desired.path:
        yield RoleNotMoved(path=observed.path, wanted=desired.path)
    if observed.permissions_boundary and not desired.permissions_boundary:
        yield BoundaryKept(boundary=observed.permissions_boundary)
    beyond = _beyond(desired, observed)
    if beyond:
        yield beyond


def _beyond(desired: DesiredRole, observed: ObservedRole) -> PoliciesKept | None:
    """The role's policies that the manifest does not list, if there are any."""
    wanted = {arn for policy in desired.policies for arn in policy.arns}
    attached = tuple(arn for arn in observed.attached if arn not in wanted)
    inline = tuple(name for name in observed.inline if name not in desired.inline)
    return PoliciesKept(attached=attached, inline=inline) if attached or inline else None


def _trust_conflict(desired: DesiredRole, observed: ObservedRole, foreign: ForeignTrust) -> Problem:
    why = clauses([foreign])
    facts = Facts(role=observed.arn, role_name=desired.name, reason=why)
    return Problem.of(
        Stage.ROLE,
        "TrustConflict",
        f"The role {observed.arn} already exists, and is not for Cloudcraft alone: {why}.",
        Cause(row=ours.TRUST_CONFLICT, facts=facts),
    )


def _too_long(desired: DesiredRole) -> Problem | None:
    length = sum(len(as_json(document)) for document in desired.inline.values())
    if length <= INLINE_LIMIT:
        return None
    names = " and ".join(desired.inline)
    return Problem.of(
        Stage.ROLE,
        "PolicyTooLong",
        f"{names} need {length:,} characters; IAM allows {INLINE_LIMIT:,} for all inline policies"
        " of a role.",
        Cause(row=ours.POLICY_TOO_LONG, facts=Facts(key=names)),
    )


def plan_removal(
    desired: DesiredRole, observed: ObservedRole | None, *, force: bool, former: bool = False
) -> RolePlan:
    """The changes that delete the role, if it was made here, for Cloudcraft alone.

    It is kept with a note if it has no tag of this program, is trusted by somebody besides
    Cloudcraft, or has policies that the manifest does not list. `force` takes it all the same if it
    has the tag. `former`: it is not the manifest's role, but one that a registration names.
    """
    if observed is None:
        return RolePlan()
    key, value = MANAGED_BY
    why: NotMadeHere | PoliciesKept | ForeignTrust | None = None
    if observed.tags.get(key) != value:
        why = NotMadeHere()
    elif not force:
        why = compare_trust(desired.trust, observed.trust).foreign or _beyond(desired, observed)
    if why:
        return RolePlan(notes=(RoleKept(arn=observed.arn, why=why),))
    return RolePlan(changes=tuple(_removal(observed, former=former)))


def _removal(observed: ObservedRole, *, former: bool) -> Iterator[RoleChange]:
    """IAM deletes no role that still holds a policy."""
    for arn in observed.attached:
        yield DetachPolicy(policy=arn, inline=False)
    for name in observed.inline:
        yield DetachPolicy(policy=name, inline=True)
    yield DeleteRole(arn=observed.arn if former else "")
