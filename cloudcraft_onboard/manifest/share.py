"""Whom new accounts are shared with in Cloudcraft, by their OU path. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.manifest import rules

EVERYWHERE = "*"


@frozen
class Share:
    """One `--share GLOB=WHO`: accounts whose OU path matches are shared with this team."""

    glob: str
    who: str

    def matches(self, path: Sequence[str]) -> bool:
        """Whether an account at this path, from the root down, is meant; with the root or without.

        `Prod/*` are the accounts in Prod and those in the OUs below it.
        """
        ways = ("/".join(path[1:]), "/".join(path))
        return any(fnmatchcase(told, self.glob) for way in ways for told in (way, f"{way}/"))

    def __str__(self) -> str:
        return f"{self.glob}={self.who}"


def share_of(text: str) -> Share:
    """`Prod/*=Platform`. Raises `UsageError`."""
    glob, equals, who = text.partition("=")
    problem = "" if equals and glob.strip() else "is not of the form GLOB=WHO"
    problem = problem or rules.access(who) or ""
    if problem:
        raise UsageError(
            f"--share {text}: {problem}.",
            hint="Give an OU path and who is to see its accounts: --share 'Prod/*=Platform'"
            " --share '*=everyone'.",
        )
    return Share(glob=glob.strip(), who=who.strip())


def first_match(shares: Iterable[Share], path: Sequence[str]) -> Share | None:
    """The rule that holds for an account."""
    return next((share for share in shares if share.matches(path)), None)


def unused(shares: Iterable[Share], used: Collection[Share]) -> list[str]:
    """A sentence for each rule that no account came to."""
    return [f"--share {share}: matches no account." for share in shares if share not in used]
