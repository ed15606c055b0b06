"""Before and after: what a reviewer sees of a change, part by part."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cloudcraft_onboard.model import MANAGED_BY, Action, Registration, RegistrationSpec
from cloudcraft_onboard.plan.diff import plan_role
from cloudcraft_onboard.plan.registration import plan_registration
from cloudcraft_onboard.plan.trust import trust_document
from cloudcraft_onboard.show.saved import saved
from tests.pure.plan.test_diff import ACCOUNT, DOCUMENTS, FOREIGN, READ_ONLY, TRUST, desired, made


def test_a_new_role_shows_what_it_will_be() -> None:
    role = desired(
        path="/security/", max_session_duration=7200, permissions_boundary="edge", tags={"a": "b"}
    )
    create, attach = map(saved, plan_role(role, None).changes)
    assert create.after == {
        "trust": {"account_id": "912185983511", "external_id": "4414aef4"},
        "path": "/security/",
        "max_session_duration": 7200,
        "permissions_boundary": "edge",
        "tags": {"a": "b", MANAGED_BY[0]: MANAGED_BY[1]},
    }
    assert create.before is None
    assert attach.subject == READ_ONLY


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    ("difference", "before", "after"),
    [
        (
            {"trust": trust_document(replace(TRUST, external_id="older"))},
            {"external_ids": ["older"]},
            {"external_ids": ["4414aef4"]},
        ),
        (
            {"trust": FOREIGN},
            {"principals": ["999999999999"], "external_ids": []},
            {"principals": ["912185983511"], "external_ids": ["4414aef4"]},
        ),
        (
            {"max_session_duration": 7200, "permissions_boundary": None},
            {"max_session_duration": 7200, "permissions_boundary": None},
            {"max_session_duration": 3600, "permissions_boundary": "edge"},
        ),
        ({"tags": {"team": "old", "own": "1"}}, {"team": "old"}, {"team": "x"}),
        ({"tags": {}}, {"team": None}, {"team": "x"}),
        ({"inline": {}}, None, {"actions": ["ec2:DescribeTags"]}),
        (
            {"inline": {"cloudcraft-minimal": DOCUMENTS["custom"]}},
            {"actions": ["ec2:Describe*"]},
            {"actions": ["ec2:DescribeTags"]},
        ),
        (
            {
                "inline": {
                    "cloudcraft-minimal": {
                        "Statement": {
                            "Effect": "Allow",
                            "Action": "ec2:DescribeTags",
                            "Resource": "*",
                            "Condition": MFA,
                        }
                    }
                }
            },
            {"conditions": ["Bool aws:multifactorauthpresent: true"]},
            {"conditions": []},
        ),
    ],
)
def test_a_difference_shows_its_parts(
    difference: dict[str, Any], before: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    role = desired(
        policies=("ReadOnlyAccess", "cloudcraft:minimal"),
        permissions_boundary="edge",
        tags={"team": "x"},
        adopt=True,
    )
    (change,) = plan_role(role, made(role, **difference)).changes
    shown = saved(change)
    assert (shown.before, shown.after) == (before, after)
    assert json.loads(json.dumps([shown.before, shown.after])) == [before, after]
    assert hash(change), "changes can be keys"
    assert hash(shown) == hash(replace(shown, before=None, after=None))


WANTED = RegistrationSpec(
    account_id=ACCOUNT,
    name="Payments",
    role_arn=f"arn:aws:iam::{ACCOUNT}:role/cloudcraft",
    region="eu-west-1",
    read_access=("b", "a"),
)


def test_a_registration_shows_name_region_and_access() -> None:
    (change,) = map(saved, plan_registration(WANTED, None))
    assert change.action is Action.REGISTER
    assert change.after == {"name": "Payments", "region": "eu-west-1", "read_access": ["b", "a"]}


def test_a_registration_that_differs_shows_the_parts_that_do() -> None:
    found = Registration(id="1", name="Old", role_arn=WANTED.role_arn, read_access=("b", "c"))
    (change,) = map(saved, plan_registration(WANTED, found))
    assert change.before == {"name": "Old", "read_access": ["b", "c"]}
    assert change.after == {"name": "Payments", "read_access": ["a", "b"]}
    assert change.reason == "name, read access differ"
