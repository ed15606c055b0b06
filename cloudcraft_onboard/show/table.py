"""Results as people read them on stdout: the table of a run, the diff of a plan."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from cloudcraft_onboard.model import Outcome, Report, Result
from cloudcraft_onboard.show import causes, plan, text

_CALM = (Outcome.UNCHANGED, Outcome.PENDING, Outcome.SKIPPED)
_MOST_CALM, _MOST_ROWS = 20, 50  # of one outcome; nobody reads more of them one by one
_MOST_NAMES = 12
_MOST_NOTES = 20
_ID, _OUTCOME = 12, 11
_BESIDE_FROM = 36  # cells for name and actions together from which on they go side by side


def render(
    report: Report, *, width: int, color: bool, forecast: str | None = None, each: bool = False
) -> str:
    """The report for a terminal `width` cells wide, or a file; without a newline in the end.

    `forecast` is a sentence on how long a run of this plan will take. `each`: nothing is folded.
    """
    planned = text.is_plan(report)
    body = plan.lines(report, width, each=each) if planned else _rows(report, width, each=each)
    sections = [body, failures(report, width), _notes(report, width, each=each)]
    lines = [line for section in sections if section for line in (*section, Text())]
    lines += [Text(line, "bold") for line in text.wrapped(last_line(report).plain, width)]
    if forecast:
        lines += [Text(line) for line in text.wrapped(forecast, width)]
    lines += _continuation(report, width)
    return printed(lines, width, color=color)


def printed(lines: Iterable[Text], width: int, *, color: bool) -> str:
    """The lines as text for a terminal, or without any colour."""
    if not color:
        return "\n".join(line.plain.rstrip() for line in lines)
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        soft_wrap=True,
    )
    for line in lines:
        line.rstrip()
        console.print(line)
    return file.getvalue().rstrip("\n")


def _rows(report: Report, width: int, *, each: bool) -> list[Text]:
    crowds = {
        outcome
        for outcome in Outcome
        if not each and report.count(outcome) > (_MOST_CALM if outcome in _CALM else _MOST_ROWS)
    }
    shown = [result for result in report.results if result.outcome not in crowds]
    lines = _table(shown, width) if shown else []
    for outcome in Outcome:
        if outcome in crowds:
            many = text.counted(report.count(outcome), "account")
            told = f"{outcome.symbol} {outcome.word.ljust(9)}  {many}"
            lines.append(Text(told, text.STYLES[outcome]))
    return lines


def _table(results: Sequence[Result], width: int) -> list[Text]:
    times = [text.seconds(result.seconds) if result.seconds else "" for result in results]
    time_width = max(len(text.TIME), *map(len, times))
    free = max(width - _ID - _OUTCOME - time_width - 6, 12)
    widest = max(7, *(text.width_of(text.clean(result.name)) for result in results))
    most_done = max(4, *(len(text.actions(result)) for result in results))
    # Narrow terminals get what was done on a line of its own, rather than in a strip of a column.
    beside = free >= _BESIDE_FROM
    names = min(widest, max(free // 2, free - most_done - 2) if beside else free)
    done = min(most_done, free - names - 2) if beside else 0
    head = ("Account".ljust(names), "ID".ljust(_ID), "Outcome".ljust(_OUTCOME))
    told = ("Done".ljust(done),) if beside else ()
    lines = [Text("  ".join((*head, *told, text.TIME.rjust(time_width))), "bold")]
    for result, time in zip(results, times, strict=True):
        lines += _row(result, names, done, time.rjust(time_width), width)
    return lines


def _row(result: Result, names: int, done: int, time: str, width: int) -> list[Text]:
    actions = text.actions(result)
    if done:
        first, *more = text.wrapped(actions, done) or [""]
        told, indent = f"  {first.ljust(done)}", " " * (names + _ID + _OUTCOME + 6)
    else:
        told, indent, more = "", "    ", text.wrapped(actions, width - 4)
    line = Text.assemble(
        text.column(text.clean(result.name), names),
        f"  {(result.account_id or '').ljust(_ID)}  ",
        (
            f"{result.outcome.symbol} {result.outcome.word}".ljust(_OUTCOME),
            text.STYLES[result.outcome],
        ),
        f"{told}  {time}",
    )
    return [line, *(Text(indent + rest) for rest in more)]


def failures(report: Report, width: int) -> list[Text]:
    """Every cause once: its count and accounts, what happened, what to do next."""
    lines: list[Text] = []
    for cause in causes.causes(report.results):
        problem = cause.problem
        if lines:
            lines.append(Text())
        if len(cause.results) == 1:
            who = f": {text.title(cause.results[0])}"
        else:
            names = text.listed(cause.names, _MOST_NAMES)
            who = f", {text.counted(len(cause.results), 'account')}: {names}"
        head = text.wrapped(f"x {causes.headline(problem)}{who}", width - 2)
        lines += [
            Text(line if index == 0 else f"  {line}", "bold red") for index, line in enumerate(head)
        ]
        lines += [Text(line) for line in text.wrapped(problem.message, width, indent="  ")]
        hint = text.wrapped(problem.hint, width, indent="    ")
        lines += [
            Text(f"  → {line[4:]}" if index == 0 else line) for index, line in enumerate(hint)
        ]
    return lines


def _notes(report: Report, width: int, *, each: bool) -> list[Text]:
    # That a skipped account is disabled, its outcome says already.
    results = (r for r in report.results if r.outcome is not Outcome.SKIPPED)
    found = causes.notes(results, each=each)
    if not found:
        return []
    lines = [Text("Notes", "bold")]
    for note, names in found[:_MOST_NOTES]:
        told = text.wrapped(f"{text.listed(names, 3)}: {note}", width - 2)
        lines += [
            Text(f"· {line}" if index == 0 else f"  {line}") for index, line in enumerate(told)
        ]
    rest = len(found) - _MOST_NOTES
    if rest > 0:
        lines.append(Text(f"· {text.counted(rest, 'more note')}, all of them in the reports"))
    return lines


def last_line(report: Report) -> Text:
    """The line that counts: `Plan: 3 to create, 7 unchanged` or `12 accounts: 3 created, ...`."""
    planned = text.is_plan(report)
    numbers = [
        f"{number:,} {text.outcome_word(outcome, planned=planned)}"
        for outcome in Outcome
        if (number := report.count(outcome))
    ]
    told = ", ".join(numbers) or "nothing selected"
    if planned:
        return Text(f"Plan: {told}", "bold")
    took = text.seconds((report.finished_at - report.started_at).total_seconds())
    accounts = text.counted(len(report.results), "account")
    requests = text.counted(report.cloudcraft.requests, "request")
    return Text(f"{accounts}: {told} · {took} · {requests} to Cloudcraft", "bold")


def _continuation(report: Report, width: int) -> list[Text]:
    told = [Text(line) for each in next_steps(report) for line in text.wrapped(each, width)]
    return [Text(), *told] if told else []


def next_steps(report: Report) -> list[str]:
    """What to do about accounts that are not done."""
    pending, failed = report.count(Outcome.PENDING), report.count(Outcome.FAILED)
    told = []
    if failed and not text.is_plan(report):
        which = "it" if failed == 1 else "these"
        told.append(
            f"{text.counted(failed, 'account')} failed: fix {which} and run the same command again."
            " What is done stays done."
        )
    if pending:
        are = "is" if pending == 1 else "are"
        told.append(
            f"{text.counted(pending, 'account')} {are} pending: run the same command again to"
            " continue where this run stopped."
        )
    return told
