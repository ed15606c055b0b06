"""The tests' own proxy in front of the local AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.aws_proxy import EXPIRED, SCP, THROTTLING, AwsProxy
from tests.support.world import SandboxWorld

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


@pytest.fixture
def iam(aws_proxy: AwsProxy, world: SandboxWorld) -> Iterator[IAMClient]:
    assert world.env["AWS_ENDPOINT_URL"] == aws_proxy.url
    once = Config(retries={"total_max_attempts": 1})
    with closing(boto3.Session().client("iam", config=once)) as client:
        yield client


def make_role(iam: IAMClient, name: str = "one") -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "912185983511"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))


def test_calls_pass_and_are_counted(aws_proxy: AwsProxy, iam: IAMClient) -> None:
    make_role(iam)
    make_role(iam, "two")

    assert len(iam.list_roles()["Roles"]) == 2
    assert aws_proxy.calls == {"CreateRole": 2, "ListRoles": 1}


def test_a_denial_has_the_words_of_aws(aws_proxy: AwsProxy, iam: IAMClient) -> None:
    aws_proxy.deny("CreateRole", SCP, where="RoleName=one")

    with pytest.raises(ClientError, match="explicit deny in a service control policy") as denied:
        make_role(iam)
    make_role(iam, "two")

    assert denied.value.response["Error"]["Code"] == "AccessDenied"
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["two"]


@pytest.mark.parametrize("error", [THROTTLING, EXPIRED], ids=["throttled", "expired"])
def test_errors_happen_as_often_as_asked(
    aws_proxy: AwsProxy, iam: IAMClient, error: dict[str, str]
) -> None:
    aws_proxy.trouble("ListRoles", **error, skip=1, times=1)

    iam.list_roles()
    with pytest.raises(ClientError, match=error["code"]):
        iam.list_roles()
    iam.list_roles()


@pytest.mark.parametrize(("kind", "made"), [("drop", 0), ("lost", 1)])
def test_a_connection_that_closes(
    aws_proxy: AwsProxy, iam: IAMClient, kind: str, made: int
) -> None:
    aws_proxy.trouble("CreateRole", kind=kind, times=1)

    with pytest.raises(ConnectionClosedError):
        make_role(iam)
    assert len(iam.list_roles()["Roles"]) == made


def test_a_slow_call(aws_proxy: AwsProxy, iam: IAMClient) -> None:
    aws_proxy.trouble("ListRoles", kind="slow", delay=0.3)
    began = time.monotonic()

    iam.list_roles()

    assert time.monotonic() - began >= 0.3


def test_calm_again(aws_proxy: AwsProxy, iam: IAMClient) -> None:
    aws_proxy.trouble("ListRoles", **THROTTLING)
    aws_proxy.calm()

    assert iam.list_roles()["Roles"] == []
    assert aws_proxy.calls == {"ListRoles": 1}
