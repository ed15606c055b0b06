"""The sentences of notes on an account's role."""

from __future__ import annotations

from typing import assert_never

from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.model import MANAGED_BY
from cloudcraft_onboard.model import role_notes as notes
from cloudcraft_onboard.model.differences import ForeignTrust, clauses


def told(note: notes.RoleNote | notes.RemovalNote) -> str:
    """The note as one sentence, or a few."""
    return _of_removal(note) if isinstance(note, notes.RemovalNote) else _of_run(note)


_UNASKED = {
    notes.Unasked.DENIED: (
        "the identity may not call iam:SimulatePrincipalPolicy and iam:GetRole for itself, which"
        " the policies of `onboard permissions` allow; --no-simulate leaves the question out"
    ),
    notes.Unasked.IDENTITY: "it simulates only roles and users, not root or federated users",
    notes.Unasked.FAILED: "iam:SimulatePrincipalPolicy was not answered",
}


def _denier(note: notes.WouldBeDenied) -> str:
    match note.denier:
        case notes.Denier.STATEMENT:
            return f"a Deny statement in a policy of {note.identity} forbids it"
        case notes.Denier.NOTHING:
            return f"no policy of {note.identity} allows it"
        case notes.Denier.BOUNDARY:
            return f"the permissions boundary of {note.identity} does not allow it"
        case notes.Denier.ORGANIZATION:
            return "a service control policy of the organization does not allow it"


def _listed(actions: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(actions[:-1]), actions[-1])))


def _of_run(note: notes.RoleNote) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    match note:
        case notes.WouldBeDenied():
            return f"A run would be denied {_listed(note.actions)}: {_denier(note)}."
        case notes.DenialsUnknown():
            return f"AWS did not say what it would deny a run: {_UNASKED[note.why]}."
        case notes.RoleNotMoved():
            return (
                f"The role stays at the path {note.path}: IAM cannot move a role to {note.wanted}."
            )
        case notes.BoundaryKept():
            return f"The permissions boundary {note.boundary} is kept: the manifest names none."
        case notes.PoliciesKept():
            return f"Policies that the manifest does not list are left alone: {_policies(note)}."
        case notes.FormerRole():
            way_out = (
                "; `onboard remove` before the run deletes that one too, if onboard made it."
                if note.entered
                else ": delete it in AWS if nothing else uses it."
            )
            return (
                f"Registered with the role {note.arn}, which is not the manifest's. A run registers"
                f" the manifest's role and leaves that one{way_out}"
            )
        case notes.RolledOut():
            home = f"{note.region}, account {note.account_id}"
            return f"Rolled out by the stack set {note.stack_set} ({home})."
        case notes.StackSetBusy():
            return "Another operation on the stack set is in progress."
        case notes.JoinersCovered():
            some = note.organizational_units
            where = "its organizational units" if some else "the organization"
            return f"Accounts that join {where} later get the role automatically."
        case notes.StackSetStays():
            units = ", ".join(note.units)
            return (
                f"The stack set {note.stack_set} stays in {units}, which the manifest does not"
                " name."
            )
        case notes.InChina():
            return "Cloudcraft does not support the AWS China partition; it may refuse the account."
        case notes.InGovCloud():
            return (
                "GovCloud accounts need Cloudcraft's Enterprise plan and its US GovCloud service,"
                " whose API has an address of its own: ask Cloudcraft's support, and set"
                " CLOUDCRAFT_BASE_URL."
            )
        case _:
            assert_never(note)


def _of_removal(note: notes.RemovalNote) -> str:  # noqa: PLR0911 - one case a kind
    match note:
        case notes.RoleKept():
            return f"The role {note.arn} is kept: {_why_kept(note.why)}."
        case notes.ExistingRoleKept():
            return "Its role is kept: it was not made by onboard (`role.via: existing`)."
        case notes.RolesKept():
            return "Its role, if it has one, is kept (--keep-roles)."
        case notes.RoleOfStackSetKept():
            return f"Its role is kept. {note.problem.message}"
        case notes.FormerRoleRemoved():
            return (
                f"Its registration names the role {note.arn}, not the manifest's. onboard made it,"
                " so it is removed, too."
            )
        case notes.FormerRoleUnread():
            return (
                f"Its registration names the role {note.arn}, not the manifest's. It is kept:"
                f" {sentence(note.why)}"
            )
        case notes.FormerRoleOutside():
            return (
                f"Its registration names the role {note.arn}, not the manifest's. It is kept:"
                " accounts of a stack set are not entered."
            )
        case _:
            assert_never(note)


def _why_kept(why: notes.NotMadeHere | notes.PoliciesKept | ForeignTrust) -> str:
    match why:
        case notes.NotMadeHere():
            return f"it was not made by onboard (it has no tag {'='.join(MANAGED_BY)})"
        case notes.PoliciesKept():
            return (
                f"it has policies that the manifest does not list: {_policies(why)}; --force"
                " deletes it with them"
            )
        case _:
            return f"it is not for Cloudcraft alone, {clauses([why])}; --force deletes it"


def _policies(of: notes.PoliciesKept) -> str:
    return ", ".join((*of.attached, *(f"{name} (inline)" for name in of.inline)))
