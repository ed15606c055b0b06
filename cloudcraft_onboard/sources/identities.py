"""Which accounts profiles lead to: by the AWS config, or else by asking AWS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field

from cloudcraft_onboard.aws.crew import each
from cloudcraft_onboard.aws.profiles import profiles
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Account

_LOOKUPS = 16


@frozen
class Identities:
    """Account IDs by profile, and why the others are not known."""

    ids: Mapping[str, str] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)


def configured(names: Collection[str]) -> Identities:
    """What the AWS config says of these profiles; contacts nobody."""
    if not names:
        return Identities()
    known = {each.name: each.account_id for each in profiles()}
    ids = {name: told for name, told in known.items() if told and name in names}
    return Identities(ids=ids, why_not={name: "" for name in names if name not in ids})


def identified(names: Collection[str]) -> Identities:
    """The same, and those that the config lacks as told by `sts:GetCallerIdentity`.

    Each profile is asked once, many at a time.
    """
    told = configured(names)
    if not told.why_not:
        return told
    aws = BotoAws(concurrency=_LOOKUPS, retries=3, command="init")

    def ask(name: str) -> tuple[str, str | AccountError]:
        try:
            return name, aws.reach(Account(name=name, profile=name)).identity.account_id
        except AccountError as error:
            return name, error

    try:
        answers = each(ask, sorted(told.why_not), _LOOKUPS)
    finally:
        aws.close()
    found = {name: answer for name, answer in answers if isinstance(answer, str)}
    failed = {
        name: sentence(answer.message)
        for name, answer in answers
        if isinstance(answer, AccountError)
    }
    return Identities(ids={**told.ids, **found}, why_not=failed)
