"""Validated shapes to accounts: the defaults merged in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloudcraft_onboard.manifest.rules import HERE
from cloudcraft_onboard.manifest.schema import AccountShape, Common, RoleShape, Shape
from cloudcraft_onboard.model import Account, AssumeRole, RoleSpec, SsoRole, Via


def default_role(defaults: Common) -> RoleSpec:
    """The role of accounts that say nothing about theirs."""
    return _role(RoleSpec(), defaults.role)


def account(shape: AccountShape, defaults: Common, role: RoleSpec, line: int) -> Account:
    """One account: its own keys over the defaults', its own role's keys over `role`'s."""
    own = shape.model_fields_set
    profile, assume_role, sso = _way_in(shape, defaults)

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
        profile=profile,
        assume_role=assume_role,
        sso=sso,
        region=either("region"),
        role=role,
        read_access=either("read_access"),
        write_access=either("write_access"),
        enabled=shape.enabled,
        tags=shape.tags,
        line=line,
    )


def _way_in(
    shape: AccountShape, defaults: Common
) -> tuple[str | None, AssumeRole | None, SsoRole | None]:
    """Profile, role to assume, permission set: the account's `sso` excludes both of the others."""
    own, account_id = shape.model_fields_set, shape.account_id
    if shape.sso or (defaults.sso and not own & {"profile", "assume_role", "sso"}):
        asked = _over(defaults.sso, shape.sso)
        session, role = asked.get("session"), asked.get("role")
        return None, None, SsoRole(session=session, role=role) if session and role else None
    profile = shape.profile if "profile" in own else defaults.profile
    if account_id is None or ("assume_role" in own and shape.assume_role is None):
        return profile, None, None
    asked = _over(defaults.assume_role, shape.assume_role)
    if not asked.get("role"):
        return profile, None, None
    asked |= {
        key: asked[key].replace(HERE, account_id)
        for key in ("external_id", "session_name")
        if asked.get(key)
    }
    return profile, AssumeRole(**asked), None


def _over(defaults: Shape | None, own: Shape | None) -> dict[str, Any]:
    """The keys that are written in either mapping, the account's over the defaults'."""
    below, above = defaults.given() if defaults else {}, own.given() if own else {}
    merged = {**below, **above}
    if "tags" in merged:
        merged["tags"] = {**below.get("tags", {}), **above.get("tags", {})}
    return merged


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
