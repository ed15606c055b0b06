"""The sentences of notes: the one place where a note's facts become text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from cloudcraft_onboard.console.harmless import listed, sentence
from cloudcraft_onboard.model import notes
from cloudcraft_onboard.model.notes import Declined, Errand, Note
from cloudcraft_onboard.model.role_notes import RemovalNote, RoleNote
from cloudcraft_onboard.show import role_notes

_MOST_IDS = 20
_DECLINED = {
    Declined.TOO_MANY: "Not removed: more than --max-removals.",
    Declined.NOT_CONFIRMED: "Not removed: not confirmed.",
}
_NO_ANSWER = {
    Errand.REGISTRATION: (
        "Its registration was sent, but Cloudcraft's answer never came. "
        "The next run checks the list before sending it again."
    ),
    Errand.DELETION: (
        "The deletion of its registration was sent, but Cloudcraft's answer never came. "
        "The next run checks whether it is still there."
    ),
}
_NEVER_ANSWERED = {
    Errand.REGISTRATION: "Cloudcraft never answered its registration, and does not list it.",
    Errand.DELETION: "Cloudcraft never answered its deletion, and still lists it.",
}
_NOT_CHECKED = {
    Errand.REGISTRATION: "Could not check whether it is registered",
    Errand.DELETION: "Could not check whether it is still registered",
}
_NOT_VERIFIED = {
    Errand.REGISTRATION: "Registered, but not verified",
    Errand.DELETION: "Removed, but not verified",
}
_MOST_NAMES = 5
_NOT_SENT = {
    Errand.REGISTRATION: "Its registration was not sent",
    Errand.DELETION: "Its deletion was not sent",
}


def told(note: Note) -> str:  # noqa: PLR0911 - one a kind
    """The note as one sentence, or a few."""
    if isinstance(note, notes.SavedNote):
        return note.text
    if isinstance(note, RoleNote | RemovalNote):
        return role_notes.told(note)
    if isinstance(note, notes.RegistrationNote):
        return _of_registration(note)
    if isinstance(note, notes.DoubleNote):
        return _of_double(note)
    if isinstance(note, notes.MendNote):
        return _of_mend(note)
    if isinstance(note, notes.CoverageNote):
        return _of_coverage(note)
    return _of_wait(note)


def all_told(of: Iterable[Note]) -> tuple[str, ...]:
    """Each note's sentence."""
    return tuple(map(told, of))


def _of_registration(note: notes.RegistrationNote) -> str:
    match note:
        case notes.BroughtIn():
            return (
                f"Cloudcraft already has this account from {note.source!r}, not by a direct"
                " registration. Its registration and its role are left alone."
            )
        case notes.StillBroughtIn():
            return (
                f"Its registration from {note.source!r} is kept: Cloudcraft still has the account."
            )
        case notes.NotVerified():
            return f"{_NOT_VERIFIED[note.errand]}: {sentence(note.why)}"
        case _:
            assert_never(note)


def _of_double(note: notes.DoubleNote) -> str:  # noqa: PLR0911 - one case a kind
    match note:
        case notes.RegisteredBefore():
            return (
                f"Registered {len(note.ids)} times before this run; the oldest, {note.ids[0]}, is"
                f" used. Delete the others in Cloudcraft: {listed(note.ids[1:], _MOST_IDS)}."
            )
        case notes.Doubled():
            return (
                f"doubled: registered {len(note.ids)} times; the oldest, {note.ids[0]}, is used."
                f" Delete the others in Cloudcraft: {listed(note.ids[1:], _MOST_IDS)}."
            )
        case notes.AnotherRunRegistered():
            return (
                f"Another run, or somebody by hand, registered it too, as {note.id}. A run deletes"
                " that registration itself; otherwise delete it in Cloudcraft."
            )
        case notes.AnotherRunWasFirst():
            return (
                "Another run, or somebody by hand, registered it at the same time; that"
                " registration is kept."
            )
        case notes.LostAnswerCounted():
            return (
                f"The answer to its first registration was lost; that registration, {note.id}, was"
                " made all the same and is kept."
            )
        case notes.DoubledInDoubt():
            return (
                f"Registered {len(note.ids)} times: {listed(note.ids, _MOST_IDS)}. A request of"
                " this run whose answer was lost may have made one of them, or somebody else did."
                " Delete the one that is not needed in Cloudcraft, then run the same command again."
            )
        case notes.UnlistedBeside():
            return (
                f"Cloudcraft accepted its registration as {note.id}, but lists {note.listed}"
                " instead. Check the account in Cloudcraft, then run the same command again."
            )
        case notes.RegisteredAnew():
            return (
                "It was registered again while it was removed, as"
                f" {listed(note.ids, _MOST_IDS)}. Run the same command again to remove that, too."
            )
        case _:
            assert_never(note)


