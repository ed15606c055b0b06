"""Trouble of the network that no retry heals: it is told at once, not after 20 s of tries."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import (
    ConnectionError,  # noqa: A004 - the SDK's own word
    EndpointConnectionError,
    ProxyConnectionError,
    SSLError,
)

NO_LOGIN = 407
"""The status with which a proxy asks for a user name and a password."""

NO_BUNDLE = re.compile(
    r"No such file|Is a directory|Permission denied|NO_CERTIFICATE_OR_CRL|PEM lib"
)
"""What TLS says of a file of certificates that is none."""

_REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: 4\d\d")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_HOST = re.compile(r"Name or service not known|nodename nor servname|getaddrinfo failed")
_NO_TLS = re.compile(r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|doesn't match")


def tell_at_once(events: Any, *, connecting: int | None = None) -> None:
    """Have a session's clients raise such errors where they would try again.

    `connecting` bounds how often a connection is tried, where throttling is met with more patience.
    """
    events.register_first("needs-retry", partial(_raise_lasting, connecting=connecting))
    events.register_first("before-parse", _raise_no_login)


def _raise_lasting(
    connecting: int | None, attempts: int, caught_exception: Exception | None = None, **_: Any
) -> None:
    lost = isinstance(caught_exception, ConnectionError)
    in_vain = lost and connecting is not None and attempts >= connecting
    if caught_exception is not None and (in_vain or _lasts(caught_exception, attempts)):
        raise caught_exception


def _lasts(error: Exception, attempts: int) -> bool:
    """Whether it stays until somebody fixes it; tried once more where that may be wrong."""
    told: dict[str, object] = {**getattr(error, "kwargs", {})}
    said = str(told.get("error", ""))
    match error:
        case SSLError():
            return bool(_NO_TLS.search(said) or NO_BUNDLE.search(said))
        case ProxyConnectionError() if _REFUSED_BY_PROXY.search(said):
            return True
        case EndpointConnectionError() | ProxyConnectionError() if attempts > 1:
            host = urlsplit(str(told.get("endpoint_url") or told.get("proxy_url"))).hostname
            ended = host in _HERE and "refused" in said  # as a sandbox that has ended
            return ended or bool(_NO_HOST.search(said))
        case _:
            return False


def _raise_no_login(response_dict: dict[str, Any], **_: Any) -> None:
    """Plain http goes through a proxy without a tunnel; its answer is no answer of AWS's."""
    if response_dict["status_code"] == NO_LOGIN:
        raise ProxyConnectionError(
            proxy_url="the proxy", error=f"{NO_LOGIN} Proxy Authentication Required"
        )
