from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.report import html
from cloudcraft_onboard.show.told import Told, document
from tests.support.examples import examples
from tests.support.markup import Page
from tests.support.reports import NEW, denied, report, result, typical


def render(told: Told) -> str:
    return html.render(document(told))


def test_every_account_is_a_row_failures_first() -> None:
    page = Page(render(typical()))
    assert [row[:3] for row in page.cells] == [
        ["Account", "ID", "Outcome"],
        ["Payments", "222233334444", "x failed"],
        ["Production", "111122223333", "+ created"],
        ["결제 서비스", "333344445555", "~ updated"],
        ["Data 🚀", "444455556666", "= unchanged"],
        ["Legacy", "012345678901", "/ skipped"],
    ]
    assert page.cells[1][3].startswith("sts:AssumeRole denied (reach) User: arn:aws:iam")
    assert ("aria-sort", "ascending") in page.attributes, "how the rows are sorted is seen"


def test_a_plan_says_what_is_to_do() -> None:
    page = render(typical(Command.PLAN))
    assert "<b>1</b> to create</button>" in page
    assert "2 accounts would change" in page
    assert "+ create-role <small>trusts 912185983511 with external ID 4414aef4, max " in page
    assert "external ID older → 4414aef4" in page
    assert "+ to create</span>" in page


def test_identical_changes_of_a_plan_stand_once() -> None:
    new = [result(f"T{i}", account_id=f"{i:012d}") for i in range(40)]
    page = render(report(*new, command=Command.PLAN))
    assert page.count("external ID 4414aef4") == 1
    assert '<article id="g1" class="created">' in page
    assert page.count('<a href="#g1">create-role, attach-policy, register</a>') == 40


def test_a_single_change_has_a_card_too_the_riskier_ones_in_front() -> None:
    plan = report(result("New"), result("Old", Outcome.UPDATED), command=Command.PLAN)
    heads = re.findall(r'<article id="(g\d)" class="(\w+)"><h3>(.*?)</h3>', render(plan))
    assert heads == [
        ("g1", "updated", "~ Old (111122223333) to update"),
        ("g2", "created", "+ New (111122223333) to create"),
    ]


def test_a_thousand_single_changes_are_no_thousand_cards() -> None:
    each = [
        result(f"T{n}", changes=(replace(NEW[0], after={"path": f"/{n}/"}),)) for n in range(1000)
    ]
    page = render(report(*each, command=Command.PLAN))
    assert page.count("<article") == 100
    assert "… and 900 more accounts, each with changes of its own" in page


def test_tags_that_tell_accounts_apart_are_filters() -> None:
    accounts = [
        result(f"T{n}", tags={"ou": f"Prod/{n % 2}", "same": "x", "<b>": f'"{n}'}) for n in range(4)
    ]
    page = Page(render(report(*accounts)))
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert [each for each in labels if each and each.startswith("Filter by ")] == [
        "Filter by outcome",
        "Filter by OU",
        "Filter by <b>",
    ]
    assert ("data-tag1", '"3') in page.attributes


def test_the_same_cause_stands_once_with_its_hint_and_the_way_to_its_accounts() -> None:
    page = render(report(*(denied(f"T{i}", f"{i:012d}") for i in range(40))))
    (failures,) = re.findall(r'<section class="groups">.*?</section>', page, re.DOTALL)
    assert failures.count("<article") == 1
    assert "40 accounts" in failures
    assert page.count("→ let the role") == 1
    assert page.count('data-group="c1"') == 41, "the button, and each account"


def test_commands_and_arns_look_like_code() -> None:
    failed = denied("A")
    assert failed.error is not None
    hint = "Run `onboard plan <x>`, or look at arn:aws:iam::222233334444:role/cloudcraft."
    page = render(report(replace(failed, error=replace(failed.error, hint=hint))))
    assert (
        "→ Run <code>onboard plan &lt;x&gt;</code>, or look at "
        "<code>arn:aws:iam::222233334444:role/cloudcraft</code>.</p>"
    ) in page


def test_nothing_comes_from_elsewhere() -> None:
    page = render(typical())
    links = [value for name, value in Page(page).attributes if name in ("src", "href", "action")]
    assert links
    assert all(link and link.startswith("#") for link in links)
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page)


@examples(100)
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_names_stay_what_they_are(name: str) -> None:
    hostile = f"{name}</td></script><script>alert(1)</script><img src=x onerror=alert(1)>$" + "{x}"
    page = Page(render(report(result(hostile, Outcome.PENDING, notes=(hostile,)))))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.cells[1][0] == text.clean(hostile)
    assert page.cells[1][3].endswith(re.sub("`([^`]+)`", r"\1", text.clean(hostile)).lstrip())
