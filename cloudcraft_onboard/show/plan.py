"""A plan as a diff: what would change, identical changes told once for all of their accounts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from cloudcraft_onboard.model import Outcome, Report, Result
from cloudcraft_onboard.show import changes, text

_MOST_NAMES = 12
_CALM = (Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.PENDING)


def lines(report: Report, width: int, *, each: bool = False) -> list[Text]:
    """The diff; failed accounts are told elsewhere. `each`: account by account."""
    told: list[Text] = []
    for block in changes.blocks(report.results, each=each):
        told += [*_block(block, width), Text()]
    for outcome in _CALM:
        told += _calm(
            outcome, [r for r in report.results if r.outcome is outcome], width, each=each
        )
    if told and not told[-1].plain:
        told.pop()
    return told


def _block(block: changes.Block, width: int) -> list[Text]:
    outcome = block.outcome
    style = f"bold {text.STYLES[outcome]}"
    word = text.outcome_word(outcome, planned=True)
    if len(block.results) == 1:
        head = [_one(block.results[0], word, style, width)]
    else:
        many = text.counted(len(block.results), "account")
        names = text.wrapped(text.listed(block.names, _MOST_NAMES), width, indent="  ")
        head = [Text(f"{outcome.symbol} {many} {word}", style), *map(Text, names)]
    return [*head, *_changes(block.lines, width)]


def _one(result: Result, word: str, style: str, width: int) -> Text:
    name = text.fit(text.clean(result.name), max(width - 30, 10))
    tail = "  ".join(filter(None, (result.account_id, word)))
    return Text.assemble((f"{result.outcome.symbol} {name}", style), f"  {tail}")


def _changes(told: Sequence[changes.Line], width: int) -> list[Text]:
    words = max((len(line.action.word) for line in told), default=0)
    shown: list[Text] = []
    for line in told:
        first, *more = text.wrapped(line.told, max(width - words - 8, 16)) or [""]
        action = f"{line.action.symbol} {line.action.word.ljust(words)}"
        shown.append(Text.assemble("    ", (action, text.action_style(line.action)), f"  {first}"))
        shown += [Text(" " * (words + 8) + rest) for rest in more]
    return shown


def _calm(outcome: Outcome, results: Sequence[Result], width: int, *, each: bool) -> list[Text]:
    if not results:
        return []
    style = text.STYLES[outcome]
    if each or len(results) == 1:
        return [_one(result, outcome.word, style, width) for result in results]
    head = f"{outcome.symbol} {text.counted(len(results), 'account')} {outcome.word}"
    if len(results) > _MOST_NAMES:
        return [Text(head, style)]
    names = text.listed([result.name for result in results], _MOST_NAMES)
    return [
        Text(head, style),
        *(Text(line, "dim") for line in text.wrapped(names, width, indent="  ")),
    ]
