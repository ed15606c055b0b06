"""The HTML report in a real browser; skipped where there is no Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.model import Outcome, Report
from cloudcraft_onboard.show.report import html
from tests.support.reports import denied, report, result, typical

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
    pytest.mark.slow,
]

# Runs behind the page's own script, as a person would: types, clicks, reads what is shown.
PROBE = """
<script>
(function () {
  var told = {};
  function shown() {
    return Array.from(document.querySelectorAll("tbody tr")).filter(function (row) {
      return row.offsetParent !== null;
    }).map(function (row) { return row.cells[0].textContent; });
  }
  function type(text) {
    var search = document.getElementById("search");
    search.value = text;
    search.dispatchEvent(new Event("input"));
  }
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
  var result = document.createElement("pre");
  result.id = "told";
  result.textContent = JSON.stringify(told);
  document.body.appendChild(result);
})();
</script>
"""


def looked_at(tmp_path: Path, of: Report, width: int = 1200) -> dict[str, Any]:
    """What the probe saw of the report's page."""
    assert CHROMIUM is not None
    page = tmp_path / "report.html"
    page.write_text(html.render(of).replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    ended = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},900",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    told = re.search(r'<pre id="told">(.*?)</pre>', ended.stdout, re.DOTALL)
    assert told, ended.stderr[-2000:]
    parsed: dict[str, Any] = json.loads(unescape(told[1]))
    return parsed


@pytest.mark.parametrize("width", [1200, 700, 500])
def test_search_filter_and_sort(tmp_path: Path, width: int) -> None:
    told = looked_at(tmp_path, typical(), width)
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


def test_five_thousand_accounts(tmp_path: Path) -> None:
    many = [
        result(f"Team {i}", Outcome.UNCHANGED if i % 3 else Outcome.CREATED) for i in range(4990)
    ]
    told = looked_at(tmp_path, report(*many, *(denied(f"Bad {i}") for i in range(10))))
    assert told["all"] == 5000
    assert len(told["search"]) == 10
    assert told["up"] == ["Bad 0", "Bad 1", "Bad 2"]
    assert told["down"] == ["Team 4989", "Team 4988", "Team 4987"]
    assert min(told["chart"]) >= 4, "ten failures among thousands are seen"
