"""What the suite's programs write, checked against the schemas that `onboard schema` prints."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from cloudcraft_onboard.app.report import json_schema_of


@cache
def _validator(*, events: bool) -> Draft202012Validator:
    schema = json_schema_of(events=events)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def check_report(report: object) -> None:
    """A JSON report of any command."""
    _validator(events=False).validate(report)


def read_lines(text: str) -> list[dict[str, Any]]:
    """The lines of `-o jsonl`, each as the schema says, and together as the README says."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        _validator(events=True).validate(line)
    types = [line["type"] for line in lines]
    assert types.count("finished") == 1
    assert types[-1] == "finished"
    if lines[-1].get("error") is None or len(lines) > 1:
        assert types.count("started") == 1
        assert types[0] == "started"
    return lines


def accounts_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The accounts, the last line of each, in the order in which they first came."""
    last = {line["account"]["name"]: line["account"] for line in lines if line["type"] == "account"}
    return list(last.values())
