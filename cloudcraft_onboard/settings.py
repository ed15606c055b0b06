"""Options and environment, parsed and checked once; past here nothing reads `os.environ`."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cloudcraft_onboard import defaults
from cloudcraft_onboard.cloudcraft.access import check_base_url, check_key
from cloudcraft_onboard.errors import CannotStart, UsageError
from cloudcraft_onboard.frozen import frozen

if TYPE_CHECKING:
    from cloudcraft_onboard.model import RateLimit

DEFAULT_BASE_URL = "https://api.cloudcraft.co"
DEFAULT_RATE_LIMIT = "20/10,20/60"
"""Requests per seconds, for the whole API: the two that Cloudcraft documents, fastest first."""

MOST_LIMITS = 10

BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name a file of certificates. The first that is set counts for both sides."""

_LONGEST_KEY = 4096
"""Bytes of a key file; Cloudcraft's keys have 44."""

_RATE_LIMIT = re.compile(r"(\d{1,6})\s{0,9}/\s{0,9}(\d{1,6}(?:\.\d{1,6})?)")
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)


@frozen
class Selection:
    """Which accounts of the manifest a command works on."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed_since: str | None = None
    retry: str | None = None


@frozen
class Settings:
    """The options that `run`, `plan` and `remove` share (README, Options); times in seconds.

    `started` is when the command began, by `time.monotonic`: its budget counts from there.
    """

    manifest: str
    selection: Selection = field(default_factory=Selection)
    assume_role: str | None = None
    concurrency: int = defaults.CONCURRENCY
    reports: tuple[str, ...] = ()
    output: str = "table"
    settle: float | None = None
    simulate: bool = True
    max_failures: int | None = None
    time_budget: float | None = None
    started: float = field(default_factory=time.monotonic)
    retries: int = defaults.RETRIES
    timeout: float = defaults.TIMEOUT
    sandbox: bool = False
    verbosity: int = 0
    exit_code: bool = False
    extra: tuple[str, ...] = ()
    """The command's own options, as a command to be pasted repeats them."""


@frozen
class Endpoint:
    """Where Cloudcraft is, its rate limits, the API key, a file of certificates to trust."""

    base_url: str
    rate_limits: tuple[RateLimit, ...]
    api_key: str = field(repr=False)
    certificates: str | None = None


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """Read the variables of README, Environment.

    Raises:
        UsageError: a value that cannot be used (exit 2).
        CannotStart: no key, or one that cannot be a key (exit 3).
    """
    base_url = environment.get("CLOUDCRAFT_BASE_URL") or DEFAULT_BASE_URL
    check_base_url(base_url)
    limits = rate_limits(environment.get("CLOUDCRAFT_RATE_LIMIT") or DEFAULT_RATE_LIMIT)
    key = _api_key(environment)
    check_key(key)
    return Endpoint(
        base_url=base_url,
        rate_limits=limits,
        api_key=key,
        certificates=certificates(environment),
    )


def certificates(environment: Mapping[str, str]) -> str | None:
    """The file of certificates to trust instead of the usual ones; None if no variable names one.

    Raises:
        UsageError: it is no such file.
    """
    variable = next((name for name in BUNDLES if environment.get(name)), None)
    if variable is None:
        return None
    file = _expanded(environment[variable])
    _check_bundle(file, variable)
    return file


@cache
def _check_bundle(file: str, variable: str) -> None:
    """Parse the certificates once: a usual bundle has 140, which take 20 ms."""
    import ssl  # noqa: PLC0415 - --help does without

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except OSError as error:
        why = "no certificate is in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"The file of certificates {file}, which {variable} names, cannot be used: {why}.",
            hint=f"Correct {variable}, or unset it.",
        ) from None


def trust_one_bundle(environment: MutableMapping[str, str]) -> None:
    """Let the AWS SDK, which knows not all of these variables, trust what Cloudcraft's side does.

    Raises:
        UsageError: as `certificates`.
    """
    if bundle := certificates(environment):
        environment[BUNDLES[0]] = bundle


_AWS_FILES = (
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", ""),
    *((variable, "") for variable in BUNDLES),
)


def input_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The files that are read besides the manifest, each with what it is."""
    found = {}
    if key := environment.get("CLOUDCRAFT_API_KEY_FILE"):
        found[_expanded(key)] = "the API key's file"
    for variable, default in _AWS_FILES:
        if file := environment.get(variable) or default:
            found[_expanded(file)] = f"the file of {variable}"
    return found


def _expanded(file: str) -> str:
    try:
        return str(Path(file).expanduser())
    except RuntimeError:  # its ~ stands for no home directory
        return file


def rate_limits(text: str) -> tuple[RateLimit, ...]:
    """The limits that may hold, such as `20/10,20/60`, fastest first.

    Raises:
        UsageError: it is anything else. The value is not shown: it may be the key by mistake.
    """
    limits = [rate_limit(part) for part in text.split(",")]
    if None in limits or len(limits) > MOST_LIMITS:
        raise UsageError(
            "CLOUDCRAFT_RATE_LIMIT is not REQUESTS/SECONDS or a list of such limits.",
            hint=f"Write it like {DEFAULT_RATE_LIMIT}, or unset it.",
        )
    known = dict.fromkeys(limit for limit in limits if limit)
    return tuple(sorted(known, key=lambda limit: limit.seconds / limit.requests))


def rate_limit(text: str) -> RateLimit | None:
    """`REQUESTS/SECONDS`, such as `20/60`; None for anything else."""
    from cloudcraft_onboard.model import RateLimit  # noqa: PLC0415 - --help does without

    match = _RATE_LIMIT.fullmatch(text.strip())
    if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
        return None
    return RateLimit(int(match[1]), float(match[2]))


def duration(text: str) -> float:
    """Seconds in `90s`, `45m`, `5h30m`; `UsageError` for anything else or for nothing."""
    match = _DURATION.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if total == 0:
        raise UsageError(
            f"Invalid duration {text[:40]!r}.", hint="Use for example 5h30m, 45m or 90s."
        )
    return float(total)


def _api_key(environment: Mapping[str, str]) -> str:
    key = environment.get("CLOUDCRAFT_API_KEY")
    if key:
        return key
    file = environment.get("CLOUDCRAFT_API_KEY_FILE")
    if not file:
        raise CannotStart(
            "There is no Cloudcraft API key.",
            hint="Set CLOUDCRAFT_API_KEY to a read-write key of an Owner or Administrator, or "
            "CLOUDCRAFT_API_KEY_FILE to a file that holds one.",
        )
    content = b""
    try:
        # A shell leaves the ~ of a name in quotes, and a CI's or a .env file's to the program.
        with Path(file).expanduser().open("rb") as stream:
            content = stream.read(_LONGEST_KEY + 1)
        key = content.decode().strip()
    except OSError as error:
        raise _no_key(error.strerror) from None
    except RuntimeError:  # of expanduser
        raise _no_key("its ~ stands for no home directory") from None
    except ValueError:
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        raise _no_key("it is UTF-16; save it as UTF-8" if utf16 else "it is not text") from None
    if len(content) > _LONGEST_KEY:
        raise _no_key("it is too long for a key")
    return key


def _no_key(reason: str | None) -> CannotStart:
    # Not in which file: its name may be the key itself, put into the wrong variable.
    return CannotStart(
        f"The file that CLOUDCRAFT_API_KEY_FILE names cannot be read: {reason}.",
        hint="Set CLOUDCRAFT_API_KEY_FILE to the path of a file that holds nothing but the key.",
    )
