"""What completion offers, whatever names, profiles and tags a manifest has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.cli.complete import patterns
from tests.support import hostile

SHELLS_READ = set("\"'`$\\!&;|<>()[]{}*?~#^\n\r\t\0")
NAMES = st.text(st.characters(blacklist_categories=["C"]), min_size=1) | st.sampled_from(
    ["Z $(touch x)", "Z`x`", "-x", "=ls", "~", "a b", "Zürich", "a{b,c}", "x\\$(y)", "#a", "%1"]
)


def offered(folder: Path, accounts: list[dict[str, Any]], incomplete: str) -> dict[str, str]:
    path = folder / "manifest.json"
    path.write_text(json.dumps({"version": 1, "accounts": accounts}), encoding="utf-8")
    context = SimpleNamespace(params={"manifest": str(path)}, args=[])
    return dict(patterns(cast("typer.Context", context), incomplete))


@given(st.lists(NAMES, min_size=1, max_size=3, unique=True), NAMES, NAMES, NAMES)
def test_nothing_is_offered_that_a_shell_could_read(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], profile: str, key: str, value: str
) -> None:
    accounts = [
        {"name": name, "profile": f"{profile}{number}", "tags": {key.replace("=", "-"): value}}
        for number, name in enumerate(names)
    ]
    accounts[0] |= {"account_id": "111122223333"}
    for word, about in offered(tmp_path_factory.mktemp("offers"), accounts, "").items():
        assert not SHELLS_READ & set(word + about)
        assert re.match(r"\w", word)
        assert hostile.steering(word + about) == []


def test_the_id_stands_for_a_name_that_a_shell_could_read(tmp_path: Path) -> None:
    accounts: list[dict[str, Any]] = [
        {"name": "Zeta $(touch x)", "account_id": "111122223333"},
        {"name": "Zeta & Co", "profile": "zeta"},
        {"name": "Zeta Shop", "account_id": "111122224444", "tags": {"Zone": "a", "Zoo": "$b"}},
    ]
    assert offered(tmp_path, accounts, "Z") == {
        "111122223333": "Zeta touch x",
        "Zeta Shop": "111122224444",
        "Zone=a": "tag",
    }
    assert offered(tmp_path, accounts, "1") == {
        "111122223333": "Zeta touch x",
        "111122224444": "Zeta Shop",
    }
