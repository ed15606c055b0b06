"""Whose credentials sign a request, looked up at the moment of signing, and their renewal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from botocore.credentials import (
    CredentialProvider,
    Credentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from cloudcraft_onboard.errors import OnboardError

_signing: ContextVar[Credentials] = ContextVar("signing")


@contextmanager
def signed_by(credentials: Credentials) -> Iterator[None]:
    """Sign every request that this thread sends inside with these credentials."""
    token = _signing.set(credentials)
    try:
        yield
    finally:
        _signing.reset(token)


_EARLY, _LATEST = 300, 120
"""Seconds before they expire from which credentials are renewed, and must be.

The SDK begins 15 minutes before, which is all that a session of 900 seconds has.
"""


def renewed(
    metadata: Mapping[str, str], renew: Callable[[], Mapping[str, str]], method: str
) -> Credentials:
    """Credentials that are renewed before they expire; `renew` returns new metadata.

    Their expiry is written as `datetime.isoformat` writes it, which is read faster than all else.
    """
    return RefreshableCredentials(
        access_key=metadata["access_key"],
        secret_key=metadata["secret_key"],
        token=metadata["token"],
        expiry_time=datetime.fromisoformat(metadata["expiry_time"]),
        refresh_using=lambda: dict(renew()),
        method=method,
        advisory_timeout=_EARLY,
        mandatory_timeout=_LATEST,
    )


class UnexpectedAnswer(BotoCoreError):  # type: ignore[misc,unused-ignore]
    """An answer, or what a credential source returned, has an unknown shape."""

    fmt = "The AWS SDK cannot make the request or understand its answer: {error_msg}"


@contextmanager
def as_fault(kind: type[BotoCoreError], **fields: str) -> Iterator[None]:
    """Turn every error into one of the SDK's own, of this kind unless it is one already.

    A broken setting, file, process or answer of a source of credentials shows itself as whatever
    Python raises on it: `FileNotFoundError`, `JSONDecodeError`, `TypeError`, `RuntimeError`.
    """
    try:
        yield
    except ClientError as error:
        error.response.setdefault("Error", {})  # an answer of another's may name none
        raise
    except (BotoCoreError, EOFError, MemoryError, OnboardError):
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise kind(**fields, error_msg=said) from error


class CurrentCredentials(Credentials):  # type: ignore[misc,unused-ignore]
    """The current credentials; botocore asks for them each time it signs a request."""

    def __init__(self) -> None:
        super().__init__("", "", method="shared")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """What signs the request."""
        with as_fault(
            CredentialRetrievalError, provider="their source"
        ):  # they may have to be renewed
            return _signing.get().get_frozen_credentials()


class CurrentProvider(CredentialProvider):
    """A source of the current credentials, for clients that everybody signs with."""

    METHOD = "shared"

    def load(self) -> Credentials:
        """Credentials that stand for the current ones."""
        return CurrentCredentials()


KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class Lent:
    """The shared STS client in place of one that the SDK creates with these credentials."""

    def __init__(self, client: Any, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials

    def assume_role(self, **parameters: Any) -> Mapping[str, Any]:
        """`sts:AssumeRole`, signed with those credentials."""
        with signed_by(self._credentials):
            answer: Mapping[str, Any] = self._client.assume_role(**parameters)
        return answer
