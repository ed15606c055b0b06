"""Failures by cause: one cause in many accounts is one thing to read and to fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cloudcraft_onboard.blame.cause import QUOTES, REQUEST_ID
from cloudcraft_onboard.blame.grouping import together
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Outcome, Problem, Result
from cloudcraft_onboard.show.notes import all_told

# IAM's own words: "User: ARN is not authorized to perform: sts:AssumeRole on resource: ARN".
_REFUSED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_STATUS = re.compile(r"HTTP(\d+)")
_FEW_NOTES = 3
_OWN_GUESS = re.compile(r"Did you mean [^?]+\?")
_DENIALS = ("AccessDenied", "UnauthorizedOperation")


@frozen
class CauseGroup:
    """One cause and its results, in order.

    `problem` has `ACCOUNT_ID`, `NAME` and `PROFILE` where its accounts differ.
    """

    problem: Problem
    results: tuple[Result, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts that have it."""
        return tuple(result.name for result in self.results)


def headline(problem: Problem) -> str:
    """What went wrong, in a few words: `sts:AssumeRole denied (reach)`."""
    refused = _REFUSED.search(problem.message) if problem.code.startswith(_DENIALS) else None
    status = _STATUS.fullmatch(problem.code)
    what = problem.code
    if refused:
        what = f"{refused[1]} denied"
    elif status:
        what = f"Cloudcraft answered {status[1]}"
    return f"{what} ({problem.stage})"


Key = tuple[str, ...] | Problem
"""What is equal for equal causes: a kind with its facts, or the problem of a saved report."""


def key(result: Result) -> Key:
    """What the result's problem has in common with others of the same cause.

    Its kind and the facts that name the remedy; one of a saved report is known by its text.
    """
    problem = result.error
    if problem is None:
        raise ValueError(f"{result.name!r} has no problem")
    if problem.cause is not None:
        return (problem.stage, *problem.cause.key)
    return _generalised(problem, result)


def _generalised(problem: Problem, result: Result) -> Problem:
    return replace(
        problem,
        message=_general(problem.message, result),
        hint=_general(problem.hint, result),
    )


def _general(text: str, result: Result) -> str:
    text = REQUEST_ID.sub("…", text)
    if result.account_id:
        text = text.replace(result.account_id, "ACCOUNT_ID")
    for value, word in ((result.name, "NAME"), (result.profile, "PROFILE")):
        # Only in quotes: a name such as "a" would be found inside of words.
        for begin, end in QUOTES if value else ():
            text = text.replace(f"{begin}{value}{end}", f"{begin}{word}{end}")
    return _OWN_GUESS.sub("Did you mean another one?", text)


def group(results: Iterable[Result]) -> CauseGroup:
    """The cause of `results`, which all have the same key."""
    some = tuple(results)
    problems = [result.error for result in some if result.error is not None]
    first = problems[0]
    if all(problem == first for problem in problems):
        return CauseGroup(problem=first, results=some)
    return CauseGroup(problem=_together(_generalised(first, some[0]), problems), results=some)


def _together(first: Problem, problems: Sequence[Problem]) -> Problem:
    """One problem for all, with words such as PROFILE where the accounts' facts differ."""
    found = [problem.cause for problem in problems if problem.cause is not None]
    if not found:
        return first
    message, hint = together(first.message, found)
    return replace(first, message=message, hint=hint)


def causes(results: Iterable[Result]) -> tuple[CauseGroup, ...]:
    """The failed results by cause, in the order in which the causes first appear."""
    found: dict[Key, list[Result]] = {}
    for result in results:
        if result.outcome is Outcome.FAILED and result.error is not None:
            found.setdefault(key(result), []).append(result)
    return tuple(map(group, found.values()))


def notes(
    results: Iterable[Result], *, each: bool = False
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every note once, with the names of the accounts that have it.

    One that more than a few accounts have, each with IDs of its own, comes without these: `…`;
    not where `each` is asked for.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for result in results:
        for note in all_told(result.notes):
            exact = found.setdefault(_general(note, result), {})
            exact.setdefault(note, []).append(result.name)
    told: list[tuple[str, tuple[str, ...]]] = []
    for general, exact in found.items():
        if len(exact) > _FEW_NOTES and not each:
            told.append((general, tuple(name for names in exact.values() for name in names)))
        else:
            told += [(note, tuple(names)) for note, names in exact.items()]
    return tuple(told)
