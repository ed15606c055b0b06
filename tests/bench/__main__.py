"""`make bench`: every benchmark, the long ones with less, and one table of all figures at the end.

About ten minutes. Figures are ratios of one run on one machine (memory: MB); none is a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench import aws, concurrency, organization, pace, reads, settle, sources, view
from tests.bench.table import say, table


def main() -> int:
    """Measure all, print the table; 1 when an aim was missed."""
    parts: dict[str, Callable[[], object]] = {
        "AWS and memory, beside a thread pool and botocove": lambda: aws.main(
            ["--accounts", "200", "600", "1000"]
        ),
        "sources of credentials": sources.main,
        "AWS Organizations, beside the plain list": lambda: organization.main([]),
        "a new role's age": settle.main,
        "accounts at a time": concurrency.main,
        "the first reads, beside one after the other": reads.main,
        "the live view, beside none": view.main,
        "pace": lambda: pace.main(["--short"]),
    }
    for name, part in parts.items():
        say(f"\n== {name}")
        part()
    return 0 if table() else 1


if __name__ == "__main__":
    sys.exit(main())
