"""One account of `run` and `plan`: entered once, its role brought, and who is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from cloudcraft_onboard.accounts.account import RoleReady, work_account
from cloudcraft_onboard.accounts.entry import Claims, Snapshot
from cloudcraft_onboard.accounts.facts import Paused
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Account, Registration, RoleSpec, Team, Via
from cloudcraft_onboard.model.changes import CreateRole, RegisterAccount, UpdateRegistration
from cloudcraft_onboard.model.notes import BroughtIn, RegisteredBefore
from cloudcraft_onboard.model.role_notes import (
    Denier,
    FormerRole,
    InGovCloud,
    PoliciesKept,
    WouldBeDenied,
)
from tests.pure.accounts.fakes import (
    ONE,
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

A = Account(name="A", account_id=ONE, assume_role=None)
STRANGER = trusting(Principal={"AWS": f"arn:aws:iam::{TWO}:root"})


def bring(
    account: Account, aws: FakeAws, seen: Snapshot | None = None, *, apply: bool = True
) -> tuple[list[Any], RoleReady]:
    return driven(work_account(account, seen or snapshot(), aws, Claims([account]), apply=apply))


def test_a_new_account_gets_its_role_step_by_step_and_is_to_be_registered() -> None:
    aws = FakeAws(FakeAccount())
    said, ready = bring(A, aws)
    assert steps_of(said) == [
        "reaching the account",
        "reading the role",
        "create-role",
        "attach-policy",
    ]
    assert changed(said) == ["create-role", "attach-policy"]
    assert ready.spec.role_arn == f"arn:aws:iam::{ONE}:role/cloudcraft"
    assert ready.registration_changes == (RegisterAccount(name="A", region="us-east-1"),)
    assert (ready.age, ready.registration, ready.notes) == (0.0, None, ())
    assert aws.accounts[ONE].roles["cloudcraft"].trust == trusting()


def test_a_plan_has_the_same_changes_and_writes_nothing() -> None:
    aws = FakeAws(FakeAccount())
    said, planned = bring(A, aws, apply=False)
    assert (changed(said), aws.accounts[ONE].writes) == ([], [])
    _, done = bring(A, aws)
    assert planned.role_changes == done.role_changes
    assert planned.registration_changes == done.registration_changes


def test_a_plan_notes_what_would_be_denied_and_a_run_does_not_ask() -> None:
    denied = WouldBeDenied(
        actions=("iam:CreateRole",), denier=Denier.NOTHING, identity="role/Admin"
    )
    account = FakeAccount(denies=denied)
    _, planned = bring(A, FakeAws(account), apply=False)
    assert planned.notes == (denied,)
    assert account.asked == 1
    _, done = bring(A, FakeAws(account))
    assert done.notes == ()
    assert account.asked == 1


def test_what_is_as_it_should_be_is_left_and_old() -> None:
    account = FakeAccount()
    account.give("cloudcraft")
    said, ready = bring(A, FakeAws(account), snapshot(registered()))
    assert (changed(said), ready.role_changes, ready.registration_changes) == ([], (), ())
    assert ready.age == pytest.approx(86_400, abs=60)


def test_a_registered_account_keeps_the_external_id_of_its_registration() -> None:
    account = FakeAccount()
    account.give("cloudcraft")
    said, ready = bring(A, FakeAws(account), snapshot(registered(external_id="theirs")))
    assert changed(said) == ["update-trust"]
    assert ready.another_users
    assert "theirs" in str(account.roles["cloudcraft"].trust)


@pytest.mark.parametrize("apply", [True, False])
def test_somebody_elses_trust_is_a_conflict_and_nothing_is_written(*, apply: bool) -> None:
    account = FakeAccount()
    account.give("cloudcraft", trust=STRANGER, attached=())
    with pytest.raises(AccountError) as caught:
        bring(A, FakeAws(account), apply=apply)
    assert (caught.value.code, account.writes) == ("TrustConflict", [])


def test_adopt_takes_it_over() -> None:
    account = FakeAccount()
    account.give("cloudcraft", trust=STRANGER, tags={})
    adopting = Account(name="A", account_id=ONE, role=RoleSpec(adopt=True))
    said, _ = bring(adopting, FakeAws(account))
    assert changed(said) == ["update-trust"]
    assert account.roles["cloudcraft"].tags == {}, "an adopted role is never tagged"


# --- who is not entered, or left alone ----------------------------------------------------------

DATADOGS = registered(source="datadog")


def test_an_account_of_datadogs_is_not_even_reached() -> None:
    aws = FakeAws(FakeAccount())
    _, ready = bring(A, aws, snapshot(DATADOGS))
    assert aws.reached == []
    assert (ready.role_changes, ready.registration_changes) == ((), ())
    assert ready.notes == (BroughtIn(source="datadog"),)


def test_one_that_only_its_profile_tells_is_reached_and_then_left_alone() -> None:
    aws = FakeAws(FakeAccount(), profiles={"mine": ONE})
    said, ready = bring(Account(name="A", profile="mine"), aws, snapshot(DATADOGS))
    assert (aws.reached, aws.accounts[ONE].calls, changed(said)) == (["A"], [], [])
    assert ready.notes == (BroughtIn(source="datadog"),)
    assert ready.spec.account_id == ONE


def test_two_entries_for_one_account_are_told_apart_before_its_role_is_read() -> None:
    entries = [Account(name="A", profile="one"), Account(name="B", profile="other")]
    aws = FakeAws(FakeAccount(), profiles={"one": ONE, "other": ONE})
    claims = Claims(entries)
    told(work_account(entries[0], snapshot(), aws, claims, apply=True))
    done = len(aws.accounts[ONE].calls)
    with pytest.raises(AccountError, match="'B' and 'A' are the same AWS account") as caught:
        told(work_account(entries[1], snapshot(), aws, claims, apply=True))
    assert caught.value.code == "SameAccount"
    assert len(aws.accounts[ONE].calls) == done


def test_an_existing_role_is_registered_without_aws() -> None:
    aws = FakeAws()
    role = RoleSpec(name="theirs", path="/x/", partition="aws-cn", via=Via.EXISTING)
    _, ready = bring(Account(name="A", account_id=ONE, role=role), aws)
    assert (aws.reached, ready.age) == ([], None)
    assert ready.spec.role_arn == f"arn:aws-cn:iam::{ONE}:role/x/theirs"


def test_a_team_that_is_not_there_fails_the_account_before_anything_is_written() -> None:
    aws = FakeAws(FakeAccount())
    asking = Account(name="A", account_id=ONE, read_access=("Nobody",))
    with pytest.raises(AccountError) as caught:
        bring(asking, aws, snapshot(teams=(Team(id="t", name="Platform"),)))
    assert (caught.value.code, aws.accounts[ONE].writes) == ("UnknownTeam", [])


# --- races --------------------------------------------------------------------------------------


def test_a_role_that_vanishes_meanwhile_is_observed_again_and_made() -> None:
    account = FakeAccount()
    account.give("cloudcraft", attached=(), max_session_duration=7200)
    account.meanwhile = [account.roles.clear]
    said, ready = bring(A, FakeAws(account))
    assert changed(said) == ["create-role", "attach-policy"]
    assert steps_of(said).count("reading the role") == 2
    assert [change.action.word for change in ready.role_changes] == changed(said)


def test_a_role_that_keeps_vanishing_is_somebody_elses_doing() -> None:
    account = FakeAccount()

    def undo() -> None:
        account.roles.pop("cloudcraft", None)

    account.meanwhile = [undo] * 20
    with pytest.raises(AccountError, match="keeps changing") as caught:
        bring(A, FakeAws(account))
    assert caught.value.code == "ConcurrentChange"


# --- a slow IAM -----------------------------------------------------------------------------


@pytest.mark.parametrize("half", [False, True], ids=["nothing", "half of it"])
def test_a_new_role_that_iam_does_not_show_yet_is_waited_for(half: bool) -> None:  # noqa: FBT001 - the table's column
    account = FakeAccount(hidden=[half] * 5)
    account.meanwhile = [lambda: None, lambda: account.refuse_once("attach-policy")]
    said, ready = bring(A, FakeAws(account))
    assert changed(said) == ["create-role", "attach-policy"]
    assert sum(isinstance(fact, Paused) for fact in said) == 6
    assert (ready.age, len(ready.role_changes)) == (0.0, 2)


def test_a_new_role_that_iam_never_shows_gets_another_round_after_half_a_minute() -> None:
    account = FakeAccount(hidden=[False] * 50)
    account.meanwhile = [lambda: None, lambda: account.refuse_once("attach-policy")]
    said: list[Any] = []

    def bring_it() -> None:
        said.extend(work_account(A, snapshot(), FakeAws(account), Claims([A]), apply=True))

    with pytest.raises(AccountError, match="keeps changing") as caught:
        bring_it()
    assert caught.value.transient
    assert sum(fact.seconds for fact in said if isinstance(fact, Paused)) == 30.0


# --- what is noted ------------------------------------------------------------------------------


def test_everything_that_is_to_be_said_of_an_account_is_noted() -> None:
    account = FakeAccount(partition="aws-us-gov")
    role = account.give("cloudcraft")
    account.give("cloudcraft", attached=(*role.attached, "arn:aws-us-gov:iam::aws:policy/X"))
    twice = [registered(ident=f"r{n}", role_arn=role.arn) for n in (1, 2)]
    _, ready = bring(A, FakeAws(account), snapshot(*twice), apply=False)
    assert ready.notes == (
        PoliciesKept(attached=("arn:aws-us-gov:iam::aws:policy/X",)),
        InGovCloud(),
        RegisteredBefore(ids=("r1", "r2")),
    )


@pytest.mark.parametrize(
    ("role_arn", "noted"),
    [
        (f"arn:aws:iam::{ONE}:role/older", True),
        (f"arn:aws:iam::{ONE}:role/team/older", True),
        (f"arn:aws-cn:iam::{ONE}:role/older", True),
        (f"arn:aws:iam::{ONE}:role/cloudcraft", False),
        (f"arn:aws:iam::{ONE}:role/team/cloudcraft", False),
        (f"arn:aws:iam::{ONE}:role/CloudCraft", False),
        (f"arn:aws:iam::{ONE}:user/older", False),
        (f"xyz:aws:iam::{ONE}:role/older", False),
    ],
    ids=["name", "path", "partition", "same", "same, moved", "same, other case", "user", "no ARN"],
)
@pytest.mark.parametrize("via", [Via.ASSUME, Via.EXISTING])
@pytest.mark.parametrize("apply", [True, False])
def test_a_registration_of_another_role_is_noted(
    via: Via, role_arn: str, *, noted: bool, apply: bool
) -> None:
    account = FakeAccount()
    account.give("cloudcraft")
    entry = Account(name="A", account_id=ONE, role=RoleSpec(via=via))
    seen = snapshot(registered(role_arn=role_arn))
    _, ready = bring(entry, FakeAws(account), seen, apply=apply)
    entered = via is Via.ASSUME
    assert ready.notes == ((FormerRole(arn=role_arn, entered=entered),) if noted else ())
    if noted:
        assert any(isinstance(it, UpdateRegistration) for it in ready.registration_changes)


def test_every_role_that_registrations_name_is_noted_once() -> None:
    account = FakeAccount()
    account.give("cloudcraft")
    names: list[Registration] = [
        registered(ident=f"r{n}", role=role)
        for n, role in enumerate(["older", "cloudcraft", "oldest", "older"])
    ]
    _, ready = bring(A, FakeAws(account), snapshot(*names), apply=False)
    former = [note.arn for note in ready.notes if isinstance(note, FormerRole)]
    assert former == [f"arn:aws:iam::{ONE}:role/{name}" for name in ("older", "oldest")]


def test_the_first_change_carries_what_a_plan_shows() -> None:
    _, ready = bring(A, FakeAws(FakeAccount()), apply=False)
    first = ready.role_changes[0]
    assert isinstance(first, CreateRole)
    assert (first.role.path, first.role.max_session_duration) == ("/", 3600)
