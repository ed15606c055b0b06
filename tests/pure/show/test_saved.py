"""What a report has of each kind of change, to the letter; it comes back from JSON as it was."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from cloudcraft_onboard.model import Change, PolicyRef, Trust
from cloudcraft_onboard.model.changes import (
    Action,
    AttachPolicy,
    CreateByStackSet,
    CreateRole,
    DeleteByStackSet,
    DeleteRegistration,
    DeleteRole,
    DetachPolicy,
    NewRole,
    PolicyParts,
    PutPolicy,
    RegisterAccount,
    SavedChange,
    TagRole,
    TrustParts,
    UpdateByStackSet,
    UpdateInstance,
    UpdateRegistration,
    UpdateRole,
    UpdateTrust,
)
from cloudcraft_onboard.model.differences import (
    Differs,
    ExternalIdDiffers,
    NoAutoDeployment,
    OtherActions,
    ParameterDiffers,
    TemplateDiffers,
    TrustsOthers,
)
from cloudcraft_onboard.show.report.json import from_json, to_json
from cloudcraft_onboard.show.saved import saved
from tests.support.reports import report, result

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OLDER = "arn:aws:iam::111122223333:role/older"
NEW = NewRole(
    trust=Trust(account_id="912185983511", external_id="e", partition="aws"),
    path="/",
    max_session_duration=3600,
    permissions_boundary=None,
    tags={"ManagedBy": "cloudcraft-onboard"},
)
ROLE = {
    "trust": {"account_id": "912185983511", "external_id": "e"},
    "path": "/",
    "max_session_duration": 3600,
    "permissions_boundary": None,
    "tags": {"ManagedBy": "cloudcraft-onboard"},
}


def trust(**parts: Any) -> TrustParts:
    wanted: dict[str, Any] = {
        "principals": ("912185983511",),
        "external_ids": ("e",),
        "actions": ("sts:AssumeRole",),
        "effects": ("Allow",),
        "conditions": (),
        "elements": (),
        "statements": 1,
    }
    return TrustParts(**{**wanted, **parts})


def policy(*actions: str, **parts: Any) -> PolicyParts:
    wanted: dict[str, Any] = {
        "resources": ("*",),
        "effects": ("Allow",),
        "conditions": (),
        "elements": (),
        "statements": 1,
    }
    return PolicyParts(actions=actions, **{**wanted, **parts})


SAVED: list[tuple[Change, dict[str, Any]]] = [
    (CreateRole(role=NEW), {"reason": "new role", "after": ROLE}),
    (
        UpdateTrust(
            differences=(ExternalIdDiffers(), OtherActions(actions=("sts:*",))),
            before=trust(external_ids=("older",), actions=("sts:*",)),
            after=trust(),
        ),
        {
            "reason": "external ID differs; allows sts:* instead of sts:AssumeRole",
            "before": {"external_ids": ["older"], "actions": ["sts:*"]},
            "after": {"external_ids": ["e"], "actions": ["sts:AssumeRole"]},
        },
    ),
    (
        UpdateTrust(
            differences=(TrustsOthers(principals=("999999999999", "*"), besides=False),),
            before=trust(principals=("*", "999999999999"), statements=2),
            after=trust(),
            adopted=True,
        ),
        {
            "reason": "taken over (`adopt: true`), though it trusts *, account 999999999999",
            "before": {"principals": ["*", "999999999999"], "statements": 2},
            "after": {"principals": ["912185983511"], "statements": 1},
        },
    ),
    (
        UpdateRole(
            max_session_duration=Differs(before=7200, after=3600),
            permissions_boundary=Differs(before=None, after="edge"),
        ),
        {
            "reason": (
                "maximum session duration is 7200 s, not 3600 s;"
                " permissions boundary is missing, not edge"
            ),
            "before": {"max_session_duration": 7200, "permissions_boundary": None},
            "after": {"max_session_duration": 3600, "permissions_boundary": "edge"},
        },
    ),
    (
        TagRole(before={"team": None, "env": "old"}, after={"team": "x", "env": "new"}),
        {
            "reason": "tag team, env differs",
            "before": {"team": None, "env": "old"},
            "after": {"team": "x", "env": "new"},
        },
    ),
    (
        AttachPolicy(policy=PolicyRef(name="ReadOnlyAccess", arns=(READ_ONLY, "another"))),
        {"subject": READ_ONLY, "reason": "missing from the role"},
    ),
    (
        PutPolicy(name="cloudcraft-minimal", before=None, after=policy("a:B", "c:D")),
        {
            "subject": "cloudcraft-minimal",
            "reason": "missing from the role",
            "after": {"actions": ["a:B", "c:D"]},
        },
    ),
    (
        PutPolicy(name="p", before=policy("A:b", "s3:Get*"), after=policy("a:B", "c:D")),
        {
            "subject": "p",
            "reason": "Cloudcraft's document differs",
            "before": {"actions": ["s3:Get*"]},
            "after": {"actions": ["c:D"]},
        },
    ),
    (
        PutPolicy(name="p", before=policy("a:B", conditions=("x",)), after=policy("a:B")),
        {
            "subject": "p",
            "reason": "Cloudcraft's document differs",
            "before": {"conditions": ["x"]},
            "after": {"conditions": []},
        },
    ),
    (
        DetachPolicy(policy=READ_ONLY, inline=False),
        {"subject": READ_ONLY, "reason": "the role is removed"},
    ),
    (
        DetachPolicy(policy="theirs", inline=True),
        {"subject": "theirs", "reason": "the role is removed"},
    ),
    (DeleteRole(), {"reason": "made by onboard"}),
    (DeleteRole(arn=OLDER), {"subject": OLDER, "reason": "made by onboard"}),
    (
        CreateByStackSet(stack_set="roles", new=True, role=NEW, policies=("ReadOnlyAccess",)),
        {
            "reason": "through the new stack set roles",
            "after": {
                "stack_set": "roles",
                "trust": ROLE["trust"],
                "policies": ["ReadOnlyAccess"],
                "path": "/",
                "max_session_duration": 3600,
                "permissions_boundary": None,
                "tags": ROLE["tags"],
            },
        },
    ),
    (
        UpdateByStackSet(
            stack_set="roles",
            differences=(
                TemplateDiffers(),
                ParameterDiffers(name="ExternalId", before=None, after="e"),
                NoAutoDeployment(),
            ),
        ),
        {
            "reason": (
                "the stack set roles differs: its template differs;"
                " its parameter ExternalId differs; automatic deployment is off"
            ),
            "before": {"ExternalId": None},
            "after": {"ExternalId": "e"},
        },
    ),
    (
        UpdateByStackSet(stack_set="roles", differences=(TemplateDiffers(),)),
        {"reason": "the stack set roles differs: its template differs"},
    ),
    (
        UpdateInstance(stack_set="roles", status="OUTDATED"),
        {"reason": "its instance of the stack set roles is outdated"},
    ),
    (
        DeleteByStackSet(stack_set="roles"),
        {"reason": "with its instance of the stack set roles"},
    ),
    (
        RegisterAccount(name="A", region="us-east-1", read_access=(), write_access=("Ops",)),
        {
            "reason": "not in Cloudcraft yet",
            "after": {
                "name": "A",
                "region": "us-east-1",
                "read_access": [],
                "write_access": ["Ops"],
            },
        },
    ),
    (
        RegisterAccount(name="A", region="us-east-1"),
        {"reason": "not in Cloudcraft yet", "after": {"name": "A", "region": "us-east-1"}},
    ),
    (
        UpdateRegistration(role_arn=Differs(before=OLDER, after="new")),
        {
            "reason": "role arn differs",
            "before": {"role_arn": OLDER},
            "after": {"role_arn": "new"},
        },
    ),
    (
        UpdateRegistration(
            name=Differs(before="a", after="b"), read_access=Differs(before=(), after=("x",))
        ),
        {
            "reason": "name, read access differ",
            "before": {"name": "a", "read_access": []},
            "after": {"name": "b", "read_access": ["x"]},
        },
    ),
    (
        DeleteRegistration(id="r1", name="it's"),
        {"subject": "r1", "reason": 'registered as "it\'s"'},
    ),
    (SavedChange(action=Action.TAG_ROLE, reason="as it was"), {"reason": "as it was"}),
]


@pytest.mark.parametrize(("change", "told"), SAVED)
def test_a_report_has_subject_reason_before_and_after(change: Change, told: dict[str, Any]) -> None:
    empty: dict[str, Any] = {"subject": "", "before": None, "after": None}
    (account,) = to_json(report(result("A", changes=(change,))))["accounts"]
    (found,) = account["changes"]
    assert json.dumps(found) == json.dumps(
        {
            "action": change.action.word,
            **{key: {**empty, **told}[key] for key in ("subject", "reason", "before", "after")},
        }
    ), "keys stand in their order"
    assert account["actions"] == [change.action.word]


@pytest.mark.parametrize("change", [change for change, _ in SAVED])
def test_what_is_read_back_says_the_same(change: Change) -> None:
    data = to_json(report(result("A", changes=(change,))))
    again = from_json(json.loads(json.dumps(data)))
    assert to_json(again) == data
    assert saved(saved(change)) == saved(change)


def test_every_kind_of_change_is_here_and_each_action_has_one() -> None:
    kinds = {type(change) for change, _ in SAVED}
    assert kinds == set(get_args(Change))
    assert {change.action for change, _ in SAVED} == set(Action)
