"""A change as a report has it: the one place where its facts become words and plain data.

Of what differs only the parts that do are named, on both sides, so that the two can be read beside
each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, assert_never

from cloudcraft_onboard.model import changes
from cloudcraft_onboard.model.changes import Change, NewRole, PolicyParts, SavedChange, TrustParts
from cloudcraft_onboard.model.differences import Differs, ParameterDiffers, clauses

Parts = dict[str, Any]


def saved(change: Change) -> SavedChange:
    """The change with its subject, reason, before and after."""
    if isinstance(change, SavedChange):
        return change
    if isinstance(change, changes.RoleChange):
        return _of_role(change)
    if isinstance(change, changes.StackSetChange):
        return _of_stack_set(change)
    return _of_registration(change)


# --- the role -----------------------------------------------------------------------------------


def _of_role(change: changes.RoleChange) -> SavedChange:  # noqa: PLR0911 - one case a kind
    action = change.action
    match change:
        case changes.CreateRole():
            return SavedChange(action=action, reason="new role", after=_new_role(change.role))
        case changes.UpdateTrust():
            reason = clauses(change.differences)
            if change.adopted:
                reason = f"taken over (`adopt: true`), though {reason}"
            before, after = _differing(_parts(change.before), _parts(change.after))
            return SavedChange(action=action, reason=reason, before=before, after=after)
        case changes.UpdateRole():
            return _of_settings(change)
        case changes.TagRole():
            return SavedChange(
                action=action,
                reason=f"tag {', '.join(change.after)} differs",
                before=dict(change.before),
                after=dict(change.after),
            )
        case changes.AttachPolicy():
            subject = change.policy.arns[0]
            return SavedChange(action=action, reason="missing from the role", subject=subject)
        case changes.PutPolicy():
            return _of_inline(change)
        case changes.DetachPolicy():
            return SavedChange(action=action, reason="the role is removed", subject=change.policy)
        case changes.DeleteRole():
            return SavedChange(action=action, reason="made by onboard", subject=change.arn)
        case _:
            assert_never(change)


def _new_role(role: NewRole) -> Parts:
    return {
        "trust": {"account_id": role.trust.account_id, "external_id": role.trust.external_id},
        "path": role.path,
        "max_session_duration": role.max_session_duration,
        "permissions_boundary": role.permissions_boundary,
        "tags": dict(role.tags),
    }


def _of_settings(change: changes.UpdateRole) -> SavedChange:
    reasons = []
    before: Parts = {}
    after: Parts = {}
    if duration := change.max_session_duration:
        was, wanted = duration.before, duration.after
        reasons.append(f"maximum session duration is {was} s, not {wanted} s")
        before["max_session_duration"], after["max_session_duration"] = was, wanted
    if boundary := change.permissions_boundary:
        reasons.append(
            f"permissions boundary is {boundary.before or 'missing'}, not {boundary.after}"
        )
        before["permissions_boundary"] = boundary.before
        after["permissions_boundary"] = boundary.after
    return SavedChange(action=change.action, reason="; ".join(reasons), before=before, after=after)


def _of_inline(change: changes.PutPolicy) -> SavedChange:
    """The actions that an inline policy loses and gains, or what else differs.

    All of its actions where there is no policy yet.
    """
    before: Parts | None = None
    after: Parts = {"actions": list(change.after.actions)}
    reason = "missing from the role"
    if change.before is not None:
        reason = "Cloudcraft's document differs"
        gone = _lacking(change.before.actions, change.after.actions)
        come = _lacking(change.after.actions, change.before.actions)
        before, after = {"actions": gone}, {"actions": come}
        if not (gone or come):
            before, after = _differing(_parts(change.before), _parts(change.after))
    return SavedChange(
        action=change.action, reason=reason, subject=change.name, before=before, after=after
    )


def _lacking(actions: Iterable[str], others: Iterable[str]) -> list[str]:
    """Those of `actions` that are none of `others`; IAM reads them in any case."""
    known = {action.lower() for action in others}
    return [action for action in actions if action.lower() not in known]


def _parts(of: TrustParts | PolicyParts) -> Parts:
    values = {each.name: getattr(of, each.name) for each in fields(of)}
    return {name: list(it) if isinstance(it, tuple) else it for name, it in values.items()}


def _differing(before: Parts, after: Parts) -> tuple[Parts, Parts]:
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


# --- the role, by a stack set -------------------------------------------------------------------


def _of_stack_set(change: changes.StackSetChange) -> SavedChange:
    name, action = change.stack_set, change.action
    match change:
        case changes.CreateByStackSet():
            made = _new_role(change.role)
            after = {
                "stack_set": name,
                "trust": made.pop("trust"),
                "policies": list(change.policies),
                **made,
            }
            reason = f"through the {'new ' if change.new else ''}stack set {name}"
            return SavedChange(action=action, reason=reason, after=after)
        case changes.UpdateByStackSet():
            reason = f"the stack set {name} differs: {clauses(change.differences)}"
            parameters = [it for it in change.differences if isinstance(it, ParameterDiffers)]
            return SavedChange(
                action=action,
                reason=reason,
                before={it.name: it.before for it in parameters} or None,
                after={it.name: it.after for it in parameters} or None,
            )
        case changes.UpdateInstance():
            reason = f"its instance of the stack set {name} is {change.status.lower()}"
            return SavedChange(action=action, reason=reason)
        case changes.DeleteByStackSet():
            return SavedChange(action=action, reason=f"with its instance of the stack set {name}")
        case _:
            assert_never(change)


# --- the registration ---------------------------------------------------------------------------


def _of_registration(change: changes.RegistrationChange) -> SavedChange:
    match change:
        case changes.RegisterAccount():
            after: Parts = {"name": change.name, "region": change.region}
            if change.read_access is not None:
                after["read_access"] = list(change.read_access)
            if change.write_access is not None:
                after["write_access"] = list(change.write_access)
            return SavedChange(action=change.action, reason="not in Cloudcraft yet", after=after)
        case changes.UpdateRegistration():
            differ: Mapping[str, Differs[Any] | None] = {
                "name": change.name,
                "role_arn": change.role_arn,
                "read_access": change.read_access,
                "write_access": change.write_access,
            }
            found = {name: it for name, it in differ.items() if it is not None}
            names = ", ".join(found).replace("_", " ")
            return SavedChange(
                action=change.action,
                reason=f"{names} {'differs' if len(found) == 1 else 'differ'}",
                before={name: _plain(it.before) for name, it in found.items()},
                after={name: _plain(it.after) for name, it in found.items()},
            )
        case changes.DeleteRegistration():
            return SavedChange(
                action=change.action, reason=f"registered as {change.name!r}", subject=change.id
            )
        case _:
            assert_never(change)


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return list(value) if isinstance(value, tuple) else value
