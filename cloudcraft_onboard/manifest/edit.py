"""Changes a manifest in place: adds entries, disables accounts, keeps every other byte.

Edits the text at the positions that the parser gives. A YAML library that rewrites the whole file,
even one that keeps comments, changes indentation, line breaks or folding somewhere. The result is
read again and must be exactly the accounts that were asked for.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cloudcraft_onboard.console.files import write_whole
from cloudcraft_onboard.errors import ManifestError, OnboardError, UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.load import loads, opened
from cloudcraft_onboard.manifest.nodes import Node
from cloudcraft_onboard.manifest.source import SourceText, read
from cloudcraft_onboard.manifest.write import Defaults, NewEntry, as_json, block, flow, scalar
from cloudcraft_onboard.model import Account

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NOWHERE: Mapping[str, str] = MappingProxyType({})
UNIT = "ou"
"""The tag with the path of OUs down to an account."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|[\r\n]|$)")


@frozen
class _Insert:
    """Text that replaces the characters from `start` to `end`."""

    start: int
    end: int
    text: str


class Draft:
    """A manifest's file that is to be changed in place; read once, and parsed once.

    Raises `ManifestError` for an invalid manifest.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._source = read(path)
        manifest, root = opened(self._source)
        self.accounts = manifest.accounts
        self.defaults = _defaults(root)

    def edited(
        self,
        add: Sequence[NewEntry],
        disable: Collection[str],
        moved: Mapping[str, str] = NOWHERE,
    ) -> str:
        """The text with entries appended, and accounts disabled or `moved`, by their name.

        An account that moved gets another value of its tag `ou`.

        With nothing to do, the text is unchanged, byte order mark included. Raises `UsageError` for
        one that cannot be changed in place.
        """
        changed, _ = self._edited(add, disable, moved)
        return self._source.mark + changed

    def added(self, add: Sequence[NewEntry]) -> tuple[Account, ...]:
        """What entries are as accounts of this manifest. Raises `UsageError` as `edited` does."""
        _, accounts = self._edited(add, (), NOWHERE)
        return accounts[len(self.accounts) :]

    def save(self, text: str) -> None:
        """Write the changed text over the file, unless somebody changed it since it was read.

        Of two programs that want to write, the second waits for the first, and finds the change.

        Raises:
            OnboardError: it was changed meanwhile.
            UsageError: it cannot be written.
        """
        try:
            with _alone(self.path):
                now = read(self.path)
                if (now.mark, now.text) != (self._source.mark, self._source.text):
                    raise OnboardError(
                        f"{self.path} was changed by somebody else meanwhile. Nothing was written.",
                        hint="Run the same command again.",
                    )
                write_whole(self.path, text)
        except OSError as error:
            raise UsageError(f"Cannot write {self.path}: {error.strerror or error}.") from error

    def _edited(
        self, add: Sequence[NewEntry], disable: Collection[str], moved: Mapping[str, str]
    ) -> tuple[str, tuple[Account, ...]]:
        """The changed text, and its accounts."""
        changed = self._source.text
        if not (add or disable or moved):
            return changed, self.accounts
        inserts = self._inserts(add, disable, moved)
        # Where both are at one place, what is applied later comes to stand in front.
        for insert in sorted(inserts, key=lambda it: it.start, reverse=True):
            changed = changed[: insert.start] + insert.text + changed[insert.end :]
        return changed, self._checked(changed, add, disable, moved)

    def _inserts(
        self, add: Sequence[NewEntry], disable: Collection[str], moved: Mapping[str, str]
    ) -> list[_Insert]:
        source = self._source
        accounts = _value(yaml.compose(source.yaml, Loader=_LOADER), "accounts")
        if accounts is None:
            raise _by_hand(self.path)
        inserts = [_add(source, accounts, add)] if add else []
        for node, account in zip(accounts.value, self.accounts, strict=True):
            if account.name in disable and account.enabled:
                inserts.append(_disable(source, node))
            if account.name in moved:
                inserts.append(self._move(node, moved[account.name]))
        return inserts

    def _move(self, node: Any, unit: str) -> _Insert:
        """Another value of an entry's own tag `ou`."""
        tags = _value(node, "tags")
        value = _value(tags, UNIT) if isinstance(tags, yaml.MappingNode) else None
        if value is None or not node.start_mark.index < value.start_mark.index < _end(node):
            raise _by_hand(self.path)  # merged in from elsewhere
        told = json.dumps(unit) if self._source.is_json else scalar(unit)
        return _Insert(start=value.start_mark.index, end=value.end_mark.index, text=told)

    def _checked(
        self,
        text: str,
        add: Sequence[NewEntry],
        disable: Collection[str],
        moved: Mapping[str, str],
    ) -> tuple[Account, ...]:
        """Its accounts. Raises `UsageError` unless these are the old ones with what was wanted."""
        try:
            after = loads(self.path, text.encode()).accounts
        except ManifestError as error:
            raise _by_hand(self.path) from error
        kept = [
            replace(
                a,
                line=0,
                enabled=a.enabled and a.name not in disable,
                tags={**a.tags, UNIT: moved[a.name]} if a.name in moved else a.tags,
            )
            for a in self.accounts
        ]
        added = [(entry.name, entry.account_id, dict(entry.tags)) for entry in add]
        if [replace(a, line=0) for a in after[: len(kept)]] != kept or added != [
            (a.name, a.account_id, dict(a.tags)) for a in after[len(kept) :]
        ]:
            raise _by_hand(self.path)
        return after


