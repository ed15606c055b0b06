"""What exists in AWS and Cloudcraft before a run, read off a manifest; pure.

An account's tag `sandbox` says in which state it starts; several words may stand in it:

    management     the profile is in this very account (its hub): no role has to be assumed
    role           the role is right, the account is not registered (a run was killed in between)
    onboarded      role and registration are right
    drifted        registered, but external ID and policies of the role differ
    doubled        as onboarded, and registered a second time
    datadog        Datadog brought the account into Cloudcraft, with a role of its own
    other-user     as onboarded, by another Cloudcraft user with an external ID of his own
    foreign-trust  the role trusts somebody else, who made it
    shared-trust   the role trusts Cloudcraft and somebody else
    denied         the way in has no IAM permissions
    unreachable    there is no way in: no role to assume, no such profile, another permission set
    external-id    the way in asks for the external ID `onboard-ACCOUNT_ID`
    signed-out     nobody has signed in to the account's IAM Identity Center session
    closed         AWS Organizations says that the account is suspended
    strangers      beside this account there are three that the manifest lacks: one that is in the
                   organization alone, one that Cloudcraft knows too, one that left the organization

The tag `ou` says where in the organization the account is, such as `Prod/Payments`.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloudcraft_onboard.model import (
    MANAGED_BY,
    Account,
    Manifest,
    SsoRole,
    Via,
)
from cloudcraft_onboard.plan.registration import EVERYONE
from cloudcraft_onboard.sandbox.options import CUSTOMER
from cloudcraft_onboard.sandbox.policies import POLICIES
from cloudcraft_onboard.sandbox.shapes import (
    PolicyJson,
    Seed,
    SeedAssignment,
    SeedMember,
    SeedPolicies,
    SeedRegistration,
    SeedRole,
    SeedTeam,
    SeedUser,
    allow,
    trust,
)

CLOUDCRAFT_ACCOUNT = "912185983511"
DESCRIPTION = "Programmatically created IAM role for use with Cloudcraft."
DEFAULT_MANAGEMENT = "111111111111"
DATADOG = "datadog"
OTHER_EXTERNAL_ID = "c0a1d3f5-9b27-4e86-8d14-6f5e4a3b2c10"
STRANGER = "arn:aws:iam::999999999999:root"


def seed(manifest: Manifest | None, external_id: str, customer_id: str = CUSTOMER) -> Seed:
    """The beginning that a manifest asks for; without one, an organization of one account."""
    accounts = manifest.accounts if manifest else ()
    homes = _homes(accounts)
    if not homes:
        homes = {None: DEFAULT_MANAGEMENT}
    placed = tuple((account, _place(account, homes)) for account in accounts)
    teams = _teams(accounts)
    strangers = any("strangers" in states(account) for account in accounts)
    management = _management(accounts, homes)
    return Seed(
        management=management,
        members=(
            *(_member(account, home) for account, home in placed),
            *(STRANGERS[:2] if strangers else ()),
        ),
        users=tuple(_users(accounts, homes)),
        roles=(
            *(r for account, home in placed for r in _roles(account, home, homes, external_id)),
            *(_ways_to_strangers(accounts, management) if strangers else ()),
        ),
        policies=tuple(
            SeedPolicies(account_id=home, policies=words)
            for account, home in placed
            if (words := _policy_words(account))
        ),
        teams=tuple(SeedTeam(id=team_id, name=name) for name, team_id in teams.items()),
        registrations=(
            *(
                registration
                for account, home in placed
                for registration in _registrations(account, home, teams, customer_id)
            ),
            *(_by_hand(stranger) for stranger in (STRANGERS[1:] if strangers else ())),
        ),
        assignments=tuple(_assignments(placed)),
        signed_out=tuple(
            account.sso.session
            for account in accounts
            if account.sso and "signed-out" in states(account)
        ),
    )


def _assignments(placed: Iterable[tuple[Account, str]]) -> Iterator[SeedAssignment]:
    """What IAM Identity Center offers whoever signs in."""
    for account, home in placed:
        if account.sso:
            yield SeedAssignment(
                session=account.sso.session,
                account_id=home,
                name=account.name,
                roles=(_offered(account, account.sso), VIEW_ONLY),
            )


STRANGERS = (
    SeedMember(account_id="200000000001", name="Skunkworks", path=("Labs",)),
    SeedMember(account_id="200000000002", name="Mobile App", path=("Prod",)),
    SeedMember(account_id="200000000003", name="Sold Subsidiary"),
)


def _ways_to_strangers(accounts: tuple[Account, ...], management: str) -> Iterator[SeedRole]:
    """Strangers are entered as most others are, or as AWS Organizations has it."""
    used = Counter(a.assume_role.role.rpartition("/")[2] for a in accounts if a.assume_role)
    name = used.most_common(1)[0][0] if used else "OrganizationAccountAccessRole"
    for stranger in STRANGERS[:2]:
        yield SeedRole(
            account_id=stranger.account_id,
            name=name,
            trust=trust(f"arn:aws:iam::{management}:root"),
            inline={"access": allow("*")},
        )


VIEW_ONLY = "ViewOnlyAccess"
"""A permission set that is offered in every account besides the manifest's."""


