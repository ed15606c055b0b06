"""`onboard init`: a manifest from any source of accounts, new or brought up to date."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cloudcraft_onboard import defaults
from cloudcraft_onboard.app.patience import patience
from cloudcraft_onboard.aws.profiles import profiles
from cloudcraft_onboard.console.files import unusable, write_whole
from cloudcraft_onboard.console.harmless import dumps
from cloudcraft_onboard.errors import OnboardError, UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest.edit import UNIT, Draft
from cloudcraft_onboard.manifest.schema import json_schema
from cloudcraft_onboard.manifest.share import EVERYWHERE, Share
from cloudcraft_onboard.manifest.write import SCHEMA, NewEntry, clean, render, unique
from cloudcraft_onboard.model import Account
from cloudcraft_onboard.sources.entries import check_pattern, entered, entries, unmatched, unshared
from cloudcraft_onboard.sources.found import Candidate, Found, Search, Source
from cloudcraft_onboard.sources.identities import Identities, configured, identified
from cloudcraft_onboard.sources.news import news, one_each

_TENTH = 10


@frozen
class Wishes:
    """How new entries are written: their names' pattern, and who sees them, by the first match.

    `resolve`: ask AWS for the accounts of profiles that the config does not tell.
    """

    name: str = "{name}"
    shares: tuple[Share, ...] = ()
    resolve: bool = False


@frozen
class Disabling:
    """Whether accounts that are gone are disabled, and how many at most."""

    disable: bool = False
    most: int | None = None


@frozen
class InitResult:
    """The text for stdout (empty if a file was written), sentences for stderr, the exit code."""

    text: str
    said: tuple[str, ...]
    code: int = 0


# --- a new manifest ------------------------------------------------------------------------------


def create(source: Source, wishes: Wishes, file: str | None) -> InitResult:
    """Make a new manifest; `file`, if given, must not exist yet.

    Raises:
        UsageError: the file exists or cannot be written, or no account was found.
        CannotStart: the source cannot be read.
    """
    if file is not None:
        _must_be_new(file)
    check_pattern(wishes.name)
    found = _find(source, Search())
    candidates, doubled = one_each(found.candidates, _identities(found, wishes))
    if not candidates:
        raise UsageError("Found no accounts for the manifest.", hint="\n".join(found.said))
    written, renamed = unique(entries(candidates, wishes.name, wishes.shares), ())
    everywhere = [share.who for share in wishes.shares if share.glob == EVERYWHERE][:1]
    defaults = replace(found.defaults, read_access=tuple(everywhere) or None)
    strays = unmatched(found.candidates, wishes.shares)
    said = (*found.said, *doubled, *strays, *renamed, f"{_count(written)} in the manifest.")
    schema = file is not None
    text = render(source.origin, defaults, unshared(everywhere, written), schema=schema)
    if file is None:
        return InitResult(text=text, said=said)
    _must_be_new(file)
    _write(file, text)
    return InitResult(text="", said=(*said, f"Wrote {file}.", *_schema_beside(file)))


def _identities(found: Found, wishes: Wishes) -> Identities:
    """The accounts of profiles, asked for only where that is wished."""
    unknown = {each.profile for each in found.candidates if not each.account_id and each.profile}
    return identified(unknown) if wishes.resolve else configured(unknown)


def _schema_beside(file: str) -> list[str]:
    """Make sure that the schema is next to a manifest that names it."""
    path = Path(file).with_name(SCHEMA)
    if path.exists():
        return []
    try:
        write_whole(path, dumps(json_schema()) + "\n")
    except OSError as error:
        return [f"Cannot write {path}: {error.strerror or error}. Editors do without it."]
    return [f"Wrote {path}, with which editors complete and check the manifest."]


# --- a manifest brought up to date ---------------------------------------------------------------


def update(source: Source, wishes: Wishes, file: str, closing: Disabling) -> InitResult:
    """Add missing accounts to `file`, and keep the rest byte for byte.

    Raises:
        ManifestError: the file is not a valid manifest.
        UsageError: it cannot be changed in place, or cannot be written.
        CannotStart: the source cannot be read.
        OnboardError: too many accounts would be disabled, or the file was changed meanwhile.
    """
    check_pattern(wishes.name)
    draft = Draft(file)
    found = _find(source, Search(whole=True, profile=draft.defaults.profile))
    lost = [each for each in found.states if found.gone(each)] if closing.disable else []
    new = news(found.candidates, draft.accounts, wishes.name, lost)
    written, renamed = entries_for(draft, found, new.candidates, wishes)
    gone = _gone(found, draft.accounts, new.known)
    disabled = _disabled(gone, found, draft, closing) if closing.disable else []
    said = [*found.said, *new.said, *new.doubts, *unmatched(found.candidates, wishes.shares)]
    said += [*renamed, *gone.values()]
    said += [f"{file}: added {entry.name}." for entry in written]
    said += [f"{file}: set `enabled: false` for {name}." for name in disabled]
    moved = _moved(found, draft.accounts)
    said += [f"{file}: {name} is in {unit} now." for name, unit in moved.items()]
    if written or disabled or moved:
        draft.save(draft.edited(written, disabled, moved))
    else:
        said.append(f"{file} is {'unchanged' if new.doubts else 'up to date'}.")
    return InitResult(text="", said=tuple(said), code=int(bool(new.doubts)))


def entries_for(
    draft: Draft, found: Found, candidates: Sequence[Candidate], wishes: Wishes
) -> tuple[list[NewEntry], list[str]]:
    """New entries for some of what was found; and a sentence for each that gets another name."""
    written = entries(candidates, wishes.name, wishes.shares)
    written = unshared(draft.defaults.read_access, entered(written, found, draft.defaults))
    return unique(written, [account.name for account in draft.accounts])


def _gone(found: Found, accounts: Sequence[Account], known: Identities) -> dict[str, str]:
    """Enabled accounts that the organization has lost or closed, as name to sentence."""
    gone = {}
    for account in accounts:
        account_id = account.account_id or known.ids.get(account.profile or "")
        how = found.gone(account_id) if account.enabled else None
        if how:
            gone[account.name] = f"{account.name} ({account_id}) is {how}."
    return gone


def _moved(found: Found, accounts: Sequence[Account]) -> dict[str, str]:
    """Accounts that are in another OU than their tag says, by name; a tag of one's own stays."""
    paths = {each.account_id: each.path for each in found.candidates if each.path}
    moved = {}
    for account in accounts:
        path, told = paths.get(account.account_id, ()), account.tags.get(UNIT, "")
        unit = "/".join(map(clean, path))
        if unit and told != unit and told.split("/")[0] == clean(path[0]):
            moved[account.name] = unit
    return moved


