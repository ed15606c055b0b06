from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.browser import browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Page]:
    """A page of a browser, for one text after another."""
    with browser() as page:
        yield page