def entry_of(permission_set: str) -> str:
    """The role that IAM Identity Center makes for a permission set."""
    digest = hashlib.sha256(permission_set.encode()).hexdigest()
    return f"AWSReservedSSO_{permission_set}_{digest[:16]}"


def _offered(account: Account, way: SsoRole) -> str:
    return "BillingAccess" if "unreachable" in states(account) else way.role


def states(account: Account) -> frozenset[str]:
    """The words of the account's `sandbox` tag."""
    return frozenset(re.split(r"[\s,]+", account.tags.get("sandbox", ""))) - {""}


def invented_id(name: str) -> str:
    """An account ID made from a name: always the same, never with a leading zero."""
    digits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return str(2 * 10**11 + digits % (7 * 10**11))


# --- who lives where ----------------------------------------------------------------------------


def _is_direct(account: Account) -> bool:
    """Whether the account's profile is in the account itself."""
    return (
        account.account_id is None or account.assume_role is None or "management" in states(account)
    )


def _homes(accounts: tuple[Account, ...]) -> dict[str | None, str]:
    """The account that each profile is in."""
    homes: dict[str | None, str] = {}
    reached = [a for a in accounts if a.role.via is not Via.EXISTING and not a.sso]
    for account in reached:
        if _is_direct(account):
            homes.setdefault(account.profile, account.account_id or invented_id(account.name))
    taken = {account.account_id for account in accounts} | set(homes.values())
    for account in reached:
        if account.profile not in homes:
            hub = DEFAULT_MANAGEMENT if account.profile is None else invented_id(account.profile)
            homes[account.profile] = invented_id(f"hub of {hub}") if hub in taken else hub
    return homes


def _place(account: Account, homes: dict[str | None, str]) -> str:
    """The account's own ID."""
    return account.account_id or homes[account.profile]


def _member(account: Account, home: str) -> SeedMember:
    units = [unit for unit in account.tags.get("ou", "").split("/") if unit]
    return SeedMember(
        account_id=home,
        name=account.name,
        path=tuple(units[1:] if units[:1] == ["Root"] else units),  # as `init` writes it, or short
        status="SUSPENDED" if "closed" in states(account) else "ACTIVE",
    )


def _management(accounts: tuple[Account, ...], homes: dict[str | None, str]) -> str:
    for account in accounts:
        if "management" in states(account):
            return _place(account, homes)
    for account in accounts:
        if not _is_direct(account):
            return homes.get(account.profile, DEFAULT_MANAGEMENT)
    return next(iter(homes.values()))


def _users(accounts: tuple[Account, ...], homes: dict[str | None, str]) -> Iterator[SeedUser]:
    direct = {a.profile: a for a in accounts if _is_direct(a) and not a.sso}
    hubs = {a.profile for a in accounts if not _is_direct(a)}
    for profile, home in homes.items():
        state = states(direct[profile]) if profile in direct else frozenset()
        if "unreachable" in state and profile not in hubs:
            continue
        policy = allow("sts:*") if "denied" in state else allow("*")
        yield SeedUser(profile=profile, account_id=home, policy=policy)


# --- roles --------------------------------------------------------------------------------------


