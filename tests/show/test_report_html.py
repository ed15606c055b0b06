from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.report import html
from tests.support.markup import Page
from tests.support.reports import denied, report, result, typical


def test_every_account_is_a_row_in_the_manifests_order() -> None:
    page = Page(html.render(typical()))
    assert [row[:3] for row in page.cells] == [
        ["Account", "ID", "Outcome"],
        ["Production", "111122223333", "+ created"],
        ["결제 서비스", "333344445555", "~ updated"],
        ["Data 🚀", "444455556666", "= unchanged"],
        ["Payments", "222233334444", "x failed"],
        ["Legacy", "012345678901", "/ skipped"],
    ]
    assert "→ let the role's trust policy" in page.cells[4][3]


def test_a_plan_says_what_is_to_do() -> None:
    page = html.render(typical(Command.PLAN))
    assert "<b>1</b> to create</button>" in page
    assert '<th scope="col"><button type="button">To do</button></th>' in page


def test_the_same_cause_stands_once_among_the_failures() -> None:
    page = html.render(report(*(denied(f"T{i}", f"{i:012d}") for i in range(40))))
    (failures,) = re.findall(r'<section class="causes">.*?</section>', page, re.DOTALL)
    assert failures.count("<article>") == 1
    assert "40 accounts" in failures


def test_nothing_comes_from_elsewhere() -> None:
    page = html.render(typical())
    links = [value for name, value in Page(page).attributes if name in ("src", "href", "action")]
    assert links == []
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page)


@settings(max_examples=100, deadline=None)
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_names_stay_what_they_are(name: str) -> None:
    hostile = f"{name}</td></script><script>alert(1)</script><img src=x onerror=alert(1)>$" + "{x}"
    page = Page(html.render(report(result(hostile, Outcome.PENDING, notes=(hostile,)))))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.cells[1][0] == text.clean(hostile)
    assert page.cells[1][3].endswith(text.clean(hostile))
