"""kill -9 at any moment of a real run; running again finishes the job."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from tests.support import faults
from tests.support.aws_proxy import AwsProxy
from tests.support.onboarding import hub
from tests.support.process import onboard, program, tell
from tests.support.world import MakeWorld, SandboxWorld

COUNT = 6
IDS = [f"{300000000001 + number}" for number in range(COUNT)]


def test_killed_at_many_moments(make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path) -> None:
    """Four runs are killed, each after a number of calls that may lie anywhere in it.

    The simulation kills thousands, at any message; this one shows that a process dies like that.
    """
    seed = random.randrange(10**6)
    chosen = random.Random(seed)
    world = make_world(hub(COUNT), latency=0.1, rate_limit="4/0.4")
    killed = []
    for first in chosen.sample((1, 8, 16, 24), 4):
        moment = first + chosen.randrange(8)
        aws_proxy.calm()
        before = len(world.requests())
        with program(tmp_path / "run", "run", *arguments(tmp_path)) as running:
            while running.running and calls(world, aws_proxy) - before < moment:
                time.sleep(0.002)
            running.send(signal.SIGKILL)
            running.stop()
        killed.append(f"call {moment}: {len(world.registered)} registered")
    tell(f"seed {seed}: killed at {', '.join(killed)}")
    ended = onboard(tmp_path / "run", "run", *arguments(tmp_path))
    assert ended.code == 0, ended.stderr
    everything_is_there_once(world)


def calls(world: SandboxWorld, aws_proxy: AwsProxy) -> int:
    return sum(aws_proxy.calls.values()) + len(world.requests())


def test_killed_with_a_registration_in_flight(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(hub(COUNT), latency=0.3, rate_limit="3/0.3")
    with program(tmp_path / "run", "run", *arguments(tmp_path)) as running:
        running.wait_until(lambda: len(world.requests("POST")) >= 4, "the registration")
        running.send(signal.SIGKILL)
        running.stop()
    assert onboard(tmp_path / "run", "run", *arguments(tmp_path)).code == 0
    everything_is_there_once(world)


def test_killed_while_verifying(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(hub(COUNT))
    world.fault(faults.hang(60, processed=True, skip=1, **faults.LISTING))
    with program(tmp_path / "run", "run", *arguments(tmp_path)) as running:
        running.wait_until(lambda: len(world.requests("GET", "/aws/account")) == 2, "the read")
        running.send(signal.SIGKILL)
        running.stop()
    ended = onboard(tmp_path / "run", "run", *arguments(tmp_path))
    assert (ended.code, set(ended.outcomes)) == (0, {"unchanged"})
    everything_is_there_once(world)


def arguments(folder: Path) -> tuple[object, ...]:
    return (folder / "manifest.yaml", "--settle", 0, "--concurrency", 3)


def everything_is_there_once(world: SandboxWorld) -> None:
    assert world.registered == IDS
    for account_id in IDS:
        role = world.role(account_id)
        registration = next(a for a in world.accounts if a["roleArn"] == role["Arn"])
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"] == {
            "sts:ExternalId": registration["externalId"]
        }
        attached = world.iam(account_id).list_attached_role_policies(RoleName="cloudcraft")
        assert [p["PolicyName"] for p in attached["AttachedPolicies"]] == ["ReadOnlyAccess"]
        assert [r["RoleName"] for r in roles(world, account_id)] == ["cloudcraft"]


def roles(world: SandboxWorld, account_id: str) -> list[dict[str, object]]:
    """The account's roles besides the one by which it is entered."""
    listed = world.iam(account_id).list_roles()["Roles"]
    return [dict(r) for r in listed if r["RoleName"] != "OrganizationAccountAccessRole"]
