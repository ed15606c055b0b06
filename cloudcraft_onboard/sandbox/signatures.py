"""The signature of an account's root, which MiniStack takes for granted.

Whoever names 12 digits as an access key is that account's root there (`is_root_access_key`), also
without any key behind another kind of `Authorization`. Here that takes the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from ministack.core.iam_evaluator import is_root_access_key
from ministack.core.router import extract_access_key_id
from ministack.core.sigv4 import (
    header_signature_failure,
    parse_header_signature,
    parse_query_signature,
    request_time_failure,
)


def is_forged(scope: Mapping[str, Any], body: bytes, secret: str) -> bool:
    """Whether a request is to count as a root's, but was not signed with the roots' secret."""
    sent = ((name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"])
    headers = {name.lower(): text for name, text in sent}
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    access_key = extract_access_key_id(headers, query)
    by_header = "authorization" in headers
    if not access_key:
        return by_header  # without any, it is nobody's, which MiniStack knows
    if not is_root_access_key(access_key):
        return False
    signature = parse_header_signature(headers) if by_header else parse_query_signature(query)
    if isinstance(signature, tuple) or signature.access_key_id != access_key:
        return True
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    return bool(
        request_time_failure(signature)
        or header_signature_failure(
            signature,
            secret,
            scope["method"],
            path.decode("latin-1"),
            query,
            headers,
            body,
            presigned=not by_header,
        )
    )