def _of_mend(note: notes.MendNote) -> str:
    match note:
        case notes.DuplicateDeleted():
            return f"It was registered twice; the newer registration, {note.id}, was deleted."
        case notes.DuplicateLeft():
            why = sentence(note.why)
            return f"Registered twice; delete {note.id} in Cloudcraft, since that failed: {why}"
        case notes.KeptBrought():
            return f"The registration that is kept, {note.id}, was updated to the manifest."
        case notes.KeptDiffers():
            return (
                f"The registration that is kept, {note.id}, differs from the manifest and was not"
                f" updated: {sentence(note.why)} Run the same command again."
            )
        case _:
            assert_never(note)


def _of_coverage(note: notes.CoverageNote) -> str:
    match note:
        case notes.NotActive():
            return f"AWS Organizations says that the account is {note.state or 'in no state'}."
        case notes.NotInOrganization():
            return (
                "This organization doesn't have the account. If it is not another organization's"
                " but gone for good, set `enabled: false`."
            )
        case notes.UnitUnknown():
            return "Its OU is not known: it moved while the OUs were read."
        case notes.DrawnByDatadog():
            return (
                "Cloudcraft draws it only as far as Datadog's resource collection is on for it,"
                " which onboard cannot see."
            )
        case notes.MayBe():
            return (
                f"The account of {listed(note.names, _MOST_NAMES)} in the manifest is not known: it"
                " may be this one. Add its `account_id` there, or make its profile work."
            )
        case notes.TooManyFail():
            return (
                f"A plan would fail {note.count:,} of the accounts that the manifest lacks, so no"
                " command that adds the others is given. Mend the way into these first, or leave"
                " their OUs out with `onboard init --exclude OU`."
            )
        case _:
            assert_never(note)


def _of_wait(note: notes.WaitNote) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    match note:
        case notes.Disabled():
            return "Disabled in the manifest."
        case notes.NotFinished():
            return f"Not finished: {note.stop.value}. Run the same command again to continue."
        case notes.Outage():
            return f"{sentence(note.why)} Run the same command again."
        case notes.RegistrationQueued():
            return "Its role is ready; its registration is queued."
        case notes.NothingRemoved():
            return "Nothing of it has been removed yet."
        case notes.RoleLeft():
            if note.registration_deleted:
                return "Its registration is deleted; its role is not yet."
            return "Its role has not been deleted yet."
        case notes.NoAnswer():
            return _NO_ANSWER[note.errand]
        case notes.NeverAnswered():
            return _NEVER_ANSWERED[note.errand]
        case notes.NotChecked():
            return f"{_NOT_CHECKED[note.errand]}: {sentence(note.why)}"
        case notes.NotSent():
            return f"{_NOT_SENT[note.errand]}: {sentence(note.why)}"
        case notes.NotProcessed():
            return sentence(note.why)
        case notes.RefusedSoFar():
            return f"Cloudcraft has refused it so far ({note.said}); its role is new."
        case notes.NotRemoved():
            return _DECLINED[note.why]
        case _:
            assert_never(note)
