"""The way into accounts (README, What a run does): a source of credentials, then a role."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from cloudcraft_onboard.aws import role
from cloudcraft_onboard.aws.calls import Call, entry_role_arn
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.sdk import Sdk, UnexpectedAnswer, Wire, as_fault, signed_by
from cloudcraft_onboard.aws.stackset import SERVICES, BotoStackSets
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.errors import AccountError, AccountPending, CannotStart
from cloudcraft_onboard.model import (
    Account,
    AssumeRole,
    Change,
    DesiredRole,
    Identity,
    ObservedRole,
    StackSetSpec,
    Stage,
    Via,
)

_LOG = logging.getLogger("cloudcraft_onboard.http")

_SHOWN = 5
# With a process of `credential_process` or a prompt for MFA, the SDK lets these through as well.
_FAULTS = (BotoCoreError, ClientError, EOFError)


_ARN = re.compile(r"arn:(aws[a-z-]{0,20}):(?:iam|sts)::([0-9]{12}):[\x21-\x7e]+")


def _identity(arn: str) -> Identity:
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ValueError(f"{arn[:80]!r} is not an identity's ARN")
    return Identity(account_id=match[2], partition=match[1], arn=arn)


@contextmanager
def _understood(stage: Stage, call: str) -> Iterator[None]:
    """Turn an answer that is not as AWS documents it into the account's problem.

    Something between here and AWS, or in its place, may have answered.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AccountError(
            stage,
            "UnexpectedAnswer",
            excerpt(f"The answer to {call} cannot be understood: {type(error).__name__}: {error}"),
            hint="Check AWS_ENDPOINT_URL and proxies: something other than AWS may have answered."
            " If it was AWS, report this with the output of -vv.",
        ) from error


class _Source:
    """The credentials of one profile (None: the default chain), and whose they are.

    Found out once, by whoever comes first; a refusal is remembered, so that an expired session is
    met once, not a thousand times. An outage is not remembered.
    """

    def __init__(self, profile: str | None, sdk: Sdk) -> None:
        self.profile = profile
        self._sdk = sdk
        self._lock = threading.Lock()
        self._opened: tuple[Credentials, Wire, Identity] | None = None
        self._refusal: AccountError | None = None

    def open(self, region: str) -> tuple[Credentials, Wire, Identity]:
        """Credentials, clients and identity. Raises `AccountError` (stage reach)."""
        with self._lock:
            if self._refusal:
                raise _again(self._refusal)
            if self._opened is None:
                try:
                    self._opened = self._open(region)
                except AccountPending:
                    raise
                except AccountError as error:
                    self._refusal = error
                    raise
            return self._opened

    def refuse(self, error: AccountError) -> None:
        """Remember that the source no longer works."""
        with self._lock:
            self._refusal = error

    def _open(self, region: str) -> tuple[Credentials, Wire, Identity]:
        try:
            session = self._sdk.session(self.profile)
            region = self._sdk.region(session, region)
            credentials = self._sdk.credentials(session, region)
            wire = self._sdk.wire(self.profile, session, region)
            with signed_by(credentials):
                answer = _send(wire, Call.GET_CALLER_IDENTITY, account_id=None)
        except _FAULTS as error:
            where = Where(
                stage=Stage.REACH,
                profile=self.profile,
                call=Call.GET_CALLER_IDENTITY,
                profiles=self._sdk.profiles(),
            )
            raise explain(error, where) from error
        with _understood(Stage.REACH, "sts:GetCallerIdentity"):
            return credentials, wire, _identity(answer["Arn"])


def _again(error: AccountError) -> AccountError:
    """A copy of the error to raise: an exception object holds one thread's traceback."""
    return type(error)(error.stage, error.code, error.message, hint=error.hint)


def _send(
    wire: Wire, call: Call, *, account_id: str | None, **parameters: Any
) -> Mapping[str, Any]:
    """Make one call with the current credentials; log it without its contents."""
    started = time.monotonic()
    outcome = "200"
    try:
        with as_fault(UnexpectedAnswer):
            answer: Mapping[str, Any] = getattr(wire.client(call.service), call.method)(
                **parameters
            )
        return answer
    except ClientError as error:
        outcome = error.response["Error"].get("Code", "refused")
        raise
    except BotoCoreError as error:
        outcome = type(error).__name__
        raise
    finally:
        _LOG.info(
            "%s %s account %s: %s, %.3f s",
            call.service,
            call.method,
            account_id or "?",
            outcome,
            time.monotonic() - started,
        )


