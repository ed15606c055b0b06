"""Text is for people: outside of `show/` no decision is made by the words of a note or a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloudcraft_onboard

PACKAGE = Path(cloudcraft_onboard.__file__).parent
PROSE = {"note", "notes", "hint", "hints", "reason", "reasons", "clause"}
"""What holds sentences, by the names of variables and fields."""
METHODS = {"startswith", "endswith", "find", "index", "count", "partition", "split", "removeprefix"}
NOT_OURS = {
    "cloudcraft/exchange.py: handshake.reason in _NO_TLS",  # OpenSSL's
    "cloudcraft/exchange.py: reason.startswith('4')",  # a proxy's status line
    "aws/hints.py: f'\"{name}\"' in facts.reason",  # CloudFormation's, and the SDK's
    "aws/hints.py: 'CA bundle' in facts.reason",
    "aws/hints.py: _TOKEN.search(facts.reason)",  # AWS's
}


def names(node: ast.expr) -> set[str]:
    """The last name of what is asked: `result.notes[0]` is of notes, `note.stop` of a stop."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.Subscript(value=value):
            return names(value)
        case ast.Call(func=ast.Attribute(value=value, attr="lower" | "casefold" | "strip")):
            return names(value)
        case _:
            return set()


def is_text(node: ast.expr) -> bool:
    """Whether it is text as far as its writing tells: a literal, or what holds sentences."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""
    )


def decisions(tree: ast.Module) -> Iterator[ast.expr]:  # noqa: C901 - one case a way
    """Everything that looks at the words of what holds sentences."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in METHODS:
                if names(value) & PROSE:
                    yield node
            case ast.Call(
                func=ast.Attribute(attr="search" | "match" | "fullmatch"), args=[*_, asked]
            ) if names(asked) & PROSE:
                yield node
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
                in_words = is_text(left) and names(right) & PROSE
                among_words = names(left) & (PROSE - {"note"})
                if in_words or among_words:
                    yield node
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
                sides = (left, right)
                if any(names(side) & PROSE for side in sides) and any(map(is_text, sides)):
                    yield node
            case ast.Match(subject=subject) if names(subject) & PROSE:
                words = (case.pattern for case in node.cases)
                if any(isinstance(it, ast.MatchValue) and is_text(it.value) for it in words):
                    yield subject


FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("show", "sandbox")
]


def test_nothing_is_decided_by_our_own_words() -> None:
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}: {ast.unparse(node)}"
        for path in FILES
        for node in decisions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == NOT_OURS


@pytest.mark.parametrize(
    "code",
    [
        "note.startswith('Registered ')",
        "[n for n in result.notes if 'twice' in result.notes[0]]",
        "'not finished' in note",
        "change.reason == f'registered as {name}'",
        "problem.hint != 'Run it again.'",
        "reason.lower().endswith('.')",
        "pattern.search(problem.hint)",
        "re.match('x', change.reason)",
        "problem.hint in KNOWN",
        "match note:\n    case 'Disabled.': pass",
    ],
)
def test_the_rule_sees_each_way_to_decide_by_words(code: str) -> None:
    assert list(decisions(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(note, NotFinished)",
        "note.stop is Stop.KEY",
        "note in result.notes",
        "not result.notes",
        "problem.hint == ''",
        "notes.append(note)",
        "match note:\n    case NotFinished(): pass",
    ],
)
def test_the_rule_leaves_facts_alone(code: str) -> None:
    assert not list(decisions(ast.parse(code)))
