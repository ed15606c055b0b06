"""Manifest, Cloudcraft and Organizations joined: one row and one state for each account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.coverage.joined import Expected, Sides, join, roleless, unit_of
from cloudcraft_onboard.coverage.words import OPEN, SEEN, SETTLED, Standing, State, Status
from cloudcraft_onboard.model import (
    Account,
    Action,
    Change,
    Member,
    Outcome,
    Problem,
    Registration,
    Result,
    RoleSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.model.changes import SavedChange
from cloudcraft_onboard.model.notes import Doubled, Note, RegisteredBefore
from cloudcraft_onboard.model.role_notes import InChina
from cloudcraft_onboard.plan.registration import Listing

IDS = [f"1000000000{n:02d}" for n in range(12)]
DRIFT = (SavedChange(action=Action.UPDATE_TRUST, reason="external ID differs"),)
NEW = (SavedChange(action=Action.REGISTER, reason="not in Cloudcraft yet"),)
ERROR = Problem(stage=Stage.REACH, code="AccessDenied", message="no", hint="ask")


def registration(account_id: str, number: int = 0, name: str = "") -> Registration:
    return Registration(
        id=f"id-{account_id}-{number}",
        name=name or f"R{account_id}",
        role_arn=f"arn:aws:iam::{account_id}:role/cloudcraft",
        created_at=f"2026-01-0{number + 1}T00:00:00Z",
    )


def datadogs(account_id: str) -> Registration:
    return replace(registration(account_id), source="datadog")


def member(account_id: str, state: str = "ACTIVE", path: tuple[str, ...] = ("Root",)) -> Member:
    return Member(
        account_id=account_id,
        name=f"M{account_id}",
        email="",
        state=state,
        is_management=False,
        path=path,
    )


def entry(
    account_id: str | None,
    outcome: Outcome = Outcome.UNCHANGED,
    *,
    name: str = "",
    changes: tuple[Change, ...] = (),
    notes: tuple[Note, ...] = (),
    enabled: bool = True,
) -> Expected:
    account = Account(name=name or f"E{account_id}", account_id=account_id, enabled=enabled, line=3)
    result = Result(
        name=account.name,
        account_id=account_id,
        profile=None,
        region="us-east-1",
        outcome=outcome,
        changes=changes,
        notes=notes,
        error=ERROR if outcome is Outcome.FAILED else None,
    )
    return Expected(account=account, account_id=account_id, result=result)


def status(rows: tuple[Standing, ...], *, organization: bool) -> Status:
    return Status(
        manifest="m.yaml",
        organization=organization,
        roles=True,
        checked_at=datetime(2026, 11, 23, tzinfo=UTC),
        accounts=rows,
    )


def only(rows: tuple[Standing, ...]) -> Standing:
    (row,) = rows
    return row


ONE = IDS[0]


@pytest.mark.parametrize(
    ("given_entry", "registrations", "members", "expected"),
    [
        (entry(ONE, Outcome.SKIPPED, enabled=False), 1, None, State.DISABLED),
        (entry(ONE, Outcome.SKIPPED, enabled=False), 1, "CLOSED", State.DISABLED),
        (entry(ONE), 1, "SUSPENDED", State.GONE),
        (entry(ONE), 1, "", State.GONE),
        (None, 1, "PENDING_CLOSURE", State.GONE),
        (None, 1, "ACTIVE", State.UNLISTED),
        (None, 1, None, State.UNLISTED),
        (None, 0, "ACTIVE", State.UNCOVERED),
        (entry(ONE, Outcome.CREATED, changes=NEW), 0, "ACTIVE", State.MISSING),
        (entry(ONE, Outcome.FAILED), 0, "ACTIVE", State.MISSING),
        (entry(ONE, Outcome.FAILED), 1, "ACTIVE", State.UNREACHABLE),
        (entry(ONE, Outcome.PENDING), 1, None, State.UNREACHABLE),
        (entry(ONE, Outcome.UPDATED, changes=DRIFT), 1, None, State.DRIFTED),
        (entry(ONE), 1, "ACTIVE", State.ONBOARDED),
        (entry(ONE), 2, "ACTIVE", State.ONBOARDED),
    ],
)
def test_the_first_state_that_fits(
    given_entry: Expected | None, registrations: int, members: str | None, expected: State
) -> None:
    known = None if members is None else {ONE: member(ONE, members)} if members else {}
    sides = Sides(
        listing=Listing(registration(ONE, number) for number in range(registrations)),
        members=known,
    )
    row = only(join([given_entry] if given_entry else [], sides, others=True))
    assert row.state is expected
    assert len(row.cloudcraft_ids) == registrations
    assert any(isinstance(note, Doubled) for note in row.notes) == (registrations > 1)
    assert (row.ou is None) == (members != "ACTIVE")


def test_datadog_comes_in_front_of_all_but_disabled() -> None:
    sides = Sides(listing=Listing(datadogs(account_id) for account_id in IDS[:3]), members={})
    entries = [entry(IDS[0]), entry(IDS[1], Outcome.SKIPPED, enabled=False)]
    rows = join(entries, sides, others=True)
    assert [row.state for row in rows] == [State.DATADOG, State.DISABLED, State.DATADOG]
    assert [row.name for row in rows] == [f"E{IDS[0]}", f"E{IDS[1]}", f"R{IDS[2]}"]
    assert rows[2].cloudcraft_ids == (f"id-{IDS[2]}-0",)


def test_an_account_that_was_closed_long_ago_and_that_nobody_lists_has_no_row() -> None:
    sides = Sides(listing=Listing([]), members={ONE: member(ONE, "SUSPENDED")})
    assert join([], sides, others=True) == ()


def test_the_manifests_rows_come_first_and_a_selection_has_no_others() -> None:
    sides = Sides(
        listing=Listing([registration(IDS[3], name="beta"), registration(IDS[4], name="Alpha")]),
        members={account_id: member(account_id) for account_id in IDS[:5]},
    )
    entries = [entry(IDS[2], name="Z"), entry(IDS[1], name="A")]
    rows = join(entries, sides, others=True)
    assert [row.name for row in rows] == ["Z", "A", "Alpha", "beta", f"M{IDS[0]}"]
    assert [row.line for row in rows] == [3, 3, None, None, None]
    assert join(entries, sides, others=False) == rows[:2]


def test_an_entry_whose_account_nobody_knows_cannot_be_called_missing() -> None:
    unknown = entry(None, Outcome.FAILED, name="By profile")
    row = only(join([unknown], Sides(listing=Listing([])), others=True))
    assert (row.state, row.error) == (State.UNREACHABLE, ERROR)


def test_that_it_is_doubled_is_said_once() -> None:
    noted = entry(ONE, notes=(RegisteredBefore(ids=("a", "b")), InChina()))
    sides = Sides(listing=Listing([registration(ONE, 1), registration(ONE, 0)]))
    row = only(join([noted], sides, others=True))
    assert row.notes == (InChina(), Doubled(ids=(f"id-{ONE}-0", f"id-{ONE}-1")))


def test_a_unit_is_told_without_the_root() -> None:
    assert unit_of(member(ONE, path=("Root",))) == ""
    assert unit_of(member(ONE, path=("Root", "Prod", "EU/US"))) == "Prod/EU-US"


# --- whatever the sides know ---------------------------------------------------------------------

PLANS = st.sampled_from(
    [
        (Outcome.UNCHANGED, ()),
        (Outcome.UPDATED, DRIFT),
        (Outcome.CREATED, NEW),
        (Outcome.FAILED, ()),
        (Outcome.PENDING, ()),
        (Outcome.SKIPPED, ()),
    ]
)
STATES = st.sampled_from(["ACTIVE", "SUSPENDED", "CLOSED", "PENDING_ACTIVATION", ""])
SOME = st.sets(st.sampled_from(IDS))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Expected], list[Registration], list[str], list[Member]]:
    entries = []
    for account_id in draw(st.permutations(sorted(draw(SOME)))):
        outcome, changes = draw(PLANS)
        enabled = outcome is not Outcome.SKIPPED
        entries.append(entry(account_id, outcome, changes=changes, enabled=enabled))
    registrations = [
        registration(account_id, number)
        for account_id in draw(SOME)
        for number in range(draw(st.integers(1, 3)))
    ]
    taken = {each.account_id for each in registrations}
    foreign = sorted(draw(SOME) - taken)
    units = st.lists(st.sampled_from(["Prod", "Test"]), max_size=2)
    members = [
        member(account_id, draw(STATES), ("Root", *draw(units))) for account_id in draw(SOME)
    ]
    return entries, registrations, foreign, members


@given(worlds(), st.booleans(), st.randoms(use_true_random=False))
def test_every_account_has_one_row_and_one_state_whatever_the_order(
    world: tuple[list[Expected], list[Registration], list[str], list[Member]],
    organization: bool,  # noqa: FBT001 - hypothesis draws it
    shuffle: object,
) -> None:
    entries, registrations, foreign, members = world

    def rows(
        registrations: list[Registration], foreign: list[str], members: list[Member]
    ) -> tuple[Standing, ...]:
        known = {each.account_id: each for each in members} if organization else None
        sides = Sides(listing=Listing([*registrations, *map(datadogs, foreign)]), members=known)
        return join(entries, sides, others=True)

    found = rows(registrations, foreign, members)
    active = {each.account_id for each in members if each.state == "ACTIVE" and organization}
    sides = {each.account_id for each in registrations} | set(foreign) | active
    listed = [each.account_id for each in entries]
    ids = [row.account_id for row in found]
    assert len(ids) == len(set(ids))
    assert set(ids) == sides | set(listed)
    assert ids[: len(listed)] == listed

    told = status(found, organization=organization)
    assert sum(told.count(state) for state in State) == len(found)
    assert told.settled == (not any(told.count(state) for state in OPEN))
    assert set(OPEN) | SETTLED == set(State)
    assert {row.account_id for row in found if row.ou is not None} == active
    for row in found:
        assert row.in_manifest == (row.account_id in listed)
        if row.state in SEEN:
            assert row.cloudcraft_ids

    coverage = told.coverage
    by_unit = told.by_unit().values()
    assert 0 <= coverage.share <= 1
    assert (coverage.share == 1) == coverage.whole
    if organization:
        assert coverage.total == len(active)
        assert sum(unit.total for unit in by_unit) == coverage.total
        assert sum(unit.seen for unit in by_unit) == coverage.seen
    else:
        assert not by_unit
        assert coverage.total == len(found) - told.count(State.DISABLED)

    random = shuffle
    for side in (registrations, foreign, members):
        random.shuffle(side)  # type: ignore[attr-defined]
    assert rows(registrations, foreign, members) == found


def test_coverage_is_rounded_down() -> None:
    rows = [
        Standing(name=str(n), account_id=str(n), state=State.ONBOARDED if n else State.MISSING)
        for n in range(10_000)
    ]
    assert status(tuple(rows), organization=False).coverage.share == 0.999


# --- without a look at the roles -----------------------------------------------------------------


def test_partition_and_path_are_taken_from_a_registration_of_the_same_role() -> None:
    account = Account(name="Gov", profile="gov", role=RoleSpec(path="/new/", policies=("X",)))
    arn = f"arn:aws-us-gov:iam::{ONE}:role/old/path/cloudcraft"
    listing = Listing([Registration(id="1", name="Gov", role_arn=arn)])
    found = roleless(account, ONE, listing)
    assert found.role.via is Via.EXISTING
    assert found.expected_role_arn == arn


def test_a_registration_of_another_role_is_drift() -> None:
    account = Account(name="A", account_id=ONE)
    listing = Listing([Registration(id="1", name="A", role_arn=f"arn:aws:iam::{ONE}:role/x")])
    wanted = f"arn:aws:iam::{ONE}:role/cloudcraft"
    assert roleless(account, ONE, listing).expected_role_arn == wanted
    assert roleless(account, ONE, Listing([])).expected_role_arn == wanted
