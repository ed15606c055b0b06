"""`frozen` makes what `dataclass(frozen=True, kw_only=True, slots=True)` makes, but cheaper."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field, fields, replace

import pytest

from cloudcraft_onboard.frozen import frozen


@frozen
class Point:
    x: int
    y: int = 0
    note: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)
    tags: dict[str, str] = field(default_factory=dict, hash=False)


@frozen
class Further(Point):
    z: int = 0


class Usual:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Point:
        x: int
        y: int = 0
        note: str = field(default="", compare=False)
        secret: str = field(default="", repr=False)
        tags: dict[str, str] = field(default_factory=dict, hash=False)


def test_values_are_equal_by_their_fields_and_kind() -> None:
    assert Point(x=1) == Point(x=1, note="left out")
    assert Point(x=1) != Point(x=1, secret="s")
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Point(x=1, tags={"a": "b"})
    assert Point(x=1) != Further(x=1)
    assert Further(x=1, z=2) != Further(x=1, z=3)
    assert Point(x=1) != object()


def test_equal_values_are_one_key() -> None:
    assert {Point(x=1): "a", Point(x=1, note="left out"): "b", Further(x=1): "c"} == {
        Point(x=1): "b",
        Further(x=1): "c",
    }


def test_a_field_may_stay_out_of_the_hash() -> None:
    assert hash(Point(x=1, tags={"a": "b"})) == hash(Point(x=1))


def test_the_text_is_a_dataclass_s_own() -> None:
    wanted = repr(Usual.Point(x=1, note="n", secret="s")).removeprefix("Usual.")
    assert repr(Point(x=1, note="n", secret="s")) == wanted
    assert "hidden" not in repr(Further(x=1, secret="hidden"))


def test_fields_are_given_by_keyword_and_there_are_no_others() -> None:
    with pytest.raises(TypeError, match="positional"):
        Point(1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Point(x=1).other = 2  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = Point(x=1).__dict__


def test_the_standard_library_knows_it() -> None:
    point = Further(x=1, z=3)
    assert [each.name for each in fields(point)] == ["x", "y", "note", "secret", "tags", "z"]
    assert replace(point, y=2) == Further(x=1, y=2, z=3)
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point
