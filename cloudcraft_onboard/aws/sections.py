"""Sections of the AWS config that the SDK silently ignores, and how to fix each."""

from __future__ import annotations

import os
import re
import shlex
from functools import lru_cache
from pathlib import Path

from cloudcraft_onboard.frozen import frozen

_HEADER = re.compile(r"\A\[(.+)\]")
_KINDS = ("profile", "sso-session", "services")
_OTHERS = frozenset({"default", "preview", "plugins"})
"""Sections without a kind that the SDK or the AWS CLI reads."""


@frozen
class Ignored:
    """A section that makes no profile: `mend` is how its header would be read.

    `name` is what its author most likely called it; `line` counts from 1.
    """

    path: str
    line: int
    header: str
    name: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: the AWS SDK ignores the section {self.header};"
            f" write {self.mend}."
        )


def ignored() -> tuple[Ignored, ...]:
    """Every such section of the config file, in its order; contacts nobody.

    botocore reads a header as a shell would, and takes it only if that makes two words, the first
    one in lower case (`botocore.configloader.build_profile_map`).
    """
    named = os.path.expandvars(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config")
    try:
        path = Path(named).expanduser()
        return _ignored_in(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, RuntimeError):  # not there, no path, no home
        return ()


@lru_cache(maxsize=4)
def _ignored_in(path: Path, _changed_at: int) -> tuple[Ignored, ...]:
    """Of a file as it was then: thousands of profiles may be looked for in it."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        section = _mended(header[1]) if header else None
        if header and section:
            name, mend = section
            told = Ignored(path=str(path), line=number, header=header[0], name=name, mend=mend)
            found.append(told)
    return tuple(found)


def _mended(header: str) -> tuple[str, str] | None:
    """Name and header of the section that was meant; None for one that the SDK reads."""
    if header in _OTHERS:
        return None
    kind = next((kind for kind in _KINDS if header.startswith(kind)), None)
    if kind and len(_words(header)) == 2:  # noqa: PLR2004 - the kind, and one name
        return None
    first, _, rest = header.strip().partition(" ")
    meant = first.lower().replace("_", "-")
    if meant in _KINDS:
        kind, name = meant, rest.strip()
    else:
        kind, name = "profile", header.strip()
    name = name.strip("\"'") if _words(name) == [] else name
    return name, f"[{kind} {_quoted(name or 'NAME')}]"


def _words(text: str) -> list[str]:
    """The words as the SDK splits them; none where a quote is never closed."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _quoted(name: str) -> str:
    """The name as one word for the SDK."""
    if _words(name) == [name]:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
