"""The lines of `-o jsonl`, key by key, and their JSON Schema: a JSON object each, as it happens."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, TypeAdapter

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.show.report.shape import (
    SCHEMA,
    AccountId,
    Limit,
    Number,
    ResultShape,
    RunHead,
    RunWord,
    Text,
    Truth,
    Whole,
    schema_of,
)

Moment = Annotated[str, Strict(), Field(json_schema_extra={"format": "date-time"})]


@frozen
class StartedLine:
    """The first line: which command over how many selected accounts."""

    type: Literal["started"]
    at: Moment
    schema: Literal[1] = SCHEMA
    command: RunWord
    manifest: Text
    dry_run: Truth
    total: Whole


@frozen
class AccountLine:
    """An account's result, as the report has it. Of several lines for one, the last one counts."""

    type: Literal["account"]
    at: Moment
    account: ResultShape


@frozen
class RetryLine:
    """An account's request or work is tried again after `wait` seconds."""

    type: Literal["retry"]
    at: Moment
    account_id: AccountId | None
    name: Text
    reason: Text
    wait: Number


@frozen
class PaceLine:
    """Nothing is sent to Cloudcraft for `wait` seconds; about so many requests are left then.

    `limit` is the rate limit that is kept, such as `20/10`, null while none is known.
    """

    type: Literal["pace"]
    at: Moment
    wait: Number
    limit: Limit | None
    requests_left: Whole


@frozen
class NoticeLine:
    """A sentence for people."""

    type: Literal["notice"]
    at: Moment
    text: Text


@frozen
class Stopped:
    """Why nothing could start, or why it ended before its time."""

    message: Text
    hint: Text


@frozen
class FinishedLine(RunHead):
    """The last line: the report without its accounts; `error` only where something kept it."""

    type: Literal["finished"]
    at: Moment
    error: Stopped | None = None


Line = StartedLine | AccountLine | RetryLine | PaceLine | NoticeLine | FinishedLine


@cache
def _adapter() -> TypeAdapter[Line]:
    return TypeAdapter(Annotated[Line, Field(discriminator="type")])


def dumped(line: Line) -> dict[str, Any]:
    """The line as JSON's plain data."""
    data: dict[str, Any] = _adapter().dump_python(line, warnings=False)
    if data.get("error", "") is None:
        del data["error"]
    return {"type": data.pop("type"), "at": data.pop("at"), **data}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a line."""
    schema = schema_of(_adapter(), "A line of onboard's `-o jsonl`")
    schema["$defs"]["FinishedLine"]["required"].remove("error")
    return schema
