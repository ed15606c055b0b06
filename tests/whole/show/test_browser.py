"""The HTML report in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudcraft_onboard.model import Outcome, Report
from cloudcraft_onboard.show.report import html
from cloudcraft_onboard.show.told import Told, document
from tests.support.browser import show
from tests.support.programs import CHROMIUM
from tests.support.reports import denied, report, result, typical

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = CHROMIUM.or_skip

# As a person would: types, clicks, reads what is shown.
PROBE = """
(function () {
  var told = {};
  var parts = Array.from(document.querySelectorAll(".chart i"));
  told.chart = parts.map(function (part) { return Math.round(part.offsetWidth); });
  told.all = shown().length;
  type("not authorized"); told.search = shown();
  type("no such account"); told.none = [shown(), document.getElementById("none").hidden];
  type("");
  var chip = document.querySelector('.chip[data-outcome="failed"]');
  chip.click(); told.filter = shown(); chip.click();
  var show = document.querySelector('.show');
  show.click(); told.group = shown(); show.click();
  var badge = document.querySelector("tbody .badge").getBoundingClientRect();
  told.cut = badge.right > window.innerWidth;
  var began = performance.now();
  var names = document.querySelector("th button");
  names.click(); told.up = shown().slice(0, 3);
  names.click(); told.down = shown().slice(0, 3);
  names.click(); told.again = shown().slice(0, 3);
  told.spent = performance.now() - began;
  told.wide = document.documentElement.scrollWidth > window.innerWidth;
  return told;
})()
"""


def render(told: Told) -> str:
    return html.render(document(told))


def looked_at(chromium: Page, tmp_path: Path, of: Report, width: int = 1200) -> dict[str, Any]:
    """What the probe saw of the report's page."""
    show(chromium, render(of), tmp_path, width)
    told: dict[str, Any] = chromium.evaluate(PROBE)
    return told


@pytest.mark.parametrize("width", [1200, 700, 390])
def test_search_filter_and_sort(chromium: Page, tmp_path: Path, width: int) -> None:
    told = looked_at(chromium, tmp_path, typical(), width)
    assert told["all"] == 5
    assert len(told["chart"]) == 5
    assert max(told["chart"]) - min(told["chart"]) <= 1
    assert told["search"] == ["Payments"]
    assert told["none"] == [[], False]
    assert told["filter"] == ["Payments"]
    assert told["group"] == ["Payments"], "a cause's card shows its accounts"
    assert not told["cut"], "the outcome is on the screen"
    assert told["up"] == ["Data 🚀", "Legacy", "Payments"]
    assert told["down"] == ["결제 서비스", "Production", "Payments"]
    assert told["again"] == ["Payments", "Production", "결제 서비스"], "failures first"
    assert not told["wide"], "the page itself never scrolls sideways"


def test_five_thousand_accounts(chromium: Page, tmp_path: Path) -> None:
    many = [
        result(f"Team {i}", Outcome.UNCHANGED if i % 3 else Outcome.CREATED) for i in range(4990)
    ]
    told = looked_at(chromium, tmp_path, report(*many, *(denied(f"Bad {i}") for i in range(10))))
    assert told["all"] == 5000
    assert len(told["search"]) == 10
    assert told["up"] == ["Bad 0", "Bad 1", "Bad 2"]
    assert told["down"] == ["Team 4989", "Team 4988", "Team 4987"]
    assert min(told["chart"]) >= 4, "ten failures among thousands are seen"


def test_the_filter_stands_in_the_address_and_comes_back_with_it(
    chromium: Page, tmp_path: Path
) -> None:
    accounts = [
        result(
            f"Team {n}",
            Outcome.UPDATED if n % 3 else Outcome.CREATED,
            tags={"ou": f"Prod/{n % 2}", "team": f"a&b={n % 5}"},
        )
        for n in range(200)
    ]
    show(chromium, render(report(*accounts)), tmp_path, 1200)
    chromium.select_option("select[data-tag0]", "Prod/1")
    chromium.click('.chip[data-outcome="created"]')
    chromium.select_option("select[data-tag1]", "a&b=3")
    wanted = [f"Team {n}" for n in range(200) if n % 2 and not n % 3 and n % 5 == 3]
    assert chromium.evaluate("shown()") == wanted
    assert chromium.text_content("#shown") == f"{len(wanted)} of 200"
    address = chromium.url
    assert address.endswith("#outcome=created&tag-ou=Prod%2F1&tag-team=a%26b%3D3")

    chromium.goto("about:blank")
    chromium.goto(address)
    assert chromium.evaluate("shown()") == wanted
    assert chromium.get_attribute('.chip[data-outcome="created"]', "aria-pressed") == "true"
    assert chromium.input_value("select[data-tag1]") == "a&b=3"
    chromium.click("#all")
    assert "#" not in chromium.url
    assert chromium.input_value("select[data-tag0]") == ""

    chromium.evaluate("type('team 199')")
    assert chromium.evaluate("location.hash") == "#search=team+199"
    chromium.evaluate("location.hash = '#outcome=updated&search=team+10'")
    chromium.wait_for_function("document.getElementById('search').value === 'team 10'")
    assert chromium.evaluate("shown()")[0] == "Team 10"
