"""Each kind of note has its sentence, whatever it is shown in."""

from __future__ import annotations

from typing import get_args

import pytest

from cloudcraft_onboard.model import Problem, Stage
from cloudcraft_onboard.model.differences import TrustsOthers
from cloudcraft_onboard.model.notes import (
    AnotherRunRegistered,
    AnotherRunWasFirst,
    BroughtIn,
    Declined,
    Disabled,
    Doubled,
    DoubledInDoubt,
    DrawnByDatadog,
    DuplicateDeleted,
    DuplicateLeft,
    Errand,
    KeptBrought,
    KeptDiffers,
    LostAnswerCounted,
    MayBe,
    NeverAnswered,
    NoAnswer,
    NotActive,
    NotChecked,
    Note,
    NotFinished,
    NothingRemoved,
    NotInOrganization,
    NotProcessed,
    NotRemoved,
    NotSent,
    NotVerified,
    Outage,
    RefusedSoFar,
    RegisteredAnew,
    RegisteredBefore,
    RegistrationQueued,
    RoleLeft,
    SavedNote,
    StillBroughtIn,
    Stop,
    TooManyFail,
    UnitUnknown,
    UnlistedBeside,
)
from cloudcraft_onboard.model.role_notes import (
    BoundaryKept,
    DenialsUnknown,
    Denier,
    ExistingRoleKept,
    FormerRole,
    FormerRoleOutside,
    FormerRoleRemoved,
    FormerRoleUnread,
    InChina,
    InGovCloud,
    JoinersCovered,
    NotMadeHere,
    PoliciesKept,
    RoleKept,
    RoleNotMoved,
    RoleOfStackSetKept,
    RolesKept,
    RolledOut,
    StackSetBusy,
    StackSetStays,
    Unasked,
    WouldBeDenied,
)
from cloudcraft_onboard.show.notes import told

ROLE = "arn:aws:iam::111122223333:role/cloudcraft"
OLDER = "arn:aws:iam::111122223333:role/older"
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"
CONFLICT = Problem(
    stage=Stage.ROLE, code="StackSetConflict", message="Somebody else made it.", hint=""
)
MANY = tuple(f"id-{number}" for number in range(30))

