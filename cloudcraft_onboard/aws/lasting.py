"""Trouble of the network that no retry heals: it is told at once, not after 20 s of tries."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ProxyConnectionError, SSLError

NO_LOGIN = 407
"""The status with which a proxy asks for a user name and a password."""

NO_BUNDLE = re.compile(
    r"No such file|Is a directory|Permission denied|NO_CERTIFICATE_OR_CRL|PEM lib"
)
"""What TLS says of a file of certificates that is none."""

_REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: 4\d\d")
_NO_TLS = re.compile(r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|doesn't match")


def tell_at_once(events: Any) -> None:
    """Have a session's clients raise such errors where they would try again."""
    events.register_first("needs-retry", _raise_lasting)
    events.register_first("before-parse", _raise_no_login)


def _raise_lasting(caught_exception: Exception | None = None, **_: Any) -> None:
    said = str(getattr(caught_exception, "kwargs", {}).get("error", ""))
    match caught_exception:
        case SSLError() if _NO_TLS.search(said) or NO_BUNDLE.search(said):
            raise caught_exception
        case ProxyConnectionError() if _REFUSED_BY_PROXY.search(said):
            raise caught_exception
        case _:
            pass


def _raise_no_login(response_dict: dict[str, Any], **_: Any) -> None:
    """Plain http goes through a proxy without a tunnel; its answer is no answer of AWS's."""
    if response_dict["status_code"] == NO_LOGIN:
        raise ProxyConnectionError(
            proxy_url="the proxy", error=f"{NO_LOGIN} Proxy Authentication Required"
        )
