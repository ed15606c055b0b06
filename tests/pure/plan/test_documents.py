"""Policy documents in their shortest form permit exactly what they permitted before."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.plan.documents import as_json, compact, same

ACTIONS = ["ec2:DescribeInstances", "ec2:DescribeTags", "ec2:Describe*", "s3:GetObject", "s3:*"]
PROBES = ["ec2:describeinstances", "ec2:describetags", "ec2:runinstances", "s3:getobject", "s3:x"]


def one_or_many(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=4)


statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": one_or_many(st.sampled_from(ACTIONS)),
        "Resource": one_or_many(st.sampled_from(["*", "arn:aws:s3:::x"])),
    },
    optional={
        "Sid": st.sampled_from(["One", "Two"]),
        "Condition": st.just({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
    },
)
documents = st.fixed_dictionaries(
    {"Version": st.just("2012-10-17"), "Statement": st.lists(statements, min_size=1, max_size=4)}
)


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def permitted(document: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Everything that the document says about the probes."""
    return {
        (said["Effect"], probe, resource, str(said.get("Condition")).lower())
        for said in document["Statement"]
        for action in listed(said["Action"])
        for resource in listed(said["Resource"])
        for probe in PROBES
        if fnmatchcase(probe, action.lower())
    }


@given(documents)
def test_compact_permits_the_same_in_fewer_characters(document: dict[str, Any]) -> None:
    short = compact(document)
    assert permitted(short) == permitted(document)
    assert len(as_json(short)) <= len(as_json(document))
    assert compact(short) == short
    assert same(short, document)


def test_order_repetition_sids_and_covered_actions_say_nothing() -> None:
    long = {
        "Statement": [
            {"Sid": "A", "Effect": "Allow", "Action": ["s3:Get*", "s3:GetObject"], "Resource": "*"},
            {"Sid": "B", "Effect": "Allow", "Action": "ec2:DescribeTags", "Resource": ["*"]},
        ]
    }
    assert compact(long) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["ec2:DescribeTags", "s3:Get*"], "Resource": "*"}
        ],
    }


def test_one_permission_more_is_a_difference() -> None:
    one = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}
    two = {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}
    narrower = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:x"}}
    other = {"Statement": {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}}
    assert not same(one, two)
    assert not same(one, narrower)
    assert not same(one, other)
