from __future__ import annotations

import pytest

from cloudcraft_onboard.model import Action, Command, Outcome, Report, Result
from cloudcraft_onboard.model.changes import SavedChange
from cloudcraft_onboard.show import changes, table
from cloudcraft_onboard.show.told import document
from tests.support.reports import report, result, typical


def lines(plan: Report, width: int = 80, forecast: str | None = None) -> list[str]:
    return table.render(document(plan), width=width, color=False, forecast=forecast).splitlines()


def test_a_plan_reads_like_a_diff() -> None:
    assert lines(typical(Command.PLAN), forecast="1 registration: less than a minute") == [
        "+ Production  111122223333  to create",
        "    + create-role    trusts 912185983511 with external ID 4414aef4, max session",
        "                     1 h, path /, tags ManagedBy=cloudcraft-onboard",
        "    + attach-policy  ReadOnlyAccess",
        "    + register       region us-east-1",
        "",
        "~ 결제 서비스  333344445555  to update",
        "    ~ update-trust  external ID older → 4414aef4",
        "",
        "= Data 🚀  444455556666  unchanged",
        "/ Legacy  012345678901  skipped",
        "",
        "x sts:AssumeRole denied (reach): Payments (222233334444)",
        "  User: arn:aws:iam::999988887777:user/ops is not authorized to perform:",
        "  sts:AssumeRole on resource:",
        "  arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        "  → let the role's trust policy name the profile's identity, or set assume_role",
        "    to a role that does",
        "",
        "Plan: 1 to create, 1 to update, 1 unchanged, 1 failed, 1 skipped",
        "1 registration: less than a minute",
    ]


def test_forty_columns_put_what_a_change_makes_below_it() -> None:
    assert lines(typical(Command.PLAN), width=40)[:6] == [
        "+ Production  111122223333  to create",
        "    + create-role",
        "        trusts 912185983511 with",
        "        external ID 4414aef4, max",
        "        session 1 h, path /, tags",
        "        ManagedBy=cloudcraft-onboard",
    ]


def test_run_dry_run_reads_the_same() -> None:
    dry = report(*typical().results, dry_run=True)
    assert lines(dry) == lines(typical(Command.PLAN))


def test_a_removal_is_a_diff_too() -> None:
    gone = (
        SavedChange(action=Action.DELETE_REGISTRATION, reason="registered"),
        SavedChange(action=Action.DELETE_ROLE, reason="made by onboard"),
    )
    plan = report(result("A", Outcome.REMOVED, changes=gone), command=Command.REMOVE, dry_run=True)
    assert lines(plan) == [
        "- A  111122223333  to remove",
        "    - delete-registration  registered",
        "    - delete-role          made by onboard",
        "",
        "Plan: 1 to remove",
    ]


def test_a_finished_manifest_says_so_in_two_lines() -> None:
    same = [result(f"n{i}", Outcome.UNCHANGED) for i in range(5000)]
    assert lines(report(*same, command=Command.PLAN)) == [
        "= 5,000 accounts unchanged",
        "",
        "Plan: 5,000 unchanged",
    ]


def test_accounts_with_identical_changes_are_one_block() -> None:
    new = [result(f"n{i}", account_id=f"{i:012d}") for i in range(1000)]
    odd = result("Odd", Outcome.UPDATED)
    assert lines(report(*new, odd, command=Command.PLAN)) == [
        "+ 1,000 accounts to create",
        "  n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11 and 988 more",
        "    + create-role    trusts 912185983511 with external ID 4414aef4, max session",
        "                     1 h, path /, tags ManagedBy=cloudcraft-onboard",
        "    + attach-policy  ReadOnlyAccess",
        "    + register       region us-east-1",
        "",
        "~ Odd  111122223333  to update",
        "    ~ update-trust  external ID older → 4414aef4",
        "",
        "Plan: 1,000 to create, 1 to update",
    ]


def test_verbose_shows_account_by_account() -> None:
    new = [result(f"n{i}") for i in range(50)]
    plan = report(*new, result("same", Outcome.UNCHANGED), command=Command.PLAN)
    told = table.render(document(plan, each=True), width=80, color=False, each=True).splitlines()
    assert sum(line.startswith("+ n") for line in told) == 50


