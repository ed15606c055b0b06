from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.report import markdown
from cloudcraft_onboard.show.told import Told, document
from tests.support.examples import examples
from tests.support.markup import from_markdown
from tests.support.reports import denied, report, result, typical

HARMLESS = {
    "h3", "h4", "p", "strong", "code", "span", "blockquote", "details", "summary", "br",
    "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
}  # fmt: skip


def render(told: Told) -> str:
    return markdown.render(document(told))


def brief(told: Told) -> str:
    return markdown.render_brief(document(told))


def test_the_summary_line_and_failures_come_first() -> None:
    told = render(typical()).split("\n\n")
    assert told[0] == "### ❌ onboard run: <code>manifests/org.yaml</code>"
    assert told[1].startswith("**5 accounts: 1 created, 1 updated, 1 unchanged, 1 failed")
    assert told[2] == "#### x sts:AssumeRole denied (reach): 1 account"
    assert told[3] == "Payments"
    assert told[4].startswith("> User: arn:aws:iam::999988887777:user/ops is not authorized")
    assert told[5].startswith("**→ let the role's trust policy name")
    assert told[6] == "<details>\n<summary>+ 1 created</summary>"


def test_a_plan_says_what_is_to_do_and_why() -> None:
    told = render(typical(Command.PLAN)).split("\n\n")
    assert told[6:10] == [
        "#### &#43; Production (111122223333) to create",
        (
            "- &#43; <code>create-role</code> trusts 912185983511 with external ID 4414aef4, "
            "max session 1 h, path /, tags ManagedBy=cloudcraft-onboard\n"
            "- &#43; <code>attach-policy</code> ReadOnlyAccess\n"
            "- &#43; <code>register</code> region us-east-1"
        ),
        "#### &#126; 결제 서비스 (333344445555) to update",
        "- &#126; <code>update-trust</code> external ID older → 4414aef4",
    ]


def test_identical_changes_stand_once_with_their_accounts() -> None:
    new = [result(f"n{i}", account_id=f"{i:012d}") for i in range(30)]
    told = render(report(*new, command=Command.PLAN))
    assert "#### &#43; 30 accounts to create" in told
    assert "<summary>n0, n1, n2, n3, n4, n5, n6, n7 and 22 more</summary>" in told
    assert "n28, n29" in told
    assert told.count("create-role") == 1


def test_causes_beyond_the_most_are_counted() -> None:
    failed = [denied(f"T{i}") for i in range(50)]
    errors = [each.error for each in failed]
    other = [
        replace(each, error=replace(error, code=f"Code{i}"))
        for i, (each, error) in enumerate(zip(failed, errors, strict=True))
        if error is not None
    ]
    told = brief(report(*other))
    assert told.count("#### x ") == 40
    assert told.endswith("*… and 10 more causes, 10 accounts*\n")


def test_pending_accounts_say_how_to_go_on() -> None:
    told = render(report(result("A", Outcome.PENDING)))
    assert told.startswith("### ⏳")
    assert "**1 account pending**: run the same command again" in told


def test_the_same_cause_stands_once() -> None:
    told = render(report(*(denied(f"T{i}", f"{i:012d}") for i in range(40))))
    assert told.count("is not authorized") == 1
    assert "x sts:AssumeRole denied (reach): 40 accounts" in told
    assert "T19 and 20 more" in told


@examples(200)
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example("a | b")
@example("`code` *bold* _it_ ~~no~~ [x](y) <b>&amp; \\ 1. - # @team http://x.y www.x.y $a$")
@example("line\nbreak\r\nagain")
@example("- list")
@example("1. list")
@example("&lt;b&gt;")
def test_names_stay_what_they_are(name: str) -> None:
    page = from_markdown(render(report(result(name))))
    assert set(page.tags) <= HARMLESS
    ((cell, *_rest),) = page.cells[1:]
    assert cell.split() == text.clean(name).split()


@examples(100)
@given(message=st.text(st.characters(codec="utf-8"), max_size=60))
def test_messages_start_no_structure(message: str) -> None:
    failed = denied("A")
    assert failed.error is not None
    failed = replace(failed, name=message or "A", error=replace(failed.error, message=message))
    page = from_markdown(render(report(failed)))
    assert set(page.tags) <= HARMLESS - {"ul", "li", "table"}


@pytest.mark.parametrize("mention", ["@team", "#12"])
def test_nobody_is_notified_by_a_name(mention: str) -> None:
    # GitHub looks into single text nodes, so the sign has one of its own.
    assert markdown.escaped(mention) == f"<span>{mention[0]}</span>{mention[1:]}"


def test_a_runs_table_tells_the_same_changes_once() -> None:
    new = [result(f"n{i}", account_id=f"{i:012d}") for i in range(30)]
    told = render(report(*new, result("Odd", Outcome.UPDATED)))
    assert told.count("create-role") == 1
    assert "<summary>+ 30 created</summary>" in told
    assert "n28, n29 | 30 accounts |" in told
    assert "| Odd | 111122223333 |" in told


def test_commands_look_like_code() -> None:
    failed = denied("A")
    assert failed.error is not None
    hint = "Run `aws sso login --profile <x>` and try again."
    told = render(report(replace(failed, error=replace(failed.error, hint=hint))))
    assert "**→ Run <code>aws sso login --profile &#60;x&#62;</code> and try again.**" in told
