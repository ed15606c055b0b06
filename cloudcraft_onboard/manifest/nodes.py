"""YAML text to a tree that knows the position of everything.

Built from PyYAML's parser events: its composer recurses in C (a deeply nested file would end the
process), silently keeps the last of two equal keys, and its constructor turns account IDs
into other numbers. Here every scalar keeps its source text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

from cloudcraft_onboard.manifest.source import SourceText, quoted

MAX_DEPTH = 50
MAX_ALIASED = 1_000_000
"""How many values aliases may expand to in total; 10,000 accounts that each merge ten keys make a
tenth of it."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_PLAIN_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
"""Any number of YAML 1.1 or 1.2, so that no reading of the two makes a text of one."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}

_PLAIN_TAGS = ("!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Number:
    """A number that is no plain decimal whole one: no key of a manifest wants it."""


NUMBER = Number()


@dataclass(slots=True, eq=False)
class Node:
    """A value: `data` is what it means (dict, list, str, int, bool, None or `NUMBER`).

    `size` counts the values in it with every alias written out. Positions count from 1.
    """

    line: int
    column: int
    data: Any = None
    size: int = 1


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A single value; `text` as in the source where it is `plain`, that is, without quotes."""

    text: str = ""
    plain: bool = False


@dataclass(slots=True, eq=False)
class Items(Node):
    """A list."""

    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pairs(Node):
    """A mapping: for each key its own node and the value's. Merged keys stand where they came from.

    `key` is the one that waits for its value, `merges` are the mappings that `<<` names.
    """

    keys: dict[str, Scalar] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    key: Scalar | None = None
    twice: bool = False
    merges: list[Node] = field(default_factory=list)


class _Stop(Exception):
    """The rest of the text cannot be parsed."""


def compose(source: SourceText) -> Node | None:
    """Parse the document; None if the text is not a YAML document, or empty.

    Errors are noted in `source`.
    """
    builder = _Builder(source)
    try:
        for event in _events(source):
            builder.take(event)
    except _Stop:
        return None
    if builder.root is None:
        source.complain(1, 1, "the file is empty; a manifest starts with `version: 1`")
    return builder.root


