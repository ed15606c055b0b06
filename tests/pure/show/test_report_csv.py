from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.model import Report
from cloudcraft_onboard.show.report import csv as report_csv
from tests.support.reports import report, result, typical


def rows(of: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv.render(of), newline="")))


def test_one_row_for_each_account() -> None:
    found = rows(typical())
    assert [row["name"] for row in found] == [
        "Production", "결제 서비스", "Data 🚀", "Payments", "Legacy",
    ]  # fmt: skip
    assert found[0]["actions"] == "create-role, attach-policy, register"
    assert found[3]["error_code"] == "AccessDenied"
    assert found[4]["account_id"] == "012345678901"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n@"])
def test_formulas_are_made_harmless(start: str) -> None:
    assert rows(report(result(f"{start}1+1")))[0]["name"] == f"'{start}1+1"


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_comes_back_or_with_an_apostrophe_before_it(name: str) -> None:
    cell = rows(report(result(name)))[0]["name"]
    assert cell.removeprefix("'") == clean_lines(name).removeprefix("'")
    assert not cell.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r"))
