"""Accounts from a list that exists already: CSV, c7n-org, Prowler, the AWS CLI, Terraform."""

from __future__ import annotations

import sys
from dataclasses import replace

from cloudcraft_onboard.errors import ManifestError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.source import MAX_BYTES, SourceText, decode, read
from cloudcraft_onboard.sources import formats, rows
from cloudcraft_onboard.sources.found import ASSUME_ROLE, Candidate, Found, Search
from cloudcraft_onboard.sources.organization import check_role, way_in

STANDARD_INPUT = "standard input"


@frozen
class ListFile:
    """The accounts of a file, `-` for standard input; what it is, its content says.

    `profile` is whose credentials assume the roles; `assume_role` is for accounts for which the
    list names no way in.
    """

    path: str
    profile: str | None = None
    assume_role: str | None = None

    def __post_init__(self) -> None:
        """Raise `UsageError` for what is wrong before the file is read."""
        check_role(self.assume_role)

    @property
    def origin(self) -> str:
        """See `Source`."""
        return STANDARD_INPUT if self.path == "-" else self.path

    def find(self, search: Search) -> Found:
        """See `Source`. Raises `ManifestError` with all that cannot be read, each with its line."""
        try:
            source = self._read()
            found = formats.recognised(source)
            told = rows.read(found.rows, self.origin, source.complain)
            source.settle()
        except ManifestError as error:
            # A line of somebody's list may hold a secret: it is pointed at, never shown.
            bare = tuple(replace(problem, source="") for problem in error.problems)
            raise ManifestError(bare) from None
        candidates = [_with_role(each, self.assume_role) for each in told.candidates]
        entered = all(each.profile or each.assume_role for each in candidates)
        defaults = way_in(self.profile or search.profile, self.assume_role)
        if entered and self.assume_role is None:
            defaults = replace(defaults, assume_role=None)
        count = len(candidates)
        said = f"{self.origin} is {found.what}: {count} account{'' if count == 1 else 's'}."
        return Found(
            candidates=tuple(candidates),
            said=(said, *found.said, *told.said),
            defaults=defaults,
            chosen=self.assume_role is not None,
            states=told.states,
        )

    def _read(self) -> SourceText:
        if self.path == "-":
            return decode(STANDARD_INPUT, sys.stdin.buffer.read(MAX_BYTES + 1))
        return read(self.path)


def _with_role(candidate: Candidate, assume_role: str | None) -> Candidate:
    """What a list says of a role that it doesn't name, such as an external ID, gets the role."""
    way = candidate.assume_role
    if way is None or isinstance(way, str) or "role" in way:
        return candidate
    return replace(candidate, assume_role={"role": assume_role or ASSUME_ROLE, **way})
