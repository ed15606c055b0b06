"""The way back of one account: what is proven ours is taken away, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.accounts.account import work_account
from cloudcraft_onboard.accounts.entry import NOBODY, Claims, Snapshot
from cloudcraft_onboard.accounts.removal import (
    Removal,
    Scope,
    needs_aws,
    observe_account,
    remove_roles,
)
from cloudcraft_onboard.errors import AccountError, AccountPending
from cloudcraft_onboard.model import Account, Outcome, RoleSpec, Stage, Via
from cloudcraft_onboard.model.changes import DeleteRegistration, DeleteRole, DetachPolicy
from cloudcraft_onboard.model.differences import (
    ForeignTrust,
    NoPrincipal,
    OtherEffect,
    SeveralExternalIds,
    SeveralStatements,
    TrustsOthers,
)
from cloudcraft_onboard.model.notes import BroughtIn, StillBroughtIn
from cloudcraft_onboard.model.role_notes import (
    ExistingRoleKept,
    FormerRoleRemoved,
    FormerRoleUnread,
    NotMadeHere,
    PoliciesKept,
    RoleKept,
    RolesKept,
)
from tests.pure.accounts.fakes import (
    CLOUDCRAFT,
    ONE,
    READ_ONLY,
    TWO,
    FakeAccount,
    FakeAws,
    changed,
    driven,
    registered,
    snapshot,
    steps_of,
    told,
    trusting,
)

A = Account(name="A", account_id=ONE)
ROLE = f"arn:aws:iam::{ONE}:role/cloudcraft"
OLDER = f"arn:aws:iam::{ONE}:role/older"
OTHERS = "arn:aws:iam::aws:policy/SecurityAudit"
GONE = ["detach-policy", "delete-role"]
PLAIN, FORCE = Scope(), Scope(force=True)


def look(
    aws: FakeAws, seen: Snapshot | None = None, scope: Scope = PLAIN, account: Account = A
) -> Removal:
    seen = seen or snapshot(registered())
    return told(observe_account(account, seen, aws, Claims([account]), scope))


def take(aws: FakeAws, removal: Removal, scope: Scope = PLAIN) -> tuple[list[str], tuple[Any, ...]]:
    said, notes = driven(remove_roles(removal, aws, scope))
    return changed(said), (*removal.besides, *notes)


def one_role(**differences: Any) -> tuple[FakeAccount, FakeAws]:
    account = FakeAccount()
    account.give("cloudcraft", **differences)
    return account, FakeAws(account)


# --- what is ours -------------------------------------------------------------------------------


def test_there_and_back_again_leaves_nothing() -> None:
    account = FakeAccount()
    aws = FakeAws(account)
    told(work_account(A, snapshot(), aws, Claims([A]), apply=True))
    removal = look(aws)
    assert removal.changes == (
        DeleteRegistration(id="r1", name="A"),
        DetachPolicy(policy=READ_ONLY, inline=False),
        DeleteRole(),
    )
    assert (removal.role_arn, removal.notes) == (ROLE, ())
    assert take(aws, removal) == (GONE, ())
    assert account.roles == {}


def test_looking_writes_nothing() -> None:
    account, aws = one_role()
    said, removal = driven(observe_account(A, snapshot(registered()), aws, Claims([A]), Scope()))
    assert steps_of(said) == ["reaching the account", "reading the role"]
    assert (account.writes, removal.result(removal.changes).outcome) == ([], Outcome.REMOVED)


def test_a_role_left_by_a_run_that_was_killed_is_found_without_a_registration() -> None:
    _, aws = one_role()
    removal = look(aws, snapshot())
    assert [change.action.word for change in removal.changes] == GONE


@pytest.mark.parametrize(
    "trust",
    [
        trusting(Condition=None),
        trusting(Condition={"StringEquals": {"sts:ExternalId": "another user's"}}),
        trusting(Principal={"AWS": CLOUDCRAFT.account_id}),
        trusting(Action=["sts:AssumeRole", "sts:TagSession"]),
    ],
    ids=["no external ID", "another's external ID", "spelling", "more actions"],
)
def test_a_role_that_only_cloudcraft_may_assume_goes_however_it_is_written(
    trust: dict[str, Any],
) -> None:
    _, aws = one_role(trust=trust)
    removal = look(aws)
    assert (take(aws, removal), removal.notes) == ((GONE, ()), ())


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_a_role_of_another_partition_goes_by_its_own_principal(partition: str) -> None:
    account = FakeAccount(partition=partition)
    account.give("cloudcraft")
    aws = FakeAws(account)
    assert take(aws, look(aws)) == (GONE, ())


# --- what is kept -------------------------------------------------------------------------------


def several(*more: dict[str, Any]) -> dict[str, Any]:
    """The wanted trust policy with further statements."""
    wanted = trusting()
    return {**wanted, "Statement": [*wanted["Statement"], *(it["Statement"][0] for it in more)]}


FOREIGN: list[tuple[dict[str, Any], ForeignTrust]] = [
    (
        trusting(Principal={"AWS": f"arn:aws:iam::{TWO}:root"}),
        TrustsOthers(principals=(TWO,), besides=False),
    ),
    (
        trusting(Principal={"AWS": [CLOUDCRAFT.account_id, TWO]}),
        TrustsOthers(principals=(TWO,), besides=True),
    ),
    (
        several(trusting(Principal={"AWS": f"arn:aws:iam::{TWO}:role/ci"}, Condition=None)),
        TrustsOthers(principals=(f"arn:aws:iam::{TWO}:role/ci",), besides=True),
    ),
    (trusting(Principal="*"), TrustsOthers(principals=("*",), besides=False)),
    (trusting(Principal={"AWS": "*"}), TrustsOthers(principals=("*",), besides=False)),
    (
        trusting(Principal={"AWS": "AROAEXAMPLEID"}),
        TrustsOthers(principals=("AROAEXAMPLEID",), besides=False),
    ),
    (
        several(trusting(Principal={"Service": "ec2.amazonaws.com"})),
        TrustsOthers(principals=("ec2.amazonaws.com",), besides=True),
    ),
    (
        several(trusting(Principal={"Federated": "saml"}, Action="sts:AssumeRoleWithSAML")),
        TrustsOthers(principals=("saml",), besides=True),
    ),
    (
        trusting(Principal=None, NotPrincipal={"AWS": TWO}),
        NoPrincipal(instead="NotPrincipal"),
    ),
    (several(trusting(Effect="Deny")), OtherEffect(effect="Deny")),
    (
        several(trusting(Condition={"StringEquals": {"sts:ExternalId": "another"}})),
        SeveralStatements(external_ids_differ=True),
    ),
    (
        trusting(Condition={"StringEquals": {"sts:ExternalId": ["4414aef4", "another"]}}),
        SeveralExternalIds(),
    ),
]


@pytest.mark.parametrize(("trust", "why"), FOREIGN)
def test_a_role_that_somebody_else_may_assume_is_kept_and_force_takes_it(
    trust: dict[str, Any], why: ForeignTrust
) -> None:
    account, aws = one_role(trust=trust)
    removal = look(aws)
    assert removal.changes == (DeleteRegistration(id="r1", name="A"),)
    assert removal.notes == (RoleKept(arn=ROLE, why=why),)
    assert take(aws, removal) == ([], removal.notes)
    assert (account.writes, list(account.roles)) == ([], ["cloudcraft"])
    assert take(aws, look(aws, scope=FORCE), FORCE) == (GONE, ())


@pytest.mark.parametrize(("trust", "why"), FOREIGN)
def test_run_and_remove_agree_on_whose_a_role_is(trust: dict[str, Any], why: ForeignTrust) -> None:
    _, aws = one_role(trust=trust)
    with pytest.raises(AccountError) as caught:
        told(work_account(A, snapshot(), aws, Claims([A]), apply=True))
    assert caught.value.code == "TrustConflict"
    assert look(aws).notes == (RoleKept(arn=ROLE, why=why),)


@pytest.mark.parametrize("scope", [Scope(), FORCE], ids=["remove", "--force"])
def test_a_role_without_the_tag_is_kept_whatever_else(scope: Scope) -> None:
    account, aws = one_role(tags={"ManagedBy": "terraform"})
    removal = look(aws, scope=scope)
    assert removal.notes == (RoleKept(arn=ROLE, why=NotMadeHere()),)
    assert take(aws, removal, scope) == ([], removal.notes)
    assert account.writes == []


def test_a_role_with_others_policies_is_kept_and_force_takes_it() -> None:
    account, aws = one_role(attached=(READ_ONLY, OTHERS), inline={"theirs": {}})
    why = PoliciesKept(attached=(OTHERS,), inline=("theirs",))
    assert look(aws).notes == (RoleKept(arn=ROLE, why=why),)
    done, _ = take(aws, look(aws, scope=FORCE), FORCE)
    assert done == ["detach-policy", "detach-policy", "detach-policy", "delete-role"]
    assert account.roles == {}


@pytest.mark.parametrize(
    ("account", "scope", "note"),
    [
        (A, Scope(keep_roles=True), RolesKept()),
        (Account(name="A", account_id=ONE, role=RoleSpec(via=Via.EXISTING)), Scope(), None),
    ],
    ids=["--keep-roles", "existing"],
)
def test_where_no_role_can_go_aws_is_not_called(
    account: Account, scope: Scope, note: RolesKept | None
) -> None:
    _, aws = one_role()
    assert not needs_aws(account, scope)
    removal = look(aws, snapshot(registered(), parameters=NOBODY), scope, account)
    assert (aws.reached, removal.notes) == ([], (note or ExistingRoleKept(),))
    assert removal.changes == (DeleteRegistration(id="r1", name="A"),)


def test_where_it_was_not_asked_whom_roles_trust_none_is_taken_for_ours() -> None:
    _, aws = one_role()
    removal = look(aws, snapshot(registered(), parameters=NOBODY))
    assert removal.role_changes == ()


def test_an_account_of_datadogs_keeps_all() -> None:
    _, aws = one_role()
    removal = look(aws, snapshot(registered(source="datadog")))
    assert (aws.reached, removal.changes) == ([], ())
    assert removal.notes == (BroughtIn(source="datadog"),)
    by_profile = FakeAws(*aws.accounts.values(), profiles={"mine": ONE})
    found = look(
        by_profile,
        snapshot(registered(source="datadog")),
        account=Account(name="A", profile="mine"),
    )
    assert (found.changes, by_profile.accounts[ONE].calls) == ((), [])


def test_its_own_registrations_go_beside_datadogs_which_stays() -> None:
    _, aws = one_role()
    both = snapshot(registered(), registered(ident="d", source="datadog"), registered(ident="r2"))
    removal = look(aws, both)
    assert [it.id for it in removal.registrations] == ["r1", "r2"]
    assert removal.notes == (StillBroughtIn(source="datadog"),)
    assert take(aws, removal) == (GONE, (StillBroughtIn(source="datadog"),))


# --- the role that the registration names instead -------------------------------------------------


def renamed(**differences: Any) -> tuple[FakeAccount, FakeAws, Snapshot]:
    """The manifest's role was renamed: the registration names the older one."""
    account = FakeAccount()
    account.give("cloudcraft")
    account.give("older", **differences)
    return account, FakeAws(account), snapshot(registered(role="older"))


