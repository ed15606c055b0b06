"""Accounts from AWS Organizations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from cloudcraft_onboard.aws import organizations
from cloudcraft_onboard.aws.profiles import of_environment
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest import rules
from cloudcraft_onboard.manifest.write import Defaults, clean
from cloudcraft_onboard.model import Member
from cloudcraft_onboard.sources.found import ACTIVE, ASSUME_ROLE, Candidate, Found, Search

_UNIT = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
EVERY_TAG = "*"


@frozen
class OrganizationAccounts:
    """The active accounts of the organization, or of some of its units.

    `units` are IDs of OUs or roots. `excluded` are account IDs, and OUs by ID or path. `tags` are
    the keys of the tags to copy, `*` for all. `assume_role` is None if the user gave none.
    """

    profile: str | None = None
    units: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    assume_role: str | None = None

    origin = "AWS Organizations"

    def __post_init__(self) -> None:
        """Raise `UsageError` for what is wrong before AWS is asked."""
        for unit in self.units:
            if not _UNIT.fullmatch(unit):
                raise UsageError(
                    f"--ou {unit}: not the ID of an organizational unit.",
                    hint="Use an ID such as ou-ab12-11111111, or r-ab12 for the root.",
                )
        for one in self.excluded:
            if re.fullmatch("[0-9]+", one) and rules.account_id(one):
                raise UsageError(f"--exclude {one}: an account ID has 12 digits.")
            if not one.strip("/ "):
                raise UsageError("--exclude: give an account ID, or an OU by its ID or path.")
        check_role(self.assume_role)

    def find(self, search: Search) -> Found:
        """See `Source`."""
        profile = self.profile or search.profile
        client = organizations.connect(profile)
        progress = organizations.Progress()
        search.waiting(progress)
        try:
            members = organizations.members(
                client, self.units, profile, outside=search.whole, progress=progress
            )
            found = self.found(members, profile)
            if self.tags:
                search.waiting(f"{len(found.candidates):,} accounts, reading their tags")
                ids = [candidate.account_id or "" for candidate in found.candidates]
                own = organizations.tags(client, ids, profile)
                tagged = [
                    self._tagged(candidate, tags)
                    for candidate, tags in zip(found.candidates, own, strict=True)
                ]
                found = replace(found, candidates=tuple(tagged))
        finally:
            client.close()
        return replace(found, complete=search.whole or not self.units)

    def found(self, members: Sequence[Member], profile: str | None) -> Found:
        """What these members come to, entered by way of the profile; contacts nobody."""
        wanted, said = self._wanted(members)
        return Found(
            candidates=tuple(map(_candidate, wanted)),
            said=tuple(said),
            defaults=way_in(profile, self.assume_role),
            chosen=self.assume_role is not None,
            states={member.account_id: member.state for member in members},
        )

    def _wanted(self, members: Sequence[Member]) -> tuple[list[Member], list[str]]:
        """The accounts to take, and a sentence for each that is left out or not as asked for."""
        inside = [m for m in members if m.path is not None or not self.units]
        matched = {one: [m for m in inside if _is_in(m, one)] for one in self.excluded}
        excluded = {member.account_id for found in matched.values() for member in found}
        kept = [member for member in inside if member.account_id not in excluded]
        said = [
            f"Left out {member.name} ({member.account_id}): it is {member.state or 'in no state'}."
            for member in kept
            if member.state != ACTIVE
        ]
        active = [member for member in kept if member.state == ACTIVE]
        said += [
            f"{member.name} ({member.account_id}): its OU is not known, as it moved while the OUs"
            " were read; it has no tag `ou`."
            for member in active
            if member.path is None
        ]
        where = "these units have" if self.units else "the organization has"
        said += [
            f"--exclude {one}: {where} no such {'account' if one.isdecimal() else 'OU'}."
            for one, found in matched.items()
            if not found and not any(_is_in(m, one) for m in members)
        ]
        return active, said

    def _tagged(self, candidate: Candidate, tags: dict[str, str]) -> Candidate:
        """With the tags that are to be copied; the OU's path comes before a tag `ou`."""
        chosen = {
            clean(key).replace("=", "-"): clean(value)
            for key, value in tags.items()
            if EVERY_TAG in self.tags or key in self.tags
        }
        return replace(candidate, tags={**chosen, **candidate.tags})


def way_in(profile: str | None, assume_role: str | None) -> Defaults:
    """The way into an organization's accounts: a role, assumed with the profile's credentials.

    The environment's own profile is not the manifest's: CI has other credentials.
    """
    return Defaults(
        profile=profile if profile != of_environment() else None,
        assume_role=assume_role or ASSUME_ROLE,
    )


def check_role(assume_role: str | None) -> None:
    """Raise `UsageError` unless it can be the name of a role in every account."""
    if assume_role and rules.role_name(assume_role):
        raise UsageError(
            f"--assume-role {assume_role}: not a role name.",
            hint="Give the name alone, without path or ARN; it is the same in every account.",
        )


def _candidate(member: Member) -> Candidate:
    path = tuple(clean(name) for name in member.path or ())
    comment = "The management account. Service control policies don't apply to it, and it has no"
    return Candidate(
        name=member.name,
        account_id=member.account_id,
        email=member.email,
        path=member.path or (),
        tags={"ou": "/".join(path)} if path else {},
        comment=f"{comment} {ASSUME_ROLE}." if member.is_management else "",
    )


def _is_in(member: Member, excluded: str) -> bool:
    """Whether it is that account, or in that OU or below, by ID or path (with root or without)."""
    if excluded in (member.account_id, *member.unit_ids):
        return True
    names = [name.casefold() for name in member.path or ()]
    wanted = excluded.strip("/ ").casefold().split("/")
    return bool(wanted) and wanted in (names[: len(wanted)], names[1 : len(wanted) + 1])
