"""What every report says, whatever of: a run, a plan, a removal, or where the accounts stand.

`outcomes.py` and `standing.py` make it; the table at the terminal and each file format only lay it
out. Nothing in it depends on a format but what is particular to JUnit, its verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Literal

from cloudcraft_onboard.coverage.advice import Closing
from cloudcraft_onboard.coverage.words import Coverage
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Result
from cloudcraft_onboard.show.causes import CauseGroup
from cloudcraft_onboard.show.changes import Block, ChangeLine


@frozen
class Kind:
    """What rows are counted, coloured and filtered by: an outcome or a state.

    `label` is what one account is called, in a plan `to create`, and `counted` what many are;
    `style` is rich's; the lower its `rank`, the earlier are its rows to be seen.
    """

    word: str
    symbol: str
    label: str
    counted: str
    style: str
    rank: int
    meaning: str = ""


@frozen
class FailedCase:
    """What JUnit says of an account that needs something done."""

    type: str
    message: str
    text: str


@frozen
class SkippedCase:
    """What JUnit says of an account that was left out."""

    message: str


@frozen
class AccountRow:
    """One account. `unit` is the path of its OU, None where it is not known."""

    result: Result
    kind: Kind
    lines: tuple[ChangeLine, ...] = ()
    notes: tuple[str, ...] = ()
    unit: str | None = None
    case: str = ""
    verdict: FailedCase | SkippedCase | None = None


@frozen
class Open:
    """A kind of accounts that need something done: why, and the commands that do it."""

    kind: Kind
    rows: tuple[AccountRow, ...]
    causes: tuple[CauseGroup, ...]
    commands: tuple[Closing, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts."""
        return tuple(row.result.name for row in self.rows)


@frozen
class Covered:
    """What Cloudcraft sees: all in all, and of each OU by its path."""

    whole: Coverage
    told: str
    units: Mapping[str, Coverage] = field(default_factory=dict)

    def worst_first(self) -> list[tuple[str, Coverage]]:
        """The OUs that lack something, the least covered first, the larger one of two alike."""
        lacking = [(path, each) for path, each in self.units.items() if not each.whole]
        return sorted(lacking, key=lambda it: (it[1].share, it[1].seen - it[1].total, it[0]))


@frozen
class Document:
    """A report as people read it; times in UTC.

    `headline` and `totals` are the lines that count, the same one for a run; `calm` says that
    nothing is left to do, where that is so; `remark` what is not in the report. `rows` come in the
    report's order, `kinds` are those that there are, in the order in which they are told.
    """

    by: Literal["outcome", "state"]
    command: str
    title: str
    heading: str
    manifest: str
    mark: str
    headline: str
    totals: str
    verdict: str
    facts: tuple[str, ...]
    planned: bool
    kinds: tuple[tuple[Kind, int], ...]
    rows: tuple[AccountRow, ...]
    started_at: datetime
    seconds: float = 0.0
    properties: tuple[tuple[str, str], ...]
    calm: str = ""
    remark: str = ""
    pending: int = 0
    causes: tuple[CauseGroup, ...] = ()
    blocks: tuple[Block, ...] = ()
    open: tuple[Open, ...] = ()
    covered: Covered | None = None
    notes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    next_steps: tuple[str, ...] = ()

    def of(self, *words: str) -> tuple[AccountRow, ...]:
        """The rows of some kinds."""
        return tuple(row for row in self.rows if row.kind.word in words)
