"""`onboard report` trusts no file: what is no report is said, whatever it is."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.app.report import show
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import report as reports
from tests.support.examples import examples
from tests.support.reports import typical

GOOD = json.loads(reports.render(typical(), ".json"))
ODD = ["NaN", "Infinity", "-1", "1e999", "true", '"1"', "null", "[]", "{}", "1" + "0" * 5000]


def refused(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        show(str(path), (), "json")
    assert caught.value.exit_code == 2
    assert len(caught.value.message) < 400
    return caught.value.message


@pytest.mark.parametrize("key", ["attempts", "seconds", "line"])
@pytest.mark.parametrize("value", ODD, ids=lambda value: value[:12])
def test_numbers_are_numbers(tmp_path: Path, key: str, value: str) -> None:
    text = json.dumps({**GOOD, "accounts": [{**GOOD["accounts"][0], key: "@"}]})
    refused(tmp_path / "r.json", text.replace('"@"', value))


@pytest.mark.parametrize(
    "value", ["\x1b[2J", "<img src=x onerror=alert(1)>", "1", "1" * 13, "\uff11" * 12, 111122223333]
)
def test_account_ids_are_account_ids(tmp_path: Path, value: object) -> None:
    accounts = [{**GOOD["accounts"][0], "account_id": value}]
    refused(tmp_path / "r.json", json.dumps({**GOOD, "accounts": accounts}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps(GOOD).replace("2.31", "NaN"),
        b"\xff\xfe{\0}\0",
        b"\xed\xa0\x80",
        "null",
        "[1]",
        '"\\ud800"',
    ],
    ids=range(10),
)
def test_what_is_no_json_is_said(tmp_path: Path, text: str | bytes) -> None:
    refused(tmp_path / "r.json", text)


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = io.TextIOWrapper(io.BytesIO(json.dumps(GOOD).encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert show("-", (), "json") == 0
    assert json.loads(capsys.readouterr().out) == GOOD


def test_junit_of_a_saved_report_names_each_accounts_line(tmp_path: Path) -> None:
    accounts = [{**account, "line": 40 + n} for n, account in enumerate(GOOD["accounts"])]
    (tmp_path / "r.json").write_text(json.dumps({**GOOD, "accounts": accounts}))
    show(str(tmp_path / "r.json"), (str(tmp_path / "r.xml"),), "table")
    assert "manifests/org.yaml:43: Payments" in (tmp_path / "r.xml").read_text()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def places(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += places(value, (*here, key))
    if isinstance(data, list):
        for index, value in enumerate(data):
            found += places(value, (*here, index))
    return found


ROLE = ("accounts", 0, "changes", 0, "after")


@examples(150)
@example(place=(*ROLE, "trust"), value=1)
@example(place=(*ROLE, "tags"), value=1)
@example(place=(*ROLE, "policies"), value=[1])
@given(place=st.sampled_from(places(GOOD)), value=JSON)
def test_whatever_stands_anywhere_it_is_a_report_or_wrong_usage(
    place: tuple[Any, ...], value: Any
) -> None:
    data = json.loads(json.dumps(GOOD))
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    try:
        saved = reports.from_json(data)
    except UsageError:
        return
    for suffix in reports.SUFFIXES:
        reports.render(saved, suffix).encode()


def test_a_device_without_an_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        show(str(tmp_path), (), "json")
    with pytest.raises(UsageError):
        show(os.devnull, (), "json")
