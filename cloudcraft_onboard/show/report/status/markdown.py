"""Where the accounts stand, as Markdown for a job summary or an issue: what is open comes first."""

from __future__ import annotations

from collections.abc import Sequence

from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Standing, State, Status
from cloudcraft_onboard.show import standing, text
from cloudcraft_onboard.show.causes import Cause, headline
from cloudcraft_onboard.show.report.markdown import escaped

_MOST_NAMES = 20
_MOST_UNITS = 30
_CALM = (State.ONBOARDED, State.DATADOG, State.DISABLED)
_BAR = 10


def render(status: Status) -> str:
    """The status as GitHub-flavoured Markdown."""
    parts = [_head(status), *_units(status)]
    for state in OPEN:
        accounts = status.having(state)
        if accounts:
            parts += [*_group(status, state, accounts), _folded(state, accounts)]
    for state in _CALM:
        accounts = status.having(state)
        if accounts:
            parts.append(_folded(state, accounts))
    return "\n\n".join([*parts, *_notes(status)]) + "\n"


def render_brief(status: Status) -> str:
    """The same without the accounts' names."""
    parts = [_head(status), *_units(status)]
    for state in OPEN:
        accounts = status.having(state)
        if accounts:
            parts += _group(status, state, accounts)
    return "\n\n".join(parts) + "\n"


def _head(status: Status) -> str:
    mark = "✅" if status.settled else "⚠️"
    title = f"### {mark} onboard status: <code>{escaped(status.manifest)}</code>"
    told = [title, f"**{escaped(standing.headline(status))}**", escaped(standing.counts(status))]
    if status.settled:
        told.append(f"Nothing to do: {standing.sides(status)} agree.")
    return "\n\n".join(told)


def _units(status: Status) -> list[str]:
    units = status.by_unit()
    worst = standing.worst_first(units)
    if not worst or len(units) == 1:
        return []
    rows = []
    for path, coverage in worst[:_MOST_UNITS]:
        full = coverage.seen * _BAR // coverage.total
        bar = "█" * full + "░" * (_BAR - full)
        rows.append(
            f"| {escaped(standing.unit(path))} | {bar} {standing.percent(coverage)} "
            f"| {coverage.seen:,} of {coverage.total:,} |"
        )
    rest = len(units) - len(rows)
    if rest:
        gaps = len(worst) - len(rows)
        what = f"{text.counted(gaps, 'more OU')} with gaps, " if gaps else ""
        whole = text.counted(len(units) - len(worst), "OU")
        rows.append(f"| {what}{whole} fully covered | | |")
    return ["\n".join(["| OU | Coverage | Accounts |", "| --- | --- | ---: |", *rows])]


def _group(status: Status, state: State, accounts: Sequence[Standing]) -> list[str]:
    parts = [f"#### {len(accounts):,} {state.word}: {escaped(state.meaning)}"]
    parts += [_cause(cause) for cause in standing.problems(accounts)]
    for command in advice.closing(status, state):
        purpose = f"{escaped(command.purpose)}: " if command.purpose else ""
        parts.append(f"→ {purpose}<code>{escaped(command.command)}</code>")
    return parts


def _cause(cause: Cause) -> str:
    problem = cause.problem
    names = escaped(text.listed(cause.names, _MOST_NAMES))
    told = f"> **{escaped(headline(problem))}** in {names}: {escaped(problem.message)}"
    return f"{told}\n>\n> → {escaped(problem.hint)}" if problem.hint else told


def _folded(state: State, accounts: Sequence[Standing]) -> str:
    rows = "\n".join(map(_row, accounts))
    return (
        f"<details>\n<summary>{len(accounts):,} {state.word}</summary>\n\n"
        f"| Account | ID | OU | To do |\n| --- | --- | --- | --- |\n{rows}\n\n</details>"
    )


def _row(account: Standing) -> str:
    unit = escaped(standing.unit(account.ou)) if account.ou is not None else ""
    to_do = escaped(text.action_words(account.changes))
    return f"| {escaped(account.name)} | {account.account_id or ''} | {unit} | {to_do} |"


def _notes(status: Status) -> list[str]:
    found = standing.notes(status.accounts)
    if not found:
        return []
    lines = "\n".join(
        f"- {escaped(text.listed(names, 3))}: {escaped(note)}" for note, names in found
    )
    return [f"<details>\n<summary>Notes</summary>\n\n{lines}\n\n</details>"]
