"""A plan as a diff: what would change, account by account, and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from cloudcraft_onboard.model import Change, Outcome, Report, Result
from cloudcraft_onboard.show import text

_MOST_ACCOUNTS = 50  # changed accounts up to which each one is shown for itself
_ALIKE = 10  # accounts with the same changes from which on they are shown as one
_MOST_UNCHANGED = 10
_MOST_NAMES = 20
_CALM = (Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.PENDING)


def lines(report: Report, width: int) -> list[Text]:
    """The diff; failed accounts are told elsewhere."""
    changed = [result for result in report.results if result.changes]
    together = len(changed) > _MOST_ACCOUNTS
    told: list[Text] = []
    for results in _alike(changed) if together else [[result] for result in changed]:
        if len(results) < _ALIKE:
            for result in results:
                told += [*_account(result, width), Text()]
        else:
            told += [*_crowd(results, width), Text()]
    for outcome in _CALM:
        told += _calm(outcome, [r for r in report.results if r.outcome is outcome], width)
    if told and not told[-1].plain:
        told.pop()
    return told


def _alike(results: Sequence[Result]) -> list[list[Result]]:
    found: dict[tuple[Outcome, tuple[Change, ...]], list[Result]] = {}
    for result in results:
        found.setdefault((result.outcome, result.changes), []).append(result)
    return list(found.values())


def _account(result: Result, width: int) -> list[Text]:
    outcome = result.outcome
    name = text.fit(text.clean(result.name), max(width - 30, 10))
    head = f"{outcome.symbol} {name}"
    tail = "  ".join(filter(None, (result.account_id, _word(outcome))))
    return [
        Text.assemble((head, f"bold {text.STYLES[outcome]}"), f"  {tail}"),
        *_changes(result.changes, width),
    ]


def _word(outcome: Outcome) -> str:
    return text.outcome_word(outcome, planned=True)


def _crowd(results: Sequence[Result], width: int) -> list[Text]:
    outcome = results[0].outcome
    head = f"{outcome.symbol} {text.counted(len(results), 'account')} alike"
    names = text.wrapped(
        text.listed([result.name for result in results], _MOST_NAMES), width, indent="  "
    )
    return [
        Text.assemble((head, f"bold {text.STYLES[outcome]}"), f"  {_word(outcome)}"),
        *(Text(line, "dim") for line in names),
        *_changes(results[0].changes, width),
    ]


def _changes(changes: Sequence[Change], width: int) -> list[Text]:
    words = max((len(change.action.word) for change in changes), default=0)
    told: list[Text] = []
    for change in changes:
        first, *more = text.wrapped(text.why(change), max(width - words - 8, 16)) or [""]
        told.append(
            Text.assemble(
                "    ",
                (
                    f"{change.action.symbol} {change.action.word.ljust(words)}",
                    text.action_style(change.action),
                ),
                f"  {first}",
            )
        )
        told += [Text(" " * (words + 8) + line) for line in more]
    return told


def _calm(outcome: Outcome, results: Sequence[Result], width: int) -> list[Text]:
    style = text.STYLES[outcome]
    if len(results) > _MOST_UNCHANGED:
        many = text.counted(len(results), "account")
        return [Text(f"{outcome.symbol} {many} {outcome.word}", style)]
    told = []
    for result in results:
        tail = "  ".join(filter(None, (result.account_id, outcome.word)))
        name = text.fit(text.clean(result.name), max(width - 30, 10))
        told.append(Text(f"{outcome.symbol} {name}  {tail}", style))
    return told
