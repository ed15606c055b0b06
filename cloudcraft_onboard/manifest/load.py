"""Manifest files to accounts: read, parse, validate, resolve; reports all errors at once."""

from __future__ import annotations

import gc
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cloudcraft_onboard.errors import ManifestError, ManifestProblem
from cloudcraft_onboard.manifest.checks import Entry, check_entries, check_tree
from cloudcraft_onboard.manifest.explain import explain, find
from cloudcraft_onboard.manifest.nodes import Node, compose
from cloudcraft_onboard.manifest.resolve import account, default_role
from cloudcraft_onboard.manifest.schema import AccountShape, Common, ManifestShape
from cloudcraft_onboard.manifest.source import MAX_BYTES, SourceText, decode, read
from cloudcraft_onboard.model import Account, Manifest

_S = TypeVar("_S", bound=BaseModel)

_WIDTH = 120
"""Characters of a quoted line that are shown around its caret."""


STANDARD_INPUT = "-"
"""The path that means standard input, as in `validate -` and `plan -`."""
_MAKE_ONE = "`onboard init` makes a manifest; `onboard init --help` shows from what."


def load(path: str) -> Manifest:
    """Load the manifest `path`, or the one on standard input (`STANDARD_INPUT`).

    Raises `ManifestError` with all of its errors.
    """
    if path == STANDARD_INPUT:
        return loads("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    return opened(read(path, otherwise=_MAKE_ONE))[0]


def loads(path: str, raw: bytes) -> Manifest:
    """The same for a manifest's bytes; `path` is the name that its errors give it."""
    return opened(decode(path, raw))[0]


def load_all(paths: Sequence[str]) -> tuple[Manifest, ...]:
    """Load several manifests.

    Raises one `ManifestError` with all of their errors.
    """
    manifests = []
    problems: list[ManifestProblem] = []
    for path in paths:
        try:
            manifests.append(load(path))
        except ManifestError as error:
            problems += error.problems
    if problems:
        raise ManifestError(tuple(problems))
    return tuple(manifests)


def render(error: ManifestError, *, quote: bool) -> str:
    """The error's text, one problem a line; with `quote` each with its line and a caret below."""
    return "\n".join(_render(problem, quote=quote) for problem in error.problems)


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector, which finds nothing while a tree grows, takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_no_collection()
def opened(source: SourceText) -> tuple[Manifest, Node | None]:
    """The manifest of a text, and its tree. Raises `ManifestError` with all of its errors."""
    root = compose(source)
    accounts: tuple[Account, ...] = ()
    bare = Account(name="")
    if root is not None:
        check_tree(source, root)
        shape = _shape(source, root)
        defaults = shape.defaults or Common()
        role = default_role(defaults)
        entries = [
            Entry(
                index=index,
                shape=entry,
                account=account(entry, defaults, role, find(root, ("accounts", index)).line),
            )
            for index, entry in shape.accounts
        ]
        check_entries(source, root, shape.defaults, entries)
        accounts = tuple(entry.account for entry in entries)
        bare = account(AccountShape(name="bare", account_id="0" * 12), defaults, role, 0)
    source.settle()
    manifest = Manifest(path=source.path, accounts=accounts, profile=defaults.profile, bare=bare)
    return manifest, root


@dataclass(frozen=True, kw_only=True)
class _Valid:
    """The parts of a manifest that are valid; accounts with their place in the list."""

    defaults: Common | None
    accounts: list[tuple[int, AccountShape]]


def _shape(source: SourceText, root: Node) -> _Valid:
    """The manifest, or what can be saved of a wrong one so that its other problems show too."""
    try:
        shape = ManifestShape.model_validate(root.data)
    except ValidationError as error:
        explain(source, root, error.errors(include_url=False))
    else:
        return _Valid(defaults=shape.defaults, accounts=list(enumerate(shape.accounts)))
    data = root.data if isinstance(root.data, dict) else {}
    entries = data.get("accounts")
    valid = [_saved(AccountShape, entry) for entry in entries] if isinstance(entries, list) else []
    return _Valid(
        defaults=_saved(Common, data.get("defaults") or {}),
        accounts=[(index, entry) for index, entry in enumerate(valid) if entry is not None],
    )


def _saved(shape: type[_S], data: Any) -> _S | None:
    try:
        return shape.model_validate(data)
    except ValidationError:
        return None


def _render(problem: ManifestProblem, *, quote: bool) -> str:
    if not quote or not problem.source.strip():
        return str(problem)
    start = max(0, problem.column - 1 - _WIDTH // 2)
    before = problem.source[start : problem.column - 1]
    after = problem.source[problem.column - 1 : start + _WIDTH]
    margin = f"{problem.line:>5} | "
    # a tab stays a tab, so that the caret lines up however wide a terminal shows it
    blank = "".join(
        "\t" if character == "\t" else " " * _columns(character) for character in before
    )
    return f"{problem}\n{margin}{_visible(before + after)}\n{' ' * 6}| {blank}^"


def _columns(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _visible(text: str) -> str:
    """Nothing that would steer the terminal."""
    return "".join(
        character if character == "\t" or unicodedata.category(character) != "Cc" else " "
        for character in text
    )
