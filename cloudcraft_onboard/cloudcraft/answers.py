"""One whole answer of the server, with its error text made readable."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import httpx

from cloudcraft_onboard.console.redact import excerpt, redact
from cloudcraft_onboard.frozen import frozen

LONGEST_EXCERPT = 200

_LONGEST_PAGE = 20_000
_DEEPEST = 5
# What is never closed goes on to the end, as in a browser, so that nothing is looked at twice.
_UNSEEN = re.compile(
    r"<(script|style)\b.*?(?:</\1\s{0,99}>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>|&#[0-9a-fx]{9,}",
    re.IGNORECASE | re.DOTALL,
)


@frozen
class Answer:
    """A complete answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the status is a 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004 - the class of the status

    def json(self) -> Any:
        """The body. Raises `ValueError` where it isn't JSON."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @property
    def is_page(self) -> bool:
        """Whether it is HTML: something in between answered, not the API."""
        return self.body.lstrip()[:1] == b"<"

    def words(self) -> str:
        """The server's error text as one line of plain text; may be empty."""
        try:
            payload = self.json()
        except ValueError:
            return _one_line(self.body.decode("utf-8", "replace"))
        return _one_line(_said(payload) or json.dumps(payload) if payload else "")


def _said(payload: Any, depth: int = 0) -> str:
    """The text of `{"error": "…"}`, `{"error": {"message": "…"}}`, `{"message": "…"}`."""
    if isinstance(payload, str):
        return payload
    if depth < _DEEPEST and isinstance(payload, dict):
        for key in ("error", "message", "errors", "detail"):
            if payload.get(key):
                return _said(payload[key], depth + 1)
    if depth < _DEEPEST and isinstance(payload, list):
        return "; ".join(filter(None, (_said(each, depth + 1) for each in payload)))
    return ""


def _one_line(text: str) -> str:
    """An excerpt without tags, secrets and control characters, which a terminal would obey."""
    text = html.unescape(_UNSEEN.sub(" ", excerpt(text, _LONGEST_PAGE)))
    text = redact(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
    return text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
