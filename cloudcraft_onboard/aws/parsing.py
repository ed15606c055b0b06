"""What the SDK's parser of the AWS config stumbles over, with its line."""

from __future__ import annotations

import configparser
from pathlib import Path

_BOM = "\ufeff"


def parse_trouble(file: str, error: object) -> tuple[int | None, str]:
    """The line and the reason of what the SDK's parser stumbled over; no line's text is shown.

    A line of these files may hold a secret.
    """
    match error:
        case configparser.DuplicateSectionError():
            return error.lineno, f"the section [{error.section}] is there twice"
        case configparser.DuplicateOptionError():
            where = f"[{error.section}]"
            return error.lineno, f"{where} has `{error.option}` twice"
        case configparser.MissingSectionHeaderError():
            return error.lineno, _headless(error.line)
        case configparser.ParsingError(errors=[(line, text), *_]):
            return line, _broken(text)
        case UnicodeDecodeError():
            line = error.object.count(b"\n", 0, error.start) + 1
            utf16 = error.object.startswith((b"\xff\xfe", b"\xfe\xff"))
            return (None if utf16 else line), (
                "it is UTF-16; save it as UTF-8" if utf16 else "it is not UTF-8 text"
            )
        case _:
            return _bad_nesting(file), "an indented line is not `key = value`"


def _headless(line: str) -> str:
    if line.startswith((_BOM, "ï»¿")):
        return "it begins with a byte order mark; save the file as UTF-8 without one (BOM)"
    if line.lstrip().startswith("[") and "]" not in line:
        return "the section's name lacks its `]`"
    return "there is no [section] before it"


def _broken(text: str) -> str:
    shown = text.strip("'\" ")
    if shown.startswith("[") and "]" not in shown:
        return "the section's name lacks its `]`"
    return "it is neither a [section] nor `key = value`"


def _bad_nesting(file: str) -> int | None:
    """The first indented line without `=` below a key without a value, as the SDK nests them."""
    nested = False
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if not line[0].isspace():
            nested = line.rstrip().endswith("=")
        elif nested and "=" not in line:
            return number
    return None
