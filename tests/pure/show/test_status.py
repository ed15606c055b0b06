"""Where the accounts stand, at a terminal and as files."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Circumstances, Standing, State, Status
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model.notes import NotActive
from cloudcraft_onboard.show import github, report, table
from cloudcraft_onboard.show.told import document
from cloudcraft_onboard.show.treemap import Rectangle, squarified
from tests.support import statuses
from tests.support.statuses import standing as row
from tests.support.statuses import typical

BAR = "█" * 32
WORDS = [
    "onboarded",
    "drifted",
    "missing",
    "unreachable",
    "unlisted",
    "uncovered",
    "gone",
    "datadog",
    "disabled",
]
SEEN = "Cloudcraft sees {} of the organization's {} active accounts"


def lines(of: Status, width: int = 120) -> list[str]:
    return table.render(document(of), width=width, color=False).splitlines()


def test_everything_open_is_told_with_the_command_that_closes_it() -> None:
    assert lines(typical()) == [
        f"Coverage 50%  {BAR[:16]}{'░' * 16}  {SEEN.format(4, 8)}",
        "",
        "  Prod      0%  ░░░░░░░░░░░░░░░░  0 of 3",
        "  Labs     50%  ████████░░░░░░░░  1 of 2",
        "  2 OUs fully covered",
        "",
        "+ 1 uncovered: in the organization, neither in the manifest nor in Cloudcraft",
        "    Lab  111122223333  Labs",
        "  → onboard init --organization --update org.yaml",
        "",
        "+ 1 missing: in the manifest, not in Cloudcraft",
        "    New  111122223333  Prod",
        "  → onboard run org.yaml --only New",
        "",
        "x 1 unreachable: in the manifest, but its role could not be checked",
        "    sts:AssumeRole denied (reach) in Locked: not authorized to perform: sts:AssumeRole",
        "    → let the role trust the profile's identity",
        "",
        "~ 1 drifted: registered, but not as the manifest wants it",
        "    결제 서비스  111122223333  Prod/Shop  update-trust",
        "  → onboard run org.yaml --only '결제 서비스'",
        "",
        "? 1 unlisted: in Cloudcraft, not in the manifest",
        "    By hand  111122223333  Labs",
        "  → to keep them, in the manifest: onboard init --organization --update org.yaml",
        "  → to delete their registrations: onboard remove org.yaml --unlisted",
        "",
        "- 1 gone: no longer active in the organization",
        "    Closed  444455556666",
        "  → in the manifest: onboard init --organization --update org.yaml --disable-closed",
        "",
        "Notes",
        "· Closed: AWS Organizations says that the account is SUSPENDED.",
        "· By hand: twice",
        "",
        f"9 accounts: {', '.join(f'1 {word}' for word in WORDS)}",
    ]


def test_a_company_that_is_covered_gets_three_lines() -> None:
    covered = statuses.status(*(row(f"A{n}", ou=f"OU{n % 3}") for n in range(12)))
    assert lines(covered) == [
        f"Coverage 100%  {BAR}  {SEEN.format(12, 12)}",
        "12 accounts: 12 onboarded",
        "Nothing to do: the manifest, Cloudcraft, AWS Organizations and the roles in AWS agree.",
    ]


def test_without_organization_and_roles_it_says_whom_it_asked() -> None:
    told = lines(statuses.status(row("A"), organization=False, roles=False))
    assert told[0].endswith("Cloudcraft sees 1 of 1 account")
    assert told[-1] == "Nothing to do: the manifest and Cloudcraft agree."


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_but_a_command_is_wider_than_the_terminal(width: int) -> None:
    many = [
        row(f"Account {n} with a long name", State.DRIFTED, ou=f"Prod/{'x' * (n % 60)}")
        for n in range(300)
    ]
    told = lines(statuses.status(*many, *typical().accounts), width)
    assert all(len(line) <= width for line in told if "onboard" not in line)
    assert len(told) < 120, "thousands of accounts are summed up"


def test_the_worst_units_come_first_and_the_rest_is_summed_up() -> None:
    accounts = [
        row(f"{n}-{i}", State.MISSING if i < n else State.ONBOARDED, ou=f"U{n:02}")
        for n in range(20)
        for i in range(20)
    ]
    told = lines(statuses.status(*accounts))
    units = [line.split()[0] for line in told if line.startswith("  U")]
    assert units == [f"U{n:02}" for n in range(19, 7, -1)]
    assert "  7 more OUs with gaps, 1 OU fully covered" in told


def test_commands_name_the_profile_and_how_many_they_may_delete() -> None:
    strangers = [row(str(n), State.UNLISTED, ou="", cloudcraft_ids=("x",)) for n in range(7)]
    found = statuses.status(
        *strangers, row("odd; name", State.MISSING), advised=Circumstances(profile="org admin")
    )
    keep, delete = advice.closing(found, State.UNLISTED)
    assert keep.command == "onboard init --organization --profile 'org admin' --update org.yaml"
    assert delete.command == "onboard remove org.yaml --unlisted --max-removals 7"
    doubled = [row(str(n), State.UNLISTED, cloudcraft_ids=("x", "y")) for n in range(3)]
    told = advice.closing(statuses.status(*doubled), State.UNLISTED)[-1].command
    assert told == "onboard remove org.yaml --unlisted --max-removals 6", "of registrations"
    (run,) = advice.closing(found, State.MISSING)
    assert run.command == "onboard run org.yaml"
    some = statuses.status(row("A"), row("odd; name", State.MISSING))
    (run,) = advice.closing(some, State.MISSING)
    assert run.command == "onboard run org.yaml --only 'odd; name'"


@pytest.mark.parametrize("state", State)
def test_exactly_what_a_command_closes_has_one(state: State) -> None:
    """Of what cannot be reached, the hint is the way out; of what is gone, only what is closed."""
    notes = (NotActive(state="SUSPENDED"),) if state is State.GONE else ()
    found = statuses.status(row("A", state, notes=notes))
    assert bool(advice.closing(found, state)) == (state in OPEN and state is not State.UNREACHABLE)


def commands(status: Status) -> list[str]:
    return [it.command for state in State for it in advice.closing(status, state)]


def test_no_command_is_given_for_what_may_be_an_entrys_account() -> None:
    strangers = [
        row("Lab", State.UNCOVERED, ou=""),
        row("By hand", State.UNLISTED, ou="", cloudcraft_ids=("a",)),
        row("Sold", State.GONE, in_manifest=False, cloudcraft_ids=("b",)),
        row("Closed", State.GONE, notes=(NotActive(state="CLOSED"),)),
    ]
    assert len(commands(statuses.status(*strangers))) == 5
    nameless = row("Mine", State.UNREACHABLE, account_id=None, nameless=True)
    assert commands(statuses.status(nameless, *strangers)) == []
    disabled = row("Mine", State.DISABLED, account_id=None, nameless=True)
    assert commands(statuses.status(disabled, *strangers)) == []


def test_in_the_sandbox_every_command_stays_there() -> None:
    found = replace(typical(), advised=Circumstances(sandbox=True))
    told = commands(found)
    assert len(told) == 3
    assert all(command.endswith(" --sandbox") for command in told)
    assert not any("init" in command for command in told)


def test_a_selection_is_repeated_and_disables_nobody() -> None:
    selection = ("--only", "env=a b", "--exclude", "X")
    closed = row("C", State.GONE, notes=(NotActive(state="CLOSED"),))
    many = [row(f"A{n}", State.MISSING) for n in range(5)]
    found = statuses.status(
        closed, *many, selected=True, advised=Circumstances(selection=selection)
    )
    assert commands(found) == ["onboard run org.yaml --only 'env=a b' --exclude X"]


def test_accounts_that_fail_anyway_are_not_run_again() -> None:
    failing = row("F", State.MISSING, error=statuses.DENIED)
    found = statuses.status(failing, row("A"), row("B", State.MISSING))
    assert commands(found) == ["onboard run org.yaml --only B"]
    assert commands(statuses.status(failing, row("A"))) == []


def test_what_a_plan_would_fail_is_left_out_of_what_is_added() -> None:
    def fails(number: int, state: State = State.UNCOVERED) -> Standing:
        return row(f"F{number}", state, account_id=f"{number:012}", error=statuses.DENIED)

    new, by_hand = row("New", State.UNCOVERED), row("H", State.UNLISTED, cloudcraft_ids=("a",))
    found = statuses.status(new, fails(1), by_hand, fails(2, State.UNLISTED))
    left_out = "--exclude 000000000001 --exclude 000000000002"
    added = f"onboard init --organization {left_out} --update org.yaml"
    delete = "onboard remove org.yaml --unlisted"
    assert commands(found) == [added, delete, added]
    (annotation,) = (it for it in github.annotations(found) if "uncovered" in it)
    assert "New, F1%0AAccessDenied: F1%0Aall but those that would fail: onboard init" in annotation
    told = lines(found)
    assert "    sts:AssumeRole denied (reach) in F1: not authorized to perform" in "\n".join(told)
    assert commands(statuses.status(fails(1), fails(2, State.UNLISTED))) == [delete]
    closed = row("C", State.GONE, notes=(NotActive(state="CLOSED"),))
    (disable,) = commands(statuses.status(fails(1), closed))
    assert disable == (
        "onboard init --organization --exclude 000000000001 --update org.yaml --disable-closed"
    )
    assert commands(statuses.status(new, closed, tried=False)) == []


def test_too_many_that_a_plan_would_fail_are_a_note_and_no_command() -> None:
    failing = [
        row(f"F{n}", State.UNCOVERED, account_id=f"{n:012}", error=statuses.DENIED)
        for n in range(51)
    ]
    new = row("New", State.UNCOVERED)
    found = advice.noted(statuses.status(new, *failing))
    assert commands(found) == []
    assert [len(account.notes) for account in found.accounts] == [0, *[1] * 51]
    assert "A plan would fail 51 of the accounts that the manifest lacks" in "\n".join(lines(found))
    (added,) = commands(advice.noted(statuses.status(new, *failing[:-1])))
    assert added.count("--exclude") == 50


def test_without_a_look_at_the_roles_that_is_what_is_advised() -> None:
    new, missing = row("New", State.UNCOVERED), row("M", State.MISSING)
    circumstances = Circumstances(profile="hub", asked="a b")
    look = "onboard status org.yaml --organization --profile 'a b'"
    of = statuses.status(new, missing, roles=False, tried=False, advised=circumstances)
    assert commands(of) == [look, look]
    drifted = row("D", State.DRIFTED)
    sandbox = Circumstances(sandbox=True, selection=("--only", "D"))
    of = statuses.status(drifted, organization=False, roles=False, selected=True, advised=sandbox)
    assert commands(of) == ["onboard status org.yaml --only D --sandbox"]


@pytest.mark.parametrize(
    "stays", [row("Other", State.GONE), row("D", State.DATADOG), row("O", State.GONE, error=None)]
)
def test_an_account_that_another_organization_may_have_is_not_disabled(stays: Standing) -> None:
    closed = [
        row(f"C{n}", State.GONE, notes=(NotActive(state="CLOSED"),), account_id=f"{n:012}")
        for n in range(6)
    ]
    told = commands(statuses.status(*closed))
    assert told == [
        "onboard init --organization --update org.yaml --disable-closed --max-disabled 6"
    ]
    assert commands(statuses.status(*closed, stays)) == []
    coming = row("P", State.GONE, notes=(NotActive(state="PENDING_ACTIVATION"),))
    assert commands(statuses.status(*closed, coming)) == told


def test_a_path_that_cannot_be_pasted_gives_no_command() -> None:
    assert commands(replace(typical(), manifest="a\nb.yaml")) == []
    assert commands(replace(typical(), manifest="-")) == [], "nobody can give it again"
    assert " ./-x.yaml" in commands(replace(typical(), manifest="-x.yaml"))[0]


def test_the_json_is_the_readmes_and_comes_back() -> None:
    told = report.to_json(typical())
    assert list(told) == [
        "schema",
        "command",
        "manifest",
        "organization",
        "roles",
        "checked_at",
        "coverage",
        "summary",
        "accounts",
    ]
    assert (told["command"], told["coverage"]) == ("status", 0.5)
    assert list(told["summary"]) == [
        "total",
        "onboarded",
        "drifted",
        "missing",
        "unreachable",
        "disabled",
        "unlisted",
        "datadog",
        "uncovered",
        "gone",
    ]
    assert told["accounts"][8] == {
        "name": "By hand",
        "account_id": "111122223333",
        "ou": "Labs",
        "state": "unlisted",
        "in_manifest": False,
        "cloudcraft_ids": ["a", "b"],
        "actions": [],
        "notes": ["twice"],
        "error": None,
    }
    back = report.from_json(json.loads(report.render(typical(), ".json")))
    assert isinstance(back, Status)
    assert report.to_json(back) == told
    # Profile, sandbox, which entries are known: what a command needs is not in the report.
    saved = "A saved report holds no commands; `onboard status` tells what to do."
    assert lines(back) == [*(line for line in lines(typical()) if " onboard " not in line), saved]
    assert not commands(back)
    page, text = report.render(back, ".html"), report.render(back, ".md")
    assert "A saved report holds no commands; <code>onboard status</code>" in page
    assert "A saved report holds no commands; <code>onboard status</code>" in text
    assert "org.yaml --" not in page + text
    settled = report.from_json(report.to_json(statuses.status(row("A"))))
    assert "saved report" not in report.render(settled, ".html") + report.render(settled, ".md")


@pytest.mark.parametrize(
    "broken", [{"accounts": [{}]}, {"accounts": 3}, {"schema": 7}, {"checked_at": "today"}]
)
def test_what_is_no_status_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        report.from_json({**report.to_json(typical()), **broken})


def test_csv_has_a_row_for_each_account() -> None:
    rows = list(csv.DictReader(io.StringIO(report.render(typical(), ".csv"))))
    assert [each["state"] for each in rows] == [a.state.word for a in typical().accounts]
    assert rows[8]["cloudcraft_ids"] == "a b"
    assert rows[3]["error_code"] == "AccessDenied"


def test_junit_fails_what_is_open() -> None:
    suite = ET.fromstring(report.render(typical(), ".xml")).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("9", "6", "1")
    failed = {
        case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None
    }
    assert "New (111122223333)" in failed
    assert "Watched (111122223333)" not in failed


def test_markdown_tells_what_is_open_first() -> None:
    told = report.render(typical(), ".md")
    assert told.startswith("### ⚠️ onboard status: <code>org.yaml</code>\n\n**Coverage 50")
    assert "#### 1 missing" in told
    assert told.index("#### 1 missing") < told.index("1 onboarded</summary>")
    calm = report.render(statuses.status(row("A")), ".md")
    assert calm.startswith("### ✅")
    assert "Nothing to do" in calm


def test_annotations_are_for_what_is_open() -> None:
    told = github.annotations(typical())
    assert len(told) == 6
    assert all(line.startswith("::warning file=org.yaml,") for line in told)
    assert sum(",line=7" in line for line in told) == 4
    assert any("title=1 account uncovered" in line and "Lab" in line for line in told)
    assert github.annotations(statuses.status(row("A"), row("B", State.DISABLED))) == []


def test_hostile_names_stay_text_everywhere() -> None:
    evil = "<script>alert(1)</script>\x1b[31m|`x`"
    of = statuses.status(row(evil, State.MISSING, ou=evil), row(evil, State.UNCOVERED, ou=evil))
    assert "\x1b" not in "\n".join(lines(of))
    page = report.render(of, ".html")
    assert "<script>alert" not in page
    assert "<script>" not in report.render(of, ".md").replace("<summary>", "")
    ET.fromstring(report.render(of, ".xml"))


# --- the picture ---------------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=60), st.floats(0.2, 5))
def test_a_treemap_fills_its_place_without_overlaps(values: list[float], shape: float) -> None:
    whole = Rectangle(x=0, y=0, width=shape, height=1)
    found = squarified(sorted(values, reverse=True), whole)
    assert len(found) == len(values)
    assert sum(each.area for each in found) == pytest.approx(whole.area)
    for value, each in zip(sorted(values, reverse=True), found, strict=True):
        assert each.area == pytest.approx(value / sum(values) * whole.area, rel=1e-3, abs=1e-9)
        assert each.x >= -1e-9
        assert each.y >= -1e-9
        assert each.x + each.width <= shape + 1e-6
        assert each.y + each.height <= 1 + 1e-6


def test_thousands_of_units_are_one_page() -> None:
    accounts = [row(f"A{n}", ou=f"Top{n % 900 % 7}/Unit{n % 900}") for n in range(4000)]
    page = report.render(statuses.status(*accounts), ".html")
    assert page.count('class="tile') == 151
    assert "750 smaller OUs" in page
