"""Why something failed, as a problem carries it."""

from __future__ import annotations

import re

from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.blame.row import Row
from cloudcraft_onboard.blame.words import hint
from cloudcraft_onboard.frozen import frozen


@frozen
class Cause:
    """Why something failed: a kind, and the facts of one account's case."""

    row: Row
    facts: Facts

    @property
    def hint(self) -> str:
        """What to do about it."""
        return hint(self.row, self.facts)

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for one cause in several accounts."""
        told = (_plain(getattr(self.facts, name), self.facts) for name in self.row.by)
        return (self.row.name, *told)


REQUEST_ID = re.compile(
    r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
)  # every answer carries another one
QUOTES = (("'", "'"), ('"', '"'), ("`", "`"), ("(", ")"))
_SSO_ROLE = re.compile(r"(AWSReservedSSO_[\w+=,.@-]+)_[0-9a-f]{16}\b")


def _plain(value: str, facts: Facts) -> str:
    """A fact without what is the account's own: its ID, its name in quotes, its request's ID.

    Nor does it have the suffix of a permission set's role.
    """
    value = REQUEST_ID.sub("…", value)
    for begin, end in QUOTES if facts.name else ():
        value = value.replace(f"{begin}{facts.name}{end}", f"{begin}NAME{end}")
    if facts.account:
        value = value.replace(facts.account, "ACCOUNT_ID")
    return _SSO_ROLE.sub(r"\1", value)
