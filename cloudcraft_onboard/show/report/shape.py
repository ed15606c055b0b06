"""The JSON reports, key by key: what is written, what is read back, and their JSON Schema.

mypy checks what is written and pydantic what is read, of the very same classes. Keys that a later
version adds are left out; `Parts`, what a change is about, may be anything that JSON can hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cloudcraft_onboard.coverage.words import State
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import Action, Command, Outcome, Stage

SCHEMA: Final = 1

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_MOST = 2**53  # what JSON's numbers count to everywhere
_SAID = 200  # characters of what is wrong with a report


def time_text(when: datetime) -> str:
    """A time as the reports have it, in UTC."""
    return when.astimezone(UTC).strftime(_TIME)


def time_of(text: str) -> datetime:
    """The time that `time_text` made; `ValueError` for another text."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def _a_time(value: str) -> str:
    time_of(value)
    return value


def _known(what: str, words: Iterable[str]) -> AfterValidator:
    """A validator for one of these words."""
    some = frozenset(words)

    def check(value: str) -> str:
        if value not in some:
            raise ValueError(f"{value[:40]!r} is not {what}")
        return value

    return AfterValidator(check)


def _choice(words: Iterable[str]) -> Any:
    return Field(json_schema_extra={"enum": list(words)})


_RUNS = (Command.RUN.value, Command.PLAN.value, Command.REMOVE.value)
_STAGES = tuple(stage.value for stage in Stage)
_ACTIONS = tuple(action.word for action in Action)
_OUTCOMES = tuple(outcome.word for outcome in Outcome)
_STATES = tuple(state.word for state in State)

Text = Annotated[str, Strict()]
Truth = Annotated[bool, Strict()]
Whole = Annotated[int, Strict(), Field(ge=0, le=_MOST)]
LineNumber = Annotated[int, Strict(), Field(ge=0, le=_MOST)]
Number = Annotated[float, Strict(), Field(ge=0, le=_MOST, allow_inf_nan=False)]
Ratio = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
AccountId = Annotated[str, Strict(), StringConstraints(pattern="^[0-9]{12}$")]
Limit = Annotated[str, Strict(), StringConstraints(pattern=r"^[0-9]+/[0-9]+(\.[0-9]+)?$")]
Time = Annotated[
    str, Strict(), AfterValidator(_a_time), Field(json_schema_extra={"format": "date-time"})
]
RunWord = Annotated[str, Strict(), _known("a command with such a report", _RUNS), _choice(_RUNS)]
StageWord = Annotated[str, Strict(), _known("a stage", _STAGES), _choice(_STAGES)]
ActionWord = Annotated[str, Strict(), _known("an action", _ACTIONS), _choice(_ACTIONS)]
OutcomeWord = Annotated[str, Strict(), _known("an outcome", _OUTCOMES), _choice(_OUTCOMES)]
StateWord = Annotated[str, Strict(), _known("a state", _STATES), _choice(_STATES)]
Parts = Mapping[str, Any] | None


@frozen
class Error:
    """Why an account failed."""

    stage: StageWord
    code: Text
    message: Text
    hint: Text


@frozen
class ChangeShape:
    """One write, with what it changes as far as there is something to show."""

    action: ActionWord
    subject: Text
    reason: Text
    before: Parts
    after: Parts


@frozen
class ResultShape:
    """What came of one account; version 0.1 wrote neither `line` nor `changes`."""

    name: Text
    account_id: AccountId | None
    profile: Text | None
    region: Text
    outcome: OutcomeWord
    actions: list[ActionWord]
    role_arn: Text | None
    cloudcraft_id: Text | None
    attempts: Whole
    seconds: Number
    line: LineNumber = 1
    changes: list[ChangeShape] | None = None
    notes: list[Text]
    error: Error | None


@frozen
class Summary:
    """How many accounts there are of each outcome; who reads a report counts for himself."""

    total: Whole = 0
    created: Whole = 0
    updated: Whole = 0
    unchanged: Whole = 0
    removed: Whole = 0
    failed: Whole = 0
    pending: Whole = 0
    skipped: Whole = 0


