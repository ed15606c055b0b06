"""Which tests share a process: those whose fixtures take seconds to import or to start."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

SLOW = frozenset({"_moto", "server", "chromium", "built"})
"""Those fixtures."""

GROUPS = {
    "tests/whole/aws/test_organizations.py": "organizations",
    "tests/whole/aws/test_stackset.py": "stack sets",
    "tests/whole/cli/test_init.py": "organizations",
    "tests/whole/cli/test_init_organization.py": "organizations",
    "tests/whole/cli/test_nights.py": "organizations",
    "tests/whole/engine/test_stackset_run.py": "stack sets",
    "tests/whole/plan/test_template.py": "stack sets",
    "tests/whole/show/test_browser.py": "pages",
    "tests/whole/show/test_pages.py": "pages",
    "tests/whole/show/test_status_browser.py": "pages",
    "tests/whole/test_release.py": "organizations",
}


def group_of(nodeid: str) -> str | None:
    """The group of a test; most have none."""
    return GROUPS.get(nodeid.partition("::")[0])


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Groups as a whole, the largest first; every other test wherever there is room.

    xdist's own groups are told by a mark, which pytest 9.2 does not let through
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid


def check(items: list[pytest.Item]) -> None:
    """Fail for a test of these fixtures that stands in no group: each process would start them."""
    strays = {
        item.nodeid
        for item in items
        if SLOW & set(getattr(item, "fixturenames", ())) and not group_of(item.nodeid)
    }
    if strays:
        raise pytest.UsageError(f"tests/support/groups.py has no group for {sorted(strays)}")
