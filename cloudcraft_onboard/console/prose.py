"""Sentences at a terminal: broken at words, and never inside of a command that is to be copied."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from typing import TextIO

# A word, with whatever stands in backticks as one.
_WORD = re.compile(r"(?:`[^`]*`|\S)+")
_NARROWEST = 20


def say(line: str, stream: TextIO | None = None, *, indent: str = "  ") -> None:
    """Print a sentence, on a terminal in lines that fit; all but the first are indented.

    By default on standard error.
    """
    stream = stream or sys.stderr
    print(told(line, stream, indent=indent), file=stream)


def told(line: str, stream: TextIO, *, indent: str = "  ") -> str:
    """The lines that `say` prints."""
    if not stream.isatty():
        return line
    return broken(line, shutil.get_terminal_size((80, 24)).columns, indent=indent)


def broken(text: str, width: int, *, indent: str = "  ") -> str:
    """`text` in lines of at most `width` cells, but for words that are longer."""
    if _cells(text) <= width or width < _NARROWEST:
        return text
    start = text[: len(text) - len(text.lstrip())]
    line, done = start, list[str]()
    for word in _WORD.findall(text):
        blank = " " if line.strip() else ""
        if line.strip() and _cells(line) + 1 + _cells(word) > width:
            done.append(line)
            line, blank = start + indent, ""
        line += blank + word
    return "\n".join([*done, line])


def _cells(text: str) -> int:
    """How many cells of a terminal `text` takes, about."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
