"""The document of a status: coverage, what is left to do, and how."""

from __future__ import annotations

from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, Coverage, Standing, State, Status
from cloudcraft_onboard.model import Outcome, Result
from cloudcraft_onboard.show import causes, changes, text
from cloudcraft_onboard.show.document import (
    AccountRow,
    Covered,
    Document,
    FailedCase,
    Kind,
    Open,
    SkippedCase,
)
from cloudcraft_onboard.show.notes import all_told

_RANKS = (*OPEN, State.ONBOARDED, State.DATADOG, State.DISABLED)
_TOTALS = (
    State.ONBOARDED,
    State.DRIFTED,
    State.MISSING,
    State.UNREACHABLE,
    State.UNLISTED,
    State.UNCOVERED,
    State.GONE,
    State.DATADOG,
    State.DISABLED,
)
_SAVED = "A saved report holds no commands; `onboard status` tells what to do."
_STYLES = {
    State.ONBOARDED: "green",
    State.DATADOG: "green",
    State.DISABLED: "dim",
    State.DRIFTED: "yellow",
    State.MISSING: "yellow",
    State.UNCOVERED: "bold yellow",
    State.UNREACHABLE: "bold red",
    State.UNLISTED: "magenta",
    State.GONE: "magenta",
}


def document(status: Status) -> Document:
    """The status as people read it."""
    kinds = {state: _kind(state) for state in _RANKS if status.count(state)}
    closings = {state: tuple(advice.closing(status, state)) for state in kinds}
    rows = tuple(_row(each, kinds[each.state], closings[each.state]) for each in status.accounts)
    accounts = text.counted(len(rows), "account")
    return Document(
        by="state",
        command="status",
        title="onboard status",
        heading="Status",
        manifest=status.manifest,
        mark="✅" if status.settled else "⚠️",
        headline=headline(status),
        totals=_totals(status),
        verdict=headline(status),
        facts=(accounts, f"checked {text.moment(status.checked_at)} against {_sides(status)}"),
        planned=False,
        kinds=tuple((kind, status.count(state)) for state, kind in kinds.items()),
        rows=rows,
        started_at=status.checked_at,
        properties=(
            ("manifest", status.manifest),
            ("organization", str(status.organization).lower()),
            ("roles", str(status.roles).lower()),
            ("coverage", str(status.coverage.share)),
        ),
        calm=f"Nothing to do: {_sides(status)} agree." if status.settled else "",
        remark=_SAVED if status.advised is None and not status.settled else "",
        open=tuple(
            _open(kind, rows, closings[state]) for state, kind in kinds.items() if state in OPEN
        ),
        covered=Covered(whole=status.coverage, told=_seen(status), units=status.by_unit()),
        notes=causes.notes(row.result for row in rows),
    )


def _kind(state: State) -> Kind:
    return Kind(
        word=state.word,
        symbol=state.symbol,
        label=state.word,
        counted=state.word,
        style=_STYLES[state],
        rank=_RANKS.index(state),
        meaning=state.meaning,
    )


def _row(account: Standing, kind: Kind, commands: tuple[advice.Closing, ...]) -> AccountRow:
    result = _as_result(account)
    verdict: FailedCase | SkippedCase | None = None
    if account.state is State.DISABLED:
        verdict = SkippedCase(message="disabled in the manifest")
    elif account.state in OPEN:
        told = [kind.meaning, *details(account), *(command.line for command in commands)]
        verdict = FailedCase(type=kind.word, message=kind.meaning, text="\n\n".join(told))
    return AccountRow(
        result=result,
        kind=kind,
        # Accounts that are missing lack all of it.
        lines=() if account.state is State.MISSING else changes.lines(result),
        notes=all_told(account.notes),
        unit=account.ou,
        case=f"{account.name} ({account.account_id})" if account.account_id else account.name,
        verdict=verdict,
    )


def _open(kind: Kind, rows: tuple[AccountRow, ...], commands: tuple[advice.Closing, ...]) -> Open:
    some = tuple(row for row in rows if row.kind is kind)
    found = causes.causes(row.result for row in some)
    return Open(kind=kind, rows=some, causes=found, commands=commands)


def _as_result(account: Standing) -> Result:
    """The account as a result, for what reports say of changes, errors and notes."""
    return Result(
        name=account.name,
        account_id=account.account_id,
        profile=account.profile,
        region="",
        outcome=Outcome.UNCHANGED if account.error is None else Outcome.FAILED,
        changes=account.changes,
        error=account.error,
        notes=account.notes,
    )


def details(account: Standing) -> list[str]:
    """What there is to say of one account besides its state."""
    told = []
    if account.changes:
        told.append(text.action_words(account.changes))
    if account.error is not None:
        told.append(f"{account.error.code}: {account.error.message}")
        told += [f"→ {account.error.hint}"] if account.error.hint else []
    return [*told, *all_told(account.notes)]


# --- sentences -----------------------------------------------------------------------------------


def percent(coverage: Coverage) -> str:
    """`97.4%`, `100%`; never more than it is."""
    return f"{coverage.share * 100:.1f}%".replace(".0%", "%")


def headline(status: Status) -> str:
    """`Coverage 97.4%: Cloudcraft sees 1,234 of the organization's 1,267 accounts`."""
    coverage = status.coverage
    if not coverage.total:
        return "Coverage: no accounts to cover"
    return f"Coverage {percent(coverage)}: {_seen(status)}"


def _totals(status: Status) -> str:
    """`12 accounts: 8 onboarded, 3 missing, 1 uncovered`."""
    found = [f"{status.count(state):,} {state.word}" for state in _TOTALS if status.count(state)]
    accounts = text.counted(len(status.accounts), "account")
    return f"{accounts}: {', '.join(found)}" if found else accounts


def _seen(status: Status) -> str:
    """What the coverage is of."""
    coverage = status.coverage
    total = text.counted(coverage.total, "account")
    if status.organization and not status.selected:
        total = f"the organization's {total.replace('account', 'active account')}"
    return f"Cloudcraft sees {coverage.seen:,} of {total}"


def _sides(status: Status) -> str:
    """What was compared, as a list: `the manifest, Cloudcraft and the roles in AWS`."""
    asked = ["the manifest", "Cloudcraft"]
    asked += ["AWS Organizations"] if status.organization else []
    asked += ["the roles in AWS"] if status.roles else []
    return f"{', '.join(asked[:-1])} and {asked[-1]}"


def unit(path: str) -> str:
    """An OU as people read it; accounts may be directly below the root."""
    return text.clean(path) or "(root)"
