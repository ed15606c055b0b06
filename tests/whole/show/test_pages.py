"""What both pages promise whoever looks at them, on any screen and on paper, in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudcraft_onboard.coverage.words import State
from cloudcraft_onboard.model import Command, Outcome
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.told import Told
from tests.support import statuses
from tests.support.browser import show
from tests.support.programs import CHROMIUM
from tests.support.reports import denied, report, result, typical

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = CHROMIUM.or_skip

LONG = "arn:aws:sts::222233334444:assumed-role/OrganizationAccountAccessRole/cloudcraft-onboard"
NAME = "An account with a rather long name of many words " * 3
PAGES: dict[str, Told] = {
    "run": report(
        *typical().results,
        result(NAME, Outcome.PENDING, notes=("it waits for `a slot`",)),
        result("x" * 90, Outcome.REMOVED),
        denied("A", error=replace(statuses.DENIED, message=f"{LONG} `{'y' * 120}`")),
    ),
    "plan": report(
        *typical(Command.PLAN).results,
        result("Twin", tags={"ou": "Prod/A rather long name of an OU/And another", "env": "x"}),
        result("Other", tags={"ou": "Labs", "env": "y" * 90}),
        denied("B"),
        command=Command.PLAN,
    ),
    "status": statuses.status(
        *statuses.typical().accounts,
        statuses.standing(NAME, State.DRIFTED, ou="Prod/A rather long name of an OU/And another"),
        statuses.standing("z" * 90, State.MISSING, ou="y" * 90, error=statuses.DENIED),
    ),
}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """The text of a page, with whatever is long or rare in it."""
    return reports.render(PAGES[request.param], ".html")


# Every text that is seen, with less contrast to what is behind it than WCAG 2.2 asks for (1.4.3).
FAINT = """
(function () {
  var canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  function light(colour) {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    var parts = Array.from(canvas.getImageData(0, 0, 1, 1).data).slice(0, 3).map(function (part) {
      part /= 255;
      return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  }
  function behind(element) {
    for (; element; element = element.parentElement) {
      var colour = getComputedStyle(element).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") { return light(colour); }
    }
    return 1;
  }
  var faint = new Set();
  var texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    var text = texts.currentNode.textContent.trim(), within = texts.currentNode.parentElement;
    if (!text || !within.offsetParent) { continue; }
    var both = [light(getComputedStyle(within).color), behind(within)].sort();
    var contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (contrast < 4.5) { faint.add(text + " " + contrast.toFixed(2)); }
  }
  return Array.from(faint);
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_is_easy_to_read(
    chromium: Page, tmp_path: Path, page: str, *, dark: bool
) -> None:
    show(chromium, page, tmp_path, 1280, dark=dark)
    background = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(16, 20, 28)") is dark
    assert chromium.evaluate(FAINT) == []
    chromium.emulate_media(media="print")
    assert chromium.evaluate(FAINT) == []


@pytest.mark.parametrize("width", [1280, 1001, 1000, 390, 320])
def test_nothing_is_cut_off_or_scrolls_sideways(
    chromium: Page, tmp_path: Path, page: str, width: int
) -> None:
    show(chromium, page, tmp_path, width)
    outside = """
    Array.from(document.querySelectorAll("main *:not(.tile *)")).filter(function (one) {
      var at = one.getBoundingClientRect();
      return at.width && (at.right > innerWidth + 1 || at.left < 0);
    }).map(function (one) { return one.outerHTML.slice(0, 80); })
    """
    assert chromium.evaluate(outside) == []
    assert chromium.evaluate("document.documentElement.scrollWidth") == width
    covered = """
    Array.from(document.querySelectorAll("tbody tr")).filter(function (row) {
      var text = document.createRange();
      text.selectNodeContents(row.firstElementChild);
      var name = text.getBoundingClientRect();
      var badge = row.querySelector(".badge").getBoundingClientRect();
      return name.right + 9 > badge.left && name.top < badge.bottom && badge.top < name.bottom;
    }).map(function (row) { return row.textContent.slice(0, 80); })
    """
    assert chromium.evaluate(covered) == [], "a name does not run into the outcome"


def test_paper_gets_a_table(chromium: Page, tmp_path: Path, page: str) -> None:
    show(chromium, page, tmp_path, 718)  # A4 without its margins
    chromium.emulate_media(media="print")
    display = "getComputedStyle(document.querySelector('td')).display"
    assert chromium.evaluate(display) == "table-cell"
    assert chromium.evaluate("document.documentElement.scrollWidth") == 718
    assert chromium.evaluate("document.querySelector('th.told').offsetWidth") > 120
    for button in (".show", "#search"):
        assert not chromium.evaluate(f"document.querySelector('{button}').offsetParent")


def test_all_of_it_works_by_keyboard(chromium: Page, tmp_path: Path, page: str) -> None:
    show(chromium, page, tmp_path, 1280)
    everything = chromium.evaluate("shown().length")
    chromium.keyboard.press("Tab")
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert chromium.evaluate("document.activeElement.className") == "chip"
    assert chromium.evaluate(ring) == "solid", "where one is, is seen"
    chromium.keyboard.press("Enter")
    assert 0 < chromium.evaluate("shown().length") < everything
    chromium.keyboard.press("Space")
    assert chromium.evaluate("shown().length") == everything
    for _ in range(60):
        chromium.keyboard.press("Tab")
        assert chromium.evaluate(ring) == "solid"
        if chromium.evaluate("document.activeElement.parentElement.tagName") == "TH":
            break
    chromium.keyboard.press("Enter")
    assert (
        chromium.evaluate("document.querySelector('th').getAttribute('aria-sort')") == "ascending"
    )


def test_what_a_screen_reader_says(chromium: Page, tmp_path: Path, page: str) -> None:
    show(chromium, page, tmp_path, 390)
    tree = chromium.context.new_cdp_session(chromium).send("Accessibility.getFullAXTree")
    told = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree["nodes"]
        if not node["ignored"]
    ]
    assert all(name for role, name in told if role in ("button", "searchbox", "heading"))
    assert ("button", "Account") in told, "without the arrow"
    roles = [role for role, _ in told]
    rows = chromium.evaluate("document.querySelectorAll('tr').length")
    assert roles.count("table") == 1, "cards on a phone are a table still"
    assert roles.count("row") == rows
    assert "status" in roles, "how many are shown, is said"


def test_a_card_shows_its_accounts_and_one_button_all_again(
    chromium: Page, tmp_path: Path, page: str
) -> None:
    show(chromium, page, tmp_path, 1280)
    everything = chromium.evaluate("shown().length")
    hidden = "document.getElementById('all').hidden"
    assert chromium.evaluate(hidden)
    chromium.evaluate("type('no such account')")
    cards = chromium.evaluate("document.querySelectorAll('.show[aria-pressed]').length")
    for number in range(cards):
        press = f"document.querySelectorAll('.show[aria-pressed]')[{number}]"
        chromium.evaluate(f"{press}.click()")
        told = chromium.evaluate(f"{press}.textContent")
        many = chromium.evaluate("shown().length")
        assert told == ("Show this account" if many == 1 else f"Show these {many} accounts")
        assert chromium.evaluate("document.getElementById('shown').textContent") == (
            f"{many} of {everything}"
        )
    assert not chromium.evaluate(hidden)
    chromium.evaluate("document.getElementById('all').click()")
    assert chromium.evaluate("shown().length") == everything
    assert chromium.evaluate("document.querySelectorAll('[aria-pressed=true]').length") == 0
    assert chromium.evaluate(hidden)


def test_every_link_leads_to_a_card_that_is_there(
    chromium: Page, tmp_path: Path, page: str
) -> None:
    show(chromium, page, tmp_path, 1280)
    broken = """
    Array.from(document.querySelectorAll("a")).filter(function (link) {
      return !document.querySelector("article" + link.hash + ", article " + link.hash);
    }).length
    """
    assert chromium.evaluate("document.querySelectorAll('a').length") > 0
    assert chromium.evaluate(broken) == 0
    assert "`" not in chromium.evaluate("document.querySelector('main').textContent")
