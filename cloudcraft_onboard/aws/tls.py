"""The certificates that AWS's are checked against are read once for each client.

urllib3 has the bundle read for every new connection, which takes 17 ms of CPU: as much as two
accounts.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any


def read_bundle_once(client: Any) -> None:
    """Have all connections of a client share what was read, also those through a proxy."""
    http = client._endpoint.http_session  # noqa: SLF001 - botocore offers no other way
    make = http._get_ssl_context  # noqa: SLF001 - the same
    http._get_ssl_context = lambda: _reading_once(make())  # noqa: SLF001 - the same
    _reading_once(http._manager.connection_pool_kw["ssl_context"])  # noqa: SLF001 - the same


def _reading_once(context: ssl.SSLContext) -> ssl.SSLContext:
    read: Any = cache(context.load_verify_locations)
    context.load_verify_locations = read  # type: ignore[method-assign]
    return context
