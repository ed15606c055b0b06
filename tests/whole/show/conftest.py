from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Page, browser


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser, for one page after another."""
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page
