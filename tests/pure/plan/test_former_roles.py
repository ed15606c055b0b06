"""Which roles registrations name instead of the manifest's."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.model import Registration
from cloudcraft_onboard.plan.registration import former_roles

ACCOUNT = "111122223333"


def named(*arns: str) -> list[str]:
    registrations = [
        Registration(id=f"r{number}", name="A", role_arn=arn) for number, arn in enumerate(arns)
    ]
    return [str(arn) for arn in former_roles(registrations, "cloudcraft")]


@pytest.mark.parametrize(
    "same",
    [
        f"arn:aws:iam::{ACCOUNT}:role/cloudcraft",
        f"arn:aws:iam::{ACCOUNT}:role/CLOUDCRAFT",
        f"arn:aws:iam::{ACCOUNT}:role/team/cloudcraft",
        f"arn:aws-cn:iam::{ACCOUNT}:role/cloudcraft",
        f"arn:aws:iam::{ACCOUNT}:user/older",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/older/x",
        "older",
        "",
    ],
)
def test_the_manifests_role_and_what_is_no_role_are_none(same: str) -> None:
    assert named(same) == []


def test_each_other_role_is_named_once_in_order() -> None:
    older = f"arn:aws:iam::{ACCOUNT}:role/x/older"
    oldest = f"arn:aws:iam::{ACCOUNT}:role/oldest"
    ours = f"arn:aws:iam::{ACCOUNT}:role/cloudcraft"
    assert named(older, ours, oldest, older) == [older, oldest]
    assert named() == []
