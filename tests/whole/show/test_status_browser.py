"""The page of `onboard status` in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudcraft_onboard.coverage.words import State, Status
from cloudcraft_onboard.show.report import html
from cloudcraft_onboard.show.told import Told, document
from tests.support import statuses
from tests.support.browser import show
from tests.support.programs import CHROMIUM
from tests.support.statuses import standing

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = CHROMIUM.or_skip

# As a person would: clicks, types, reads what is shown.
PROBE = """
(function () {
  var told = {};
  var tiles = Array.from(document.querySelectorAll(".tile"));
  var map = document.querySelector(".map");
  told.tiles = tiles.map(function (tile) {
    var at = tile.getBoundingClientRect();
    return {label: tile.getAttribute("aria-label"), area: Math.round(at.width * at.height),
            left: at.left, right: at.right, top: at.top, bottom: at.bottom,
            focusable: (tile.focus({preventScroll: true}), document.activeElement === tile)};
  });
  if (map) {
    var place = map.getBoundingClientRect();
    told.map = {area: Math.round(place.width * place.height), left: place.left, right: place.right,
                top: place.top, bottom: place.bottom};
  }
  told.labelled = Array.from(document.querySelectorAll("[aria-labelledby]")).every(function (it) {
    return document.getElementById(it.getAttribute("aria-labelledby"));
  });
  told.all = shown().length;
  var shop = tiles.find(function (tile) {
    return tile.getAttribute("aria-label").startsWith("Prod/Shop:");
  });
  if (shop) {
    shop.click();
    told.unit = shown();
    told.count = document.getElementById("shown").textContent;
    told.pressed = shop.getAttribute("aria-pressed");
    var drifted = document.querySelector('.chip[data-state="drifted"]');
    if (drifted) { drifted.click(); told.both = shown(); drifted.click(); }
    shop.click();
  }
  told.back = shown().length;
  type("not authorized"); told.search = shown();
  type("no such account"); told.none = [shown(), document.getElementById("none").hidden];
  type("");
  var began = performance.now();
  var heads = document.querySelectorAll("th button");
  heads[0].click(); told.up = shown().slice(0, 3);
  told.heads = Array.from(heads).map(function (head) { return head.textContent; });
  told.spent = performance.now() - began;
  told.codes = Array.from(document.querySelectorAll("code")).map(function (it) {
    return it.textContent;
  });
  told.wide = document.documentElement.scrollWidth > window.innerWidth;
  told.width = window.innerWidth;
  return told;
})()
"""


def render(told: Told) -> str:
    return html.render(document(told))


def looked_at(chromium: Page, tmp_path: Path, of: Status, width: int) -> dict[str, Any]:
    show(chromium, render(of), tmp_path, width)
    told: dict[str, Any] = chromium.evaluate(PROBE)
    return told


@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_filters_the_table(chromium: Page, tmp_path: Path, width: int) -> None:
    told = looked_at(chromium, tmp_path, statuses.typical(), width)
    assert told["width"] == width
    assert not told["wide"], "the page itself never scrolls sideways"
    assert {tile["label"] for tile in told["tiles"]} == {
        "Prod/Shop: 2 of 2 accounts covered, 100%",
        "Prod: 0 of 3 accounts covered, 0%",
        "Labs: 1 of 2 accounts covered, 50%",
        "(root): 1 of 1 account covered, 100%",
    }
    assert all(tile["focusable"] for tile in told["tiles"])
    assert told["labelled"]
    assert told["all"] == told["back"] == 9
    assert told["unit"] == ["Shop", "결제 서비스"]
    assert (told["count"], told["pressed"]) == ("2 of 9", "true")
    assert told["both"] == ["결제 서비스"]
    assert told["search"] == ["Locked"]
    assert told["none"] == [[], False]
    assert told["up"] == ["By hand", "Closed", "Lab"]
    assert "onboard run org.yaml --only New" in told["codes"]


@pytest.mark.parametrize("width", [1280, 390])
def test_areas_are_accounts_and_nothing_overlaps(
    chromium: Page, tmp_path: Path, width: int
) -> None:
    sizes = {"Prod/Shop": 40, "Prod/Data": 20, "Test": 20, "Labs/A": 10, "Labs/B": 10}
    accounts = [
        standing(f"{unit} {n}", ou=unit) for unit, count in sizes.items() for n in range(count)
    ]
    told = looked_at(chromium, tmp_path, statuses.status(*accounts), width)
    tiles, place = told["tiles"], told["map"]
    for tile in tiles:
        share = sizes[tile["label"].partition(":")[0]] / 100
        assert tile["area"] / place["area"] == pytest.approx(share, rel=0.02)
        assert tile["left"] >= place["left"] - 1
        assert tile["right"] <= place["right"] + 1
        assert tile["top"] >= place["top"] - 1
        assert tile["bottom"] <= place["bottom"] + 1
        for other in tiles:
            apart = (
                tile["right"] <= other["left"] + 1
                or other["right"] <= tile["left"] + 1
                or tile["bottom"] <= other["top"] + 1
                or other["bottom"] <= tile["top"] + 1
            )
            assert apart or tile is other


def test_without_organization_there_is_no_picture(chromium: Page, tmp_path: Path) -> None:
    accounts = [standing("A"), standing("B", State.MISSING)]
    told = looked_at(chromium, tmp_path, statuses.status(*accounts, organization=False), 1280)
    assert told["tiles"] == []
    assert told["heads"] == ["Account", "ID", "State", "Details"]
    assert told["all"] == 2


def test_ten_thousand_accounts(chromium: Page, tmp_path: Path) -> None:
    accounts = [
        standing(f"A{n}", State.ONBOARDED if n % 9 else State.UNREACHABLE, ou=f"U{n % 300}")
        for n in range(10_000)
    ]
    told = looked_at(chromium, tmp_path, statuses.status(*accounts), 1280)
    assert told["all"] == told["back"] == 10_000
    assert len(told["tiles"]) == 151
    assert len(told["search"]) == 1112