def _way_in(account: Account) -> tuple[str | None, str]:
    """How the account is entered for its role: profile and region."""
    stack_set = account.role.stackset
    if account.role.via is Via.STACKSET:
        return stack_set.profile, stack_set.region
    return account.profile, account.region


class BotoAws:
    """AWS through boto's SDK, shared by all accounts of a run; thread-safe.

    `concurrency` is how many accounts are worked on at once; `retries` how often the SDK sends one
    request again.
    """

    def __init__(self, *, concurrency: int, retries: int) -> None:
        self._sdk = Sdk(concurrency=concurrency, retries=retries)
        self._retries = retries
        self._lock = threading.Lock()
        self._sources: dict[str | None, _Source] = {}
        self._to_reach: Counter[str | None] = Counter()

    def check_sources(self, accounts: Sequence[Account]) -> None:
        """Raise `CannotStart` if not one of the accounts has a working source of credentials.

        Stops at the first that works; `reach` reuses what was found out.
        """
        called = [a for a in accounts if a.enabled and a.role.via is not Via.EXISTING]
        with self._lock:
            self._to_reach = Counter(a.profile for a in called if a.role.via is Via.ASSUME)
        regions = dict(reversed([_way_in(account) for account in called]))
        problems: list[tuple[str | None, AccountError]] = []
        for profile, region in reversed(regions.items()):
            try:
                self._source(profile).open(region)
            except AccountError as error:
                problems.append((profile, error))
                if isinstance(error, AccountPending):
                    break
            else:
                return
        if problems:
            raise _cannot_start(problems)

    def reach(self, account: Account) -> BotoAccount:
        """Get credentials inside the account. Raises `AccountError` (stage reach)."""
        try:
            return self._reach(account, self._source(account.profile))
        finally:
            self._forget(account.profile)

    def _reach(self, account: Account, source: _Source) -> BotoAccount:
        credentials, wire, base = source.open(account.region)
        wanted = account.account_id
        if wanted is None or wanted == base.account_id or account.assume_role is None:
            identity = base
        else:
            assumed = _AssumedRole(
                source, account.assume_role, account_id=wanted, region=account.region
            )
            identity, credentials = assumed.identity, assumed.credentials
        if wanted is not None and identity.account_id != wanted:
            raise _wrong_account(account, identity)
        return BotoAccount(
            identity=identity,
            credentials=credentials,
            wire=wire,
            profile=account.profile,
            retries=self._retries,
        )

    def stack_sets(self, spec: StackSetSpec) -> BotoStackSets:
        """Stack sets, by the profile that administers them. Raises `AccountError` (stage reach)."""
        credentials, _, identity = self._source(spec.profile).open(spec.region)
        session = self._sdk.session(spec.profile)
        wire = self._sdk.wire(spec.profile, session, spec.region, SERVICES)
        return BotoStackSets(
            lambda call, **given: _send(wire, call, account_id=identity.account_id, **given),
            credentials=credentials,
            identity=identity,
            spec=spec,
        )

    def _source(self, profile: str | None) -> _Source:
        with self._lock:
            return self._sources.setdefault(profile, _Source(profile, self._sdk))

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

    def __init__(self, source: _Source, way: AssumeRole, *, account_id: str, region: str) -> None:
        self._source = source
        self._base, self._wire, caller = source.open(region)
        self._account_id = account_id
        target = entry_role_arn(way.role, account_id, caller.partition)
        self._asked = {"RoleArn": target, **_asked(way)}
        self._where = Where(
            stage=Stage.REACH,
            profile=source.profile,
            call=Call.ASSUME_ROLE,
            caller=caller.arn,
            target=target,
        )
        answer = self._assume()
        with _understood(Stage.REACH, "sts:AssumeRole"):
            self.identity = _identity(answer["AssumedRoleUser"]["Arn"])
            self.credentials: Credentials = RefreshableCredentials.create_from_metadata(
                metadata=_metadata(answer),
                refresh_using=lambda: _metadata(self._assume()),
                method="sts-assume-role",
            )

    def _assume(self) -> Mapping[str, Any]:
        try:
            with signed_by(self._base):
                return _send(
                    self._wire,
                    Call.ASSUME_ROLE,
                    account_id=self._account_id,
                    **self._asked,
                )
        except _FAULTS as error:
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


