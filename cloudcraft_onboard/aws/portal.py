"""IAM Identity Center: credentials for accounts by the token that `aws sso login` has cached.

Its portal is asked with that token alone, no AWS credentials (IAM Identity Center Portal API
Reference). One token serves all accounts; the SDK's own provider renews it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from botocore.exceptions import (
    ClientError,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
)
from botocore.tokens import DeferredRefreshableToken, SSOTokenProvider
from botocore.utils import JSONFileCache

from cloudcraft_onboard.aws.calling import FAULTS, identity_of, send, understood
from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.credentials import Once, Opened
from cloudcraft_onboard.aws.hints import Where, explain
from cloudcraft_onboard.aws.origin import Origin
from cloudcraft_onboard.aws.sdk import Sdk, Wire
from cloudcraft_onboard.aws.signing import UnexpectedAnswer, as_fault, renewed, signed_by
from cloudcraft_onboard.aws.surroundings import of_ignored
from cloudcraft_onboard.blame.facts import Facts, Maker
from cloudcraft_onboard.blame.table import cause_of
from cloudcraft_onboard.console.redact import protect
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import SSO_CACHE, SsoRole, Stage

NO_SECTION = "SsoSessionNotFound"
"""The code where the AWS config has no such session."""

_CACHE = "~/.aws/sso/cache"
_NEEDED = ("sso_region", "sso_start_url")
_SIGNED_OUT = frozenset({"UnauthorizedException"})
_NOT_OFFERED = frozenset({"ForbiddenException", "ResourceNotFoundException"})
"""What the portal answers, the first one undocumented, for roles that it doesn't offer."""


@frozen
class PortalAccount:
    """An account that is assigned to whoever signed in."""

    account_id: str
    name: str
    email: str


@frozen
class _SignedIn:
    """A token that works; clients for the portal, and for STS and IAM in its region."""

    token: DeferredRefreshableToken
    portal: Wire
    wire: Wire


