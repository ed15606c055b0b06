"""Partitions that Cloudcraft treats differently are named; nothing is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloudcraft_onboard.manifest.load import loads
from cloudcraft_onboard.manifest.partitions import mixed_partitions
from cloudcraft_onboard.model import Account, AssumeRole, RoleSpec, Via
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.role_notes import InChina, InGovCloud
from cloudcraft_onboard.plan.partitions import partition_notes


def account(name: str = "A", **fields: Any) -> Account:
    return Account(name=name, account_id="111122223333", **fields)


@pytest.mark.parametrize(
    ("partition", "said"),
    [
        ("aws", ()),
        ("aws-eusc", ()),
        ("aws-cn", (InChina(),)),
        ("aws-us-gov", (InGovCloud(),)),
    ],
)
def test_what_is_said_of_a_partition(partition: str, said: tuple[Note, ...]) -> None:
    assert partition_notes(f"arn:{partition}:iam::111122223333:role/cloudcraft") == said


@pytest.mark.parametrize(
    "other",
    [
        account("B", region="cn-north-1"),
        account("B", region="us-gov-west-1"),
        account("B", assume_role=AssumeRole(role="arn:aws-us-gov:iam::111122223333:role/Admin")),
        account("B", role=RoleSpec(via=Via.EXISTING, partition="aws-cn")),
    ],
)
def test_a_manifest_that_mixes_partitions_is_warned_of(other: Account) -> None:
    warning = mixed_partitions([account(), other])
    assert "aws: A;" in warning or "aws: A)" in warning
    assert ": B" in warning
    assert mixed_partitions([account("A", enabled=False), other]) == ""
    assert mixed_partitions([other, other]) == ""


def test_many_accounts_are_counted() -> None:
    many = [account(f"A{n}") for n in range(50)]
    warning = mixed_partitions([*many, account("B", region="cn-north-1")])
    assert "aws: A0, A1, A2 and 47 more; aws-cn: B" in warning


def test_the_examples_are_of_one_partition() -> None:
    for path in (Path(__file__).parents[3] / "manifests").glob("*.yaml"):
        assert mixed_partitions(loads(str(path), path.read_bytes()).accounts) == ""
