"""Removes secrets from text: known ones, and everything that looks like one.

The last line of defence for logs, errors and tracebacks; secrets should not get this far.
"""

from __future__ import annotations

import base64
import re
import threading
import urllib.parse
from collections.abc import Iterable

from cloudcraft_onboard.console.harmless import brief

REDACTED = "[redacted]"

LONGEST = 2000
"""Characters of a message that are shown."""

MARGIN = 8192
"""Characters behind a cut that are looked at, too. A secret is shorter: a session token of AWS has
some 1,000, with all that SAML and tags may add up to 4,096."""

_SHORTEST = 8  # shorter values would be found in ordinary words
_ACCOUNT_ID = re.compile(r"[0-9]{12}")

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None
_lock = threading.Lock()

_NAMES = (
    *("Secret_?Access_?Key", "Session_?Token", "Security_?Token", "Access_?Key_?Id"),
    *("x-amz-security-token", "aws_secret_access_key", "aws_session_token", "aws_access_key_id"),
    *("client_?secret", "access_?token", "refresh_?token", "id_?token", "auth_?token"),
    *("Web_?Identity_?Token", "SAMLAssertion", "api_?key", "password", "passwd", "passphrase"),
    *("secret_?key", "private_?key", "Signature"),
)


def _any_of(names: Iterable[str]) -> str:
    """A pattern of any of `names`, whatever their case, found five times as fast as these in a row.

    Regular expressions look ahead for a set of first characters only where case matters.
    """
    rests: dict[str, list[str]] = {}
    for name in names:
        rests.setdefault(name[0].lower(), []).append(name[1:])
    others = {"i": "\u0130\u0131", "s": "\u017f"}  # what `re.IGNORECASE` takes for them, too
    firsts = "".join(f"{first}{first.upper()}{others.get(first, '')}" for first in rests)
    each = (f"(?<={first})(?:{'|'.join(some)})" for first, some in rests.items())
    return f"(?-i:[{firsts}])(?:{'|'.join(each)})"


_FIELD = _any_of(_NAMES)
_VALUE = r"[^\s\"'<>&,;})\]\\]+"
_GAP = r"\s{0,99}"
_QUOTE = r"\\{0,31}[\"']"  # escaped up to five times over
# Texts come from others: a pattern takes time in proportion to a text's length, whatever it is.
# Each begins with fixed words, what repeats is bounded, or it takes all that it has looked at.
_SHAPES = tuple(
    (re.compile(shape, re.IGNORECASE | re.DOTALL), replacement)
    for shape, replacement in (
        # access key IDs, long-term, temporary and the other kinds of the same length
        (r"\b(?-i:AKIA|ASIA|ABIA|ACCA)(?-i:[A-Z0-9]{12,124})\b", REDACTED),
        # what other programs print: JSON web tokens, keys of Vault and GitHub, private keys
        (
            r"(?<![\w-])(?-i:eyJ[\w-]{8,}+\.[\w-]{8,}+(\.[\w-]*)?|hvs\.[\w-]{20,}|gh[opsu]_\w{30,})",
            REDACTED,
        ),
        (r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END|\Z)", REDACTED),
        # <SecretAccessKey>...</SecretAccessKey>, also of an answer that was cut off
        (rf"(<({_FIELD})>)[^<]*", rf"\1{REDACTED}"),
        # "SecretAccessKey": "...", 'SecretAccessKey': b'...', \"SessionToken\": \"...\"
        (rf"({_FIELD}(?:{_QUOTE})?{_GAP}[:=]{_GAP}b?({_QUOTE}))(?:(?!\2).)*", rf"\1{REDACTED}"),
        # SecretAccessKey=... in queries, forms and settings; X-Amz-Security-Token: ... in headers
        (rf"({_FIELD}{_GAP}[=:]{_GAP}(?![\"'\[]|b[\"'])){_VALUE}", rf"\1{REDACTED}"),
        # presigned queries
        (r"(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"'<>]+", rf"\1{REDACTED}"),
        # Authorization: ..., ('Authorization', 'Bearer ...'), and such values elsewhere
        (
            rf"(\bAuthorization(?:{_QUOTE})?{_GAP}[:=,]{_GAP}b?(?:{_QUOTE})?)[^\r\n\"'\\]+",
            rf"\1{REDACTED}",
        ),
        (rf"(\b(?:Bearer|Basic)\s{_GAP})[A-Za-z0-9\-._~+/]{{16,}}=*", rf"\1{REDACTED}"),
        (rf"(AWS4-HMAC-SHA256\s{_GAP})[^\r\n\"'\\]*", rf"\1{REDACTED}"),
        # https://user:password@host
        (r"(://)[^/\s\"'<>]+@", rf"\1{REDACTED}@"),
    )
)


def protect(secret: str) -> None:
    """Remember a secret: from now on `redact` replaces it in every text.

    Ignores values under 8 characters and account IDs, which occur in texts anyway.
    """
    global _pattern  # noqa: PLW0603 - secrets are known to the whole process, as its logs are
    secret = secret.strip()
    if len(secret) < _SHORTEST or _ACCOUNT_ID.fullmatch(secret):
        return
    with _lock:
        _known.update(form for form in _forms(secret) if len(form) >= _SHORTEST)
        longest_first = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first)))


def _forms(secret: str) -> set[str]:
    """The secret as it stands in URLs, in Python's and JSON's quotes and in base64."""
    forms = {
        secret,
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        repr(secret)[1:-1],
    }
    raw = secret.encode(errors="surrogateescape")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):  # where the secret starts among the three bytes of a base64 group
            # Characters that also hold bits of the neighbours are cut off.
            start = (0, 2, 3)[offset]
            whole = (offset + len(raw)) * 8 // 6
            forms.add(encode(b"\0" * offset + raw).decode()[start:whole])
    return forms


def redact(text: str) -> str:
    """`text` without the secrets that were protected and without what has a secret's shape."""
    if _pattern is not None:
        text = _pattern.sub(REDACTED, text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def excerpt(text: str, most: int = LONGEST) -> str:
    """`text` without secrets, shortened to `most` characters before that costs any time."""
    if len(text) <= most + MARGIN:
        return brief(redact(text), most)
    # A secret that the cut halves is not recognised, but goes with the margin.
    shown = redact(text[: most + MARGIN])[:-MARGIN] or REDACTED
    return f"{shown}… ({len(text) - most:,} more characters)"
