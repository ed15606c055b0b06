"""Which accounts a command works on: `--only`, `--exclude`, `--changed-since`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from cloudcraft_onboard.console.children import Child
from cloudcraft_onboard.errors import ManifestError, UsageError
from cloudcraft_onboard.manifest.load import loads
from cloudcraft_onboard.manifest.source import MAX_BYTES
from cloudcraft_onboard.model import Account, Manifest, StackSetSpec, Via

_SHOWN = 8
"""How many of a tag's values a message lists."""


def select(
    accounts: Sequence[Account], only: Sequence[str], exclude: Sequence[str]
) -> tuple[Account, ...]:
    """The accounts that match any of `only` (all, where it is empty) and none of `exclude`.

    A pattern is a name, a glob over names, a 12-digit account ID or `key=value` for a tag, the
    value of which may be a glob. What is exactly a name means that account, whatever else it looks
    like. Raises `UsageError` for patterns that match nothing, and when nothing is left.
    """
    wanted = {pattern: _matching(pattern, accounts) for pattern in dict.fromkeys(only)}
    unwanted = {pattern: _matching(pattern, accounts) for pattern in dict.fromkeys(exclude)}
    unmatched = [("--only", p) for p, names in wanted.items() if not names]
    unmatched += [("--exclude", p) for p, names in unwanted.items() if not names]
    if unmatched:
        lines = (
            f"{option} {p!r} matches no account{_nearest(p, accounts)}" for option, p in unmatched
        )
        raise UsageError("\n".join(lines))
    kept = {a.name for a in accounts} if not only else set[str]().union(*wanted.values())
    kept = kept.difference(*unwanted.values())
    selected = tuple(account for account in accounts if account.name in kept)
    if accounts and not selected:
        raise UsageError("--only and --exclude together leave no account.")
    return selected


def changed_since(manifest: Manifest, ref: str) -> tuple[Account, ...]:
    """The accounts that differ, defaults merged in, from the manifest of the git revision `ref`.

    All of them where that revision has no such file, or an invalid one. Raises `UsageError` where
    git cannot tell: not installed, no repository, an unknown revision.
    """
    path = Path(manifest.path).resolve()
    if not path.exists():
        raise UsageError("--changed-since needs a manifest in a file, not standard input.")
    _git(path.parent, "rev-parse", "--is-inside-work-tree")
    _git(
        path.parent,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{ref}^{{commit}}",
        ref=ref,
    )
    listed = _git(path.parent, "ls-tree", "--name-only", "--full-name", ref, "--", path.name)
    if not listed.strip():
        return manifest.accounts
    try:
        before = loads(manifest.path, _git(path.parent, "show", f"{ref}:./{path.name}"))
    except ManifestError:
        return manifest.accounts
    entries = {account.name: _meaning(account) for account in before.accounts}
    return tuple(a for a in manifest.accounts if entries.get(a.name) != _meaning(a))


def _meaning(account: Account) -> Account:
    """The account without what has no effect on it: its line, a stack set that it doesn't use."""
    role = account.role
    if role.via is not Via.STACKSET:
        role = replace(role, stackset=StackSetSpec())
    return replace(account, line=0, role=role)


def _matching(pattern: str, accounts: Sequence[Account]) -> frozenset[str]:
    """The names of the accounts that a pattern means."""
    if any(account.name == pattern for account in accounts):
        return frozenset({pattern})
    return frozenset(account.name for account in accounts if _matches(pattern, account))


def _matches(pattern: str, account: Account) -> bool:
    if account.account_id == pattern or fnmatchcase(account.name, pattern):
        return True
    key, equals, value = pattern.partition("=")
    return bool(equals) and key in account.tags and fnmatchcase(account.tags[key], value)


def _nearest(pattern: str, accounts: Sequence[Account]) -> str:
    """What may be meant instead, as the rest of a sentence."""
    key, equals, _ = pattern.partition("=")
    values = sorted({account.tags[key] for account in accounts if key in account.tags})
    if equals and values:
        more = ["..."] if len(values) > _SHOWN else []
        return f"; values of {key}: {', '.join(values[:_SHOWN] + more)}."
    known = {account.name.lower(): account.name for account in accounts}
    if equals:
        known = {f"{tag}=": f"{tag}=..." for account in accounts for tag in account.tags}
        pattern = f"{key}="
    elif pattern.isdecimal():
        known = {a.account_id: a.account_id for a in accounts if a.account_id}
    tagged = {f"{k}={v}" for a in accounts for k, v in a.tags.items() if v == pattern}
    cased = [name for low, name in known.items() if fnmatchcase(low, pattern.lower())]
    close = [known[match] for match in get_close_matches(pattern.lower(), known, 3)]
    near = (sorted(tagged) or cased or close)[:3]
    return f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else "."


def _git(folder: Path, *arguments: str, ref: str | None = None) -> bytes:
    """What git prints. Raises `UsageError` when it fails, or isn't there."""
    git = shutil.which("git")
    if git is None:
        raise UsageError("--changed-since needs git, which is not installed.")
    child = Child([git, "-C", str(folder), *arguments])  # no revision can become an option
    output, errors = child.communicate(most=MAX_BYTES + 1)
    if child.returncode == 0:
        return output
    if ref is not None:
        raise UsageError(
            f"--changed-since {ref}: git knows no such revision.",
            hint="A shallow clone has only the newest revision: fetch more (in GitHub Actions, "
            "actions/checkout with fetch-depth: 0).",
        )
    said = errors.decode().strip() or f"git failed ({child.returncode})."
    raise UsageError(f"--changed-since: {said}")
