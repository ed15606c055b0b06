"""What a manifest lacks of a source's accounts, in any form."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from cloudcraft_onboard.console.harmless import listed
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account
from cloudcraft_onboard.sources.entries import named
from cloudcraft_onboard.sources.found import Candidate
from cloudcraft_onboard.sources.identities import Identities, configured, identified

_NAMED = 12


@frozen
class News:
    """Candidates that a manifest lacks in any form; `doubts` are what could not be found out."""

    candidates: Sequence[Candidate]
    known: Identities
    said: Sequence[str] = ()
    doubts: Sequence[str] = ()


def news(
    candidates: Sequence[Candidate],
    accounts: Sequence[Account],
    pattern: str,
    gone: Collection[str] = (),
) -> News:
    """What is new. AWS is asked who the profiles are only where the answer matters.

    `gone`: accounts whose entries are looked for, too.
    """
    owners = [a for a in accounts if a.account_id is None and a.profile is not None]
    names = {owner.profile for owner in owners if owner.profile}
    names |= {each.profile for each in candidates if each.profile and not each.account_id}
    known = configured(names)
    sought = [
        *candidates,
        *(Candidate(name=account_id, account_id=account_id) for account_id in gone),
    ]
    if known.why_not and _lacking(sought, known, accounts):
        known = identified(names)
    kept, doubts = [], []
    unknown = {owner.name.casefold(): owner for owner in owners if owner.profile in known.why_not}
    for each in _lacking(candidates, known, accounts):
        called = {each.name.casefold(), named(each, pattern).casefold()}
        owner = next((unknown[name] for name in called if name in unknown), None)
        if each.account_id is None:
            doubts.append(
                f"Left out profile {each.profile}: its account is not known, so it may be in the"
                f" manifest already. {known.why_not.get(each.profile or '', '')}".rstrip()
            )
        elif owner is not None:
            doubts.append(
                f"Left out {each.name} ({each.account_id}): it may be {owner.name!r} on line"
                f" {owner.line}, whose account is not known."
            )
        else:
            kept.append(each)
    if kept or doubts:
        doubts += [
            f"Profile {owner.profile} of {owner.name!r} on line {owner.line}: unknown account ID."
            f" {known.why_not[owner.profile or '']} If it is one of those added, keep only one of"
            " the two entries."
            for owner in unknown.values()
        ]
    new, said = one_each(kept, known)
    return News(candidates=new, known=known, said=said, doubts=doubts)


def _lacking(
    candidates: Sequence[Candidate], known: Identities, accounts: Sequence[Account]
) -> list[Candidate]:
    """The candidates that no entry is for, as far as is known; with their account, if it is."""
    taken = {a.account_id or known.ids.get(a.profile or "") for a in accounts} - {None}
    profiles = {a.profile for a in accounts if a.account_id is None}
    told = [
        replace(each, account_id=each.account_id or known.ids.get(each.profile or ""))
        for each in candidates
    ]
    return [
        each
        for each in told
        if (each.account_id not in taken if each.account_id else each.profile not in profiles)
    ]


def one_each(
    candidates: Sequence[Candidate], known: Identities
) -> tuple[list[Candidate], list[str]]:
    """One candidate for each account, the first; and a sentence for each of the others.

    Those whose account nobody told stay; how to find out is said once.
    """
    first: dict[str, Candidate] = {}
    kept, said, unknown = [], [], []
    for each in candidates:
        account_id = each.account_id or known.ids.get(each.profile or "")
        if account_id is None:
            unknown.append(each.profile or each.name)
            if why := known.why_not.get(each.profile or ""):
                said.append(f"Profile {each.profile}: unknown account ID. {why}")
        elif (same := first.setdefault(account_id, each)) is not each:
            said.append(
                f"Left out profile {each.profile}: it leads to account {account_id}, as"
                f" {same.profile or same.name} does."
            )
            continue
        kept.append(replace(each, account_id=account_id))
    if unknown:
        several = len(unknown) > 1
        said.append(
            f"The account{'s' if several else ''} of {len(unknown)}"
            f" profile{'s are' if several else ' is'} not known: {listed(unknown, _NAMED)}. Two"
            " profiles of one account would fail; --resolve asks AWS (sts:GetCallerIdentity)."
        )
    return kept, said
