"""What every view of `onboard status` says: coverage, what is left to do, and how. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cloudcraft_onboard.coverage.words import Coverage, Standing, State, Status
from cloudcraft_onboard.model import Outcome, Result
from cloudcraft_onboard.show import causes, text
from cloudcraft_onboard.show.notes import all_told

_ORDER = (
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


def percent(coverage: Coverage) -> str:
    """`97.4%`, `100%`; never more than it is."""
    return f"{coverage.share * 100:.1f}%".replace(".0%", "%")


def counts(status: Status) -> str:
    """`12 accounts: 8 onboarded, 3 missing, 1 uncovered`."""
    found = [f"{status.count(state):,} {state.word}" for state in _ORDER if status.count(state)]
    accounts = text.counted(len(status.accounts), "account")
    return f"{accounts}: {', '.join(found)}" if found else accounts


def headline(status: Status) -> str:
    """`Coverage 97.4%: Cloudcraft sees 1,234 of the organization's 1,267 accounts`."""
    coverage = status.coverage
    if not coverage.total:
        return "Coverage: no accounts to cover"
    return f"Coverage {percent(coverage)}: {seen(status)}"


def seen(status: Status) -> str:
    """What the coverage is of."""
    coverage = status.coverage
    total = text.counted(coverage.total, "account")
    if status.organization and not status.selected:
        total = f"the organization's {total.replace('account', 'active account')}"
    return f"Cloudcraft sees {coverage.seen:,} of {total}"


def sides(status: Status) -> str:
    """What was compared, as a list: `the manifest, Cloudcraft and the roles in AWS`."""
    asked = ["the manifest", "Cloudcraft"]
    asked += ["AWS Organizations"] if status.organization else []
    asked += ["the roles in AWS"] if status.roles else []
    return f"{', '.join(asked[:-1])} and {asked[-1]}"


def unit(path: str) -> str:
    """An OU as people read it; accounts may be directly below the root."""
    return text.clean(path) or "(root)"


def worst_first(units: dict[str, Coverage]) -> list[tuple[str, Coverage]]:
    """The OUs that lack something, the least covered first, the larger one of two alike."""
    open_ones = [(path, coverage) for path, coverage in units.items() if not coverage.whole]
    return sorted(open_ones, key=lambda it: (it[1].share, it[1].seen - it[1].total, it[0]))


def details(account: Standing) -> list[str]:
    """What there is to say of one account besides its state."""
    told = []
    if account.changes:
        told.append(text.action_words(account.changes))
    if account.error is not None:
        told.append(f"{account.error.code}: {account.error.message}")
        told += [f"→ {account.error.hint}"] if account.error.hint else []
    return [*told, *all_told(account.notes)]


def problems(accounts: Iterable[Standing]) -> tuple[causes.Cause, ...]:
    """What keeps accounts from being looked at, or would make a run fail, by cause."""
    return causes.causes(map(as_result, accounts))


def notes(accounts: Iterable[Standing]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every note once, with the names of the accounts that have it."""
    return causes.notes(map(as_result, accounts))


def as_result(account: Standing) -> Result:
    """The account as a result, for views of changes, errors and notes."""
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
