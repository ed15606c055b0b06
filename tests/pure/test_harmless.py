"""What gets past stdout and stderr, and texts made harmless for documents."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.console.harmless import (
    brief,
    clean,
    clean_lines,
    dumped,
    dumps,
)
from cloudcraft_onboard.console.streams import Stream
from tests.support import hostile

PIECES = st.sampled_from([":", "::", "##", "[", "error", " ", "\n", "\r", "\x1b", "\x9b", "x"])


def written(texts: Iterable[str], encoding: str = "utf-8") -> str:
    with tempfile.TemporaryFile() as file:
        stream = Stream(file.fileno(), encoding)
        for text in texts:
            assert stream.write(text) == len(text)
        stream.close()
        file.seek(0)
        return file.read().decode(encoding)


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_nothing_that_steers_gets_out(text: str) -> None:
    for told in (written([text]), written(text), written([f"\n{text}\n"])):
        assert hostile.steering(told) == []


@given(st.lists(PIECES | st.text(max_size=3)))
def test_nor_does_it_in_pieces(texts: list[str]) -> None:
    assert hostile.steering(written(texts)) == []


@given(st.text(st.characters(categories=["L", "N", "Zs"]) | st.sampled_from("\n-:#[ ")))
def test_ordinary_text_gets_out_as_it_is(text: str) -> None:
    whole = f"x {text.replace('##', '#')}".replace("::", ":")
    lines = "\n".join(" ".join(line.split()) for line in whole.split("\n"))
    assert written([lines]) == lines


def test_an_arn_in_a_line_stays_an_arn() -> None:
    line = "  → arn:aws:iam::111122223333:role/x  ## [1]\n"
    assert written([line, line]) == line * 2


def test_the_programs_own_colours_and_annotations_get_out() -> None:
    with tempfile.TemporaryFile() as file:
        stream = Stream(file.fileno(), "utf-8")
        stream.write("\x1b[1;31mfailed\x1b[0m\x1b[2J\n")
        stream.command("::error file=m.yaml::x")
        stream.write("::error::y\n")
        stream.close()
        file.seek(0)
        first, second, third = file.read().decode().splitlines()
    assert first == "\x1b[1;31mfailed\x1b[0m\ufffd[2J"
    assert second == "::error file=m.yaml::x"
    assert hostile.steering(third) == []


def test_what_the_locale_cannot_write_is_replaced() -> None:
    assert written(["Zoë \ud83d\n"], "ascii") == "Zoe ?\n"


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
    assert hostile.steering(written(pieces)) == []


def test_a_descriptor_that_would_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stream = Stream(writing, "utf-8")
    text = "0123456789\n" * 100_000  # more than a pipe holds
    with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb") as pipe:
        done = pool.submit(pipe.read, len(text))
        stream.write(text)
        assert done.result() == text.encode()
    stream.close()
    os.close(writing)
    assert stream.problem is None


def test_what_cannot_be_written_is_dropped_and_remembered() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = Stream(writing, "utf-8")
    for _ in range(3):
        assert stream.write("lost\n") == 5
    stream.close()
    os.close(writing)
    assert isinstance(stream.problem, BrokenPipeError)


def test_threads_write_whole_texts() -> None:
    with tempfile.TemporaryFile() as file:
        stream = Stream(file.fileno(), "utf-8")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: stream.write(f"{n:05}\n" * 50), range(400)))
        stream.close()
        file.seek(0)
        lines = file.read().decode().split()
    assert all(len(set(lines[n : n + 50])) == 1 for n in range(0, len(lines), 50))
    assert len(lines) == 400 * 50


def test_a_long_text_is_shortened_and_says_so() -> None:
    assert brief("x" * 2000) == "x" * 2000
    assert brief("x" * 10**6) == f"{'x' * 2000}… (998,000 more characters)"
