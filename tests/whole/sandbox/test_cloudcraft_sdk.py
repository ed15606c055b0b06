"""The local Cloudcraft held to Datadog's own SDK, `cloudcraftco`."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from cloudcraftco.cloudcraft import Cloudcraft
from cloudcraftco.error import CloudcraftForbidden, CloudcraftRateLimiting, CloudcraftUnauthorized

from cloudcraft_onboard.model import Account, AssumeRole
from cloudcraft_onboard.sandbox.options import CUSTOMER, EXTERNAL_ID
from tests.support.world import MakeWorld, SandboxWorld

READY = {"sandbox": "role"}


def account(name: str, number: int, **tags: str) -> Account:
    return Account(
        name=name,
        account_id=f"{100000000000 + number}",
        assume_role=AssumeRole(role="OrganizationAccountAccessRole"),
        tags=tags or READY,
    )


def role_arn(number: int) -> str:
    return f"arn:aws:iam::{100000000000 + number}:role/cloudcraft"


def sdk(key: str | None = None) -> Any:
    """The SDK, configured by the environment alone."""
    return Cloudcraft({"api_key": key} if key else None)


def in_threads(count: int, call: Callable[[int], Any]) -> Iterable[Any]:
    start = threading.Barrier(count)

    def begin_together(number: int) -> Any:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin_together, range(count)))


@pytest.mark.usefixtures("world")
def test_role_parameters() -> None:
    parameters = sdk().read_aws_role_parameters()

    assert parameters["accountId"] == "912185983511"
    assert parameters["externalId"] == EXTERNAL_ID
    assert parameters["awsConsoleUrl"].startswith("https://console.aws.amazon.com/")


def test_an_account_is_created_listed_updated_and_deleted(make_world: MakeWorld) -> None:
    make_world([account("One", 1)])
    client = sdk()
    assert client.list_aws_accounts() == {"accounts": []}

    made = client.create_aws_account(
        {"name": "One", "roleArn": role_arn(1), "region": "eu-west-1", "readAccess": ["team/x"]}
    )

    assert client.list_aws_accounts() == {"accounts": [made]}
    assert made["roleArn"] == role_arn(1)
    assert made["externalId"] == EXTERNAL_ID
    assert made["readAccess"] == ["team/x"]
    assert made["writeAccess"] is None
    assert "region" not in made
    assert datetime.fromisoformat(made["createdAt"]).microsecond % 1000 == 0

    changed = client.update_aws_account(made["id"], {"name": "Uno", "roleArn": role_arn(1)})
    assert (changed["name"], changed["id"]) == ("Uno", made["id"])

    client.delete_aws_account(made["id"])
    assert client.list_aws_accounts() == {"accounts": []}


@pytest.mark.usefixtures("world")
def test_who_the_key_belongs_to() -> None:
    assert sdk().read_user_profile()["id"]


@pytest.mark.usefixtures("world")
def test_a_wrong_key_is_unauthorized() -> None:
    with pytest.raises(CloudcraftUnauthorized):
        sdk("not-the-key").list_aws_accounts()


def test_a_read_only_key_reads_and_nothing_else(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1)])
    client = sdk(world.read_only_key)

    assert client.list_aws_accounts() == {"accounts": []}
    with pytest.raises(CloudcraftForbidden):
        client.create_aws_account({"name": "One", "roleArn": role_arn(1)})
    assert world.registered == []


def test_duplicates_are_not_prevented(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1)])
    for _ in range(2):
        sdk().create_aws_account({"name": "One", "roleArn": role_arn(1)})

    assert world.registered == ["100000000001"] * 2


@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.parametrize(
    "state", ["", "foreign-trust", "drifted"], ids=["no role", "foreign trust", "external ID"]
)
def test_a_role_that_cannot_be_assumed_is_refused(
    make_world: MakeWorld, state: str, status: int
) -> None:
    world = make_world([account("One", 1, sandbox=state)], refusal_status=status)
    world.accounts = []

    answer = world.call("POST", "/aws/account", {"name": "One", "roleArn": role_arn(1)})

    assert answer.status_code == status
    assert answer.json() == {"error": "Unable to verify AWS account"}
    assert world.registered == []


def test_a_region_that_a_policy_blocks_is_refused(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1)], blocked_regions=("us-east-1",))
    body = {"name": "One", "roleArn": role_arn(1)}

    assert world.call("POST", "/aws/account", body).status_code == 403
    assert world.call("POST", "/aws/account", {**body, "region": "eu-west-1"}).is_success


def test_a_role_is_accepted_once_it_has_propagated(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1)], propagation_seconds=3)
    body = {"name": "One", "roleArn": role_arn(1)}
    trust = json.dumps(world.role("100000000001")["AssumeRolePolicyDocument"])
    world.iam("100000000001").update_assume_role_policy(RoleName="cloudcraft", PolicyDocument=trust)

    refused = world.call("POST", "/aws/account", body)
    time.sleep(3.1)
    accepted = world.call("POST", "/aws/account", body)

    assert (refused.status_code, accepted.status_code) == (403, 201)


def test_a_role_made_again_is_young_again(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1, sandbox="unreachable")], propagation_seconds=60)
    iam = world.iam("100000000001")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "912185983511"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(RoleName="cloudcraft", AssumeRolePolicyDocument=json.dumps(trust))

    answer = world.call("POST", "/aws/account", {"name": "One", "roleArn": role_arn(1)})

    assert answer.status_code == 403


def test_twenty_registrations_are_worked_on_at_the_same_time(make_world: MakeWorld) -> None:
    world = make_world([account(f"A{n}", n) for n in range(20)], latency=2)
    client = sdk()

    began = time.monotonic()
    in_threads(20, lambda n: client.create_aws_account({"name": f"A{n}", "roleArn": role_arn(n)}))

    assert len(world.registered) == len(set(world.registered)) == 20
    assert time.monotonic() - began < 20 * 2


def test_the_limit_is_429_and_nothing_happens(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1)], rate_limit="2/60")
    client = sdk()
    client.list_aws_accounts()
    client.list_aws_accounts()

    with pytest.raises(CloudcraftRateLimiting):
        client.create_aws_account({"name": "One", "roleArn": role_arn(1)})
    assert world.registered == []
    assert world.throttled == 1


@pytest.mark.parametrize(
    "body",
    [
        {"roleArn": role_arn(1)},
        {"name": " ", "roleArn": role_arn(1)},
        {"name": "One"},
        {"name": "One", "roleArn": "cloudcraft"},
        {"name": "One", "roleArn": role_arn(1), "readAccess": "team/x"},
        {"name": "One", "roleArn": role_arn(1), "writeAccess": ["x"]},
        ["One"],
    ],
    ids=str,
)
def test_a_malformed_body_is_refused(world: SandboxWorld, body: Any) -> None:
    answer = world.call("POST", "/aws/account", body)

    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_not_there_is_not_found(world: SandboxWorld, method: str) -> None:
    body = {"name": "One", "roleArn": role_arn(1)}
    answer = world.call(method, "/aws/account/nothing", body)

    assert answer.status_code == 404


def test_variants_that_are_not_documented(make_world: MakeWorld) -> None:
    one = Account(
        name="One",
        account_id="100000000001",
        assume_role=AssumeRole(role="Admin"),
        read_access=("Auditors",),
        tags=READY,
    )
    world = make_world(
        [one], empty_list="object", teams="list", created_status=200, updated_status=204
    )
    assert world.call("GET", "/aws/account").json() == {}
    assert "Auditors" in {team["name"] for team in world.call("GET", "/team").json()}
    made = world.call("POST", "/aws/account", {"name": "One", "roleArn": role_arn(1)})
    assert made.status_code == 200
    changed = world.call(
        "PUT", f"/aws/account/{made.json()['id']}", {"name": "Uno", "roleArn": role_arn(1)}
    )
    assert (changed.status_code, changed.content) == (204, b"")
    assert [account["name"] for account in world.accounts] == ["Uno"]


def test_an_update_checks_the_role_again_if_so_wished(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1, sandbox="drifted")], verify_updates=True)
    registered = world.accounts[0]

    answer = world.call(
        "PUT", f"/aws/account/{registered['id']}", {"name": "Uno", "roleArn": role_arn(1)}
    )

    assert answer.status_code == 403
    assert world.accounts == [registered]


def test_policies_are_offered_long_and_short(world: SandboxWorld) -> None:
    minimal, custom = (
        world.call("GET", f"/aws/account/iamParameters/policy/{kind}").text
        for kind in ("minimal", "custom")
    )

    assert len(minimal) > 2 * len(custom)
    assert len(minimal) < 10_240
    assert "*" not in minimal.replace('"Resource":"*"', "")
    assert world.call("GET", "/aws/account/iamParameters/policy/other").status_code == 404


def test_teams_are_as_the_api_reference_has_them(make_world: MakeWorld) -> None:
    world = make_world()
    team = world.call("GET", "/team").json()["teams"][0]
    assert team["customerId"] == CUSTOMER
    assert set(team["members"][0]) == {"id", "role", "userId", "name", "email", "mfaEnabled"}
    world = make_world(customer_id="")
    assert "customerId" not in world.call("GET", "/team").json()["teams"][0]


@pytest.mark.parametrize("status", [200, 204])
def test_a_deletion_answers_with_either_success(make_world: MakeWorld, status: int) -> None:
    world = make_world([account("One", 1, sandbox="onboarded")], deleted_status=status)
    answer = world.call("DELETE", f"/aws/account/{world.accounts[0]['id']}")
    assert (answer.status_code, world.accounts) == (status, [])


@pytest.mark.parametrize(
    ("source", "made", "listed"),
    [("everywhere", True, True), ("listed", False, True), ("nowhere", False, False)],
)
def test_where_an_account_has_its_source(
    make_world: MakeWorld, source: str, *, made: bool, listed: bool
) -> None:
    world = make_world([account("One", 1), account("Two", 2, sandbox="datadog")], source=source)
    answer = world.call("POST", "/aws/account", {"name": "One", "roleArn": role_arn(1)}).json()
    assert ("source" in answer) is made
    theirs, ours = world.call("GET", "/aws/account").json()["accounts"]
    assert ("source" in ours) is listed
    assert theirs["source"] == "datadog"
    assert theirs["roleArn"] == "arn:aws:iam::100000000002:role/DatadogIntegrationRole"
    assert theirs["readAccess"] == [f"customer/{CUSTOMER}"]


@pytest.mark.parametrize(("verified_by", "status"), [("key", 403), ("registration", 200)])
def test_whose_external_id_an_update_is_checked_against(
    make_world: MakeWorld, verified_by: str, status: int
) -> None:
    world = make_world(
        [account("One", 1, sandbox="other-user")], verify_updates=True, verified_by=verified_by
    )
    (registered,) = world.accounts
    assert registered["externalId"] != EXTERNAL_ID
    body = {"name": "Uno", "roleArn": role_arn(1)}
    assert world.call("PUT", f"/aws/account/{registered['id']}", body).status_code == status


def test_access_of_a_kind_that_is_not_known_may_stay(make_world: MakeWorld) -> None:
    world = make_world([account("One", 1, sandbox="onboarded")])
    listed = [{"kind": "group"}, "customer/x"]
    world.accounts = [{**world.accounts[0], "readAccess": listed}]
    path = f"/aws/account/{world.accounts[0]['id']}"
    body = {"name": "Uno", "roleArn": role_arn(1)}
    assert world.call("PUT", path, {**body, "readAccess": listed}).status_code == 200
    assert world.call("PUT", path, {**body, "readAccess": [{"kind": "x"}]}).status_code == 400
