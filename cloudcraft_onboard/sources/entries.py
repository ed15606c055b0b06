"""A source's accounts as entries of a manifest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.manifest.share import Share, first_match, unused
from cloudcraft_onboard.manifest.write import Defaults, NewEntry
from cloudcraft_onboard.sources.found import Candidate, Found

_PLACEHOLDERS = ("name", "id", "email", "ou")


def entries(
    candidates: Sequence[Candidate], pattern: str, shares: Sequence[Share]
) -> list[NewEntry]:
    """The candidates as entries; the first rule that matches says who sees an account."""
    rules = [first_match(shares, each.path) for each in candidates]
    return [
        NewEntry(
            name=named(each, pattern),
            account_id=each.account_id,
            profile=each.profile,
            assume_role=each.assume_role,
            region=each.region,
            read_access=(share.who,) if share else None,
            tags=each.tags,
            comment=each.comment,
        )
        for each, share in zip(candidates, rules, strict=True)
    ]


def unmatched(candidates: Sequence[Candidate], shares: Sequence[Share]) -> list[str]:
    """A sentence for each rule of sharing that no account came to."""
    used = {first_match(shares, each.path) for each in candidates}
    return unused(shares, {share for share in used if share})


def named(candidate: Candidate, pattern: str) -> str:
    """What an account is called, by a pattern that `check_pattern` let through."""
    values = {
        "name": candidate.name,
        "id": candidate.account_id or "",
        "email": candidate.email,
        "ou": "/".join(candidate.path),
    }
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern)


def check_pattern(pattern: str) -> None:
    """Raise `UsageError` for a placeholder that nobody knows."""
    for word in re.findall(r"\{(.*?)\}", pattern):
        if word not in _PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise UsageError(f"--name: unknown placeholder {{{word}}}; use {known}.")


def entered(written: Sequence[NewEntry], found: Found, defaults: Defaults) -> list[NewEntry]:
    """New entries with the way in that the manifest's defaults lack.

    What the user names holds; otherwise a way that the defaults know is as good for new accounts.
    """
    way = found.defaults
    known = defaults.assume_role is not None or defaults.sso is not None
    if known and not found.chosen:
        way = replace(way, assume_role=None, sso=None)
    own = NewEntry(
        name="",
        profile=way.profile if way.profile != defaults.profile else None,
        sso=way.sso if way.sso != defaults.sso else None,
        assume_role=way.assume_role if way.assume_role != defaults.assume_role else None,
    )
    return [
        entry
        if entry.has_way
        else replace(entry, profile=own.profile, sso=own.sso, assume_role=own.assume_role)
        for entry in written
    ]


def unshared(default: Sequence[str] | None, written: Sequence[NewEntry]) -> list[NewEntry]:
    """Drop `read_access` from entries where it equals the default."""
    same = tuple(default or ())
    return [replace(e, read_access=None) if e.read_access == same else e for e in written]