def _events(source: SourceText) -> Iterator[Any]:
    """The parser's events; a syntax error is noted and stops."""
    try:
        yield from yaml.parse(source.yaml, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        source.complain(*_explain(source, error))
        raise _Stop from None
    except yaml.YAMLError as error:
        source.complain(1, 1, f"not valid YAML: {error}")
        raise _Stop from None


def _explain(source: SourceText, error: yaml.MarkedYAMLError) -> tuple[int, int, str]:
    """Where a syntax error is, and what it means in words."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "the parser gave no reason"
    text = source.lines[line - 1] if line <= len(source.lines) else ""
    indentation = text[: len(text) - len(text.lstrip())]
    if "\t" in indentation:
        column = indentation.index("\t") + 1
        return line, column, "tab character; indent YAML with spaces only"
    at = text[column - 1 : column]
    if "cannot start any token" in problem and at:
        problem = f"a value cannot start with `{at}`; put it in quotes"
    elif "mapping values are not allowed" in problem:
        problem = "unexpected `:`; check the indentation, or quote a string that contains `: `"
    elif "invalid Unicode character escape" in problem:
        escape = re.match(r"\\u.{0,4}|\\U.{0,8}", text[column - 3 :])
        problem = (
            f"`{escape[0] if escape else at}` is not a character (only valid JSON has pairs of such"
            " escapes); write the character itself"
        )
    elif "unexpected end of stream" in problem and error.context_mark:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
        problem = "the quote that opens here is never closed"
    elif "',' or" in problem and error.context_mark:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
        bracket = problem.rsplit("'", 2)[1]
        problem = f"never closed with `{bracket}`, or a comma is missing"
    elif "could not find expected ':'" in problem and error.context_mark:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
        problem = "missing `:` after a key"
    elif "expected <block end>" in problem or "expected '-' indicator" in problem:
        problem = "indentation differs from the lines above"
    return line, column, f"not valid YAML: {problem}"


class _Builder:
    """Takes the parser's events one by one and keeps the tree made so far."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.root: Node | None = None
        self.documents = 0
        self.open: list[Items | Pairs] = []
        self.anchors: dict[str, Node] = {}
        self.aliased = 0

    def take(self, event: Any) -> None:
        """Add one event."""
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._start(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(event, "a second document starts here; a manifest has only one")

    def _scalar(self, event: Any) -> Scalar:
        mark, text, plain = event.start_mark, event.value, event.implicit[0]
        node = Scalar(mark.line + 1, mark.column + 1, text, 1, text, plain)
        if plain:
            node.data = _meaning(text)
        elif event.tag is not None:
            self._check_tag(event)
        return node

    def _start(self, event: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} levels deep")
        if event.tag is not None:
            self._check_tag(event)
        mark = event.start_mark
        node: Items | Pairs
        if isinstance(event, yaml.MappingStartEvent):
            node = Pairs(mark.line + 1, mark.column + 1, {})
        else:
            node = Items(mark.line + 1, mark.column + 1, [])
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.open.append(node)

    def _end(self) -> None:
        node = self.open.pop()
        if isinstance(node, Pairs):
            self._merge(node)
        self._add(node, None)

    def _alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            near = get_close_matches(event.anchor, self.anchors, 1)
            message = f"`*{event.anchor}` refers to no anchor `&{event.anchor}` above it"
            self._stop(event, message + (f"; did you mean `*{near[0]}`?" if near else ""))
        elif any(target is node for node in self.open):
            self._stop(event, f"`*{event.anchor}` is inside the value it refers to")
        else:
            self.aliased += target.size
            if self.aliased > MAX_ALIASED:
                self._stop(event, f"aliases expand to more than {MAX_ALIASED:,} values")
            if isinstance(target, Scalar):  # as a key it is this place that is wrong, not that one
                mark = event.start_mark
                target = Scalar(
                    mark.line + 1, mark.column + 1, target.data, 1, target.text, target.plain
                )
            self._add(target, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.size += node.size
        if isinstance(parent, Items):
            parent.nodes.append(node)
            parent.data.append(node.data)
        elif parent.key is None:
            parent.key = self._key(parent, node)
        else:
            self._pair(parent, parent.key, node)
            parent.key = None

    def _key(self, parent: Pairs, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self.source.complain(node.line, node.column, "a key must be a single word or string")
            node = Scalar(node.line, node.column, text=f"\0{node.line}:{node.column}")
        first = parent.keys.get(node.text)
        parent.twice = first is not None
        if first is not None:
            self.source.complain(
                node.line,
                node.column,
                f"duplicate key {quoted(node.text)}, first on line {first.line}; keep one",
            )
        return node

    def _pair(self, parent: Pairs, key: Scalar, node: Node) -> None:
        if parent.twice or key.text.startswith("\0"):
            return
        parent.keys[key.text] = key
        if key.plain and key.text == "<<":
            parent.merges = node.nodes if isinstance(node, Items) else [node]
        else:
            parent.nodes[key.text] = node
            parent.data[key.text] = node.data

    def _merge(self, node: Pairs) -> None:
        """Add the keys of the merged mappings; own keys win, then those of the first."""
        if not node.merges:
            return
        del node.keys["<<"]
        for merged in node.merges:
            if not isinstance(merged, Pairs):
                self.source.complain(
                    merged.line, merged.column, "`<<` takes a mapping, or a list of mappings"
                )
                continue
            for name, value in merged.nodes.items():
                if name not in node.nodes:
                    node.keys[name] = merged.keys[name]
                    node.nodes[name] = value
                    node.data[name] = value.data

    def _check_tag(self, event: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            mark = event.start_mark
            self.source.complain(
                mark.line + 1,
                mark.column + 1,
                f"the YAML tag {quoted(tag)} is not allowed in a manifest; write a plain value",
            )

    def _stop(self, event: Any, message: str) -> None:
        mark = event.start_mark
        self.source.complain(mark.line + 1, mark.column + 1, message)
        raise _Stop


def reads_as_text(text: str) -> bool:
    """Whether a text without quotes is a text for every YAML reader."""
    return isinstance(_meaning(text), str) and not _ACCOUNT_ID.fullmatch(text)


def _meaning(text: str) -> Any:
    """What an unquoted scalar is. Twelve digits are an account ID's, never a number."""
    if text in _WORDS:
        return _WORDS[text]
    if not text[0].isascii() or text[0].isalpha():
        return text
    if _ACCOUNT_ID.fullmatch(text):
        return text
    if _PLAIN_INT.fullmatch(text):
        return int(text)
    return NUMBER if _NUMBER.fullmatch(text) else text
