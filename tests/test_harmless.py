"""The gate before stdout and stderr, and texts made harmless for documents."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.console.harmless import (
    Gate,
    brief,
    clean,
    clean_lines,
    dumped,
    dumps,
    tell_runner,
)
from tests.support import hostile

PIECES = st.sampled_from([":", "::", "##", "[", "error", " ", "\n", "\r", "\x1b", "\x9b", "x"])


def through_gate(texts: Iterable[str], encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    gate = Gate(io.TextIOWrapper(raw, encoding=encoding, newline=""))
    for text in texts:
        assert gate.write(text) == len(text)
    gate.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_nothing_that_steers_gets_past_the_gate(text: str) -> None:
    for told in (through_gate([text]), through_gate(text), through_gate([f"\n{text}\n"])):
        assert hostile.steering(told) == []


@given(st.lists(PIECES | st.text(max_size=3)))
def test_nor_does_it_in_pieces(texts: list[str]) -> None:
    assert hostile.steering(through_gate(texts)) == []


@given(st.text(st.characters(categories=["L", "N", "Zs"]) | st.sampled_from("\n-:#[ ")))
def test_ordinary_text_gets_past_as_it_is(text: str) -> None:
    whole = f"x {text.replace('##', '#')}".replace("::", ":")
    lines = "\n".join(" ".join(line.split()) for line in whole.split("\n"))
    assert through_gate([lines]) == lines


def test_an_arn_in_a_line_stays_an_arn() -> None:
    line = "  → arn:aws:iam::111122223333:role/x  ## [1]\n"
    assert through_gate([line, line]) == line * 2


def test_the_programs_own_colours_and_annotations_get_past() -> None:
    raw = io.BytesIO()
    gate = Gate(io.TextIOWrapper(raw, encoding="utf-8"))
    gate.write("\x1b[1;31mfailed\x1b[0m\x1b[2J\n")
    tell_runner(gate, "::error file=m.yaml::x")
    gate.write("::error::y\n")
    gate.flush()
    first, second, third = raw.getvalue().decode().splitlines()
    assert first == "\x1b[1;31mfailed\x1b[0m\ufffd[2J"
    assert second == "::error file=m.yaml::x"
    assert hostile.steering(third) == []


def test_what_the_locale_cannot_write_is_replaced() -> None:
    assert through_gate(["Zoë \ud83d\n"], "ascii") == "Zoe ?\n"


@given(st.text() | st.sampled_from(hostile.TEXTS))
def test_a_line_stays_a_line(text: str) -> None:
    assert len(clean(text).splitlines()) <= 1
    told = clean_lines(text)
    assert hostile.steering(told.replace("\r", "\n")) == []
    assert len(told) == len(text)


@given(st.recursive(st.text() | st.sampled_from(hostile.TEXTS), st.lists))
def test_json_reads_back_the_same_and_steers_nobody(data: object) -> None:
    told = dumps(data)
    assert json.loads(told) == data
    assert hostile.steering(told) == []
    told.encode()  # halves of surrogate pairs, too


def test_a_large_document_comes_in_pieces_of_whole_lines() -> None:
    data = {"accounts": [{"name": f"A{n} ##[error]\x1b", "changes": [n, {}]} for n in range(9000)]}
    pieces = list(dumped(data))
    assert len(pieces) > 5
    assert max(map(len, pieces)) < len("".join(pieces)) / 4
    assert json.loads("".join(pieces)) == data
    assert hostile.steering(through_gate(pieces)) == []


def test_a_long_text_is_shortened_and_says_so() -> None:
    assert brief("x" * 2000) == "x" * 2000
    assert brief("x" * 10**6) == f"{'x' * 2000}… (998,000 more characters)"
