"""A row of the table: how an error shows itself, and what to do next."""

from __future__ import annotations

import re

from cloudcraft_onboard.blame.facts import Facts, Maker
from cloudcraft_onboard.frozen import frozen

Sentence = str | tuple[str, ...]
"""A template, or several of which the first is taken whose facts are all known."""


@frozen
class Row:
    """One kind of cause.

    Attributes:
        name: a word for it, unique in the table.
        codes: AWS's code, or the program's name for an error of the SDK.
        says: a pattern that is searched for in "CODE: MESSAGE", ignoring case.
        calls: the operations of AWS, such as `AssumeRole`.
        services: AWS's services, such as `iam`.
        commands: the commands in which it appears.
        makers: who made the credentials.
        needs: facts that must be known.
        next: what to do, in one sentence or several; one that names a fact which isn't known is
            left out.
        by: facts that tell two causes of this kind apart: those that name what to do.

    All that is given must fit.
    """

    name: str
    next: str | tuple[Sentence, ...]
    codes: frozenset[str] = frozenset()
    says: str = ""
    calls: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()
    makers: frozenset[Maker] = frozenset()
    needs: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    def fits(self, code: str, message: str, facts: Facts) -> bool:
        """Whether an error is of this kind."""
        return (
            (not self.codes or code in self.codes)
            and (not self.calls or facts.operation in self.calls)
            and (not self.services or facts.service in self.services)
            and (not self.commands or facts.command in self.commands)
            and (not self.makers or facts.maker in self.makers)
            and all(getattr(facts, name) for name in self.needs)
            and (
                not self.says
                or re.search(self.says, f"{code}: {message}", re.IGNORECASE) is not None
            )
        )


def words(*some: str) -> frozenset[str]:
    """Codes or operations of a row."""
    return frozenset(some)