def _disabled(
    gone: Mapping[str, str], found: Found, draft: Draft, closing: Disabling
) -> Sequence[str]:
    """The names of accounts to disable. Raises `OnboardError` where it cannot be meant."""
    if not found.states:
        raise UsageError("--disable-closed: this source does not say which accounts are closed.")
    listed_ids = {account.account_id for account in draft.accounts if account.account_id}
    if found.complete and listed_ids and not listed_ids & set(found.states):
        raise OnboardError(
            f"Not one account of {draft.path} is in this organization. Nothing was written.",
            hint="Check whose credentials these are: `aws organizations describe-organization`.",
        )
    count, total = len(gone), len(draft.accounts)
    allowed = closing.most if closing.most is not None else max(defaults.MOST, total // _TENTH)
    if count > allowed:
        what = f"--max-disabled {closing.most}" if closing.most is not None else "a tenth"
        raise OnboardError(
            f"{count} of {total} accounts of {draft.path} would be disabled, more than {what}."
            " Nothing was written.",
            hint="Check whose credentials these are. If all of these accounts are gone, pass"
            f" --max-disabled {count}.",
        )
    return list(gone)


# --- waiting -------------------------------------------------------------------------------------


def _find(source: Source, search: Search) -> Found:
    def say(told: str) -> None:
        sys.stderr.write(f"Reading: {told}.\n")

    with patience(say) as waiting:
        return source.find(replace(search, waiting=waiting))


def known_profiles() -> list[tuple[str, str | None]]:
    """The profiles of the AWS config and their accounts, for completion."""
    return [(each.name, each.account_id) for each in profiles()]


# --- files ---------------------------------------------------------------------------------------


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


def _count(entries: Sequence[NewEntry]) -> str:
    return f"{len(entries)} account{'' if len(entries) == 1 else 's'}"
