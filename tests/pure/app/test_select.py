"""All options together select: patterns, and what a saved report calls unfinished."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudcraft_onboard.app.select import choose
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model import Account, Manifest, Outcome, Report
from cloudcraft_onboard.settings import Selection
from cloudcraft_onboard.show import report as reports
from tests.support import statuses
from tests.support.reports import denied, report, result

ACCOUNTS = (
    Account(name="One", account_id="111122223331", tags={"env": "prod"}),
    Account(name="Two", account_id="111122223332", tags={"env": "prod"}),
    Account(name="Three", profile="three", tags={"env": "test"}),
    Account(name="Four", account_id="111122223334", enabled=False),
)
MANIFEST = Manifest(path="org.yaml", accounts=ACCOUNTS)


def saved(folder: Path, told: Report) -> str:
    path = folder / "results.json"
    reports.write(str(path), told)
    return str(path)


def names(**options: object) -> list[str]:
    return [account.name for account in choose(MANIFEST, Selection(**options)).accounts]  # type: ignore[arg-type]


def test_without_options_it_is_the_whole_manifest() -> None:
    chosen = choose(MANIFEST, Selection())
    assert (chosen.accounts, chosen.remarks) == (ACCOUNTS, ())


def test_patterns_come_in_the_order_of_the_manifest() -> None:
    assert names(only=("Three", "env=prod")) == ["One", "Two", "Three"]
    assert names(only=("env=*",), exclude=("Two",)) == ["One", "Three"]


def test_retry_takes_what_failed_or_is_pending_by_its_id_or_its_name(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        report(
            denied("Another name since", "111122223331"),
            result("Two", Outcome.CREATED, account_id="111122223332"),
            result("Three", Outcome.PENDING, account_id="999900001111"),
            result("Four", Outcome.SKIPPED, account_id="111122223334"),
        ),
    )
    assert names(retry=path) == ["One", "Three"]
    assert names(retry=path, only=("env=test",)) == ["Three"]
    assert choose(MANIFEST, Selection(retry=path)).remarks == ()


@pytest.mark.parametrize(
    ("gone", "said"),
    [(1, "1 unfinished account of {} is"), (2, "2 unfinished accounts of {} are")],
)
def test_what_the_manifest_lacks_by_now_is_said(tmp_path: Path, gone: int, said: str) -> None:
    lost = [denied(f"Lost {n}", f"99990000111{n}") for n in range(gone)]
    path = saved(tmp_path, report(denied("One", "111122223331"), *lost))
    chosen = choose(MANIFEST, Selection(retry=path))
    assert [account.name for account in chosen.accounts] == ["One"]
    (remark,) = chosen.remarks
    assert remark.startswith(said.format(path))
    assert all(each.name in remark for each in lost)


def test_nothing_unfinished_selects_nothing(tmp_path: Path) -> None:
    assert names(retry=saved(tmp_path, report(result("One")))) == []


def test_a_status_has_nothing_to_retry(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    reports.write(str(path), statuses.typical())
    with pytest.raises(UsageError, match="report of `onboard status`"):
        choose(MANIFEST, Selection(retry=str(path)))
