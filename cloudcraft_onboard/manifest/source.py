"""One manifest file as text, with a way to point at places in it."""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cloudcraft_onboard.errors import ManifestError, ManifestProblem

MAX_BYTES = 10 * 1024 * 1024
"""README, The manifest: files over 10 MB are errors."""

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
"""YAML 1.1's line breaks, so that line numbers agree with its parser's."""

_UNREADABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything but YAML's printable characters (YAML 1.1, `c-printable`)."""

_STRING = re.compile(r'"(?:[^"\\]|\\[\s\S])*(?:"|\Z)')
_ESCAPE = re.compile(r"(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|(\\u[dD][89a-fA-F]..)|\\.")
"""JSON's escapes: a pair of surrogates for one character, half of a pair, any other."""


@dataclass(kw_only=True)
class SourceText:
    """A manifest's text, and the problems found in it so far. Lines and columns count from 1.

    `mark` is the byte order mark of the file, if any; `yaml` is the text for YAML's parser, with
    everything at the same position as in `text`.
    """

    path: str
    text: str
    yaml: str = ""
    mark: str = ""
    problems: list[ManifestProblem] = field(default_factory=list)

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines without their ends."""
        return _BREAK.split(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """Where in the text each line starts."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    @cached_property
    def is_json(self) -> bool:
        """Whether the text is JSON, which is YAML for all but some escapes."""
        try:
            json.loads(self.text)
        except (ValueError, RecursionError):
            return False
        return True

    def complain(self, line: int, column: int, message: str) -> None:
        """Note an error at a place."""
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self.problems.append(
            ManifestProblem(
                file=self.path, line=line, column=column, message=message, source=source
            )
        )

    def settle(self) -> None:
        """Raise `ManifestError` with the noted problems, in file order, without duplicates."""
        if self.problems:
            unique = dict.fromkeys(self.problems)
            raise ManifestError(tuple(sorted(unique, key=lambda p: (p.line, p.column))))


def read(path: str, *, otherwise: str = "") -> SourceText:
    """The file's text. `ManifestError` for anything that is no UTF-8 text file of up to 10 MB.

    `otherwise` is the error's hint where there is no such file.
    """
    return decode(path, _read_bytes(path, otherwise))


def decode(path: str, raw: bytes) -> SourceText:
    """Decode a file's bytes as `read` does; drops a byte order mark."""
    if len(raw) > MAX_BYTES:
        raise _whole(path, "the file is larger than 10 MB, the most a manifest may have")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _whole(path, "the file is UTF-16; save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        source = SourceText(path=path, text=before + "\ufffd")
        _complain_at(source, len(before), "not UTF-8 text; save the file as UTF-8")
    else:
        mark = "\ufeff" if raw.startswith(codecs.BOM_UTF8) else ""
        source = SourceText(path=path, text=text, yaml=text, mark=mark)
        if unreadable := _UNREADABLE.search(text):
            character = f"U+{ord(unreadable[0]):04X}"
            message = f"the character {character} is not allowed in a text file"
            if unreadable[0] == "\0":
                message = (
                    "a NUL character is not allowed in a text file; if it is UTF-16, save as UTF-8"
                )
            _complain_at(source, unreadable.start(), message)
        if "\\u" in text and source.is_json:
            _take_surrogates(source)
    source.settle()
    return source


def quoted(text: str, limit: int = 60) -> str:
    """`text` in double quotes, as YAML accepts it; shortened if it is very long."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return json.dumps(cut, ensure_ascii=not cut.isprintable())


def _take_surrogates(source: SourceText) -> None:
    """Join the two escapes that JSON uses beyond U+FFFF, which YAML doesn't know.

    Blanks after the string make up for the difference, so that all else keeps its place.
    """

    def one(escape: re.Match[str]) -> str:
        if escape[1] is None:
            return escape[0]
        character = json.loads(f'"{escape[1]}"')
        return f"\\U{ord(character):08X}"

    def as_yaml(string: re.Match[str]) -> str:
        return _ESCAPE.sub(one, string[0]).ljust(len(string[0]))

    for escape in _ESCAPE.finditer(source.text):
        if half := escape[2]:
            message = f"`{half}` is half of a surrogate pair; the other half is missing"
            _complain_at(source, escape.start(), message)
    source.yaml = _STRING.sub(as_yaml, source.text)


def _complain_at(source: SourceText, index: int, message: str) -> None:
    """Note a problem at the text's character `index`, counted from 0."""
    line = bisect_right(source.starts, index)
    source.complain(line, index - source.starts[line - 1] + 1, message)


def _read_bytes(path: str, otherwise: str) -> bytes:
    """Up to a byte more than the limit, so that the rest of a huge file is never read."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise _refusal(path, "this is a directory; give a manifest file")
        with Path(path).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(path, "no such file", otherwise) from None
    except PermissionError:
        raise _refusal(path, "permission denied; check the file's permissions") from None
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise _refusal(path, f"the file cannot be read: {why}") from None


def _whole(path: str, message: str) -> ManifestError:
    """What is wrong with all of a file's content, reported at its first place."""
    return ManifestError((ManifestProblem(file=path, line=1, column=1, message=message),))


def _refusal(path: str, message: str, hint: str = "") -> ManifestError:
    """A file that cannot be read, so that there is no place in it to name."""
    problem = ManifestProblem(file=path, line=0, column=0, message=message, hint=hint)
    return ManifestError((problem,))
