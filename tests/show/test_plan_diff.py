from __future__ import annotations

from cloudcraft_onboard.model import Action, Change, Command, Outcome, Report
from cloudcraft_onboard.show import table
from tests.support.reports import denied, report, result, typical


def lines(plan: Report, width: int = 80, forecast: str | None = None) -> list[str]:
    return table.render(plan, width=width, color=False, forecast=forecast).splitlines()


def test_a_plan_reads_like_a_diff() -> None:
    assert lines(typical(Command.PLAN), forecast="1 registration: less than a minute") == [
        "+ Production  111122223333  to create",
        "    + create-role    the role does not exist",
        "    + attach-policy  ReadOnlyAccess: not attached",
        "    + register       not registered in Cloudcraft",
        "",
        "~ 결제 서비스  333344445555  to update",
        "    ~ update-trust  external ID differs",
        "",
        "= Data 🚀  444455556666  unchanged",
        "/ Legacy  012345678901  skipped",
        "",
        "x AccessDenied (reach) in Payments (222233334444)",
        "  User: arn:aws:iam::999988887777:user/ops is not authorized to perform:",
        "  sts:AssumeRole on resource:",
        "  arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        "  → let the role's trust policy name the profile's identity, or set assume_role",
        "    to a role that does",
        "",
        "Plan: 1 to create, 1 to update, 1 unchanged, 1 failed, 1 skipped",
        "1 registration: less than a minute",
    ]


def test_run_dry_run_reads_the_same() -> None:
    dry = report(*typical().results, dry_run=True)
    assert lines(dry) == lines(typical(Command.PLAN))


def test_a_removal_is_a_diff_too() -> None:
    gone = (
        Change(action=Action.DELETE_REGISTRATION, reason="registered"),
        Change(action=Action.DELETE_ROLE, reason="made by onboard"),
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


def test_thousands_of_like_changes_are_shown_once() -> None:
    new = [result(f"n{i}") for i in range(1000)]
    odd = result("Odd", Outcome.UPDATED)
    assert lines(report(*new, odd, command=Command.PLAN)) == [
        "+ 1,000 accounts alike  to create",
        "  n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15, n16,",
        "  n17, n18, n19 and 980 more",
        "    + create-role    the role does not exist",
        "    + attach-policy  ReadOnlyAccess: not attached",
        "    + register       not registered in Cloudcraft",
        "",
        "~ Odd  111122223333  to update",
        "    ~ update-trust  external ID differs",
        "",
        "Plan: 1,000 to create, 1 to update",
    ]


def test_fifty_changed_accounts_are_shown_one_by_one() -> None:
    new = [result(f"n{i}") for i in range(50)]
    told = lines(report(*new, denied("Payments"), command=Command.PLAN))
    assert sum(line.startswith("+ n") for line in told) == 50
