from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import Outcome
from cloudcraft_onboard.model.notes import SavedNote
from cloudcraft_onboard.show import table, text
from cloudcraft_onboard.show.told import document
from tests.support.examples import examples
from tests.support.reports import denied, report, result, typical


def lines(*args: object, width: int = 90, **options: object) -> list[str]:
    each = bool(options.get("each"))
    told = document(*args, each=each)  # type: ignore[arg-type]
    return table.render(told, width=width, color=False, each=each).splitlines()


def test_a_run() -> None:
    assert lines(typical(), width=88) == [
        "Account      ID            Outcome      Done                                  Work time",
        "Production   111122223333  + created    create-role, attach-policy, register      2.3 s",
        "결제 서비스  333344445555  ~ updated    update-trust                              1.0 s",
        "Data 🚀      444455556666  = unchanged                                            0.9 s",
        "Payments     222233334444  x failed                                               0.4 s",
        "Legacy       012345678901  / skipped",
        "",
        "x sts:AssumeRole denied (reach): Payments (222233334444)",
        "  User: arn:aws:iam::999988887777:user/ops is not authorized to perform: sts:AssumeRole",
        "  on resource: arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        "  → let the role's trust policy name the profile's identity, or set assume_role to a",
        "    role that does",
        "",
        "5 accounts: 1 created, 1 updated, 1 unchanged, 1 failed, 1 skipped · 3 min 10 s · 5",
        "requests to Cloudcraft",
        "",
        "1 account failed: fix it and run the same command again. What is done stays done.",
    ]


def test_sixty_columns_put_what_was_done_below() -> None:
    assert lines(typical(), width=60)[:7] == [
        "Account      ID            Outcome      Work time",
        "Production   111122223333  + created        2.3 s",
        "    create-role, attach-policy, register",
        "결제 서비스  333344445555  ~ updated        1.0 s",
        "    update-trust",
        "Data 🚀      444455556666  = unchanged      0.9 s",
        "Payments     222233334444  x failed         0.4 s",
    ]


def test_forty_columns_do_without_times() -> None:
    told = lines(typical(), width=40)
    assert told[:4] == [
        "Account      ID            Outcome",
        "Production   111122223333  + created",
        "    create-role, attach-policy, register",
        "결제 서비스  333344445555  ~ updated",
    ]
    assert all(text.width_of(line) <= 40 for line in told)


def test_the_same_cause_stands_once_with_its_accounts() -> None:
    failed = [denied(f"Team {i}", f"{i:012d}") for i in range(14)]
    told = lines(report(*failed))
    assert told[16:18] == [
        (
            "x sts:AssumeRole denied (reach), 14 accounts: Team 0, Team 1, Team 2, Team 3, Team 4, "
            "Team"
        ),
        "  5, Team 6, Team 7, Team 8, Team 9, Team 10, Team 11 and 2 more",
    ]
    assert sum("not authorized" in line for line in told) == 1


def test_notes_stand_once_with_their_accounts() -> None:
    kept = ("its role stays: it was not made here",)
    told = lines(report(result("A", notes=kept), result("B", notes=kept)))
    assert told[4:6] == ["Notes", "· A, B: its role stays: it was not made here"]


def test_a_note_of_many_accounts_stands_once_without_the_ids_of_each() -> None:
    def doubled(number: int) -> str:
        return f"Registered 2 times; the oldest, 00000000-aaaa-4bbb-8ccc-{number:012}, is used."

    told = lines(report(*(result(f"A{n}", notes=(doubled(n),)) for n in range(4))))
    assert told[told.index("Notes") + 1 :][:2] == [
        "· A0, A1, A2 and 1 more: Registered 2 times; the oldest, …, is used.",
        "",
    ]
    each = lines(report(*(result(f"A{n}", notes=(doubled(n),)) for n in range(4))), each=True)
    assert each[each.index("Notes") + 1 :][:4] == [f"· A{n}: {doubled(n)}" for n in range(4)]
    few = lines(report(*(result(f"A{n}", notes=(doubled(n),)) for n in range(3))))
    assert few[few.index("Notes") + 1 :][:3] == [f"· A{n}: {doubled(n)}" for n in range(3)]


def test_pending_accounts_end_with_how_to_go_on() -> None:
    told = lines(report(result("A", Outcome.PENDING)))
    assert told[-1] == (
        "1 account is pending: run the same command again to continue where this run stopped."
    )


def test_thousands_of_unchanged_accounts_are_one_line() -> None:
    same = [result(f"n{i}", Outcome.UNCHANGED) for i in range(4999)]
    assert lines(report(*same, result("New"))) == [
        "Account  ID            Outcome      Done                                  Work time",
        "New      111122223333  + created    create-role, attach-policy, register      2.3 s",
        "= unchanged  4,999 accounts",
        "",
        "5,000 accounts: 1 created, 4,999 unchanged · 3 min 10 s · 5 requests to Cloudcraft",
    ]


def test_a_thousand_accounts_end_on_one_screen() -> None:
    new = [result(f"n{i}") for i in range(700)]
    failed = [denied(f"f{i}", f"{i:012d}") for i in range(100)]
    told = lines(report(*new, *failed, result("Old", Outcome.UPDATED)))
    assert told[1:5] == [
        "Old      111122223333  ~ updated    update-trust      2.3 s",
        "+ created    700 accounts",
        "x failed     100 accounts",
        "",
    ]
    assert len(told) < 34
    assert len(lines(report(*new, *failed), each=True)) > 800, "-v tells each of them"


def test_nothing_selected() -> None:
    assert lines(report()) == [
        "0 accounts: nothing selected · 3 min 10 s · 5 requests to Cloudcraft"
    ]


def test_colour_only_where_it_is_wanted() -> None:
    assert "\x1b[" in table.render(document(typical()), width=80, color=True)
    assert "\x1b[" not in table.render(document(typical()), width=80, color=False)


@examples(50)
@given(name=st.text(min_size=1, max_size=50), width=st.integers(60, 160))
def test_every_line_fits(name: str, width: int) -> None:
    one = replace(denied(name), notes=(SavedNote(text=name),))
    told = table.render(document(report(result(name), one)), width=width, color=False)
    assert all(text.width_of(line) <= width for line in told.split("\n"))


@pytest.mark.parametrize("color", [True, False])
def test_names_cannot_steer_the_terminal(color: bool) -> None:  # noqa: FBT001 - pytest's parameter
    hostile = result("a\x1b[2Jb", notes=("c\x1b]0;d\x07",))
    told = table.render(document(report(hostile)), width=80, color=color)
    assert "\x1b[2J" not in told
    assert "\x1b]0" not in told
