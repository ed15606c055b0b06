"""Text made harmless on its way out: to a terminal, a log, a CI runner, a document.

Names, tags, error messages and saved reports come from others. `streams.Stream` lets no text past
that could steer, whoever writes it; `clean` and `dumps` keep a text's meaning where it is composed.

Runners look for commands in whatever is printed. GitHub's takes `::name::` at the start of a line,
spaces in front or not, and its older `##[name]` anywhere in one (actions/runner,
`Runner.Common/ActionCommand.cs`); Azure's `##vso[...]` and TeamCity's `##teamcity[...]` are like
the latter.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

_JOINERS = "\u200c\u200d"  # inside emoji and Persian words, where dropping them changes the text
_COLOUR = r"\x1b\[[0-9;]*m"
# What the program itself writes: colours, and in a live display the cursor's way back.
COLOURS = re.compile(f"({_COLOUR})")
DRAWING = re.compile(rf"({_COLOUR}|\x1b\[(?:\?25[hl]|[0-9]*[AJK])|\r)")
COMMAND = re.compile(r"((?:\A|[\n\r])[^\S\n\r]*:):|(##\w{0,30})\[")
_PIECE = 1 << 16  # characters
_REMEMBERED = 128  # characters of an unfinished line that say whether a command begins in it


def clean(text: str) -> str:
    """`text` as one line that cannot steer a terminal: no control or bidirectional characters."""
    if text.isprintable():
        return text
    return "".join(map(_harmless, text)).strip()


def clean_lines(text: str) -> str:
    """`text` without what could steer a terminal or a CI runner; keeps line breaks and tabs."""
    return COMMAND.sub(_defused, _harmless_lines(text))


def continued(line: str, text: str, ours: re.Pattern[str]) -> tuple[str, str]:
    """`text`, written behind an unfinished `line`, made harmless except for what `ours` matches.

    `ours` is one group. Also returns the line that is unfinished then, as far as it matters for a
    command that the next text completes.
    """
    parts = ours.split(text)
    parts[::2] = [_harmless_lines(part, "\t") for part in parts[::2]]
    # As long as before, character by character: what is written already cannot be changed.
    told = COMMAND.sub(_defused, line + "".join(parts))
    last = re.split("[\n\r]", told)[-1]
    rest = last[-_REMEMBERED:]
    # `x` stands for what was there: then no command begins at the line's start any more.
    return told[len(line) :], f"x{rest}" if last[:-_REMEMBERED].strip() else rest


def brief(text: str, most: int = 2000) -> str:
    """`text`, shortened to `most` characters and how many were left out."""
    rest = len(text) - most
    return text if rest <= 0 else f"{text[:most]}… ({rest:,} more characters)"


def sentence(text: str) -> str:
    """`text` with a full stop, unless it ends a sentence already."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def listed(names: Sequence[str], most: int) -> str:
    """The names, at most `most` of them: `A, B, C and 12 more`."""
    shown = ", ".join(map(clean, names[:most]))
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def dumps(data: Any) -> str:
    """`data` as JSON that reads back the same; escapes what could steer whoever shows it."""
    return "".join(dumped(data))


def dumped_line(data: Any) -> str:
    """`data` as JSON in one line, escaped as in `dumps`."""
    return _escaped(json.dumps(data, separators=(",", ":"), ensure_ascii=False))


def dumped(data: Any) -> Iterator[str]:
    """`dumps(data)` in pieces of many lines: of 5,000 accounts it has millions of characters."""
    told = io.StringIO()
    for part in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(data):
        if part.startswith("\n") and told.tell() > _PIECE:
            yield _escaped(told.getvalue())
            told = io.StringIO()
        told.write(part)
    yield _escaped(told.getvalue())


def _harmless(char: str) -> str:
    if char.isspace():
        return " "
    return char if char.isprintable() or char in _JOINERS else "\N{REPLACEMENT CHARACTER}"


def _harmless_lines(text: str, kept: str = "\r\t") -> str:
    if text.isprintable():
        return text
    lines = text.split("\n")
    return "\n".join(
        line
        if line.isprintable()
        else "".join(c if c in kept or c.isprintable() else _harmless_in_line(c) for c in line)
        for line in lines
    )


def _harmless_in_line(char: str) -> str:
    kept = char in _JOINERS or unicodedata.category(char) == "Zs"
    return char if kept else "\N{REPLACEMENT CHARACTER}"


def _defused(found: re.Match[str]) -> str:
    return f"{found[1]}\N{RATIO}" if found[1] else f"{found[2]}("


def _escaped(text: str) -> str:
    """JSON text with more escapes; its line breaks are between values, never in one."""
    text = re.sub(r"##(?=\w{0,30}\[)", r"\\u0023#", text)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)