def test_the_role_that_the_registration_names_goes_too() -> None:
    account, aws, seen = renamed()
    removal = look(aws, seen)
    assert removal.role_changes == (
        DetachPolicy(policy=READ_ONLY, inline=False),
        DeleteRole(),
        DetachPolicy(policy=READ_ONLY, inline=False),
        DeleteRole(arn=OLDER),
    )
    assert removal.notes == (FormerRoleRemoved(arn=OLDER),)
    assert removal.role_arn == ROLE
    assert take(aws, removal) == ([*GONE, *GONE], removal.notes)
    assert account.roles == {}


def test_it_goes_where_the_manifests_role_was_never_made() -> None:
    account, aws, seen = renamed()
    del account.roles["cloudcraft"]
    removal = look(aws, seen)
    looks = account.calls.count("observe")
    assert take(aws, removal) == (GONE, (FormerRoleRemoved(arn=OLDER),))
    assert account.roles == {}
    assert account.calls.count("observe") == looks + 1, "only what is to be deleted is read again"


def test_one_with_a_path_is_found_by_its_name() -> None:
    account = FakeAccount()
    role = account.give("older", path="/team/x/")
    aws = FakeAws(account)
    removal = look(aws, snapshot(registered(role_arn=role.arn)))
    assert take(aws, removal) == (GONE, (FormerRoleRemoved(arn=role.arn),))


