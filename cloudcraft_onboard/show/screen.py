"""The live view as a pure function: `(state, now, width, height)` to lines.

Whatever the size, the bar and the counts come first; failures and the accounts being worked on
share the rest. Nothing moves without a reason: rows keep their columns and their order.
"""

from __future__ import annotations

from itertools import islice

from rich.text import Text

from cloudcraft_onboard.show import text
from cloudcraft_onboard.show.causes import CauseGroup, headline
from cloudcraft_onboard.show.sentences import operations, waiting
from cloudcraft_onboard.show.state import RunState, Work

_TITLE_FROM = 9  # terminal rows from which on a title is worth one
_BAR = 32
_MOST_WORKING = 16
_MESSAGE_LINES = 2


def render(state: RunState, now: float, width: int, height: int) -> list[Text]:
    """The view's lines: at most `height` of them, each narrower than `width` cells."""
    room = max(width - 1, 1)  # a line that fills the last column makes some terminals wrap
    lines = [_bar(state, now, room), *_counts(state, room), *_status(state, now, room)]
    if height >= _TITLE_FROM:
        lines.insert(0, _title(state, now, room))
    free = height - len(lines)
    failures = _failures(state, room, free)
    needed = sum(map(len, failures)) + 1 if failures else 0
    for_failures = min(needed, max(free // 2, free - _working_lines(state)))
    lines += _fitted(state, failures, for_failures, room)
    lines += _working(state, now, room, height - len(lines))
    return lines[:height]


def _title(state: RunState, now: float, room: int) -> Text:
    what = text.called(state.command, dry_run=state.dry_run)
    elapsed = text.clock(state.elapsed(now))
    manifest = text.fit(text.clean(state.manifest), room - len(what) - len(elapsed) - 4)
    gap = room - len(what) - 2 - text.width_of(manifest) - len(elapsed)
    return Text.assemble((what, "bold"), "  ", manifest, " " * max(gap, 2), (elapsed, "dim"))


def _bar(state: RunState, now: float, room: int) -> Text:
    if not state.total:  # `remove --unlisted` is about what the list shows
        return Text(text.fit("reading Cloudcraft's list", room), "dim")
    share = state.done / state.total if state.total else 0.0
    told = f"{text.number(state.done)}/{text.number(state.total)}  {int(share * 100)}%"
    left = _left(state, now)
    tail = f"  {told}  {left}" if left else f"  {told}"
    cells = max(min(_BAR, room - text.width_of(tail)), 0)
    full = int(share * cells)
    line = Text.assemble(("█" * full, "green"), ("░" * (cells - full), "dim"), tail)
    line.truncate(room, overflow="ellipsis")
    return line


def _left(state: RunState, now: float) -> str:
    if state.done >= state.total:
        return "verifying" if state.unverified else ""
    left = state.time_left(now)
    return "" if left is None else f"about {text.about(left)} left"


def _counts(state: RunState, room: int) -> list[Text]:
    pieces = text.counts(state.counts(), state.command, planned=state.planned)
    lines: list[Text] = []
    waiting = [Text("nothing finished yet", "dim")] if state.total else []
    for piece in pieces or waiting:
        if lines and lines[-1].cell_len + 2 + piece.cell_len <= room:
            lines[-1] = Text.assemble(lines[-1], "  ", piece)
        else:
            lines.append(piece)
    return lines


def _status(state: RunState, now: float, room: int) -> list[Text]:
    told = []
    if state.stopping:
        told.append(Text(f"! stopping: {text.clean(state.stopping)}", "bold yellow"))
    waits = waiting(state, now)
    told += [Text(each, "cyan") for each in (*operations(state), waits) if each]
    if state.unverified and state.done < state.total:
        many = text.counted(len(state.unverified), "account")
        told.append(Text(f"{many} registered, to be verified at the end", "dim"))
    for line in told:
        line.truncate(room, overflow="ellipsis")
    return told


def _failures(state: RunState, room: int, height: int) -> list[list[Text]]:
    """The oldest causes, as many as `height` lines hold: nobody sees the others."""
    laid: list[list[Text]] = []
    lines = 0
    for cause in state.causes():
        if lines >= height:
            break
        laid.append(_failure(cause, room))
        lines += len(laid[-1])
    return laid


def _failure(cause: CauseGroup, room: int) -> list[Text]:
    problem = cause.problem
    many = len(cause.results)
    who = text.title(cause.results[0]) if many == 1 else text.counted(many, "account")
    what = f"x {headline(problem)}, {who}: {problem.message}"
    message = text.wrapped(what, room, indent="  ")
    shown = message[:_MESSAGE_LINES]
    if len(message) > _MESSAGE_LINES:
        shown[-1] = text.fit(shown[-1] + " …", room)
    shown[0] = shown[0][2:]
    lines = [Text(line, "red") for line in shown]
    if problem.hint:
        lines.append(Text(text.fit(f"  → {text.clean(problem.hint)}", room)))
    return lines


def _fitted(state: RunState, failures: list[list[Text]], height: int, room: int) -> list[Text]:
    """As many whole causes as fit, after an empty line, and how many are left."""
    if height < 2 or not failures:  # noqa: PLR2004 - the empty line and one more
        return []
    if len(failures) == len(state.failures) and sum(map(len, failures)) < height:
        return [Text(), *(line for lines in failures for line in lines)]
    shown: list[Text] = [Text()]
    counts = [len(some) for some in state.failures.values()]
    index = 0
    while index < len(failures) and len(shown) + len(failures[index]) < height:
        shown += failures[index]
        index += 1
    rest = sum(counts[index:])
    kind = "more cause" if index else "cause"
    told = f"x {text.counted(len(counts) - index, kind)}, {text.counted(rest, 'account')}"
    return [*shown, Text(text.fit(told, room), "red")]


def _working_lines(state: RunState) -> int:
    return min(len(state.working), _MOST_WORKING) + 2 if state.working else 0


def _working(state: RunState, now: float, room: int, height: int) -> list[Text]:
    rows = min(height - 2, _MOST_WORKING)
    if not state.working or rows < 1:
        return []
    alone, together = _by_reason(state)
    names = min(state.widest_name, room * 2 // 5)
    lines = [_waiting_alike(works, now, room) for works in together][:rows]
    left = rows - len(lines)
    shown = len(alone) if len(alone) <= left else max(left - 1, 0)
    lines += [_work(name, work, now, names, room) for name, work in islice(alone.items(), shown)]
    rest = len(alone) - shown
    if rest and len(lines) < rows:
        lines.append(Text(f"  … and {rest} more", "dim"))
    # The region keeps its height while accounts come and go, or everything below would jump.
    padding = min(rows, state.most_working) - len(lines)
    head = Text(f"Working on {text.counted(len(state.working), 'account')}", "bold")
    return [Text(), head, *lines, *[Text()] * padding]


def _by_reason(state: RunState) -> tuple[dict[str, Work], list[list[Work]]]:
    """Accounts with a line of their own, and groups that wait for the same reason."""
    alone: dict[str, Work] = {}
    alike: dict[str, list[tuple[str, Work]]] = {}
    for name, work in state.working.items():
        if work.retry_reason:
            alike.setdefault(work.retry_reason, []).append((name, work))
        else:
            alone[name] = work
    together = [[work for _, work in some] for some in alike.values() if len(some) > 1]
    alone |= {name: work for some in alike.values() if len(some) == 1 for name, work in some}
    return alone, together


def _waiting_alike(works: list[Work], now: float, room: int) -> Text:
    """`25 accounts, next try in 4 s: REASON`."""
    soonest = min(work.retry_at for work in works)
    wait = f"next try in {text.countdown(soonest - now)}" if soonest > now else "to be retried"
    reason = text.clean(works[0].retry_reason)
    told = f"  {text.counted(len(works), 'account')}, {wait}: {reason}"
    return Text(text.fit(told, room), "yellow")


def _work(name: str, work: Work, now: float, names: int, room: int) -> Text:
    took = text.clock(now - work.since)
    step = text.clean(work.step)
    style = ""
    if work.retry_at > now:
        wait = text.countdown(work.retry_at - now)
        step, style = f"retrying in {wait}: {text.clean(work.retry_reason)}", "yellow"
    elif work.retry_reason:
        step, style = f"to be retried: {text.clean(work.retry_reason)}", "yellow"
    shown = text.column(text.clean(name), names)
    doing = text.column(step, max(room - names - len(took) - 6, 1))
    return Text.assemble(f"  {shown}  ", (doing, style), "  ", (took, "dim"))
