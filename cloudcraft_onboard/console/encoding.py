"""What a console's encoding cannot write, such as an arrow in ASCII, gets a stand-in.

Each is as wide as what it stands for, so that columns and the live display keep their places.
"""

from __future__ import annotations

import codecs
import unicodedata

STAND_IN = "onboard-stand-in"
"""The name for `errors=` of a stream."""

_SYMBOLS = {
    "→": ">",
    "…": ".",
    "·": "-",
    "█": "#",
    "░": ".",
    "\N{RATIO}": ".",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{BULLET}": "*",
}


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    there = error.object[error.start : error.end]
    return "".join(map(_plain, there)), error.end


def _plain(char: str) -> str:
    """ASCII for one character: its symbol, its letter without the accent, or question marks."""
    if char in _SYMBOLS:
        return _SYMBOLS[char]
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn"):
        return ""
    letter = unicodedata.normalize("NFKD", char)[0]
    if letter.isascii():
        return letter
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


codecs.register_error(STAND_IN, _stand_in)
