"""Checks Cloudcraft's address and the API key before anything is contacted."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cloudcraft_onboard.errors import CannotStart, UsageError


def check_key(key: str) -> None:
    """Raise `CannotStart` for a key that cannot be sent as it is. Never names the key itself.

    Its length is not documented and not checked.
    """
    if not key:
        problem = "is empty"
    elif key[0] == "\ufeff":
        problem = "starts with a byte order mark; save the file without one"
    elif key[0] in "\"'" or key[-1] in "\"'":
        problem = "is in quotes; remove them"
    elif any(character.isspace() for character in key):
        problem = "contains white space"
    elif not key.isascii():
        problem = "contains characters that are not ASCII"
    elif not key.isprintable():
        problem = "contains control characters"
    else:
        return
    raise CannotStart(
        f"The Cloudcraft API key {problem}.",
        hint="Copy it again from Cloudcraft into CLOUDCRAFT_API_KEY, "
        "or into the file that CLOUDCRAFT_API_KEY_FILE names.",
    )


def check_base_url(url: str) -> None:
    """Raise `UsageError` for anything but a URL that the key may be sent to.

    Never shows the value: it may be the key, in the wrong variable.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or any(character.isspace() or not character.isprintable() for character in url):
        raise UsageError("CLOUDCRAFT_BASE_URL is not a URL such as https://api.cloudcraft.co.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("CLOUDCRAFT_BASE_URL contains a user or a password; remove them.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise UsageError("CLOUDCRAFT_BASE_URL contains a query or a fragment; remove it.")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(
            "CLOUDCRAFT_BASE_URL: plain http would expose the API key to the network.",
            hint="Use https; plain http is accepted for loopback addresses only.",
        )
    if parts.scheme not in {"http", "https"}:
        raise UsageError("CLOUDCRAFT_BASE_URL does not start with https://.")


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: localhost, 127.0.0.0/8, ::1."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