def _defaults(root: Node | None) -> Defaults:
    """What new entries take from a valid manifest's defaults."""
    written = root.data.get("defaults") if root else None
    told = written or {}
    access = told.get("read_access")
    return Defaults(
        profile=told.get("profile"),
        sso=told.get("sso"),
        assume_role=told.get("assume_role"),
        read_access=None if access is None else tuple(access),
    )


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Wait for others who change the file this way, as far as its file system knows locks."""
    with Path(path).open("rb") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _by_hand(path: str) -> UsageError:
    return UsageError(
        f"{path} cannot be changed in place without touching other lines.",
        hint="Write its accounts as a plain list, one key per line, or make the change by hand.",
    )


def _add(source: SourceText, accounts: Any, add: Sequence[NewEntry]) -> _Insert:
    """Insert the new entries after the last one, in the list's own style."""
    text = source.text
    last = accounts.value[-1]
    end = _end(last)
    if accounts.flow_style:
        write = as_json if source.is_json else flow
        return _Insert(start=end, end=end, text="".join(f", {write(entry)}" for entry in add))
    dash = _column_of_dash(text, last)
    keys = None if last.flow_style else last.start_mark.column
    at = _after_comments(text, _next_line(text, end), dash)
    line_end = _line_end(text)
    new = line_end.join(line for entry in add for line in block(entry, dash, keys))
    if at and text[at - 1] not in "\r\n":  # the file ends without a line end, and so it stays
        return _Insert(start=at, end=at, text=line_end + new)
    return _Insert(start=at, end=at, text=new + line_end)


def _disable(source: SourceText, node: Any) -> _Insert:
    """`enabled: false` in an account's own mapping."""
    text = source.text
    enabled = _value(node, "enabled")
    if enabled is not None and node.start_mark.index < enabled.start_mark.index < _end(node):
        return _Insert(start=enabled.start_mark.index, end=enabled.end_mark.index, text="false")
    account_id = _value(node, "account_id")
    if account_id is None or enabled is not None:  # merged in from elsewhere: behind the first key
        account_id = node.value[0][1]
    if node.flow_style:
        end = account_id.end_mark.index
        key = '"enabled"' if source.is_json else "enabled"
        return _Insert(start=end, end=end, text=f", {key}: false")
    at = _next_line(text, account_id.end_mark.index)
    line_end = _line_end(text)
    line = f"{' ' * node.start_mark.column}enabled: false"
    ends = bool(at) and text[at - 1] in "\r\n"
    return _Insert(start=at, end=at, text=line + line_end if ends else line_end + line)


def _value(node: Any, key: str) -> Any:
    """The value of a mapping's own key; None if it is missing."""
    return next((value for name, value in node.value if name.value == key), None)


def _end(node: Any) -> int:
    """Where a node's own text ends; an alias's target is elsewhere and doesn't count."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    if not isinstance(node, yaml.MappingNode):
        return _end(last)
    key, value = last
    own = value.start_mark.index >= key.end_mark.index
    return max(int(key.end_mark.index), _end(value) if own else 0)


def _column_of_dash(text: str, item: Any) -> int:
    """How many characters precede the dash of a list item."""
    start = text.rfind("-", 0, item.start_mark.index)
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return start - line


def _after_comments(text: str, at: int, dash: int) -> int:
    """The end of the list's own comments: indented like its dash or deeper, and not at column 1."""
    end = at
    while at < len(text):
        line = _LINE.match(text, at)
        content = line[0].strip() if line else ""
        if content and not content.startswith("#"):
            break
        at = line.end() if line else len(text)
        indent = len(line[0]) - len(line[0].lstrip()) if line else 0
        if content and indent >= max(dash, 1):
            end = at
    return end


def _next_line(text: str, at: int) -> int:
    """Where the line after the one of `at` begins; `at` itself where a line begins there."""
    if at and text[at - 1] in "\r\n":
        return at
    line = _LINE.match(text, at)
    return line.end() if line else len(text)


def _line_end(text: str) -> str:
    """The file's own line end."""
    first = re.search(r"\r\n|\n|\r", text)
    return first[0] if first else "\n"
