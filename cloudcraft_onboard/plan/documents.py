"""IAM policy documents by meaning: one normal form, however they are written.

IAM takes a single value or a list, any order, action names in any case, and gives documents back
as they were sent; two documents are the same when their normal forms are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import NOTHING

VERSION = "2012-10-17"

_KNOWN = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})


@frozen
class Statement:
    """One statement's meaning. `other` holds elements that are not read any closer, as JSON."""

    effect: str
    principals: frozenset[tuple[str, str]]
    actions: frozenset[str]
    resources: frozenset[str]
    conditions: frozenset[tuple[str, str, frozenset[str]]]
    other: frozenset[tuple[str, str]]


def statements(document: Mapping[str, Any]) -> frozenset[Statement]:
    """What a document says; `Version`, `Sid`, order and repetition carry no meaning here."""
    return frozenset(_statement(each) for each in _mappings(document.get("Statement")))


def actions(document: Mapping[str, Any]) -> dict[str, str]:
    """Every action that a document names, lower-cased, with its spelling."""
    return {
        action.lower(): action
        for raw in _mappings(document.get("Statement"))
        for action in _values(raw.get("Action"))
    }


def _statement(raw: Mapping[str, Any]) -> Statement:
    return Statement(
        effect=str(raw.get("Effect", "")),
        principals=frozenset(_principals(raw.get("Principal"))),
        actions=frozenset(action.lower() for action in _values(raw.get("Action"))),
        resources=frozenset(_values(raw.get("Resource"))),
        conditions=frozenset(_conditions(raw.get("Condition"))),
        other=frozenset(
            (str(key), json.dumps(value, sort_keys=True, default=str))
            for key, value in raw.items()
            if key not in _KNOWN
        ),
    )


def _principals(raw: Any) -> Iterable[tuple[str, str]]:
    if isinstance(raw, Mapping):
        for kind, names in raw.items():
            yield from ((str(kind), name) for name in _values(names))
    else:
        yield from (("", name) for name in _values(raw))


def _conditions(raw: Any) -> Iterable[tuple[str, str, frozenset[str]]]:
    """Condition keys are the one part of a condition that IAM reads in any case."""
    if not isinstance(raw, Mapping):
        return
    for operator, keys in raw.items():
        if isinstance(keys, Mapping):
            for key, values in keys.items():
                yield str(operator), str(key).lower(), frozenset(_values(values))


def _values(raw: Any) -> tuple[str, ...]:
    if raw is None:
        return ()
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return tuple(_text(each) for each in raw)
    return (_text(raw),)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _mappings(raw: Any) -> tuple[Mapping[str, Any], ...]:
    if isinstance(raw, Mapping):
        return (raw,)
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return tuple(each if isinstance(each, Mapping) else NOTHING for each in raw)
    return ()


def compact(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same permissions in as few characters as possible, always in the same order.

    Statements that differ in their actions only become one, without `Sid`s, repeated actions, and
    actions that a wildcard beside them covers. IAM allows 10,240 characters for all inline
    policies of a role together, so splitting a long document gains nothing, but this does.
    """
    merged: dict[Statement, set[str]] = defaultdict(set)
    spelling: dict[str, str] = {}
    for raw in _mappings(document.get("Statement")):
        said = _statement(raw)
        spelling.update((action.lower(), action) for action in _values(raw.get("Action")))
        alone = Statement(
            effect=said.effect,
            principals=said.principals,
            actions=frozenset(),
            resources=said.resources,
            conditions=said.conditions,
            other=said.other,
        )
        merged[alone] |= said.actions
    written = [_written(said, actions, spelling) for said, actions in merged.items()]
    return {"Version": VERSION, "Statement": sorted(written, key=_json)}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two identity policies permit the same, as far as their text tells."""
    return statements(compact(one)) == statements(compact(other))


def as_json(document: Mapping[str, Any]) -> str:
    """The document as it is sent: without white space, which IAM doesn't count but AWS carries."""
    return _json(document)


def _written(said: Statement, actions: set[str], spelling: Mapping[str, str]) -> dict[str, Any]:
    written: dict[str, Any] = {"Effect": said.effect}
    if actions:
        written["Action"] = _short(spelling[action] for action in _uncovered(actions))
    if said.resources:
        written["Resource"] = _short(said.resources)
    if said.conditions:
        conditions: dict[str, dict[str, Any]] = defaultdict(dict)
        for operator, key, values in sorted(said.conditions, key=lambda each: each[:2]):
            conditions[operator][key] = _short(values)
        written["Condition"] = dict(conditions)
    for key, value in sorted(said.other):
        written[key] = json.loads(value)
    return written


def _uncovered(actions: set[str]) -> set[str]:
    wildcards = [action for action in actions if "*" in action or "?" in action]
    return {
        action
        for action in actions
        if not any(wider != action and _covers(wider, action) for wider in wildcards)
    }


def _covers(wider: str, action: str) -> bool:
    """IAM knows `*` and `?` only, so a bracket is a character like any other."""
    return fnmatchcase(action, wider.replace("[", "[[]"))


def _short(values: Iterable[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
