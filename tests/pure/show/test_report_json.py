from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.model import Action, Command, Outcome, Report, Stage
from cloudcraft_onboard.model.changes import SavedChange
from cloudcraft_onboard.show.report.json import from_json, render, to_json
from tests.support import statuses
from tests.support.examples import examples
from tests.support.reports import denied, report, result, typical

TEXT = {"type": "string"}
OPTIONAL = {"type": ["string", "null"]}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
WHOLE = {"type": "integer", "minimum": 0}


def exactly(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMA = exactly(
    schema={"const": 1},
    command={"enum": [command.value for command in Command]},
    manifest=TEXT,
    dry_run={"type": "boolean"},
    started_at=TIME,
    finished_at=TIME,
    summary=exactly(total=WHOLE, **{outcome.word: WHOLE for outcome in Outcome}),
    cloudcraft=exactly(
        requests=WHOLE,
        throttled=WHOLE,
        retried=WHOLE,
        rate_limit={"type": ["string", "null"], "pattern": r"^\d+/\d+(\.\d+)?$"},
    ),
    accounts={
        "type": "array",
        "items": exactly(
            name=TEXT,
            account_id={"type": ["string", "null"], "pattern": r"^\d{12}$"},
            profile=OPTIONAL,
            region=TEXT,
            outcome={"enum": [outcome.word for outcome in Outcome]},
            actions={"type": "array", "items": {"enum": [action.word for action in Action]}},
            role_arn=OPTIONAL,
            cloudcraft_id=OPTIONAL,
            attempts=WHOLE,
            seconds={"type": "number", "minimum": 0},
            line={"type": "integer", "minimum": 1},
            changes={
                "type": "array",
                "items": exactly(
                    action={"enum": [action.word for action in Action]},
                    subject=TEXT,
                    reason=TEXT,
                    before={"type": ["object", "null"]},
                    after={"type": ["object", "null"]},
                ),
            },
            notes={"type": "array", "items": TEXT},
            error={
                "anyOf": [
                    {"type": "null"},
                    exactly(
                        stage={"enum": [stage.value for stage in Stage]},
                        code=TEXT,
                        message=TEXT,
                        hint=TEXT,
                    ),
                ]
            },
        ),
    },
)


def test_to_the_letter_of_the_readme() -> None:
    one = result(
        "Production",
        profile="prod",
        role_arn="arn:aws:iam::111122223333:role/cloudcraft",
        cloudcraft_id="fe3e5b29-a0e8-41ca-91e2-02a0441b1d33",
        attempts=1,
        line=24,
        changes=(
            SavedChange(
                action=Action.REGISTER,
                reason="not in Cloudcraft yet",
                after={"name": "Production", "region": "us-east-1"},
            ),
        ),
    )
    data = to_json(report(one))
    Draft202012Validator(SCHEMA).validate(data)
    assert json.dumps(data) == json.dumps(
        {
            "schema": 1,
            "command": "run",
            "manifest": "manifests/org.yaml",
            "dry_run": False,
            "started_at": "2026-11-23T10:00:00Z",
            "finished_at": "2026-11-23T10:03:10Z",
            "summary": {
                "total": 1,
                "created": 1,
                "updated": 0,
                "unchanged": 0,
                "removed": 0,
                "failed": 0,
                "pending": 0,
                "skipped": 0,
            },
            "cloudcraft": {"requests": 5, "throttled": 0, "retried": 0, "rate_limit": "20/10"},
            "accounts": [
                {
                    "name": "Production",
                    "account_id": "111122223333",
                    "profile": "prod",
                    "region": "us-east-1",
                    "outcome": "created",
                    "actions": ["register"],
                    "role_arn": "arn:aws:iam::111122223333:role/cloudcraft",
                    "cloudcraft_id": "fe3e5b29-a0e8-41ca-91e2-02a0441b1d33",
                    "attempts": 1,
                    "seconds": 2.31,
                    "line": 24,
                    "changes": [
                        {
                            "action": "register",
                            "subject": "",
                            "reason": "not in Cloudcraft yet",
                            "before": None,
                            "after": {"name": "Production", "region": "us-east-1"},
                        }
                    ],
                    "notes": [],
                    "error": None,
                }
            ],
        }
    ), "keys stand in the README's order"


def test_failures_fit_the_schema_too() -> None:
    Draft202012Validator(SCHEMA).validate(to_json(typical()))
    error = to_json(report(denied("Payments")))["accounts"][0]["error"]
    assert list(error) == ["stage", "code", "message", "hint"]


def test_a_report_comes_back_as_it_was() -> None:
    again = from_json(json.loads(render(typical())))
    assert to_json(again) == to_json(typical())


def test_a_report_of_the_first_version_has_the_actions_alone() -> None:
    data = json.loads(render(typical()))
    for account in data["accounts"]:
        del account["changes"], account["line"]
    again = from_json(data)
    assert isinstance(again, Report)
    assert [change.action for change in again.results[0].changes] == [
        change.action for change in typical().results[0].changes
    ]


@examples(50)
@given(name=st.text(), note=st.text(), outcome=st.sampled_from(Outcome))
def test_any_text_comes_back_as_it_was(name: str, note: str, outcome: Outcome) -> None:
    one = result(name, outcome, notes=(note,), account_id=None, profile=None)
    assert to_json(from_json(json.loads(render(report(one))))) == to_json(report(one))


def test_keys_of_later_versions_are_left_out() -> None:
    data = to_json(typical())
    data["new"] = data["accounts"][0]["new"] = 1
    assert to_json(from_json(data)) == to_json(typical())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 2}, "schema 2"),
        ({"command": "dance"}, "Not a report"),
        ({"accounts": None}, "Not a report"),
        ({"accounts": [{"error": None, "name": 1}]}, "where a string is expected"),
        ({"accounts": [{}]}, "the key 'name' is missing"),
        ({"started_at": "yesterday"}, "Not a report"),
        ({"cloudcraft": []}, "Not a report"),
    ],
    ids=str,
)
def test_what_is_no_report_is_said(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        from_json({**to_json(typical()), **change})


@pytest.mark.parametrize("data", [None, [], {}, "text", {"Statement": []}], ids=str)
def test_other_json_is_no_report(data: object) -> None:
    with pytest.raises(UsageError, match="Not a report"):
        from_json(data)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("outcome", r"accounts\[3\]\.outcome: 'danced' is not an outcome"),
        ("actions", r"accounts\[3\]\.actions\[0\]: 'danced' is not an action"),
        ("stage", r"accounts\[3\]\.error\.stage: 'danced' is not a stage"),
    ],
)
def test_a_word_that_is_none_is_said_with_its_place(place: str, says: str) -> None:
    data = to_json(typical())
    account = data["accounts"][3]
    match place:
        case "stage":
            account["error"]["stage"] = "danced"
        case "actions":
            account["actions"] = ["danced"]
        case _:
            account[place] = "danced"
    with pytest.raises(UsageError, match=says) as caught:
        from_json(data)
    assert caught.value.exit_code == 2


def test_a_state_that_is_none_is_said_with_its_place() -> None:
    data = to_json(statuses.typical())
    data["accounts"][1]["state"] = "danced"
    with pytest.raises(UsageError, match=r"accounts\[1\]\.state: 'danced' is not a state"):
        from_json(data)
