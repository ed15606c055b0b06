"""IAM is eventually consistent: "there is none" right after a creation means "not yet"."""

from __future__ import annotations

import pytest

from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import hub, run
from tests.support.removing import remove, roles
from tests.support.world import MakeWorld

ID = "300000000001"
NOT_YET = {
    "status": 404,
    "code": "NoSuchEntity",
    "message": "The role with name cloudcraft cannot be found.",
}


def test_a_role_that_is_not_visible_yet_is_waited_for(
    make_world: MakeWorld, aws_proxy: AwsProxy
) -> None:
    world = make_world(hub(1))
    aws_proxy.trouble("AttachRolePolicy", times=2, **NOT_YET)
    aws_proxy.trouble("GetRole", skip=1, times=2, **NOT_YET)
    ended = run(world)
    assert (ended.code, ended.outcomes) == (0, ["created"])
    assert ended.actions == [["create-role", "attach-policy", "register"]]
    assert roles(world, ID)["cloudcraft"]


@pytest.mark.parametrize(
    ("call", "skip"),
    [("ListAttachedRolePolicies", 0), ("ListAttachedRolePolicies", 1), ("GetRole", 1)],
    ids=["in the plan", "in the removal", "the role itself, in the removal"],
)
def test_a_role_is_not_gone_because_one_call_says_so(
    make_world: MakeWorld, aws_proxy: AwsProxy, call: str, skip: int
) -> None:
    world = make_world(hub(1))
    assert run(world).code == 0
    aws_proxy.trouble(call, skip=skip, times=1, **NOT_YET)
    ended = remove(world)
    assert (ended.code, ended.outcomes) == (0, ["removed"])
    assert "cloudcraft" not in roles(world, ID)