def _metadata(answer: Mapping[str, Any]) -> dict[str, Any]:
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
        *,
        identity: Identity,
        credentials: Credentials,
        wire: Wire,
        profile: str | None,
        retries: int,
    ) -> None:
        self._identity = identity
        self._credentials = credentials
        self._wire = wire
        self._profile = profile
        self._retries = retries

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""
        return self._identity

    def observe(self, role_name: str, *, inline: bool = False) -> ObservedRole | None:
        """Read the role; None if there is none. Raises `AccountError` (stage role)."""
        try:
            with _understood(Stage.ROLE, "iam:GetRole and what follows it"):
                return role.observe(self._call, role_name, inline=inline)
        except ClientError as error:
            raise self._explained(error, None) from error

    def apply(
        self, change: Change, desired: DesiredRole, observed: ObservedRole | None
    ) -> str | None:
        """Make one change of a role; harmless to repeat. Return its ARN if the change created it.

        Raises:
            ConcurrentChange: the role appeared or vanished since it was observed.
            AccountError: all else, with the stage role.
        """
        try:
            with _understood(Stage.ROLE, f"the request to {change.action.word}"):
                return role.apply(self._call, change, desired, observed)
        except ClientError as error:
            raise self._explained(error, None) from error

    def _call(self, call: Call, **parameters: Any) -> Mapping[str, Any]:
        """One call. What `role.py` has to look at first stays a `ClientError`."""
        try:
            with signed_by(self._credentials):
                return self._retrying()(
                    _send, self._wire, call, account_id=self._identity.account_id, **parameters
                )
        except ClientError as error:
            if error.response["Error"].get("Code") in _FOR_ROLE:
                raise
            raise self._explained(error, call) from error
        except _FAULTS as error:
            raise self._explained(error, call) from error

    def _explained(self, error: Exception, call: Call | None) -> AccountError:
        where = Where(stage=Stage.ROLE, profile=self._profile, call=call, caller=self._identity.arn)
        return explain(error, where)

    def _retrying(self) -> Retrying:
        """The SDK doesn't send again what collided with another change of the same role."""
        return Retrying(
            retry=retry_if_exception(_collided),
            stop=stop_after_attempt(self._retries + 1),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            reraise=True,
        )


# What `role.py` looks at itself before it is an account's problem.
_FOR_ROLE = frozenset({"NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"})


def _collided(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.response["Error"].get("Code") in {
        "ConcurrentModification",
        "EntityTemporarilyUnmodifiable",
    }


def _wrong_account(account: Account, found: Identity) -> AccountError:
    way = f"profile {account.profile}" if account.profile else "the default credential chain"
    if account.assume_role:
        way = f"{way} and {account.assume_role.role}"
    hint = "Correct `account_id` or `profile`, or set `assume_role` to the role to enter through."
    return AccountError(
        Stage.REACH,
        "WrongAccount",
        f"Expected account {account.account_id}, but {way} leads to {found.account_id}"
        f" ({found.arn}). Nothing was written.",
        hint=hint,
    )


def _cannot_start(problems: Sequence[tuple[str | None, AccountError]]) -> CannotStart:
    if len(problems) == 1:
        (profile, error), *_ = problems
        return CannotStart(f"{_name(profile)}: {error.message}", hint=error.hint)
    lines = [f"{_name(profile)}: {error.message}" for profile, error in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"and {len(problems) - _SHOWN} more")
    said = "\n  ".join(("No source of AWS credentials works:", *lines))
    hints = dict.fromkeys(error.hint for _, error in problems[:_SHOWN])
    return CannotStart(said, hint="\n".join(hints))


def _name(profile: str | None) -> str:
    return f"AWS profile {profile}" if profile else "AWS default credential chain"
