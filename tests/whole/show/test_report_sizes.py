"""Comments on GitHub for thousands of accounts, a second each; `tests/pure/show` has the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudcraft_onboard.model import Command, Outcome, Result
from tests.pure.show.test_report_markdown import render
from tests.support.markup import from_markdown
from tests.support.reports import NEW, denied, report, result


@pytest.mark.parametrize("command", [Command.PLAN, Command.RUN])
@pytest.mark.parametrize("kind", ["alike", "each its own", "failed", "unchanged", "noted"])
def test_five_thousand_accounts_fit_a_comment(command: Command, kind: str) -> None:
    def one(i: int) -> Result:
        name, account_id = f"A fairly long account name {i}", f"{i:012d}"
        if kind == "failed":
            failed = denied(name, account_id)
            assert failed.error is not None
            return replace(failed, error=replace(failed.error, code=f"Code{i}"))
        outcome = Outcome.UNCHANGED if kind == "unchanged" else Outcome.CREATED
        notes = (f"note {i}",) if kind == "noted" else ()
        made = result(name, outcome, account_id=account_id, notes=notes)
        if kind == "each its own":
            after = {"name": name, "region": f"eu-west-{i}"}
            last = replace(NEW[-1], after=after)
            made = replace(made, changes=(*made.changes[:-1], last))
        return made

    told = render(report(*map(one, range(5000)), command=command))
    assert len(told) <= 65_536
    assert from_markdown(told).tags[0] == "h3"
    assert "5,000" in told


@pytest.mark.parametrize("command", [Command.PLAN, Command.RUN])
def test_the_worst_of_five_thousand_accounts_fits_a_comment(command: Command) -> None:
    """Every account and every cause is different, and whatever can be long is."""

    def one(i: int) -> Result:
        name = f"{i} {'a long name ' * 9}"
        if i % 2:
            failed = denied(name, f"{i:012d}")
            assert failed.error is not None
            said = f"{i} {'so said AWS ' * 90}"
            return replace(failed, error=replace(failed.error, message=said, hint=said))
        tags = {f"key{n}": f"{i} {'value ' * 20}" for n in range(20)}
        made = result(name, account_id=f"{i:012d}", notes=(f"{i} {'a note ' * 20}",))
        role = replace(NEW[0], after={**(NEW[0].after or {}), "tags": tags})
        return replace(made, changes=(role, *made.changes[1:]))

    told = render(report(*map(one, range(5000)), command=command))
    assert 50_000 < len(told) <= 65_536
    assert "2,500 to create" in told if command is Command.PLAN else "2,500 created" in told
    assert told.count("#### x ") > 10
    assert told.endswith("see the JSON or HTML report.*\n")
