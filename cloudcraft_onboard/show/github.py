"""What GitHub Actions reads: annotations, groups, the job's summary.

Sources: docs.github.com "Workflow commands for GitHub Actions" (step summaries: 1 MiB each), and
the escaping of actions/toolkit, `packages/core/src/command.ts`.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TextIO

from cloudcraft_onboard.console.files import is_special, write_into
from cloudcraft_onboard.console.harmless import clean_lines
from cloudcraft_onboard.console.streams import tell_runner
from cloudcraft_onboard.coverage import advice
from cloudcraft_onboard.coverage.words import OPEN, State, Status
from cloudcraft_onboard.errors import ManifestError
from cloudcraft_onboard.model import Report, Result
from cloudcraft_onboard.model.role_notes import WouldBeDenied
from cloudcraft_onboard.show import causes, standing, text
from cloudcraft_onboard.show.document import Document
from cloudcraft_onboard.show.notes import told
from cloudcraft_onboard.show.report import markdown
from cloudcraft_onboard.show.told import Told

Level = Literal["error", "warning", "notice"]

_SUMMARY_LIMIT = 1024 * 1024
_MOST_NAMES = 20
_MOST_ALIKE = 3  # accounts with one cause that have an error each
_CUT = "\n\n*The report is too long for a job summary; see the report files.*\n"


def annotation(
    level: Level, file: str, line: int | None, col: int | None, message: str, *, title: str = ""
) -> str:
    """One annotation on a line of a file, as a workflow command."""
    properties = {"file": file, "line": line, "col": col, "title": title}
    told = ",".join(
        f"{name}={_property(str(value))}" for name, value in properties.items() if value
    )
    return f"::{level} {told}::{_data(message)}" if told else f"::{level}::{_data(message)}"


def _data(value: str) -> str:
    # Every separator of lines that a reader might know: what follows one could be a command.
    lines = value.replace("\r\n", "\n").splitlines()
    return "%0A".join(clean_lines(line).replace("%", "%25") for line in lines)


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def annotations(report: Told) -> list[str]:
    """One error for each failed account, on its line of the manifest; a warning for what is open.

    A cause that many accounts have is one error, on the line of the first. Accounts that the
    manifest lacks have no line there: one warning for all of a state. What a run would be denied is
    one warning for all accounts alike.
    """
    if isinstance(report, Status):
        return [line for state in OPEN for line in _open(report, state)]
    failed = [line for cause in causes.causes(report.results) for line in _failed(report, cause)]
    return [*failed, *_denials(report)]


def _failed(report: Report, cause: causes.CauseGroup) -> Iterator[str]:
    problem, results = cause.problem, cause.results
    if len(results) > _MOST_ALIKE:
        many = text.counted(len(results), "account")
        told = [problem.message, problem.hint, text.listed(cause.names, _MOST_NAMES)]
        title = f"{causes.headline(problem)}: {many}"
        yield _error(report, results[0], told, title)
        return
    for result in results:
        own = result.error or problem
        yield _error(report, result, [own.message, own.hint], f"{result.name}: {own.code}")


def _error(report: Report, result: Result, told: list[str], title: str) -> str:
    lines = "\n".join(filter(None, told))
    return annotation("error", report.manifest, result.line, None, lines, title=title)


def _denials(report: Report) -> Iterator[str]:
    denied: dict[WouldBeDenied, list[Result]] = defaultdict(list)
    for result in report.results:
        for note in result.notes:
            if isinstance(note, WouldBeDenied):
                denied[note].append(result)
    for note, results in denied.items():
        names = text.listed([result.name for result in results], _MOST_NAMES)
        title = f"A run would be denied in {text.counted(len(results), 'account')}"
        said = f"{told(note)}\n{names}"
        yield annotation("warning", report.manifest, results[0].line, None, said, title=title)


def _open(status: Status, state: State) -> Iterator[str]:
    closing = [command.line for command in advice.closing(status, state)]
    strangers = []
    failing: dict[str, list[str]] = defaultdict(list)
    for account in status.having(state):
        if not account.in_manifest:
            strangers.append(account.name)
            if account.error is not None:
                failing[account.error.code].append(account.name)
            continue
        told = "\n".join([state.meaning, *standing.details(account)])
        title = f"{account.name}: {state.word}"
        yield annotation("warning", status.manifest, account.line, None, told, title=title)
    if strangers:
        why = [f"{code}: {text.listed(some, _MOST_NAMES)}" for code, some in failing.items()]
        told = "\n".join([text.listed(strangers, _MOST_NAMES), *why, *closing])
        title = f"{text.counted(len(strangers), 'account')} {state.word}: {state.meaning}"
        yield annotation("warning", status.manifest, None, None, told, title=title)


def manifest_annotations(error: ManifestError) -> list[str]:
    """One error for each place in a manifest that is wrong."""
    return [
        annotation(
            "error", problem.file, problem.line or None, problem.column or None, problem.message
        )
        for problem in error.problems
    ]


def write_group(stream: TextIO, title: str, text: str) -> None:
    """Write `text` as a group that the log shows folded."""
    tell_runner(stream, f"::group::{_data(title)}")
    stream.write(f"{text.rstrip()}\n")
    tell_runner(stream, "::endgroup::")


def append_summary(path: str, document: Document) -> None:
    """Append the Markdown report to the job's summary, within its limit. Raises `OSError`."""
    file = Path(path)
    special = is_special(file)
    room = _SUMMARY_LIMIT - (file.stat().st_size if file.exists() and not special else 0)
    told = next((text for text in _summaries(document) if len(text.encode()) <= room), "")
    if special:
        write_into(file, told)
    elif told:
        with file.open("a", encoding="utf-8") as summary:
            summary.write(told)


def _summaries(document: Document) -> Iterator[str]:
    """What the summary may be, the fullest in front."""
    yield markdown.render(document)
    yield markdown.render_brief(document)
    yield f"{document.headline}{_CUT}"