class Portal:
    """The portal of one `[sso-session]` of the AWS config; thread-safe."""

    def __init__(self, name: str, sdk: Sdk) -> None:
        self.name = name
        self._sdk = sdk
        self._once: Once[_SignedIn] = Once()
        self._protected = ""

    @property
    def title(self) -> str:
        """What a message calls it."""
        return "IAM Identity Center"

    def check(self) -> None:
        """Raise `AccountError` (stage reach) unless the portal accepts the token."""
        self._once.get(self._open)

    def enter(self, account_id: str, role: str) -> Opened:
        """Credentials of a permission set in an account. Raises `AccountError` (stage reach)."""
        way = SsoRole(session=self.name, role=role)
        signed_in = self._once.get(self._open)
        credentials = renewed(
            self._credentials(way, account_id), lambda: self._credentials(way, account_id), "sso"
        )
        try:
            with signed_by(credentials):
                answer = send(signed_in.wire, Call.GET_CALLER_IDENTITY, account_id=account_id)
        except FAULTS as error:
            raise explain(error, self._where(Call.GET_CALLER_IDENTITY, role)) from error
        with understood(Stage.REACH, "sts:GetCallerIdentity"):
            identity = identity_of(answer["Arn"])
        return Opened(
            credentials=credentials,
            wire=signed_in.wire,
            identity=identity,
            origin=self._origin(role),
        )

    def accounts(self) -> tuple[PortalAccount, ...]:
        """All accounts that the token sees, in the portal's order. Raises `AccountError`."""
        with understood(Stage.REACH, "sso:ListAccounts"):
            return tuple(
                PortalAccount(
                    account_id=account["accountId"],
                    name=account.get("accountName", ""),
                    email=account.get("emailAddress", ""),
                )
                for account in self._all(Call.LIST_SSO_ACCOUNTS, "accountList")
            )

    def roles(self, account_id: str) -> tuple[str, ...]:
        """The permission sets that an account offers, by name. Raises `AccountError`."""
        with understood(Stage.REACH, "sso:ListAccountRoles"):
            listed = self._all(Call.LIST_SSO_ROLES, "roleList", accountId=account_id)
            return tuple(sorted(role["roleName"] for role in listed))

    def _open(self) -> _SignedIn:
        try:
            session = self._sdk.sso_session(self.name)
            sections = session.full_config["sso_sessions"]
        except FAULTS as error:
            raise explain(error, self._where(Call.LIST_SSO_ACCOUNTS)) from error
        if (section := sections.get(self.name)) is None:
            raise _no_section(self.name, sections)
        if missing := [key for key in _NEEDED if not section.get(key)]:
            raise _problem(
                "SsoSessionIncomplete",
                f"The AWS config's [sso-session {self.name}] lacks {' and '.join(missing)}.",
                self.name,
            )
        folder = Path(section.get(SSO_CACHE) or _CACHE).expanduser()
        cache = JSONFileCache(str(folder), dumps_func=_dumps)
        signed_in = _SignedIn(
            token=SSOTokenProvider(session, cache=cache, profile_name=self.name).load_token(),
            portal=self._sdk.wire(session, section["sso_region"], ("sso",)),
            wire=self._sdk.wire(session, section["sso_region"]),
        )
        try:  # a token may have been revoked long before it expires
            self._ask(signed_in, Call.LIST_SSO_ACCOUNTS, maxResults=1)
        except (ClientError, UnexpectedAnswer):
            pass  # whatever it was, the token was not refused
        except FAULTS as error:
            raise explain(error, self._where(Call.LIST_SSO_ACCOUNTS)) from error
        return signed_in

    def _ask(self, signed_in: _SignedIn, call: Call, **parameters: Any) -> Mapping[str, Any]:
        """Ask the portal with the current token. Raises `AccountError` if it isn't accepted."""
        try:
            with as_fault(SSOTokenLoadError):
                token = signed_in.token.get_frozen_token().token
        except SSOTokenLoadError as error:
            raise self._signed_out(f"Nobody is signed in to session {self.name}.") from error
        except (SSOError, TokenRetrievalError) as error:
            raise self._signed_out(f"The token of session {self.name} has expired.") from error
        self._protect(token)
        account_id = parameters.get("accountId")
        try:
            return send(
                signed_in.portal, call, account_id=account_id, accessToken=token, **parameters
            )
        except ClientError as error:
            if error.response["Error"].get("Code") not in _SIGNED_OUT:
                raise
            raise self._signed_out(
                f"The token of session {self.name} has expired or was revoked."
            ) from error

    def _protect(self, token: str) -> None:
        if token != self._protected:  # each new secret has the patterns of all compiled again
            self._protected = token
            protect(token)

    def _signed_out(self, message: str) -> AccountError:
        return _problem("SSOTokenExpired", message, self.name)

    def _call(self, call: Call, role: str = "", **parameters: Any) -> Mapping[str, Any]:
        """One call to the portal; a token that is no longer accepted is remembered for all."""
        signed_in = self._once.get(self._open)
        try:
            return self._ask(signed_in, call, **parameters)
        except AccountError as error:
            self._once.refuse(error)
            raise
        except FAULTS as error:
            if _code(error) in _NOT_OFFERED and role:
                raise self._not_offered(role, parameters["accountId"]) from error
            raise explain(error, self._where(call, role)) from error

    def _all(self, call: Call, key: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Every item of a list that comes in pages."""
        token: str | None = None
        while True:
            page = {"nextToken": token} if token else {}
            answer = self._call(call, maxResults=100, **page, **parameters)
            yield from answer.get(key, ())
            token = answer.get("nextToken")
            if not token:
                return

    def _credentials(self, way: SsoRole, account_id: str) -> dict[str, str]:
        answer = self._call(
            Call.GET_ROLE_CREDENTIALS, way.role, roleName=way.role, accountId=account_id
        )
        with understood(Stage.REACH, "sso:GetRoleCredentials"):
            given = answer["roleCredentials"]
            expiry = datetime.fromtimestamp(given["expiration"] / 1000, UTC)
            return {
                "access_key": given["accessKeyId"],
                "secret_key": given["secretAccessKey"],
                "token": given["sessionToken"],
                "expiry_time": expiry.isoformat(),
            }

    def _not_offered(self, role: str, account_id: str) -> AccountError:
        """The same words for every account that offers the same roles, so that it is one cause."""
        try:
            offered = self.roles(account_id)
        except AccountError:  # the portal says no more of accounts that aren't assigned
            offered = ()
        message = f"IAM Identity Center doesn't offer the permission set {role} in the account."
        facts = {"permission_set": role, "offered": ", ".join(offered)}
        return _problem("PermissionSetNotOffered", message, self.name, **facts)

    def _where(self, call: Call, role: str = "") -> Where:
        return Where(
            stage=Stage.REACH,
            profile=None,
            call=call,
            command=self._sdk.command,
            origin=self._origin(role),
        )

    def _origin(self, role: str) -> Origin:
        return Origin(maker=Maker.SSO, sso_session=self.name, permission_set=role)


def _no_section(name: str, sections: Mapping[str, Any]) -> AccountError:
    message = f"The AWS config has no [sso-session {name}]."
    nearest = " or ".join(get_close_matches(name, sections, 3, 0.5))
    known = of_ignored(Facts(), lambda section: section == name) or Facts()
    where = {"ignored": known.ignored, "line": known.line, "file": known.file}
    return _problem(NO_SECTION, message, name, nearest=nearest, **where)


def _problem(code: str, message: str, session: str, **facts: str) -> AccountError:
    known = Facts(maker=Maker.SSO, sso_session=session, **facts)
    return AccountError(Stage.REACH, code, message, cause=cause_of(code, message, known))


def _code(error: BaseException) -> str:
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else ""


def _dumps(token: Any) -> str:
    """A token as the AWS CLI writes it, too."""
    return json.dumps(token, default=lambda it: it.strftime("%Y-%m-%dT%H:%M:%SZ"))
