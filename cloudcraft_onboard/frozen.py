"""`frozen`, the decorator of nearly all classes here: values that nobody changes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass with slots, whose fields are given by keyword.

    mypy refuses assignments, nothing does at run time. The usual decorator compiles six methods for
    each of 260 classes, which took a fifth of the program's start.
    """
    setattr(cls, "__eq__", _equals)  # noqa: B010 - mypy takes a plain assignment for a mistake
    setattr(cls, "__hash__", _hash)  # noqa: B010 - the same
    setattr(cls, "__repr__", _shown)  # noqa: B010 - the same
    return dataclass(kw_only=True, slots=True, eq=False, repr=False)(cls)


@cache
def _names(kind: type, purpose: str) -> tuple[str, ...]:
    """The fields that count for a purpose: `compare`, `hash` or `repr`."""
    wanted = ((each, getattr(each, purpose)) for each in fields(kind))
    return tuple(each.name for each, said in wanted if (each.compare if said is None else said))


def _values(value: Hashable, purpose: str) -> tuple[Hashable, ...]:
    return tuple([getattr(value, name) for name in _names(type(value), purpose)])


def _equals(one: Hashable, other: Hashable) -> bool:
    same = type(one) is type(other)
    return _values(one, "compare") == _values(other, "compare") if same else NotImplemented


def _hash(value: Hashable) -> int:
    return hash(_values(value, "hash"))


def _shown(value: Hashable) -> str:
    said = zip(_names(type(value), "repr"), _values(value, "repr"), strict=True)
    return f"{type(value).__qualname__}({', '.join(f'{name}={it!r}' for name, it in said)})"
