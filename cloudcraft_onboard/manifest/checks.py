"""Checks of what keys say together, where each alone is valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest import rules
from cloudcraft_onboard.manifest.explain import find, key_path, written
from cloudcraft_onboard.manifest.nodes import Items, Node, Pairs
from cloudcraft_onboard.manifest.schema import AccountShape, Common
from cloudcraft_onboard.manifest.source import SourceText, quoted
from cloudcraft_onboard.model import Account, Via
from cloudcraft_onboard.model.arn import account_of

_ROLE = "the name or ARN of the role to assume"
_SSO = "write an `[sso-session]` of the AWS config and the name of a permission set"

_Place = tuple[int | str, ...]


@frozen
class Entry:
    """An entry of the manifest: its index, what is written there, and the account it makes."""

    index: int
    shape: AccountShape
    account: Account


def check_tree(source: SourceText, root: Node) -> None:
    """Complain about entries that name no account, and about duplicates.

    Reads the tree, so that it covers entries with other errors too.
    """
    accounts = root.nodes.get("accounts") if isinstance(root, Pairs) else None
    first: dict[tuple[str, str], Pairs] = {}
    for entry in accounts.nodes if isinstance(accounts, Items) else ():
        if not isinstance(entry, Pairs):
            continue
        name = entry.data.get("name")
        called = f"{quoted(name)} needs" if isinstance(name, str) else "an account needs"
        if entry.data.get("account_id") is None and entry.data.get("profile") is None:
            message = f"{called} `account_id` or its own `profile`"
            source.complain(entry.line, entry.column, message)
        for key, value, message in _identities(entry):
            other = first.setdefault((key, value), entry)
            if other is not entry:
                node = entry.nodes[key]
                source.complain(
                    node.line,
                    node.column,
                    message.format(_label(other), value=quoted(value), line=other.line),
                )


def check_entries(
    source: SourceText, root: Node, defaults: Common | None, entries: Sequence[Entry]
) -> None:
    """Check the keys of each account together, and with the defaults (None: they are not valid)."""
    for entry in entries:
        found = [*_of_one(entry), *(_way_in(entry, defaults) if defaults else ())]
        for keys, message in found:
            _complain(source, root, ("accounts", entry.index, *keys), message)
    for place, message in (*_of_defaults(defaults or Common(), entries), *_of_stack_sets(entries)):
        _complain(source, root, place, message)


def _complain(source: SourceText, root: Node, place: _Place, message: str) -> None:
    node = find(root, place)
    path = key_path(written(root, place))
    source.complain(node.line, node.column, f"{path}: {message}" if path else message)


def _identities(entry: Pairs) -> Iterator[tuple[str, str, str]]:
    """What must be unique: key, value, and the message for a duplicate."""
    name, account_id = entry.data.get("name"), entry.data.get("account_id")
    profile = entry.data.get("profile")
    if isinstance(name, str):
        yield "name", name, "name: {value} is already the name of the account on line {line}"
    if isinstance(account_id, str):
        yield "account_id", account_id, "account_id: {value} is already the account of {0}"
    elif isinstance(profile, str) and account_id is None:
        yield "profile", profile, "profile: {value} leads to the same account as {0}"


def _label(entry: Pairs) -> str:
    name = entry.data.get("name")
    return (
        f"{quoted(name)} on line {entry.line}"
        if isinstance(name, str)
        else (f"the account on line {entry.line}")
    )


def _of_one(entry: Entry) -> Iterator[tuple[_Place, str]]:
    """The errors of one account: place and message."""
    account, shape = entry.account, entry.shape
    via = account.role.via
    if account.account_id is None and shape.profile is not None and via is not Via.ASSUME:
        yield (), f"{quoted(account.name)} needs `account_id` because its `role.via` is `{via}`"
    elif account.account_id is None and shape.assume_role is not None:
        yield (
            ("assume_role",),
            "needs `account_id`; without it, the profile is used as it is",
        )
    if account.account_id is not None:
        for place, arn in _arns(shape):
            owner = account_of(arn)
            if owner and owner != account.account_id:
                yield (
                    place,
                    f"{quoted(arn, 200)} is in account {owner}, not {account.account_id}",
                )
    if "tags" in shape.role.model_fields_set and (why := rules.role_tags(account.role.tags)):
        yield ("role", "tags"), f"with those of the defaults: {why}"
    yield from _excluded(shape)


def _excluded(shape: Common) -> Iterator[tuple[_Place, str]]:
    """Two ways in that exclude each other, in one mapping."""
    others = {"profile": shape.profile, "assume_role": shape.assume_role}
    if shape.sso and (written := [f"`{key}`" for key, value in others.items() if value]):
        yield ("sso",), f"excludes {' and '.join(written)} beside it; keep one of them"


def _way_in(entry: Entry, defaults: Common) -> Iterator[tuple[_Place, str]]:
    """What the way into an account lacks, the defaults merged in."""
    account, shape = entry.account, entry.shape
    if account.account_id is None:
        if shape.sso:
            yield ("sso",), "needs `account_id`; IAM Identity Center gives credentials by account"
        return
    asked = shape.assume_role
    if asked and (
        why := rules.session_tags(account.assume_role.tags if account.assume_role else {})
    ):
        yield ("assume_role", "tags"), f"with those of the defaults: {why}"
    if shape.sso and not account.sso:
        lacking = [
            f"`{key}`"
            for key in ("session", "role")
            if not getattr(shape.sso, key) and not getattr(defaults.sso, key, None)
        ]
        yield ("sso",), f"lacks {' and '.join(lacking)}: {_SSO}"
    elif asked and not shape.sso and not account.assume_role:
        yield ("assume_role",), f"lacks `role`, {_ROLE}"


def _of_defaults(defaults: Common, entries: Sequence[Entry]) -> Iterator[tuple[_Place, str]]:
    """What the defaults lack, and ARNs in them that belong to one account but apply to others."""
    yield from ((("defaults", *place), why) for place, why in _excluded(defaults))
    yield from _lacking(defaults, entries)
    for place, arn in _arns(defaults):
        owner = account_of(arn)
        other = _in_another_account(owner, place, entries) if owner else None
        if other:
            better = "set it for the accounts it is in"
            if place[0] == "assume_role":
                better = "write the role's name instead"
            message = (
                f"{quoted(arn, 200)} is in account {owner}, but {quoted(other.name)} on line "
                f"{other.line} is {other.account_id}; {better}"
            )
            yield ("defaults", *place), message


def _lacking(defaults: Common, entries: Sequence[Entry]) -> Iterator[tuple[_Place, str]]:
    """Ways in of the defaults that lack a part which an account relies on."""
    relying = [
        entry
        for entry in entries
        if entry.account.account_id and not entry.shape.sso and not entry.shape.assume_role
    ]
    mapping = defaults.assume_role
    if mapping and not mapping.role:
        for entry in relying:
            if not entry.shape.model_fields_set & {"sso", "assume_role"}:
                message = f"lacks `role`, {_ROLE}; {_whose(entry)} has none of its own"
                yield ("defaults", "assume_role"), message
                return
    sso = defaults.sso
    if sso and not (sso.session and sso.role):
        lacking = [f"`{key}`" for key in ("session", "role") if not getattr(sso, key)]
        for entry in relying:
            if not entry.shape.model_fields_set & {"sso", "assume_role", "profile"}:
                message = f"lacks {' and '.join(lacking)}; {_whose(entry)} has none of its own"
                yield ("defaults", "sso"), message
                return


def _whose(entry: Entry) -> str:
    return f"{quoted(entry.account.name)} on line {entry.account.line}"


def _of_stack_sets(entries: Sequence[Entry]) -> Iterator[tuple[_Place, str]]:
    """Accounts of one stack set with different roles: it has one template."""
    first: dict[str, Account] = {}
    for entry in entries:
        account, role = entry.account, entry.account.role
        if role.via is not Via.STACKSET or not account.enabled:
            continue
        other = first.setdefault(role.stackset.name, account)
        if other.role != role:
            message = (
                f"{quoted(account.name)} and {quoted(other.name)} on line {other.line} share the"
                f" stack set {role.stackset.name}, but their `role` differs; give one of the two"
                " another `role.stackset.name`"
            )
            yield ("accounts", entry.index), message


def _in_another_account(account_id: str, place: _Place, entries: Sequence[Entry]) -> Account | None:
    """The first account with another ID that uses the default at `place`."""
    for entry in entries:
        if entry.account.account_id not in (None, account_id) and _takes_default(entry, place):
            return entry.account
    return None


def _arns(shape: Common) -> Iterable[tuple[_Place, str]]:
    """Every value that may be an ARN, with its place."""
    role = shape.role
    if shape.assume_role is not None and shape.assume_role.role is not None:
        yield ("assume_role", "role"), shape.assume_role.role
    if role.permissions_boundary is not None:
        yield ("role", "permissions_boundary"), role.permissions_boundary
    for position, policy in enumerate(role.policies):
        yield ("role", "policies", position), policy


def _takes_default(entry: Entry, place: _Place) -> bool:
    """Whether the account uses the default at `place`."""
    if entry.account.role.via is Via.EXISTING:
        return False
    if place[0] == "assume_role":
        own = entry.shape
        if "assume_role" not in own.model_fields_set:
            return own.sso is None
        return own.assume_role is not None and "role" not in own.assume_role.model_fields_set
    return place[1] not in entry.shape.role.model_fields_set
