"""The system's Chromium, driven by playwright, and a person in front of a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.programs import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Page

_EYES = """
window.shown = function () {
  return Array.from(document.querySelectorAll("tbody tr")).filter(function (row) {
    return row.offsetParent !== null;
  }).map(function (row) { return row.cells[0].textContent; });
};
window.type = function (text) {
  var search = document.getElementById("search");
  search.value = text;
  search.dispatchEvent(new Event("input"));
};
"""
"""What a person does with a page: reads the names that are shown, and searches."""


@contextmanager
def browser() -> Iterator[Page]:
    """An empty page of Chromium; scripts may call the functions of `_EYES`."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, for few tests

    with sync_playwright() as playwright:
        # Nobody else's pages are opened, so root needs no sandbox; a container's /dev/shm is small.
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM.path, args=flags)
        page = chromium.new_page()
        page.add_init_script(_EYES)
        yield page
        chromium.close()


def show(page: Page, text: str, folder: Path, width: int, *, dark: bool = False) -> None:
    """Show the page with this text on a screen of this width, until it is there as a whole."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(media="screen", color_scheme="dark" if dark else "light")
    page.goto(file.as_uri())
