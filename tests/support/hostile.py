"""Texts that would steer whoever shows them, and what of it is left in an output."""

from __future__ import annotations

import re
import unicodedata

TEXTS = (
    "\x1b]0;PWNED\x07",
    "\x1b[2J\x1b[H",
    "\x9b2J and \x9d0;PWNED\x9c",
    "del \x7f\x08\x08",
    "\u202egnp.exe \u2066x\u2069 \u200fy",
    "::stop-commands::x",
    "  ::add-mask::a",
    "##[error]x",
    "x ##vso[task.setvariable]y ##teamcity[z]",
    "a\n::error::x",
    "a\r  ::warning::x",
    "a\x85::notice::x\u2028::debug::y",
    "<img src=x onerror=alert(1)>",
)
"""Control characters of all kinds, turned-around text, commands of CI runners, HTML."""

NAMES = tuple(text for text in TEXTS if not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", text))
"""Those that a manifest takes as a name."""

_ANNOTATION = re.compile(r"::(error|warning) file=[^:]+::.*|::group::.*|::endgroup::")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_JOINERS = "\u200c\u200d"


def steering(shown: str, *, annotations: bool = False, colour: bool = False) -> list[str]:
    """What in an output would steer a terminal or a CI runner.

    `annotations` and `colour` are the program's own, where it is to write some.
    """
    found = []
    for line in re.split(r"\r\n|[\r\n]", _COLOUR.sub("", shown) if colour else shown):
        strange = {c for c in line if not (c.isprintable() or c in f"\t{_JOINERS}" or c.isspace())}
        strange |= {c for c in line if unicodedata.category(c) in ("Cc", "Zl", "Zp")} - {"\t"}
        command = line.lstrip().startswith("::")
        ours = annotations and _ANNOTATION.fullmatch(line)
        if strange or (command and not ours) or re.search(r"##\w*\[", line):
            found.append(line)
    return found