@pytest.mark.parametrize(
    ("differences", "why"),
    [
        ({"tags": {}}, NotMadeHere()),
        ({"attached": (OTHERS,)}, PoliciesKept(attached=(OTHERS,))),
        *(({"trust": trust}, why) for trust, why in FOREIGN),
    ],
)
def test_it_is_kept_for_the_same_reasons_as_the_manifests(
    differences: dict[str, Any], why: Any
) -> None:
    account, aws, seen = renamed(**differences)
    removal = look(aws, seen)
    assert removal.notes == (RoleKept(arn=OLDER, why=why),)
    assert take(aws, removal) == (GONE, removal.notes)
    assert list(account.roles) == ["older"]


@pytest.mark.parametrize(
    "role_arn",
    [
        f"arn:aws:iam::{ONE}:role/elsewhere/older",
        f"arn:aws-cn:iam::{ONE}:role/older",
        f"arn:aws:iam::{ONE}:role/never-made",
        f"arn:aws:iam::{ONE}:user/older",
    ],
    ids=["another path", "another partition", "no such role", "no role"],
)
def test_a_role_that_is_only_like_it_stays(role_arn: str) -> None:
    account, aws, _ = renamed()
    removal = look(aws, snapshot(registered(role_arn=role_arn)))
    assert (removal.notes, take(aws, removal)) == ((), (GONE, ()))
    assert list(account.roles) == ["older"]


