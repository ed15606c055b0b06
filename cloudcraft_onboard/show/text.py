"""Words, numbers and columns as people read them; widths are terminal cells, not characters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from cloudcraft_onboard.console.harmless import clean as clean  # noqa: PLC0414 - words of this room
from cloudcraft_onboard.console.harmless import listed as listed  # noqa: PLC0414 - the same
from cloudcraft_onboard.model import Action, Change, Command, Outcome, RateLimit, Report, Result
from cloudcraft_onboard.model.changes import SavedChange

TIME = "Work time"
"""The title of times: AWS work on an account and its requests, without waits."""

STYLES = {
    Outcome.CREATED: "green",
    Outcome.UPDATED: "yellow",
    Outcome.UNCHANGED: "dim",
    Outcome.REMOVED: "magenta",
    Outcome.FAILED: "bold red",
    Outcome.PENDING: "cyan",
    Outcome.SKIPPED: "dim",
}
"""How outcomes are coloured, wherever there is colour; their word and symbol are always there."""

TO_DO = {
    Outcome.CREATED: "to create",
    Outcome.UPDATED: "to update",
    Outcome.REMOVED: "to remove",
}
"""What a plan calls outcomes."""

_SYMBOL_STYLES = {"+": "green", "~": "yellow", "-": "red"}


def width_of(text: str) -> int:
    """How many terminal cells `text` takes."""
    return cell_len(text)


def fit(text: str, width: int) -> str:
    """`text` cut to `width` cells, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…" if width > 0 else ""


def column(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    return set_cell_size(fit(text, width), width)


def number(value: int) -> str:
    """1234 as `1,234`."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """`1 account`, `1,234 accounts`."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def seconds(value: float) -> str:
    """Time that something took: `0.4 s`, `14 s`, `3 min 10 s`, `1 h 05 min`."""
    if value < 10:  # noqa: PLR2004 - below ten seconds tenths tell something
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:  # noqa: PLR2004 - seconds per minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes per hour
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def countdown(value: float) -> str:
    """Time until something continues, in whole seconds: `14 s`, `3 min 10 s`."""
    whole = max(1, math.ceil(value))
    return f"{whole} s" if whole < 10 else seconds(whole)  # noqa: PLR2004 - no tenths here


def about(value: float) -> str:
    """Remaining time, as coarse as it is known: `35 s`, `3 min`, `1 h 05 min`."""
    if value < 57.5:  # noqa: PLR2004 - from here on the next step would be a minute
        return f"{max(5, 5 * math.ceil(value / 5))} s"
    minutes = max(1, round(value / 60))
    if minutes < 60:  # noqa: PLR2004 - minutes per hour
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def forecast(
    writes: Mapping[str, int], *, reads: int, limits: Sequence[RateLimit], up_to: bool = False
) -> str:
    """How long requests take, writes by kind, under each limit that may hold, fastest first.

    `137 registrations: about 7 min at 20 a minute`, or `137 registrations: about 1 min at 20 per
    10 s, 7 min if Cloudcraft allows 20 a minute`. `up_to`: there may be fewer.
    """
    kinds = ", ".join(counted(number, noun) for noun, number in writes.items() if number)
    requests = sum(writes.values()) + reads
    expected, *slower = [_needed(requests, limit) for limit in limits]
    told = f"{'up to ' * up_to}{kinds}: {expected or 'less than a minute'}"
    if expected:
        told += f" at {rate(limits[0])}"
    for needed, limit in zip(slower, limits[1:], strict=True):
        if needed:
            told += f", {needed.removeprefix('about ')} if Cloudcraft allows {rate(limit)}"
    return told


def rate(limit: RateLimit) -> str:
    """A rate limit in words: `20 a minute`, `20 per 10 s`."""
    if limit.seconds == 60:  # noqa: PLR2004 - seconds in a minute
        return f"{number(limit.requests)} a minute"
    return f"{number(limit.requests)} per {limit.seconds:g} s"


def _needed(requests: int, limit: RateLimit) -> str:
    """How long so many requests take; empty if it is not worth mentioning."""
    seconds = -(-requests // limit.requests) * limit.seconds
    one_window = requests <= limit.requests
    return "" if one_window or seconds < 60 else f"about {about(seconds)}"  # noqa: PLR2004


def clock(value: float) -> str:
    """Elapsed time: `1:02`, `1:00:05`."""
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:  # noqa: PLR2004 - minutes per hour
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def moment(when: datetime) -> str:
    """A moment, to the minute."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def called(command: Command, *, dry_run: bool) -> str:
    """The command that is under way; what `remove` plans is done once it is confirmed."""
    if not dry_run or command in (Command.PLAN, Command.STATUS):
        return f"onboard {command}"
    return f"onboard {command} {'(plan)' if command is Command.REMOVE else '--dry-run'}"


def is_plan(report: Report) -> bool:
    """Whether its results are only what would be."""
    return report.dry_run or report.command is Command.PLAN


def outcome_word(outcome: Outcome, *, planned: bool) -> str:
    """The outcome's word in a count: `created`, or `to create` in a plan."""
    return TO_DO.get(outcome, outcome.word) if planned else outcome.word


def counted_word(outcome: Outcome, command: Command, *, planned: bool) -> str:
    """The word behind a number of accounts: `9 to create`, `10 with nothing to remove`."""
    if command is Command.REMOVE and outcome is Outcome.UNCHANGED:
        return "with nothing to remove"
    return outcome_word(outcome, planned=planned)


def counts(
    numbers: Iterable[tuple[Outcome, int]], command: Command, *, planned: bool
) -> list[Text]:
    """One piece for each outcome that there is: `+ 3 created`."""
    return [
        Text(
            f"{outcome.symbol} {value:,} {counted_word(outcome, command, planned=planned)}",
            STYLES[outcome],
        )
        for outcome, value in numbers
        if value
    ]


def action_style(action: Action) -> str:
    """The colour of an action, by its symbol."""
    return _SYMBOL_STYLES.get(action.symbol, "")


def actions(result: Result) -> str:
    """What was done to the account, as words, each once: `create-role, register`."""
    return action_words(result.changes)


def action_words(changes: Iterable[Change]) -> str:
    """The actions of changes, each once."""
    return ", ".join(dict.fromkeys(change.action.word for change in changes))


def why(change: SavedChange) -> str:
    """What a change is about: `ReadOnlyAccess: not attached`."""
    return ": ".join(clean(part) for part in (change.subject, change.reason) if part)


def title(result: Result) -> str:
    """The account's name, with its ID where that is known."""
    return named(result.name, result.account_id)


def named(name: str, account_id: str | None) -> str:
    """`Payments (111122223333)`."""
    name = clean(name)
    return f"{name} ({account_id})" if account_id else name


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """`text` as lines of at most `width` cells, each behind `indent`; long words are broken."""
    lines: list[str] = []
    room = max(width - cell_len(indent), 1)
    line = ""
    for word in clean(text).split(" "):
        for piece in _pieces(word, room):
            if line and cell_len(f"{line} {piece}") > room:
                lines.append(indent + line)
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    return [*lines, indent + line] if line else lines


def _pieces(word: str, room: int) -> Iterator[str]:
    """A word in pieces of at most `room` cells, two where one character needs them.

    Rich's `chop_cells` drops what has no width by itself, such as a lone accent.
    """
    if cell_len(word) <= room:
        yield from [word] if word else ()
        return
    piece = ""
    for char in word:
        if piece and cell_len(piece + char) > room:
            yield piece
            piece = ""
        piece += char
    yield piece
