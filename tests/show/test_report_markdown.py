from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.report import markdown
from tests.support.markup import from_markdown
from tests.support.reports import denied, report, result, typical

HARMLESS = {
    "h3", "h4", "p", "strong", "code", "span", "blockquote", "details", "summary", "br",
    "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
}  # fmt: skip


def test_the_summary_line_and_failures_come_first() -> None:
    told = markdown.render(typical()).split("\n\n")
    assert told[0] == "### ❌ onboard run: <code>manifests/org.yaml</code>"
    assert told[1].startswith("**5 accounts: 1 created, 1 updated, 1 unchanged, 1 failed")
    assert told[2] == "#### x AccessDenied: 1 account failed"
    assert told[3] == "Payments"
    assert told[4].startswith("> User: arn:aws:iam::999988887777:user/ops is not authorized")
    assert told[5].startswith("**→ let the role's trust policy name")
    assert told[6] == "<details>\n<summary>+ 1 created</summary>"


def test_a_plan_says_what_is_to_do_and_why() -> None:
    told = markdown.render(typical(Command.PLAN))
    assert "<summary>+ 1 to create</summary>" in told
    assert "| Production | 111122223333 | &#43; create-role the role does not exist<br>" in told


def test_pending_accounts_say_how_to_go_on() -> None:
    told = markdown.render(report(result("A", Outcome.PENDING)))
    assert told.startswith("### ⏳")
    assert "**1 account pending**: run the same command again" in told


def test_the_same_cause_stands_once() -> None:
    told = markdown.render(report(*(denied(f"T{i}", f"{i:012d}") for i in range(40))))
    assert told.count("is not authorized") == 1
    assert "x AccessDenied: 40 accounts failed" in told
    assert "T19 and 20 more" in told


@settings(max_examples=200, deadline=None)
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example("a | b")
@example("`code` *bold* _it_ ~~no~~ [x](y) <b>&amp; \\ 1. - # @team http://x.y www.x.y $a$")
@example("line\nbreak\r\nagain")
@example("- list")
@example("1. list")
@example("&lt;b&gt;")
def test_names_stay_what_they_are(name: str) -> None:
    page = from_markdown(markdown.render(report(result(name))))
    assert set(page.tags) <= HARMLESS
    ((cell, *_rest),) = page.cells[1:]
    assert cell.split() == text.clean(name).split()


@settings(max_examples=100, deadline=None)
@given(message=st.text(st.characters(codec="utf-8"), max_size=60))
def test_messages_start_no_structure(message: str) -> None:
    failed = denied("A")
    assert failed.error is not None
    failed = replace(failed, name=message or "A", error=replace(failed.error, message=message))
    page = from_markdown(markdown.render(report(failed)))
    assert set(page.tags) <= HARMLESS - {"ul", "li", "table"}


@pytest.mark.parametrize("mention", ["@team", "#12"])
def test_nobody_is_notified_by_a_name(mention: str) -> None:
    # GitHub looks into single text nodes, so the sign has one of its own.
    assert markdown.escaped(mention) == f"<span>{mention[0]}</span>{mention[1:]}"
