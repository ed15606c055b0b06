"""What a change makes, in words that fit a plan and a report: `external ID 4414 → 5525`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Action, Outcome, Result
from cloudcraft_onboard.model.arn import Arn
from cloudcraft_onboard.model.changes import DeleteRegistration, SavedChange
from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.saved import saved

_MOST_VALUES = 6
_NAMES = {
    "principals": "trusts",
    "external_ids": "external ID",
    "ExternalId": "external ID",
    "CloudcraftAccountId": "trusts",
    "max_session_duration": "max session",
    "permissions_boundary": "boundary",
    "role_arn": "role",
}


@frozen
class ChangeLine:
    """One change: what is done, and what it makes."""

    action: Action
    told: str


@frozen
class Block:
    """Accounts with the same changes, told once; `ACCOUNT_ID` stands where theirs differ."""

    outcome: Outcome
    lines: tuple[ChangeLine, ...]
    results: tuple[Result, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts, in the order in which they came."""
        return tuple(result.name for result in self.results)


def blocks(results: Iterable[Result], *, each: bool = False) -> tuple[Block, ...]:
    """Group the results that change something by identical changes.

    `each`: every account is a block of its own.
    """
    found: dict[object, list[Result]] = {}
    for result in results:
        if result.changes:
            found.setdefault(result.name if each else _key(result), []).append(result)
    return tuple(
        Block(
            outcome=some[0].outcome,
            lines=lines(some[0]) if len(some) == 1 else _general(some[0]),
            results=tuple(some),
        )
        for some in found.values()
    )


def _key(result: Result) -> object:
    return result.outcome, _general(result)


def _general(result: Result) -> tuple[ChangeLine, ...]:
    """The account's changes without what is its own: its ID, its registration's ID and name."""
    account_id = result.account_id
    if not account_id:
        return lines(result)
    return tuple(
        ChangeLine(action=line.action, told=line.told.replace(account_id, "ACCOUNT_ID"))
        for line in _lines(result, _what_alike)
    )


def _what_alike(change: SavedChange, result: Result) -> str:
    """What one change makes, of a registration only how its name differs from the account's."""
    if change.action is not Action.DELETE_REGISTRATION:
        return what(change, result)
    own = saved(DeleteRegistration(id=change.subject, name=result.name))
    return "" if change == own else text.clean(change.reason)


def lines(result: Result) -> tuple[ChangeLine, ...]:
    """The account's changes, policies that are attached to its role as one."""
    return _lines(result, what)


def _lines(result: Result, told_of: Callable[[SavedChange, Result], str]) -> tuple[ChangeLine, ...]:
    told: list[ChangeLine] = []
    attached: list[str] = []
    for change in map(saved, result.changes):
        if change.action is Action.ATTACH_POLICY:
            if not attached:
                told.append(ChangeLine(action=change.action, told=""))
            attached.append(policy_name(change.subject))
        else:
            told.append(ChangeLine(action=change.action, told=told_of(change, result)))
    return tuple(
        ChangeLine(action=line.action, told=", ".join(attached))
        if line.action is Action.ATTACH_POLICY
        else line
        for line in told
    )


def what(change: SavedChange, result: Result) -> str:
    """What one change makes, or else its reason."""
    match change:
        case SavedChange(action=Action.CREATE_ROLE, after=Mapping() as after):
            parts = _new_role(after)
        case SavedChange(action=Action.REGISTER, after=Mapping() as after):
            parts = _values(after, but=result.name)
        case SavedChange(action=Action.PUT_POLICY, after=Mapping() as after):
            return f"{change.subject}: {', '.join(_policy(change.before, after))}"
        case SavedChange(after=Mapping() as after) if after:
            before = change.before or {}
            parts = (_difference(name, before.get(name), after[name]) for name in after)
            if change.action is Action.TAG_ROLE:
                parts = (f"tag {part}" for part in parts)
        case SavedChange(action=Action.DETACH_POLICY):
            return policy_name(change.subject)
        case _:
            return text.why(change)
    return text.clean(", ".join(parts))


def policy_name(arn: str) -> str:
    """AWS's own policies by name, any other by its ARN."""
    managed = Arn.parse(arn)
    return text.clean(managed.name if managed and managed.account_id == "aws" else arn)


def _new_role(after: Mapping[str, Any]) -> Iterator[str]:
    trust = after.get("trust") or {}
    yield f"trusts {trust.get('account_id')} with external ID {trust.get('external_id')}"
    if after.get("stack_set"):
        yield f"by the stack set {after['stack_set']}"
    if after.get("policies"):
        yield f"policies {_value('', [policy_name(each) for each in after['policies']])}"
    for name in ("max_session_duration", "path"):
        if name in after:
            yield f"{_named(name)} {_value(name, after[name])}"
    if after.get("permissions_boundary"):
        yield f"boundary {policy_name(str(after['permissions_boundary']))}"
    if after.get("tags"):
        yield f"tags {_value('tags', [f'{key}={value}' for key, value in after['tags'].items()])}"


def _values(after: Mapping[str, Any], *, but: str) -> Iterator[str]:
    """Everything but the name under which the account is told anyway."""
    for name, value in after.items():
        if not (name == "name" and value == but):
            yield f"{_named(name)} {_value(name, value)}"


def _policy(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[str]:
    if before is None:
        yield text.counted(len(after.get("actions") or ()), "action")
        return
    for name in after:
        if name != "actions":
            yield _difference(name, before.get(name), after[name])
            continue
        for symbol, actions in (("+", after[name]), ("-", before.get(name))):
            if actions:
                yield f"{symbol} {_value(name, actions)}"


def _difference(name: str, before: Any, after: Any) -> str:
    return f"{_named(name)} {_value(name, before)} → {_value(name, after)}"


def _named(name: str) -> str:
    return _NAMES.get(name, name.replace("_", " "))


def _value(name: str, value: Any) -> str:
    if value is None or value == []:
        return "none"
    if name == "max_session_duration" and isinstance(value, int):
        return _duration(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return text.listed([str(each) for each in value], _MOST_VALUES)
    return str(value)


def _duration(seconds: int) -> str:
    """As exact as the manifest: `1 h`, `1 h 30 min`, `3601 s`."""
    minutes, rest = divmod(seconds, 60)
    if rest:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part
    )
