"""The logs of `-v` and `-vv`: requests, and the SDKs' own; every line without secrets."""

from __future__ import annotations

import logging
from typing import TextIO

from cloudcraft_onboard.console.redact import excerpt

LONGEST_LINE = 100_000
"""Characters of a log entry; at `-vv` it may be a whole answer."""

_OURS = "cloudcraft_onboard"
_SDKS = ("botocore", "boto3", "urllib3", "httpx", "httpcore")
_SDKS_FROM = 2

LOGGERS = (_OURS, *_SDKS)
"""All loggers that are configured."""


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line, exception and stack included, without secrets."""
        return excerpt(super().format(record), LONGEST_LINE)


def configure(verbosity: int, stream: TextIO) -> None:
    """Send logs to `stream`: requests from 1 (`-v`), the SDKs' own from 2 (`-vv`); else nothing.

    Log lines would tear a live view; `views.choose_display` draws none where there are some.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Redacting("%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler] if verbosity > 0 else [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(_level(name, verbosity))


def _level(name: str, verbosity: int) -> int:
    if name == _OURS:
        return logging.INFO if verbosity > 0 else logging.WARNING
    return logging.DEBUG if verbosity >= _SDKS_FROM else logging.WARNING
