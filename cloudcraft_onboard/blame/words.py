"""Sentences of a cause, for people: what to do next."""

from __future__ import annotations

import shlex
from functools import cache
from string import Formatter

from cloudcraft_onboard.blame.facts import Facts, Maker
from cloudcraft_onboard.blame.row import Row, Sentence

_SLOWER = "a lower --concurrency or more --retries"
_COMMANDS = {
    "run": _SLOWER,
    "plan": _SLOWER,
    "remove": _SLOWER,
    "status": _SLOWER,
}
"""What makes a command gentler: options that it has."""


_LEAVE_OUT = ", or leave it out: the environment has credentials of its own"
_EXTERNAL_ID = {
    "sent": "An external ID was sent: the trust policy must ask for the same one.",
    "none": "No external ID was sent: a trust policy that asks for one refuses that.",
}


def hint(row: Row, facts: Facts) -> str:
    """What to do about an error of this kind; a sentence that lacks a fact is left out."""
    known = {**facts.said(), **_derived(facts)}
    sentences = (row.next,) if isinstance(row.next, str) else row.next
    return " ".join(filter(None, (_said(each, known) for each in sentences)))


def _said(sentence: Sentence, known: dict[str, str]) -> str:
    choices = (sentence,) if isinstance(sentence, str) else sentence
    fitting = (each for each in choices if all(name in known for name in _names(each)))
    return next(fitting, "").format(**known)


@cache
def _names(sentence: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name)


def _derived(facts: Facts) -> dict[str, str]:
    profile = facts.profile
    option = f" --profile {shlex.quote(profile)}" if profile else ""
    found = {
        "option": option,
        "or_leave_out": _LEAVE_OUT if facts.own_credentials else "",
        "source": _source(facts),
        "caller": facts.caller or facts.principal or "the caller",
        "principal": facts.principal or facts.caller or "the caller",
        "action": facts.action or facts.operation or "this call",
        "resource": facts.resource or "the role",
        "role": facts.role or facts.resource or "to be assumed",
    }
    if facts.maker is Maker.SSO:
        found["login"] = f"aws sso login{_login(facts)}"
    if facts.maker is Maker.LOGIN:
        found["login"] = f"aws login{_profile(facts)}"
    if facts.external_id:
        found["external_id_said"] = _EXTERNAL_ID[facts.external_id]
    if facts.command in _COMMANDS:
        found["slower"] = _COMMANDS[facts.command]
    return found


def _login(facts: Facts) -> str:
    if facts.sso_session:
        return f" --sso-session {shlex.quote(facts.sso_session)}"
    return _profile(facts)


def _profile(facts: Facts) -> str:
    named = facts.settings_of or facts.profile
    return f" --profile {shlex.quote(named)}" if named else ""


def _source(facts: Facts) -> str:
    if facts.profile:
        return f"profile '{facts.profile}'"
    if facts.sso_session:
        return f"the IAM Identity Center session '{facts.sso_session}'"
    return "the default credential chain"
