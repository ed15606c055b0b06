"""Shell completion of account names, IDs and tags, from the manifest on the command line.

Names come from others, and shells read what is offered: zsh evaluates it together with its help,
bash expands it when the line is entered. So nothing is offered that means anything to a shell.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator

import typer

from cloudcraft_onboard.errors import OnboardError

_INERT = re.compile(r"\w[\w %+,./:=@-]*")
"""What no shell reads anything into, once its spaces are quoted."""

_SIGNS = re.compile(r"[^\w ./@-]")


class _Instead(str):
    """An offer that doesn't begin with what was typed, which Typer would drop."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return True


def patterns(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Patterns for `--only` and `--exclude`, each with a short help; none without a manifest.

    An account whose name a shell could read something into is offered by its ID.
    """
    from cloudcraft_onboard.manifest.load import load  # noqa: PLC0415 - loads pydantic

    # While a line is being completed, arguments before an unfinished option are still in `args`.
    path = context.params.get("manifest") or next(iter(context.args), None)
    if not isinstance(path, str):
        return
    try:
        accounts = load(path).accounts
    except OnboardError:
        return
    offers: dict[str, str] = {}
    for account in accounts:
        words = {f"{key}={value}": "tag" for key, value in account.tags.items()}
        words[account.name] = account.account_id or account.profile or ""
        known = account.account_id or ""
        for word in (*words, known):
            if word and word.startswith(incomplete):
                inert = _INERT.fullmatch(word) is not None
                offered = word if inert else _Instead(known * (word == account.name))
                offers[offered] = words.get(offered, account.name)
    offers.pop("", None)
    yield from ((word, _SIGNS.sub("", about)) for word, about in offers.items())


_FIRST_TAB = """
if [[ $funcstack[1] = _%(prog_name)s ]]; then %(complete_func)s "$@"; fi
"""


def first_tab() -> None:
    """Where the script for zsh is printed or installed: have it complete when zsh loads it, too.

    Zsh loads the file at the first Tab and runs it as the completion. Typer's only defines the
    function, so that Tab did nothing (typer 0.29; it offers no other way to its scripts).
    """
    if any(word.startswith(("--install-completion", "--show-completion")) for word in sys.argv):
        from typer import _completion_shared  # noqa: PLC0415 - for these options alone

        scripts = _completion_shared._completion_scripts  # noqa: SLF001 - see above
        scripts["zsh"] = scripts["zsh"].rstrip() + "\n" + _FIRST_TAB


def profiles(incomplete: str) -> Iterator[tuple[str, str]]:
    """Profiles of the AWS config for `--profile`, each with its account; contacts nobody."""
    from cloudcraft_onboard.app.init import known_profiles  # noqa: PLC0415 - loads botocore

    try:
        known = known_profiles()
    except OnboardError:
        return
    for name, account_id in known:
        if name.startswith(incomplete) and _INERT.fullmatch(name):
            yield name, account_id or ""


_BREAKS = frozenset("=:")


@contextlib.contextmanager
def bash() -> Iterator[None]:
    """While bash asks: take its words as they were typed, and answer as it inserts them.

    Bash splits words at `=` and `:` and replaces the last part alone; Typer knows neither that nor
    that a space has to be quoted.
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
    return candidate if typed[:1] in {'"', "'"} else candidate.replace(" ", r"\ ")
