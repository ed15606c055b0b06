"""Messages and hints have one style: sentences, with a capital in front and a full stop behind."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "cloudcraft_onboard"
ERRORS = {
    # What makes an error, and which of its arguments is the message.
    "UsageError": 0,
    "CannotStart": 0,
    "Interrupted": 0,
    "Doubtful": 0,
    "Unavailable": 0,
    "Unreachable": 0,
    "Unreadable": 0,
    "PaceClosed": 0,
    "Refused": 1,
    "AccountError": 2,
    "AccountPending": 2,
}


def texts(node: ast.expr | None) -> Iterator[str]:
    """What an expression may come to, as far as it is written there; `{}` for all else."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for head in texts(left):
                yield from (head + tail for tail in texts(right))
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)
        case ast.BoolOp(values=values):
            for value in values:
                yield from texts(value)
        case ast.Dict(values=values):
            for value in values:
                yield from texts(value)
        case _:
            yield "{}"


def told(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The line and text of each message of an error, and of each hint."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if ERRORS.get(name, 9) < len(args):
                yield from ((node.lineno, text) for text in texts(args[ERRORS[name]]))
            case ast.Assign(targets=[ast.Name(id="hint" | "_HINTS" | "_REASONS")]):
                yield from ((node.lineno, text) for text in texts(node.value))
            case ast.keyword(arg="hint"):
                yield from ((node.value.lineno, text) for text in texts(node.value))
            case _:
                pass


def is_sentence(text: str) -> bool:
    """Names of commands, options and variables stay as they are, in front as well."""
    begins = text[0].isupper() or text.startswith(("{", "`", "-", "onboard "))
    return begins and text.endswith((".", "?", "}"))


def test_every_message_and_hint_is_a_sentence() -> None:
    found = [
        (f"{path.relative_to(PACKAGE)}:{line}", text)
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in told(ast.parse(path.read_text(encoding="utf-8")))
        if text and "<" not in text  # a page only dresses them
    ]
    assert len(found) > 200  # about as many as there are
    wrong = [f"{place}: {text}" for place, text in found if not is_sentence(text)]
    assert not wrong, "\n".join(wrong)


def test_no_help_has_brackets_which_rich_would_take_for_markup() -> None:
    helps = [
        (path.name, text)
        for path in (PACKAGE / "cli").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "help"
        for text in texts(node.value)
    ]
    assert len(helps) > 40  # about as many as there are
    assert [told for told in helps if "[" in told[1]] == []