def _roles(
    account: Account, home: str, homes: dict[str | None, str], external_id: str
) -> Iterator[SeedRole]:
    state = states(account)
    existing = account.role.via is Via.EXISTING
    access = {"access": allow("sts:*") if "denied" in state else allow("*")}
    way = account.assume_role
    if account.sso:
        yield from _permission_sets(account.sso, home, _offered(account, account.sso), access)
    elif way and not existing and not _is_direct(account) and "unreachable" not in state:
        way_in = way.role.partition(":role")[2] or f"/{way.role}"
        path, _, name = way_in.rpartition("/")
        yield SeedRole(
            account_id=home,
            name=name,
            path=f"{path}/",
            max_session_duration=max(3600, way.duration or 0),
            trust=trust(
                f"arn:aws:iam::{homes[account.profile]}:root",
                external_id=f"onboard-{home}" if "external-id" in state else None,
                actions=way.actions,
            ),
            inline=access,
        )
    cloudcraft = f"arn:aws:iam::{CLOUDCRAFT_ACCOUNT}:root"
    if "foreign-trust" in state:
        yield replace(_role(account, home, trust(STRANGER)), tags=dict(account.role.tags))
    elif "shared-trust" in state:
        yield _role(account, home, trust(cloudcraft, STRANGER, external_id=external_id))
    elif "drifted" in state:
        yield SeedRole(
            account_id=home,
            name=account.role.name,
            path=account.role.path,
            description="Made by hand",
            max_session_duration=account.role.max_session_duration,
            trust=trust(cloudcraft, external_id="an-older-external-id"),
            tags=dict((MANAGED_BY,)),
        )
    elif "other-user" in state:
        yield _role(account, home, trust(cloudcraft, external_id=OTHER_EXTERNAL_ID))
    elif existing or state & {"onboarded", "doubled", "role"}:
        yield _role(account, home, trust(cloudcraft, external_id=external_id))


def _permission_sets(
    way: SsoRole, home: str, offered: str, access: dict[str, PolicyJson]
) -> Iterator[SeedRole]:
    """The roles of the permission sets in an account, as IAM Identity Center makes them."""
    provider = f"arn:aws:iam::{home}:saml-provider/AWSSSO_{way.session.encode().hex()[:16]}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
    }
    for name, inline in ((offered, access), (VIEW_ONLY, {"access": allow("*:Describe*")})):
        yield SeedRole(
            account_id=home,
            name=entry_of(name),
            path="/aws-reserved/sso.amazonaws.com/",
            trust={"Version": "2012-10-17", "Statement": [statement]},
            inline=inline,
        )


def _role(account: Account, home: str, trusted: PolicyJson) -> SeedRole:
    """The role as the manifest asks for it, with this trust."""
    role = account.role
    return SeedRole(
        account_id=home,
        name=role.name,
        path=role.path,
        description=DESCRIPTION,
        max_session_duration=role.max_session_duration,
        boundary=role.permissions_boundary,
        tags={**role.tags, **dict((MANAGED_BY,))},
        trust=trusted,
        policies=role.attached,
        inline={f"cloudcraft-{kind}": POLICIES[kind] for kind in role.documents},
    )


def _policy_words(account: Account) -> tuple[str, ...]:
    boundary = account.role.permissions_boundary
    return (*account.role.attached, *((boundary,) if boundary else ()))


# --- Cloudcraft ---------------------------------------------------------------------------------


def _teams(accounts: tuple[Account, ...]) -> dict[str, str]:
    """Name → ID of every team that the manifest names, and two that are always there."""
    names = ["Platform", "Security"]
    for account in accounts:
        names += [*(account.read_access or ()), *(account.write_access or ())]
    return {name: _team_id(name) for name in names if not _is_customer(name)}


def _is_customer(name: str) -> bool:
    return name == EVERYONE or name.startswith("customer/")


def _team_id(name: str) -> str:
    """A team that the manifest names by its ID keeps that one."""
    try:
        return str(uuid.UUID(name.removeprefix("team/")))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"team/{name}"))


def _registrations(
    account: Account, home: str, teams: dict[str, str], customer_id: str
) -> Iterator[SeedRegistration]:
    state = states(account)

    def access(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        ids = {EVERYONE: f"customer/{customer_id}"}
        ids |= {name: f"team/{team_id}" for name, team_id in teams.items()}
        return None if names is None else tuple(ids.get(name, name) for name in names)

    arn = f"arn:{account.role.partition}:iam::{home}:role"
    if DATADOG in state:
        yield SeedRegistration(
            name=account.name,
            role_arn=f"{arn}/DatadogIntegrationRole",
            read_access=access((EVERYONE,)),
            external_id="datadogs-own-external-id",
            source=DATADOG,
        )
    registration = SeedRegistration(
        name=account.name,
        role_arn=f"{arn}{account.role.path}{account.role.name}",
        read_access=access(account.read_access),
        write_access=access(account.write_access),
        external_id=OTHER_EXTERNAL_ID if "other-user" in state else None,
    )
    if state & {"onboarded", "drifted", "doubled", "other-user"}:
        yield registration
    if "doubled" in state:
        yield registration


def _by_hand(stranger: SeedMember) -> SeedRegistration:
    role_arn = f"arn:aws:iam::{stranger.account_id}:role/cloudcraft"
    return SeedRegistration(name=stranger.name, role_arn=role_arn)
