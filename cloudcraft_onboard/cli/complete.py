"""Shell completion of account names, IDs and tags, from the manifest on the command line."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator

import typer

from cloudcraft_onboard.errors import OnboardError


def patterns(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Patterns for `--only` and `--exclude`, each with a short help; none without a manifest."""
    from cloudcraft_onboard.manifest.load import load  # noqa: PLC0415 - loads pydantic

    # While a line is being completed, arguments before an unfinished option are still in `args`.
    path = context.params.get("manifest") or next(iter(context.args), None)
    if not isinstance(path, str):
        return
    try:
        accounts = load(path).accounts
    except OnboardError:
        return
    words = {f"{key}={value}": "tag" for a in accounts for key, value in a.tags.items()}
    words |= {a.account_id: a.name for a in accounts if a.account_id}
    words |= {a.name: a.account_id or a.profile or "" for a in accounts}
    yield from ((word, about) for word, about in words.items() if word.startswith(incomplete))


_BREAKS = frozenset("=:")
_SPECIAL = re.compile(r"([^\w@%+=:,./-])")


@contextlib.contextmanager
def bash() -> Iterator[None]:
    """While bash asks: take its words as they were typed, and answer as it inserts them.

    Bash splits words at `=` and `:` and replaces the last part alone; Typer knows neither that nor
    that a name with a space in it has to be quoted.
    """
    if os.environ.get("_ONBOARD_COMPLETE") != "complete_bash":
        yield
        return
    words = os.environ.get("COMP_WORDS", "").split("\n")
    count = os.environ.get("COMP_CWORD", "")
    if not count.isdecimal() or int(count) >= len(words):
        yield
        return
    joined, before = _joined(words[: int(count) + 1])
    os.environ.update(COMP_WORDS="\n".join(joined), COMP_CWORD=str(len(joined) - 1))
    offered = io.StringIO()
    try:
        with contextlib.redirect_stdout(offered):
            yield
    finally:
        for line in offered.getvalue().splitlines():
            print(_inserted(line, before, joined[-1]))


def _joined(words: list[str]) -> tuple[list[str], str]:
    """The words as typed, and the part of the last one that bash keeps."""
    joined: list[str] = []
    before, glued = "", False
    for word in words:
        breaks = bool(word) and set(word) <= _BREAKS
        if joined and (breaks or glued):
            before = joined[-1] + (word if breaks else "")
            joined[-1] += word
        else:
            joined.append(word)
            before = ""
        glued = breaks
    return joined, before


def _inserted(candidate: str, before: str, typed: str) -> str:
    """What bash should insert for a candidate."""
    if before.startswith("-"):
        before = before.partition("=")[2]
    candidate = candidate.removeprefix(before)
    return candidate if typed[:1] in {'"', "'"} else _SPECIAL.sub(r"\\\1", candidate)