SENTENCES: list[tuple[Note, str]] = [
    (
        RoleNotMoved(path="/elsewhere/", wanted="/"),
        "The role stays at the path /elsewhere/: IAM cannot move a role to /.",
    ),
    (
        BoundaryKept(boundary=AUDIT),
        f"The permissions boundary {AUDIT} is kept: the manifest names none.",
    ),
    (
        PoliciesKept(attached=(AUDIT,), inline=("theirs",)),
        f"Policies that the manifest does not list are left alone: {AUDIT}, theirs (inline).",
    ),
    (
        RoleKept(arn=ROLE, why=NotMadeHere()),
        (
            f"The role {ROLE} is kept: it was not made by onboard"
            " (it has no tag ManagedBy=cloudcraft-onboard)."
        ),
    ),
    (
        RoleKept(arn=ROLE, why=PoliciesKept(inline=("theirs",))),
        (
            f"The role {ROLE} is kept: it has policies that the manifest does not list:"
            " theirs (inline); --force deletes it with them."
        ),
    ),
    (
        RoleKept(arn=ROLE, why=TrustsOthers(principals=("999999999999",), besides=True)),
        (
            f"The role {ROLE} is kept: it is not for Cloudcraft alone, it also trusts account"
            " 999999999999; --force deletes it."
        ),
    ),
    (
        FormerRole(arn=OLDER, entered=False),
        (
            f"Registered with the role {OLDER}, which is not the manifest's. A run registers the"
            " manifest's role and leaves that one: delete it in AWS if nothing else uses it."
        ),
    ),
    (
        FormerRole(arn=OLDER, entered=True),
        (
            f"Registered with the role {OLDER}, which is not the manifest's. A run registers the"
            " manifest's role and leaves that one; `onboard remove` before the run deletes that one"
            " too, if onboard made it."
        ),
    ),
    (
        FormerRoleRemoved(arn=OLDER),
        (
            f"Its registration names the role {OLDER}, not the manifest's."
            " onboard made it, so it is removed, too."
        ),
    ),
    (
        FormerRoleUnread(arn=OLDER, why="Not authorized"),
        (
            f"Its registration names the role {OLDER}, not the manifest's. It is kept: Not"
            " authorized."
        ),
    ),
    (
        FormerRoleOutside(arn=OLDER),
        (
            f"Its registration names the role {OLDER}, not the manifest's."
            " It is kept: accounts of a stack set are not entered."
        ),
    ),
    (
        ExistingRoleKept(),
        "Its role is kept: it was not made by onboard (`role.via: existing`).",
    ),
    (RolesKept(), "Its role, if it has one, is kept (--keep-roles)."),
    (RoleOfStackSetKept(problem=CONFLICT), "Its role is kept. Somebody else made it."),
    (
        RolledOut(stack_set="roles", region="us-east-1", account_id="999988887777"),
        "Rolled out by the stack set roles (us-east-1, account 999988887777).",
    ),
    (StackSetBusy(), "Another operation on the stack set is in progress."),
    (
        JoinersCovered(organizational_units=False),
        "Accounts that join the organization later get the role automatically.",
    ),
    (
        JoinersCovered(organizational_units=True),
        "Accounts that join its organizational units later get the role automatically.",
    ),
    (
        StackSetStays(stack_set="roles", units=("ou-1", "ou-2")),
        "The stack set roles stays in ou-1, ou-2, which the manifest does not name.",
    ),
    (
        InChina(),
        "Cloudcraft does not support the AWS China partition; it may refuse the account.",
    ),
    (
        InGovCloud(),
        (
            "GovCloud accounts need Cloudcraft's Enterprise plan and its US GovCloud"
            " service, whose API"
            " has an address of its own: ask Cloudcraft's support, and set CLOUDCRAFT_BASE_URL."
        ),
    ),
    (
        BroughtIn(source="datadog"),
        (
            "Cloudcraft already has this account from 'datadog', not by a direct registration."
            " Its registration and its role are left alone."
        ),
    ),
    (
        StillBroughtIn(source="datadog"),
        "Its registration from 'datadog' is kept: Cloudcraft still has the account.",
    ),
    (
        RegisteredBefore(ids=("a", "b", "c")),
        (
            "Registered 3 times before this run; the oldest, a, is used."
            " Delete the others in Cloudcraft: b, c."
        ),
    ),
    (
        Doubled(ids=MANY),
        (
            "doubled: registered 30 times; the oldest, id-0, is used. Delete the"
            " others in Cloudcraft:"
            f" {', '.join(MANY[1:21])} and 9 more."
        ),
    ),
    (
        AnotherRunRegistered(id="b"),
        (
            "Another run, or somebody by hand, registered it too, as b. A run deletes that"
            " registration itself; otherwise delete it in Cloudcraft."
        ),
    ),
    (
        AnotherRunWasFirst(),
        (
            "Another run, or somebody by hand, registered it at the same time; that registration"
            " is kept."
        ),
    ),
    (
        DuplicateDeleted(id="b"),
        "It was registered twice; the newer registration, b, was deleted.",
    ),
    (
        DuplicateLeft(id="b", why="no answer"),
        "Registered twice; delete b in Cloudcraft, since that failed: no answer.",
    ),
    (
        LostAnswerCounted(id="b"),
        (
            "The answer to its first registration was lost; that registration, b, was made all the"
            " same and is kept."
        ),
    ),
    (
        DoubledInDoubt(ids=("a", "b")),
        (
            "Registered 2 times: a, b. A request of this run whose answer was lost may have made"
            " one of them, or somebody else did. Delete the one that is not needed in Cloudcraft,"
            " then run the same command again."
        ),
    ),
    (
        UnlistedBeside(id="a", listed="b"),
        (
            "Cloudcraft accepted its registration as a, but lists b instead. Check the account in"
            " Cloudcraft, then run the same command again."
        ),
    ),
    (KeptBrought(id="a"), "The registration that is kept, a, was updated to the manifest."),
    (
        KeptDiffers(id="a", why="no answer"),
        (
            "The registration that is kept, a, differs from the manifest and was not updated: no"
            " answer. Run the same command again."
        ),
    ),
    (
        RegisteredAnew(ids=("a", "b")),
        (
            "It was registered again while it was removed, as a, b. Run the same command again to"
            " remove that, too."
        ),
    ),
    (
        NotVerified(errand=Errand.REGISTRATION, why="No time."),
        "Registered, but not verified: No time.",
    ),
    (
        NotVerified(errand=Errand.DELETION, why="No time."),
        "Removed, but not verified: No time.",
    ),
    (
        NotActive(state="SUSPENDED"),
        "AWS Organizations says that the account is SUSPENDED.",
    ),
    (NotActive(state=""), "AWS Organizations says that the account is in no state."),
    (
        NotInOrganization(),
        (
            "This organization doesn't have the account. If it is not another organization's but"
            " gone for good, set `enabled: false`."
        ),
    ),
    (UnitUnknown(), "Its OU is not known: it moved while the OUs were read."),
    (
        DrawnByDatadog(),
        (
            "Cloudcraft draws it only as far as Datadog's resource collection is on for it, which"
            " onboard cannot see."
        ),
    ),
    (
        MayBe(names=("A", "B")),
        (
            "The account of A, B in the manifest is not known: it may be this one. Add its"
            " `account_id` there, or make its profile work."
        ),
    ),
    (
        TooManyFail(count=1200),
        (
            "A plan would fail 1,200 of the accounts that the manifest lacks, so no command that"
            " adds the others is given. Mend the way into these first, or leave their OUs out with"
            " `onboard init --exclude OU`."
        ),
    ),
    (Disabled(), "Disabled in the manifest."),
    (
        NotFinished(stop=Stop.INTERRUPTED),
        "Not finished: the run was interrupted. Run the same command again to continue.",
    ),
    (
        Stop.BUG.note,
        "Not finished: onboard hit a bug. Run the same command again to continue.",
    ),
    (
        Outage(why="AWS did not answer"),
        "AWS did not answer. Run the same command again.",
    ),
    (RegistrationQueued(), "Its role is ready; its registration is queued."),
    (NothingRemoved(), "Nothing of it has been removed yet."),
    (RoleLeft(registration_deleted=False), "Its role has not been deleted yet."),
    (
        RoleLeft(registration_deleted=True),
        "Its registration is deleted; its role is not yet.",
    ),
    (
        NoAnswer(errand=Errand.REGISTRATION),
        (
            "Its registration was sent, but Cloudcraft's answer never came."
            " The next run checks the list before sending it again."
        ),
    ),
    (
        NoAnswer(errand=Errand.DELETION),
        (
            "The deletion of its registration was sent, but Cloudcraft's answer never came."
            " The next run checks whether it is still there."
        ),
    ),
    (
        NeverAnswered(errand=Errand.REGISTRATION),
        "Cloudcraft never answered its registration, and does not list it.",
    ),
    (
        NeverAnswered(errand=Errand.DELETION),
        "Cloudcraft never answered its deletion, and still lists it.",
    ),
    (
        NotChecked(errand=Errand.REGISTRATION, why="No time."),
        "Could not check whether it is registered: No time.",
    ),
    (
        NotChecked(errand=Errand.DELETION, why="No time."),
        "Could not check whether it is still registered: No time.",
    ),
    (
        NotSent(errand=Errand.REGISTRATION, why="the run is stopping"),
        "Its registration was not sent: the run is stopping.",
    ),
    (
        NotSent(errand=Errand.DELETION, why="the run is stopping"),
        "Its deletion was not sent: the run is stopping.",
    ),
    (NotProcessed(why="Cannot reach it"), "Cannot reach it."),
    (
        RefusedSoFar(said="cannot assume"),
        "Cloudcraft has refused it so far (cannot assume); its role is new.",
    ),
    (NotRemoved(why=Declined.TOO_MANY), "Not removed: more than --max-removals."),
    (NotRemoved(why=Declined.NOT_CONFIRMED), "Not removed: not confirmed."),
    *(
        (
            WouldBeDenied(
                actions=("iam:CreateRole", "iam:TagRole"), denier=denier, identity="user/o"
            ),
            f"A run would be denied iam:CreateRole and iam:TagRole: {why}.",
        )
        for denier, why in (
            (Denier.STATEMENT, "a Deny statement in a policy of user/o forbids it"),
            (Denier.NOTHING, "no policy of user/o allows it"),
            (Denier.BOUNDARY, "the permissions boundary of user/o does not allow it"),
            (Denier.ORGANIZATION, "a service control policy of the organization does not allow it"),
        )
    ),
    (
        DenialsUnknown(why=Unasked.DENIED),
        (
            "AWS did not say what it would deny a run: the identity may not call"
            " iam:SimulatePrincipalPolicy and iam:GetRole for itself, which the policies of"
            " `onboard permissions` allow; --no-simulate leaves the question out."
        ),
    ),
    (
        DenialsUnknown(why=Unasked.IDENTITY),
        (
            "AWS did not say what it would deny a run: it simulates only roles and users,"
            " not root or federated users."
        ),
    ),
    (
        DenialsUnknown(why=Unasked.FAILED),
        ("AWS did not say what it would deny a run: iam:SimulatePrincipalPolicy was not answered."),
    ),
    (SavedNote(text="As it was."), "As it was."),
]


@pytest.mark.parametrize(("note", "sentence"), SENTENCES)
def test_the_sentence_of_a_note(note: Note, sentence: str) -> None:
    assert told(note) == sentence


def test_every_kind_of_note_has_one() -> None:
    assert {type(note) for note, _ in SENTENCES} == set(get_args(Note))
