"""Turns pydantic's errors into messages about places in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cloudcraft_onboard.manifest.nodes import Items, Node, Pairs, Scalar
from cloudcraft_onboard.manifest.rules import meant
from cloudcraft_onboard.manifest.schema import (
    NAME_OR_MAPPING,
    AccountShape,
    Common,
    ManifestShape,
)
from cloudcraft_onboard.manifest.source import SourceText, quoted
from cloudcraft_onboard.manifest.values import RULE

_MISSING = {
    "version": "`version: 1` is missing",
    "accounts": "`accounts` is missing: the list of accounts to onboard",
    "name": "`name` is missing: the account's name in Cloudcraft",
}

_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    NAME_OR_MAPPING: "a role's name or ARN, or a mapping",
}

_Place = Sequence[int | str]


def explain(source: SourceText, root: Node, errors: Sequence[ErrorDetails]) -> None:
    """Note each error in `source`, at its value or key."""
    for error in errors:
        place = [part for part in error["loc"] if part != "[key]"]
        tag_key = len(place) < len(error["loc"])
        place = written(root, place)
        node = find(root, place, key=tag_key or error["type"] == "extra_forbidden")
        message = _sentence(error, place[:-1] if tag_key else place, node)
        source.complain(node.line, node.column, message)


def find(root: Node, place: _Place, *, key: bool = False) -> Node:
    """The value (or its key) at `place`; if it isn't written, the mapping that lacks it."""
    node = root
    for position, part in enumerate(place):
        last = position == len(place) - 1
        if isinstance(node, Pairs) and part in node.nodes:
            node = node.keys[str(part)] if key and last else node.nodes[str(part)]
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.nodes):
            node = node.nodes[part]
        else:
            return node
    return node


def written(root: Node, place: _Place) -> list[int | str]:
    """The place as it is in the file: the name of a role stands for a mapping with one key."""
    whole = isinstance(find(root, place[:-1]), Scalar)
    return list(place[:-1] if whole else place)


def key_path(place: _Place) -> str:
    """The place as people write it, from the account on: `role.policies`."""
    if len(place) > 1 and place[0] == "accounts":
        place = place[2:]
    return ".".join(part for part in place if isinstance(part, str))


def shown(node: Node) -> str:
    """A value as a message shows it: strings in quotes, anything else as in the file."""
    if isinstance(node, Scalar):
        plain = node.plain and not isinstance(node.data, str)
        return f"`{node.text[:60]}`" if plain and node.text else quoted(node.text)
    return _kind(node)


def _sentence(error: ErrorDetails, place: _Place, node: Node) -> str:
    kind = error["type"]
    if kind == "missing":
        return _MISSING.get(str(place[-1]), f"`{place[-1]}` is missing")
    if kind == "extra_forbidden":
        return _unknown(place)
    where = key_path(place)
    prefix = f"{where}: " if where else ""
    if kind == RULE:
        why = error["ctx"]["why"]
        return f"{prefix}{shown(node)} {why}" if isinstance(node, Scalar) else f"{prefix}{why}"
    if kind == "literal_error":
        return f"{prefix}{_no_choice(error, node)}"
    return f"{prefix}{_wrong_type(kind, place, node)}"


def _wrong_type(kind: str, place: _Place, node: Node) -> str:
    """What is there, and what should be."""
    wanted = _WANTED.get(kind, "another value")
    if not place:
        keys = "`version`, `defaults` and `accounts`"
        return f"expected a mapping with the keys {keys}, found {_kind(node)}"
    if not isinstance(node, Scalar):
        return f"expected {wanted}, found {_kind(node)}"
    if node.plain and node.data is None:
        needed = place[-1] in _MISSING or isinstance(place[-1], int)
        return f"has no value; write {wanted}" + ("" if needed else " or leave the key out")
    if kind == "string_type":
        return _unquoted(place, node)
    if not node.plain and _reads_as(kind, node.text):
        return f"{shown(node)} is a string; write it without quotes: {node.text}"
    instead = f"; write [{node.text[:60]}]" if kind == "tuple_type" else ""
    return f"{shown(node)} is {_kind(node)}, expected {wanted}{instead}"


def _reads_as(kind: str, text: str) -> bool:
    """Whether a string would be valid without its quotes."""
    return (
        text in ("true", "false")
        if kind == "bool_type"
        else (kind == "int_type" and text.isdecimal())
    )


def _unquoted(place: _Place, node: Scalar) -> str:
    """A number or boolean where a string belongs: the quotes are missing."""
    if place[-1] == "account_id":
        if node.text.isascii() and node.text.isdigit():
            count = len(node.text)
            digits = "1 digit" if count == 1 else f"{count} digits"
            return f"{shown(node)} has {digits}; an AWS account ID has 12"
        return f"{shown(node)} is {_kind(node)} to YAML; write the account ID's 12 digits in quotes"
    return f"{shown(node)} is {_kind(node)} to YAML; put it in quotes: {quoted(node.text)}"


def _no_choice(error: ErrorDetails, node: Node) -> str:
    """A value that is not one of the allowed words."""
    expected = error["ctx"]["expected"].replace("'", "`")
    if not isinstance(node, Scalar):
        return f"found {_kind(node)}; write one of {expected}"
    if node.plain and node.data is None:
        return f"has no value; write one of {expected}"
    near = meant(node.text, tuple(word.strip(" `") for word in _split(expected)))
    instead = f"did you mean `{near[0]}`?" if near else f"write one of {expected}"
    return f"{shown(node)} is not known; {instead}"


def _split(expected: str) -> list[str]:
    return expected.replace(" or ", ",").split(",")


def _unknown(place: _Place) -> str:
    """An unknown key, and the one that may be meant."""
    key, shape = str(place[-1]), _shape_at(place[:-1])
    known = tuple(shape.model_fields)
    near = meant(key.lower().replace("-", "_"), known)
    where = key_path(place[:-1])
    message = f"unknown key {quoted(key)}" + (f" in {where}" if where else "")
    for name, child in _children(shape):
        if key in child.model_fields:
            return f"{message}; it belongs in `{name}`"
    if near:
        return f"{message}; did you mean `{near[0]}`?"
    if shape is not ManifestShape:
        for name, other in (("accounts", AccountShape), ("the top level", ManifestShape)):
            if key in other.model_fields:
                return f"{message}; it belongs to {name}"
    return f"{message}; known here: {', '.join(known)}"


def _shape_at(place: _Place) -> type[BaseModel]:
    """The model of the mapping at `place`."""
    shape: type[BaseModel] = ManifestShape
    for part in place:
        if part == "accounts":
            shape = AccountShape
        elif part == "defaults":
            shape = Common
        else:
            shape = dict(_children(shape)).get(str(part), shape)
    return shape


@cache
def _children(shape: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """The keys of a mapping whose values are mappings with known keys themselves."""
    children = []
    for name, field in shape.model_fields.items():
        kinds = _all_kinds(field.annotation)
        children += [(name, k) for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
    return children


def _all_kinds(annotation: Any) -> Iterator[Any]:
    """An annotation and those inside of it: `Annotated[Shape, ...] | None`."""
    yield annotation
    for inner in get_args(annotation):
        yield from _all_kinds(inner)


def _kind(node: Node) -> str:
    """What a value is, in words."""
    if isinstance(node, Pairs):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    data: Any = node.data
    if isinstance(data, str):
        return "a string"
    if isinstance(data, bool):
        return "a boolean"
    return "nothing" if data is None else "a number"