@frozen
class Usage:
    """What was asked of Cloudcraft."""

    requests: Whole
    throttled: Whole
    retried: Whole
    rate_limit: Limit | None = None


@frozen
class RunHead:
    """A run, a plan or a removal as a whole: the report without its accounts."""

    schema: Literal[1] = SCHEMA
    command: RunWord
    manifest: Text
    dry_run: Truth
    started_at: Time
    finished_at: Time
    summary: Summary = Summary()
    cloudcraft: Usage


@frozen
class RunShape(RunHead):
    """The report of a run, a plan or a removal."""

    accounts: list[ResultShape]


@frozen
class StandingShape:
    """Where one account stands."""

    name: Text
    account_id: AccountId | None
    ou: Text | None
    state: StateWord
    in_manifest: Truth
    cloudcraft_ids: list[Text]
    actions: list[ActionWord]
    notes: list[Text]
    error: Error | None


@frozen
class States:
    """How many accounts there are in each state."""

    total: Whole = 0
    onboarded: Whole = 0
    drifted: Whole = 0
    missing: Whole = 0
    unreachable: Whole = 0
    disabled: Whole = 0
    unlisted: Whole = 0
    datadog: Whole = 0
    uncovered: Whole = 0
    gone: Whole = 0


@frozen
class StatusShape:
    """The report of `onboard status`."""

    schema: Literal[1] = SCHEMA
    command: Literal["status"] = "status"
    manifest: Text
    organization: Truth
    roles: Truth
    checked_at: Time
    coverage: Ratio = 0.0
    summary: States = States()
    accounts: list[StandingShape]


AnyReport = RunShape | StatusShape


@cache
def _adapter() -> TypeAdapter[AnyReport]:
    """Made when it is needed: it takes long, and a table needs none."""
    return TypeAdapter(AnyReport)


def dumped(shape: AnyReport) -> dict[str, Any]:
    """The report as JSON's plain data, keys in their order."""
    data: dict[str, Any] = _adapter().dump_python(shape, warnings=False)
    return data


def loaded(data: object) -> AnyReport:
    """The report of a JSON; `UsageError` for what is no report, and why."""
    if not isinstance(data, Mapping) or "schema" not in data:
        raise foreign("the keys of a report are missing")
    if data["schema"] != SCHEMA:
        raise UsageError(
            f"The report has schema {data['schema']!r:.40}; this version reads schema {SCHEMA}.",
            hint="Render it with the version of onboard that wrote it.",
        )
    try:
        if data.get("command") == Command.STATUS.value:
            return TypeAdapter(StatusShape).validate_python(data)
        return TypeAdapter(RunShape).validate_python(data)
    except ValidationError as error:
        raise foreign(_explained(error.errors(include_url=False)[0])) from error


def foreign(reason: str) -> UsageError:
    """The error for what is no report."""
    return UsageError(
        f"Not a report of onboard: {reason[:_SAID]}.",
        hint="Give a file that `--report FILE.json` or `-o json` wrote.",
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the reports."""
    return schema_of(_adapter(), "A JSON report of onboard: run, plan, remove or status")


def schema_of(adapter: TypeAdapter[Any], title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what is written: every key is there."""
    schema = adapter.json_schema(mode="serialization")
    for shape in schema["$defs"].values():
        shape["required"] = list(shape["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dataclass_type": "an object",
    "mapping_type": "an object",
}


def _explained(error: ErrorDetails) -> str:
    """Where in the report, and what is wrong there."""
    kind, value = error["type"], error["input"]
    path = error["loc"]
    if kind == "missing":
        return f"{_path(path[:-1])}the key {str(path[-1])!r} is missing"
    if kind == "value_error":
        return f"{_path(path)}{error['ctx']['error']}"
    expected = _EXPECTED.get(kind)
    why = f" where {expected} is expected" if expected else f": {error['msg']}"
    return f"{_path(path)}{value!r:.40}{why}"


def _path(loc: Sequence[int | str]) -> str:
    """`accounts[3].outcome: `."""
    told = "".join(f"[{each}]" if isinstance(each, int) else f".{each:.40}" for each in loc)
    return f"{told.removeprefix('.')}: " if told else ""