def test_the_manifests_own_role_is_not_taken_twice() -> None:
    account, aws = one_role()
    removal = look(aws, snapshot(registered(role="CloudCraft")))
    assert take(aws, removal) == (GONE, ())
    assert account.roles == {}


def test_each_role_that_several_registrations_name_goes() -> None:
    account, aws, _ = renamed()
    account.give("oldest")
    seen = snapshot(registered(role="older"), registered(ident="r2", role="oldest"))
    removal = look(aws, seen)
    assert take(aws, removal)[0] == [*GONE, *GONE, *GONE]
    assert account.roles == {}


def test_one_that_cannot_be_read_is_kept_and_the_rest_goes() -> None:
    account, aws, seen = renamed()
    account.unreadable["older"] = AccountError(Stage.ROLE, "AccessDenied", "You may not.")
    removal = look(aws, seen)
    assert removal.notes == (FormerRoleUnread(arn=OLDER, why="You may not."),)
    assert take(aws, removal) == (GONE, removal.notes)
    assert list(account.roles) == ["older"]


@pytest.mark.parametrize(
    "error",
    [
        AccountError(Stage.ROLE, "Throttling", "Slow down.", transient=True),
        AccountPending(Stage.ROLE, "Unreachable", "No route."),
    ],
    ids=["throttled", "unreachable"],
)
def test_trouble_that_passes_is_no_reason_to_forget_it(error: AccountError) -> None:
    account, aws, seen = renamed()
    account.unreadable["older"] = error
    with pytest.raises(type(error)):
        look(aws, seen)


# --- between the plan and the deletion ------------------------------------------------------------


def test_a_role_that_changed_hands_meanwhile_is_kept() -> None:
    account, aws = one_role()
    removal = look(aws)
    account.give("cloudcraft", trust=FOREIGN[1][0])
    assert take(aws, removal) == ([], (RoleKept(arn=ROLE, why=FOREIGN[1][1]),))
    assert list(account.roles) == ["cloudcraft"]


def test_a_former_role_that_changed_hands_meanwhile_is_kept() -> None:
    account, aws, seen = renamed()
    removal = look(aws, seen)
    account.give("older", tags={})
    assert take(aws, removal) == (GONE, (RoleKept(arn=OLDER, why=NotMadeHere()),))
    assert list(account.roles) == ["older"]


def test_a_policy_that_came_meanwhile_is_looked_at_again() -> None:
    account, aws = one_role()
    removal = look(aws)

    def attach() -> None:
        role = account.roles["cloudcraft"]
        account.give("cloudcraft", attached=(*role.attached, READ_ONLY))

    account.meanwhile = [lambda: None, attach]
    said, notes = driven(remove_roles(removal, aws, Scope()))
    assert changed(said) == ["detach-policy", "detach-policy", "delete-role"]
    assert (notes, account.roles) == ((), {})


def test_policies_that_keep_coming_are_somebody_elses_doing() -> None:
    account, aws = one_role()
    removal = look(aws)

    def attach() -> None:
        account.give("cloudcraft", attached=(READ_ONLY,))

    account.meanwhile = [attach] * 20
    with pytest.raises(AccountError, match="keeps getting new policies"):
        take(aws, removal)


def test_credentials_that_lead_elsewhere_meanwhile_touch_nothing() -> None:
    account, aws = one_role()
    removal = look(aws)
    other = FakeAccount(account_id=TWO)
    other.give("cloudcraft")
    aws.accounts[ONE] = other
    with pytest.raises(AccountError) as caught:
        take(aws, removal)
    assert (caught.value.code, account.writes, other.writes) == ("WrongAccount", [], [])
