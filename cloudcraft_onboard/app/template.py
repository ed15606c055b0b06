"""`onboard template`: the role for teams that roll it out themselves."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from cloudcraft_onboard.app.connect import open_cloudcraft
from cloudcraft_onboard.app.select import choose
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.streams import json_text
from cloudcraft_onboard.errors import CannotStart, OnboardError, RequestError, UsageError
from cloudcraft_onboard.manifest.load import load
from cloudcraft_onboard.model import Account, RoleSpec, StackSetSpec, Via
from cloudcraft_onboard.plan.diff import needed_documents, plan_role
from cloudcraft_onboard.plan.template import as_yaml, role_template, template_role
from cloudcraft_onboard.settings import Selection

_SHOWN = 3


def template(manifest: str, selection: Selection, output: str) -> str:
    """The template's text; `output` is "yaml" or "json".

    Offline, unless the role takes one of Cloudcraft's own policies: their documents are read, with
    the API key.

    Raises:
        UsageError: the manifest is not valid, or the selected accounts' roles are not alike.
        CannotStart: a document is needed and there is no key, or Cloudcraft does not answer.
        OnboardError: IAM would refuse the role.
    """
    found = load(manifest)
    spec = _the_one_role(choose(found, selection).accounts)
    role = template_role(spec, _documents(spec))
    conflict = plan_role(role, None).conflict
    if conflict:
        raise OnboardError(conflict.message, hint=conflict.hint)
    made = role_template(role)
    return json_text(made) if output == "json" else as_yaml(made)


def _the_one_role(accounts: Sequence[Account]) -> RoleSpec:
    """The role that all accounts have in common, whoever makes it."""
    wanted = [account for account in accounts if account.enabled] or accounts
    kinds: list[tuple[RoleSpec, list[Account]]] = []
    for account in wanted:
        settings = _settings(account.role)
        known = next((accounts for role, accounts in kinds if role == settings), None)
        if known is None:
            kinds.append((settings, [account]))
        else:
            known.append(account)
    if len(kinds) > 1:
        alike = sorted((accounts for _, accounts in kinds), key=len, reverse=True)
        ways = "; ".join(_only(accounts) for accounts in alike[:_SHOWN])
        more = f"; and {len(alike) - _SHOWN} more" if len(alike) > _SHOWN else ""
        raise UsageError(
            f"The selected accounts have {len(alike)} different roles, and a template has one.",
            hint=f"Print one template for each: {ways}{more}.",
        )
    return wanted[0].role


def _only(accounts: Sequence[Account]) -> str:
    """The option that selects one of the accounts that share a role."""
    count = f"{len(accounts)} account{'' if len(accounts) == 1 else 's'}"
    return f"--only {shlex.quote(accounts[0].account_id or accounts[0].name)} ({count})"


def _settings(role: RoleSpec) -> RoleSpec:
    """The parts of a role that its template holds: not who makes it, nor where."""
    return replace(role, adopt=False, via=Via.ASSUME, partition="", stackset=StackSetSpec())


def _documents(role: RoleSpec) -> Mapping[str, Mapping[str, Any]]:
    """Read Cloudcraft's policy documents for the role; without any, contact nobody."""
    account = Account(name="template", role=replace(role, via=Via.ASSUME))
    kinds = sorted(needed_documents([account]))
    if not kinds:
        return {}
    with ExitStack() as stack:
        try:
            cloudcraft = open_cloudcraft(stack)
            return {kind: cloudcraft.policy(kind) for kind in kinds}
        except (CannotStart, RequestError) as error:
            named = " and ".join(f"cloudcraft:{kind}" for kind in kinds)
            raise CannotStart(
                f"Reading {named} from Cloudcraft takes the API key. {sentence(error.message)}",
                hint=error.hint,
            ) from error
