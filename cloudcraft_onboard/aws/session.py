"""The way into accounts (README, What a run does): a source of credentials, then a role."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from cloudcraft_onboard.aws import role
from cloudcraft_onboard.aws.calling import FAULTS, identity_of, send, understood
from cloudcraft_onboard.aws.calls import Call, entry_role_arn
from cloudcraft_onboard.aws.credentials import CredentialSource, Opened, ProfileSource, check
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.portal import Portal
from cloudcraft_onboard.aws.sdk import Sdk
from cloudcraft_onboard.aws.signing import renewed, signed_by
from cloudcraft_onboard.aws.simulation import denials
from cloudcraft_onboard.aws.stackset import SERVICES, BotoStackSets
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.model import (
    Account,
    AssumeRole,
    Command,
    DesiredRole,
    Identity,
    ObservedRole,
    SsoRole,
    StackSetSpec,
    Stage,
    Via,
)
from cloudcraft_onboard.model.changes import RoleChange
from cloudcraft_onboard.model.role_notes import RoleNote


class BotoAws:
    """AWS through boto's SDK, shared by all accounts of a run; thread-safe.

    `concurrency` is how many accounts are worked on at once; `retries` how often the SDK sends one
    request again; `command` the one whose options hints may name; `asks`: whether AWS is asked what
    it would deny.
    """

    def __init__(
        self, *, concurrency: int, retries: int, command: str = Command.RUN, asks: bool = False
    ) -> None:
        self._asks = asks
        self._sdk = Sdk(concurrency=concurrency, retries=retries, command=command)
        self._concurrency = concurrency
        self._retries = retries
        self._lock = threading.Lock()
        self._sources: dict[str | None, ProfileSource] = {}
        self._portals: dict[str, Portal] = {}
        self._to_reach: Counter[str | None] = Counter()

    def check_sources(self, accounts: Sequence[Account]) -> None:
        """Raise `CannotStart` if not one of the accounts has a working source of credentials.

        `reach` reuses what was found out.
        """
        called = [a for a in accounts if a.enabled and a.role.via is not Via.EXISTING]
        with self._lock:
            self._to_reach = Counter(a.profile for a in called if a.role.via is Via.ASSUME)
        check(list(dict.fromkeys(map(self._source_of, called))), at_once=self._concurrency)

    def _source_of(self, account: Account) -> CredentialSource:
        """Where the credentials come from by which the account gets its role."""
        stack_set = account.role.stackset
        if account.role.via is Via.STACKSET:
            return self._source(stack_set.profile, stack_set.region)
        if account.sso:
            return self.portal(account.sso.session)
        return self._source(account.profile, account.region)

    def reach(self, account: Account) -> BotoAccount:
        """Get credentials inside the account. Raises `AccountError` (stage reach)."""
        if account.sso:
            return self._reach(account, self._signed_in(account, account.sso))
        try:
            return self._reach(account, self._entered(account))
        finally:
            self._forget(account.profile)

    def _reach(self, account: Account, entered: Opened) -> BotoAccount:
        identity = entered.identity
        if account.account_id is not None and identity.account_id != account.account_id:
            raise _wrong_account(account, identity)
        return BotoAccount(
            entered,
            self._where(account.profile, entered),
            retries=self._retries,
            asks=self._asks,
            entry=_entry(account, identity),
        )

    def _where(self, profile: str | None, opened: Opened) -> Where:
        """Who does what is done with these credentials."""
        return Where(
            stage=Stage.ROLE,
            profile=profile,
            caller=opened.identity.arn,
            account=opened.identity.account_id,
            command=self._sdk.command,
            origin=opened.origin,
        )

    def _entered(self, account: Account) -> Opened:
        """The credentials of the profile, or of the role that is assumed with them."""
        source = self._source(account.profile, account.region)
        base, way, wanted = source.open(), account.assume_role, account.account_id
        if wanted is None or wanted == base.identity.account_id or way is None:
            return base
        return _AssumedRole(source, way, account_id=wanted).open()

    def _signed_in(self, account: Account, way: SsoRole) -> Opened:
        """The credentials of a permission set in the account."""
        return self.portal(way.session).enter(account.account_id or "", way.role)

    def portal(self, session: str) -> Portal:
        """IAM Identity Center, as the `[sso-session]` of that name tells where it is."""
        with self._lock:
            return self._portals.setdefault(session, Portal(session, self._sdk))

    def stack_sets(self, spec: StackSetSpec) -> BotoStackSets:
        """Stack sets, by the profile that administers them. Raises `AccountError` (stage reach)."""
        opened = self._source(spec.profile, spec.region).open()
        wire = self._sdk.wire(self._sdk.session(spec.profile), spec.region, SERVICES)
        identity = opened.identity
        return BotoStackSets(
            lambda call, **given: send(wire, call, account_id=identity.account_id, **given),
            credentials=opened.credentials,
            identity=identity,
            spec=spec,
            where=self._where(spec.profile, opened),
        )

    def _source(self, profile: str | None, region: str) -> ProfileSource:
        with self._lock:
            source = self._sources.get(profile)
            if source is None:
                source = self._sources[profile] = ProfileSource(profile, region, self._sdk)
            return source

    def _forget(self, profile: str | None) -> None:
        """With a profile per account, what is kept for each would grow with their number."""
        with self._lock:
            self._to_reach[profile] -= 1
            if self._to_reach[profile] == 0:
                self._sources.pop(profile, None)

    def close(self) -> None:
        """Let go of every connection."""
        self._sdk.close()


class _AssumedRole:
    """A role assumed in another account, whose credentials the SDK refreshes."""

    def __init__(self, source: ProfileSource, way: AssumeRole, *, account_id: str) -> None:
        self._source = source
        self._base = source.open()
        self._account_id = account_id
        caller = self._base.identity
        target = entry_role_arn(way.role, account_id, caller.partition)
        self._asked = {"RoleArn": target, **_asked(way)}
        self._where = Where(
            stage=Stage.REACH,
            profile=source.profile,
            call=Call.ASSUME_ROLE,
            caller=caller.arn,
            target=target,
            account=account_id,
            external_id=way.external_id is not None,
            role_option="--assume-role" if way.by_option else "",
            command=source.command,
            origin=self._base.origin,
        )

    def open(self) -> Opened:
        """The role's credentials."""
        answer = self._assume()
        with understood(Stage.REACH, "sts:AssumeRole"):
            return replace(
                self._base,
                identity=identity_of(answer["AssumedRoleUser"]["Arn"]),
                credentials=renewed(
                    _metadata(answer), lambda: _metadata(self._assume()), "sts-assume-role"
                ),
            )

    def _assume(self) -> Mapping[str, Any]:
        try:
            with signed_by(self._base.credentials):
                return send(
                    self._base.wire, Call.ASSUME_ROLE, account_id=self._account_id, **self._asked
                )
        except FAULTS as error:
            problem = explain(error, self._where)
            if problem.code in _DEAD_SOURCE:
                self._source.refuse(problem)
            raise problem from error