def change(action: Action, before: object, after: object, subject: str = "") -> SavedChange:
    return SavedChange(
        action=action,
        reason="differs",
        subject=subject,
        before=before,  # type: ignore[arg-type]
        after=after,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (
            change(
                Action.UPDATE_TRUST,
                {"principals": ["999999999999"], "external_ids": []},
                {"principals": ["912185983511"], "external_ids": ["4414aef4"]},
            ),
            "trusts 999999999999 → 912185983511, external ID none → 4414aef4",
        ),
        (
            change(
                Action.UPDATE_ROLE,
                {"max_session_duration": 3601, "permissions_boundary": None},
                {"max_session_duration": 5400, "permissions_boundary": "edge"},
            ),
            "max session 3601 s → 1 h 30 min, boundary none → edge",
        ),
        (change(Action.TAG_ROLE, {"team": None}, {"team": "x"}), "tag team none → x"),
        (
            change(Action.PUT_POLICY, None, {"actions": ["a:B"] * 312}, "cloudcraft-minimal"),
            "cloudcraft-minimal: 312 actions",
        ),
        (
            change(
                Action.PUT_POLICY, {"actions": ["s3:Get*"]}, {"actions": ["a:B", "c:D"]}, "inline"
            ),
            "inline: + a:B, c:D, - s3:Get*",
        ),
        (
            change(
                Action.UPDATE_REGISTRATION,
                {"name": "Old", "read_access": []},
                {"name": "A", "read_access": ["team/1"]},
            ),
            "name Old → A, read access none → team/1",
        ),
        (
            change(Action.REGISTER, None, {"name": "A", "region": "eu-west-1"}),
            "region eu-west-1",
        ),
        (change(Action.UPDATE_ROLE, None, None, "x"), "x: differs"),
    ],
)
def test_a_change_shows_before_and_after(one: SavedChange, told: str) -> None:
    (line,) = changes.lines(result("A", changes=(one,)))
    assert line.told == told


def test_what_is_particular_to_an_account_does_not_keep_blocks_apart() -> None:
    def moved(name: str, account_id: str) -> Result:
        arn = f"arn:aws:iam::{account_id}:role"
        one = change(
            Action.UPDATE_REGISTRATION,
            {"role_arn": f"{arn}/old"},
            {"role_arn": f"{arn}/cloudcraft"},
        )
        return result(name, Outcome.UPDATED, account_id=account_id, changes=(one,))

    (block,) = changes.blocks([moved("A", "000000000001"), moved("B", "000000000002")])
    assert block.names == ("A", "B")
    assert block.lines[0].told == (
        "role arn:aws:iam::ACCOUNT_ID:role/old → arn:aws:iam::ACCOUNT_ID:role/cloudcraft"
    )


def test_a_thousand_removals_are_one_block() -> None:
    def gone(i: int, registered_as: str = "") -> Result:
        name = f"n{i}'s"
        registration = SavedChange(
            action=Action.DELETE_REGISTRATION,
            reason=f"registered as {(registered_as or name)!r}",
            subject=f"8a084cff-{i}",
        )
        policy = change(Action.DETACH_POLICY, None, None, "arn:aws:iam::aws:policy/ReadOnlyAccess")
        role = SavedChange(action=Action.DELETE_ROLE, reason="made by onboard")
        made = (registration, policy, role)
        return result(name, Outcome.REMOVED, account_id=f"{i:012d}", changes=made)

    plan = report(*map(gone, range(1000)), gone(1000, "another"), command=Command.PLAN)
    assert lines(plan) == [
        "- 1,000 accounts to remove",
        "  n0's, n1's, n2's, n3's, n4's, n5's, n6's, n7's, n8's, n9's, n10's, n11's and",
        "  988 more",
        "    - delete-registration",
        "    - detach-policy        ReadOnlyAccess",
        "    - delete-role          made by onboard",
        "",
        "- n1000's  000000001000  to remove",
        "    - delete-registration  8a084cff-1000: registered as 'another'",
        "    - detach-policy        ReadOnlyAccess",
        "    - delete-role          made by onboard",
        "",
        "Plan: 1,001 to remove",
    ]
