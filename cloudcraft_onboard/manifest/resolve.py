"""Validated shapes to accounts: the defaults merged in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloudcraft_onboard.manifest.schema import AccountShape, Common, RoleShape
from cloudcraft_onboard.model import Account, RoleSpec, Via


def default_role(defaults: Common) -> RoleSpec:
    """The role of accounts that say nothing about theirs."""
    return _role(RoleSpec(), defaults.role)


def account(shape: AccountShape, defaults: Common, role: RoleSpec, line: int) -> Account:
    """One account: its own keys over the defaults', its own role's keys over `role`'s."""
    own = shape.model_fields_set

    def either(key: str) -> Any:
        return getattr(shape if key in own else defaults, key)

    if "role" in own:
        role = _role(role, shape.role)
    if role.via is Via.STACKSET:
        # One account administers the stack set, whichever accounts it is for.
        home = replace(role.stackset, profile=defaults.profile, region=defaults.region)
        role = replace(role, stackset=home)
    return Account(
        name=shape.name,
        account_id=shape.account_id,
        profile=either("profile"),
        assume_role=None if shape.account_id is None else either("assume_role"),
        region=either("region"),
        role=role,
        read_access=either("read_access"),
        write_access=either("write_access"),
        enabled=shape.enabled,
        tags=shape.tags,
        line=line,
    )


def _role(base: RoleSpec, shape: RoleShape) -> RoleSpec:
    """`base` with the keys that are written; tags and stack set are merged key by key."""
    changes = shape.given()
    if "tags" in changes:
        changes["tags"] = {**base.tags, **shape.tags}
    if "via" in changes:
        changes["via"] = Via(shape.via)
    if "stackset" in changes:
        changes["stackset"] = replace(base.stackset, **shape.stackset.given())
    return replace(base, **changes)