def _asked(way: AssumeRole) -> dict[str, Any]:
    """What AssumeRole is told besides the role, no more than the manifest says."""
    wanted = {
        "RoleSessionName": way.session_name,
        "ExternalId": way.external_id,
        "DurationSeconds": way.duration,
        "SourceIdentity": way.source_identity,
        "Tags": [{"Key": key, "Value": value} for key, value in way.tags.items()],
    }
    return {name: value for name, value in wanted.items() if value}


_DEAD_SOURCE = frozenset({"ExpiredToken", "ExpiredTokenException", "SSOTokenExpired"})


def _metadata(answer: Mapping[str, Any]) -> dict[str, str]:
    credentials = answer["Credentials"]
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": credentials["Expiration"].isoformat(),
    }


class BotoAccount:
    """One AWS account that was reached."""

    def __init__(
        self,
        opened: Opened,
        where: Where,
        *,
        retries: int,
        asks: bool = False,
        entry: str | None = None,
    ) -> None:
        self._asks = asks
        self._entry = entry
        self._identity = opened.identity
        self._credentials = opened.credentials
        self._wire = opened.wire
        self._where = where
        self._retries = retries

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""
        return self._identity

    def observe(self, role_name: str, *, inline: bool = False) -> ObservedRole | None:
        """Read the role; None if there is none. Raises `AccountError` (stage role)."""
        try:
            with understood(Stage.ROLE, "iam:GetRole and what follows it"):
                return role.observe(self._call, role_name, inline=inline)
        except ClientError as error:
            raise self._explained(error, None) from error

    def apply(
        self, change: RoleChange, desired: DesiredRole, observed: ObservedRole | None
    ) -> str | None:
        """Make one change of a role; harmless to repeat. Return its ARN if the change created it.

        Raises:
            ConcurrentChange: the role appeared or vanished since it was observed.
            AccountError: all else, with the stage role.
        """
        try:
            with understood(Stage.ROLE, f"the request to {change.action.word}"):
                return role.apply(self._call, change, desired, observed)
        except ClientError as error:
            raise self._explained(error, None) from error
        except ConcurrentChange as race:
            if isinstance(race.__cause__, ClientError) and _code(race.__cause__) == _TAKEN:
                where = replace(self._where, role_name=desired.name)
                raise ConcurrentChange(explain(race.__cause__, where)) from race
            raise

    def would_be_denied(
        self,
        changes: Sequence[RoleChange],
        desired: DesiredRole,
        observed: ObservedRole | None,
    ) -> tuple[RoleNote, ...]:
        """What AWS says that it would deny of these changes; nothing where that isn't asked."""
        if not self._asks or not changes:
            return ()
        return denials(self._call, self._identity, changes, desired, observed, entry=self._entry)

    def _call(self, call: Call, **parameters: Any) -> Mapping[str, Any]:
        """One call. What `role.py` has to look at first stays a `ClientError`."""
        try:
            with signed_by(self._credentials):
                return self._sent(call, parameters)
        except ClientError as error:
            if _code(error) in _FOR_ROLE:
                raise
            raise self._explained(error, call) from error
        except FAULTS as error:
            raise self._explained(error, call) from error

    def _explained(self, error: Exception, call: Call | None) -> AccountError:
        return explain(error, replace(self._where, call=call))

    def _sent(self, call: Call, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The SDK doesn't send again what collided with another change of the same role."""
        account_id = self._identity.account_id
        for attempt in range(self._retries):
            try:
                return send(self._wire, call, account_id=account_id, **parameters)
            except ClientError as error:
                if not _collided(error):
                    raise
            time.sleep(random.uniform(0, min(0.5 * 2**attempt, _LONGEST)))  # noqa: S311 - no secret
        return send(self._wire, call, account_id=account_id, **parameters)


_LONGEST = 10.0  # seconds between two tries

# What `role.py` looks at itself before it is an account's problem.
_TAKEN = "EntityAlreadyExists"
_FOR_ROLE = frozenset({"NoSuchEntity", _TAKEN, "DeleteConflict"})


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code"))


def _collided(error: ClientError) -> bool:
    return _code(error) in {"ConcurrentModification", "EntityTemporarilyUnmodifiable"}


def _entry(account: Account, identity: Identity) -> str | None:
    """The role's ARN by which the account was entered, if it was entered by the manifest's."""
    way = account.assume_role
    if way is None or account.account_id is None:
        return None
    return entry_role_arn(way.role, account.account_id, identity.partition)


def _wrong_account(account: Account, found: Identity) -> AccountError:
    if account.sso:
        way = f"IAM Identity Center's session {account.sso.session} and {account.sso.role}"
    else:
        way = f"profile {account.profile}" if account.profile else "the default credential chain"
    if account.assume_role:
        way = f"{way} and {account.assume_role.role}"
    facts = Facts(
        account=account.account_id or "",
        profile=account.profile or "",
        other=found.account_id,
        principal=found.arn,
    )
    return AccountError(
        Stage.REACH,
        "WrongAccount",
        f"Expected account {account.account_id}, but {way} leads to {found.account_id}"
        f" ({found.arn}). Nothing was written.",
        cause=Cause(row=ours.WRONG_ACCOUNT, facts=facts),
    )
