"""`onboard init`: a manifest from AWS Organizations or from the profiles of the AWS config."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from cloudcraft_onboard.aws import organizations
from cloudcraft_onboard.aws.profiles import Profile, of_environment, profiles
from cloudcraft_onboard.aws.sections import ignored
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.console.files import unusable, write_whole
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import AccountError, UsageError
from cloudcraft_onboard.manifest.edit import default_of, edited
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.manifest.share import EVERYWHERE, Share, first_match, unused
from cloudcraft_onboard.manifest.write import Defaults, Entry, clean, render, unique
from cloudcraft_onboard.model import Account, Member

ASSUME_ROLE = "OrganizationAccountAccessRole"
"""The role that Organizations creates in new member accounts."""

_PLACEHOLDERS = ("name", "id", "email", "ou")
_LOOKUPS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class FromOrganization:
    """Accounts of the organization, or of some of its units.

    `excluded` are account IDs; `assume_role` is None if the user gave none; `name` is the pattern
    for the accounts' names; the first of `shares` that matches says who sees an account.
    """

    profile: str | None = None
    units: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    assume_role: str | None = None
    name: str = "{name}"
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FromProfiles:
    """Accounts of the profiles that match a glob; `resolve` looks up missing account IDs."""

    glob: str
    resolve: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The text for stdout (empty if a file was written) and sentences for stderr."""

    text: str
    said: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What a source yielded: `members` of the organization by ID, account IDs by profile."""

    entries: list[Entry]
    said: list[str]
    members: Mapping[str, Member] = field(default_factory=dict)
    profiles: Mapping[str | None, str | None] = field(default_factory=dict)


def create(source: FromOrganization | FromProfiles, file: str | None) -> Outcome:
    """Make a new manifest; `file`, if given, must not exist yet.

    Raises:
        UsageError: the file exists or cannot be written, or no account was found.
        CannotStart: AWS cannot be asked.
    """
    if file is not None:
        _must_be_new(file)
    _check(source)
    found = _find(source, ())
    if not found.entries:
        raise UsageError("Found no accounts for the manifest.")
    entries, renamed = unique(found.entries, ())
    if isinstance(source, FromOrganization):
        everywhere = [share.who for share in source.shares if share.glob == EVERYWHERE][:1]
        # The environment's own profile is not the manifest's: CI has other credentials.
        defaults = Defaults(
            profile=source.profile if source.profile != of_environment() else None,
            assume_role=source.assume_role or ASSUME_ROLE,
            read_access=tuple(everywhere) or None,
        )
        text = render("AWS Organizations", defaults, _without(everywhere, entries))
    else:
        text = render("the profiles of the AWS config", Defaults(), entries)
    said = (*found.said, *renamed, f"{_count(entries)} in the manifest.")
    if file is None:
        return Outcome(text=text, said=said)
    _must_be_new(file)
    _write(file, text)
    return Outcome(text="", said=(*said, f"Wrote {file}."))


def update(source: FromOrganization | FromProfiles, file: str, *, disable_closed: bool) -> Outcome:
    """Add missing accounts to `file`, and keep the rest byte for byte.

    Raises:
        ManifestError: the file is not a valid manifest.
        UsageError: it cannot be changed in place, or cannot be written.
        CannotStart: AWS cannot be asked.
    """
    accounts = load(file).accounts
    _check(source)
    if isinstance(source, FromProfiles):
        source = replace(source, resolve=True)  # the file may have the same accounts by their IDs
    elif source.profile is None:
        source = replace(source, profile=default_of(file, "profile"))
    used = {account.profile for account in accounts if account.account_id is None}
    found = _find(source, used)
    new, doubtful = _missing(found, accounts, used)
    if isinstance(source, FromOrganization):
        default = default_of(file, "assume_role")
        way_in = source.assume_role or default or ASSUME_ROLE
        if way_in != default:
            new = [replace(entry, assume_role=way_in) for entry in new]
        new = _without(default_of(file, "read_access"), new)
    new, renamed = unique(new, [account.name for account in accounts])
    gone = _gone(found, accounts) if isinstance(source, FromOrganization) else {}
    disable = set(gone) if disable_closed else set()
    said = [*found.said, *doubtful, *renamed, *gone.values()]
    said += [f"{file}: added {entry.name}." for entry in new]
    said += [
        f"{file}: set `enabled: false` for {a.name}." for a in accounts if a.account_id in disable
    ]
    if not new and not disable:
        return Outcome(text="", said=(*said, f"{file} is up to date."))
    _write(file, edited(file, new, disable))
    return Outcome(text="", said=tuple(said))


def _check(source: FromOrganization | FromProfiles) -> None:
    """Raise `UsageError` for what is wrong before AWS is asked."""
    if isinstance(source, FromProfiles):
        return
    for account_id in source.excluded:
        if not re.fullmatch("[0-9]{12}", account_id):
            raise UsageError(f"--exclude {account_id}: an account ID has 12 digits.")
    for unit in source.units:
        if not re.fullmatch(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}", unit):
            raise UsageError(
                f"--ou {unit}: not the ID of an organizational unit.",
                hint="Use an ID such as ou-ab12-11111111, or r-ab12 for the root.",
            )
    if source.assume_role and not re.fullmatch(r"[\w+=,.@-]{1,64}", source.assume_role, re.ASCII):
        raise UsageError(
            f"--assume-role {source.assume_role}: not a role name.",
            hint="Give the name alone, without path or ARN; it is the same in every account.",
        )
    for word in re.findall(r"\{(.*?)\}", source.name):
        if word not in _PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise UsageError(f"--name: unknown placeholder {{{word}}}; use {known}.")


def _find(source: FromOrganization | FromProfiles, used: Collection[str | None]) -> _Found:
    """Return what the source has, and the account IDs of the `used` profiles."""
    if isinstance(source, FromProfiles):
        return _profiles(source, used)
    found = _organization(source)
    return replace(found, profiles=_ids(profiles())) if used else found


# --- AWS Organizations ---------------------------------------------------------------------------


def _organization(source: FromOrganization) -> _Found:
    client = organizations.connect(source.profile)
    try:
        members = organizations.members(client, source.units, source.profile)
    finally:
        client.close()
    known = {member.account_id: member for member in members}
    wanted = [m for m in members if m.path is not None and m.account_id not in source.excluded]
    active = [member for member in wanted if member.state == organizations.ACTIVE]
    rules = [first_match(source.shares, member.path or ()) for member in active]
    entries = [_entry(m, source.name, share) for m, share in zip(active, rules, strict=True)]
    said = [
        f"Left out {member.name} ({member.account_id}): it is {member.state or 'in no state'}."
        for member in wanted
        if member.state != organizations.ACTIVE
    ]
    said += [
        f"--exclude {account_id}: the organization has no such account."
        for account_id in source.excluded
        if account_id not in known
    ]
    said += unused(source.shares, {share for share in rules if share})
    return _Found(entries=entries, said=said, members=known)


def _entry(member: Member, pattern: str, share: Share | None) -> Entry:
    path = "/".join(clean(name) for name in member.path or ())
    values = {"name": member.name, "id": member.account_id, "email": member.email, "ou": path}
    comment = "The management account. Service control policies don't apply to it, and it has no"
    return Entry(
        name=re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern),
        account_id=member.account_id,
        read_access=(share.who,) if share else None,
        tags={"ou": path} if path else {},
        comment=f"{comment} {ASSUME_ROLE}." if member.is_management else "",
    )


def _without(default: Sequence[str] | None, entries: Sequence[Entry]) -> list[Entry]:
    """Drop `read_access` from entries where it equals the default."""
    same = tuple(default or ())
    return [replace(e, read_access=None) if e.read_access == same else e for e in entries]


def _gone(found: _Found, accounts: Sequence[Account]) -> dict[str, str]:
    """Enabled accounts that the organization has lost or closed, as ID to sentence."""
    gone = {}
    for account in accounts:
        if account.account_id is None or not account.enabled:
            continue
        member = found.members.get(account.account_id)
        state = member.state if member else "no longer in the organization"
        if state not in (organizations.ACTIVE, "PENDING_ACTIVATION"):
            gone[account.account_id] = f"{account.name} ({account.account_id}) is {state}."
    return gone


# --- profiles ------------------------------------------------------------------------------------


def _profiles(source: FromProfiles, used: Collection[str | None]) -> _Found:
    known = profiles()
    said = list(map(str, ignored()))
    chosen = [profile for profile in known if fnmatchcase(profile.name, source.glob)]
    if not chosen:
        near = get_close_matches(source.glob, [profile.name for profile in known], 3)
        raise UsageError(
            "\n".join((f"--profiles {source.glob!r} matches no profile of the AWS config.", *said)),
            hint=f"Did you mean {' or '.join(near)}?"
            if near
            else "`aws configure list-profiles` shows all profiles.",
        )
    wanted = [profile for profile in known if profile in chosen or profile.name in used]
    ids = _ids(_resolved(wanted, said) if source.resolve else wanted)
    entries: list[Entry] = []
    first: dict[str, str] = {}
    for name in (profile.name for profile in chosen):
        account_id = ids[name]
        if account_id and (same := first.setdefault(account_id, name)) != name:
            said.append(
                f"Left out profile {name}: it leads to account {account_id}, as {same} does."
            )
            continue
        entries.append(Entry(name=name, profile=name, account_id=account_id))
    return _Found(entries=entries, said=said, profiles=ids)


def _ids(known: Iterable[Profile]) -> dict[str | None, str | None]:
    return {profile.name: profile.account_id for profile in known}


def _resolved(chosen: Sequence[Profile], said: list[str]) -> list[Profile]:
    """Add the account IDs that the config lacks, as told by STS."""
    aws = BotoAws(concurrency=_LOOKUPS, retries=3, command="init")

    def look_up(profile: Profile) -> Profile | str:
        if profile.account_id is not None:
            return profile
        try:
            session = aws.reach(Account(name=profile.name, profile=profile.name))
        except AccountError as error:
            return f"Profile {profile.name}: unknown account ID. {sentence(error.message)}"
        return replace(profile, account_id=session.identity.account_id)

    try:
        with ThreadPoolExecutor(_LOOKUPS) as pool:
            answers = list(pool.map(look_up, chosen))
    finally:
        aws.close()
    said += [answer for answer in answers if isinstance(answer, str)]
    return [
        profile if isinstance(answer, str) else answer
        for profile, answer in zip(chosen, answers, strict=True)
    ]


# --- files ---------------------------------------------------------------------------------------


def _missing(
    found: _Found, accounts: Sequence[Account], used: Collection[str | None]
) -> tuple[list[Entry], list[str]]:
    """The entries that a manifest lacks, and what cannot be told about some."""
    ids = {account.account_id for account in accounts} | {found.profiles.get(it) for it in used}
    new = [
        entry
        for entry in found.entries
        if (entry.account_id is None or entry.account_id not in ids) and entry.profile not in used
    ]
    unclear = sorted(name for name in used if name and not found.profiles.get(name))
    doubtful = [
        f"Profile {name}: the AWS config does not say which account it leads to. If it is one of "
        "those added, keep only one of the two entries."
        for name in unclear
        if new
    ]
    return new, doubtful + [
        f"Profile {entry.profile}: if another entry is for the same account, remove the one that "
        "was added."
        for entry in new
        if entry.account_id is None
    ]


def _must_be_new(file: str) -> None:
    path = Path(file)
    if why := unusable(path):
        raise UsageError(f"Cannot write {file}: {why}.")
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{file} already exists.",
            hint=f"Add to it with `--update {file}`, or give another name.",
        )
    if not path.parent.is_dir():
        raise UsageError(
            f"{file}: the directory {path.parent} does not exist.",
            hint=f"Make it with `mkdir -p {shlex.quote(str(path.parent))}`, or give another path.",
        )


def _write(file: str, text: str) -> None:
    try:
        write_whole(file, text)
    except OSError as error:
        raise UsageError(f"Cannot write {file}: {error.strerror or error}.") from error


def _count(entries: Sequence[Entry]) -> str:
    return f"{len(entries)} account{'' if len(entries) == 1 else 's'}"
