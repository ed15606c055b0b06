"""The page of a run or a plan: chart, search, filter, sort, failures with hints."""

from __future__ import annotations

from cloudcraft_onboard.model import Command, Outcome, Report, Result
from cloudcraft_onboard.show import causes, changes, text
from cloudcraft_onboard.show.notes import all_told
from cloudcraft_onboard.show.report import page

_ORDER = (
    Outcome.FAILED,
    Outcome.PENDING,
    Outcome.CREATED,
    Outcome.UPDATED,
    Outcome.REMOVED,
    Outcome.UNCHANGED,
    Outcome.SKIPPED,
)
_ALL_WELL = {
    Command.RUN: "All accounts are onboarded",
    Command.REMOVE: "All accounts are removed",
}
_WORKED = "Time spent working on the account, without waiting for its turn"


def render(report: Report) -> str:
    """The report as a page."""
    planned = text.is_plan(report)
    failures = [(f"c{n}", cause) for n, cause in enumerate(causes.causes(report.results), 1)]
    alike = (block for block in changes.blocks(report.results) if len(block.results) > 1)
    blocks = [(f"g{n}", block) for n, block in enumerate(alike, 1)] if planned else []
    groups = {id(result): name for name, cause in failures for result in cause.results}
    groups |= {id(result): name for name, block in blocks for result in block.results}
    took = (report.finished_at - report.started_at).total_seconds()
    facts = (
        text.counted(len(report.results), "account"),
        f"started {page.at(report.started_at)}",
        f"took {text.seconds(took)}",
        f"{text.counted(report.cloudcraft.requests, 'request')} to Cloudcraft",
    )
    ordered = sorted(report.results, key=lambda result: _ORDER.index(result.outcome))
    return page.render(
        title=f"onboard {'plan' if planned else report.command}: {report.manifest}",
        heading="Plan" if planned else str(report.command).capitalize(),
        manifest=report.manifest,
        verdict=_verdict(report, planned=planned),
        facts=" · ".join(facts),
        kind="outcome",
        counted=[
            (outcome, number, text.outcome_word(outcome, planned=planned))
            for outcome in _ORDER
            if (number := report.count(outcome))
        ],
        sections=page.section("Failures", [_cause(*each) for each in failures])
        + page.section("Changes", [_block(*each) for each in blocks]),
        searched="names, IDs, errors",
        heads=(
            page.head("Account", "name", fits=(each.name for each in ordered)),
            page.head("ID", "id"),
            page.head("Outcome", "kind", ordered=True),
            page.head("Changes", "told"),
            page.head(text.TIME, "time", title=_WORKED),
        ),
        rows=(
            _row(index, result, groups.get(id(result), ""), planned=planned)
            for index, result in enumerate(ordered)
        ),
    )


def _verdict(report: Report, *, planned: bool) -> str:
    failed, pending = report.count(Outcome.FAILED), report.count(Outcome.PENDING)
    told = []
    if failed:
        told.append(f"{text.counted(failed, 'account')} failed")
    if pending:
        told.append(f"{text.counted(pending, 'account')} pending: run the same command again")
    if planned:
        changing = sum(bool(result.changes) for result in report.results)
        told.append(
            f"{text.counted(changing, 'account')} would change" if changing else "No changes"
        )
    return " · ".join(told) or _ALL_WELL[report.command]


def _cause(name: str, cause: causes.Cause) -> str:
    return (
        f'<article id="{name}" class="failed"><h3>{page.cause_head(cause)}</h3>'
        f"{page.cause_body(cause)}{page.names(cause.names)}"
        f"{page.show('group', name, len(cause.results))}</article>"
    )


def _block(name: str, block: changes.Block) -> str:
    """Accounts with the same changes, and the changes once."""
    many = len(block.results)
    word = text.outcome_word(block.outcome, planned=True)
    return (
        f'<article id="{name}" class="{block.outcome.word}">'
        f"<h3>{block.outcome.symbol} {text.counted(many, 'account')} {word}</h3>"
        f"{page.lines(block.lines)}{page.names(block.names)}"
        f"{page.show('group', name, many)}</article>"
    )


def _row(index: int, result: Result, group: str, *, planned: bool) -> str:
    outcome = result.outcome
    took = text.seconds(result.seconds) if result.seconds else ""
    if group.startswith("g"):
        told = f'<a href="#{group}">{page.escaped(text.actions(result))}</a>'
    else:
        told = page.lines(changes.lines(result))
    cells = (
        *page.identity(result.name, result.account_id),
        page.badge(outcome, text.outcome_word(outcome, planned=planned), _ORDER.index(outcome)),
        page.cell("told", told + page.remarks(result.error, group, all_told(result.notes))),
        page.cell("time", took, key=f"{result.seconds:.2f}", label=text.TIME),
    )
    return page.row(cells, outcome=outcome.word, index=index, group=group)
