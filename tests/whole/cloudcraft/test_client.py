"""Each call and each fault, against the local Cloudcraft."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloudcraft_onboard.cloudcraft.client import CloudcraftClient
from cloudcraft_onboard.errors import Doubtful, Outdated, Refused, Unavailable
from cloudcraft_onboard.events import RequestRetried, Throttled
from cloudcraft_onboard.model import Account, CloudcraftUsage, RegistrationSpec, RoleSpec, Via
from tests.support import faults
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.cloudcraft.conftest import Client, MakeClient

ID = "111122223333"


def spec(account_id: str = ID, **changes: Any) -> RegistrationSpec:
    words: dict[str, Any] = {
        "account_id": account_id,
        "name": "Production",
        "role_arn": f"arn:aws:iam::{account_id}:role/cloudcraft",
        "region": "us-east-1",
    }
    return RegistrationSpec(**{**words, **changes})


@pytest.fixture
def local(make_world: MakeWorld) -> SandboxWorld:
    """One account whose role is right already."""
    return make_world([Account(name="Production", account_id=ID, role=RoleSpec(via=Via.EXISTING))])


@pytest.fixture
def client(local: SandboxWorld, make_client: MakeClient) -> Client:
    return make_client(local.cloudcraft_url, local.api_key)


# --- calls ---------------------------------------------------------------------------------------


def test_an_account_is_registered_listed_changed_and_deleted(
    client: Client, local: SandboxWorld
) -> None:
    assert client.listed() == ()
    made = client.register(spec())
    assert client.listed() == (made,)
    assert made.account_id == ID
    assert made.external_id == client.parameters().external_id
    client.update(made, spec(name="Payments"))
    (listed,) = client.listed()
    assert (listed.id, listed.name) == (made.id, "Payments")
    client.delete(listed)
    assert client.listed() == ()
    client.delete(listed)  # gone already
    assert client.counts == CloudcraftUsage(requests=9)
    assert len(local.requests()) == 9


@pytest.mark.parametrize("teams", ["object", "list"])
def test_teams_are_read_in_either_shape(
    make_world: MakeWorld, make_client: MakeClient, teams: str
) -> None:
    accounts = [Account(name="A", account_id=ID, read_access=("Ops",))]
    world = make_world(accounts, teams=teams)
    client = make_client(world.cloudcraft_url, world.api_key)
    assert "Ops" in [team.name for team in client.teams()]


@pytest.mark.parametrize("kind", ["minimal", "custom"])
def test_policies_are_read(client: Client, kind: str) -> None:
    assert client.policy(kind)["Statement"]


@pytest.mark.parametrize("shape", ["list", "object"])
def test_no_accounts_in_either_shape(
    make_world: MakeWorld, make_client: MakeClient, shape: str
) -> None:
    world = make_world(empty_list=shape)
    assert make_client(world.cloudcraft_url, world.api_key).listed() == ()


def test_an_update_keeps_the_access_that_it_does_not_mention(
    make_world: MakeWorld, make_client: MakeClient
) -> None:
    role = RoleSpec(via=Via.EXISTING)
    world = make_world([Account(name="A", account_id=ID, role=role, read_access=("Ops",))])
    client = make_client(world.cloudcraft_url, world.api_key)
    team = next(team for team in client.teams() if team.name == "Ops")
    made = client.register(spec(read_access=(team.id,)))
    assert made.read_access == (team.id,)
    client.update(made, spec(name="B"))
    (listed,) = client.listed()
    assert (listed.name, listed.read_access) == ("B", (team.id,))
    client.update(listed, spec(name="B", read_access=()))
    assert not client.listed()[0].read_access


# --- doubtful ------------------------------------------------------------------------------------

DOUBTFUL = [
    pytest.param(faults.error(500, processed=True), id="500 after"),
    pytest.param(faults.error(503, processed=False), id="503 before"),
    pytest.param(faults.error(408, processed=False), id="408"),
    pytest.param(faults.reset(processed=True), id="reset after"),
    pytest.param(faults.reset(processed=False), id="reset before"),
    pytest.param(faults.close(processed=True), id="close after"),
    pytest.param(faults.close(processed=False), id="close before"),
    pytest.param(faults.hang(60, processed=True), id="hang"),
    pytest.param(faults.slow(60), id="slow"),
    pytest.param(faults.cut(), id="cut"),
    pytest.param(faults.empty(201), id="empty"),
    pytest.param(faults.html(502, processed=False), id="HTML 502"),
    pytest.param(faults.html(200, processed=False), id="HTML 200"),
    pytest.param(faults.not_json(), id="not JSON"),
    pytest.param(faults.late(0.1), id="late"),
]


@pytest.mark.parametrize("fault", [*DOUBTFUL, pytest.param(faults.without_id(), id="no ID")])
def test_a_doubtful_registration_is_never_sent_again(
    local: SandboxWorld, make_client: MakeClient, fault: faults.Fault
) -> None:
    client = make_client(local.cloudcraft_url, local.api_key, timeout=faults.patience(fault))
    local.fault({**fault, **faults.REGISTERING})
    with pytest.raises(Doubtful):
        client.register(spec())
    assert len(local.requests("POST")) == 1
    assert client.counts == CloudcraftUsage(requests=1)
    assert client.register(spec()).account_id == ID


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_a_doubtful_read_is_simply_tried_again(
    local: SandboxWorld, make_client: MakeClient, fault: faults.Fault
) -> None:
    client = make_client(local.cloudcraft_url, local.api_key, timeout=faults.patience(fault))
    local.fault({**fault, **faults.LISTING})
    assert client.listed() == ()
    assert client.counts == CloudcraftUsage(requests=2, retried=1)
    assert [type(event) for event in client.events] == [RequestRetried]


def test_a_read_without_a_usable_answer_ends_after_the_retries(
    client: Client, local: SandboxWorld
) -> None:
    local.fault(faults.html(502, processed=False, times=-1))
    with pytest.raises(Unavailable, match="502 Bad Gateway"):
        client.listed()
    assert len(local.requests()) == 3


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_doubtful_change_or_deletion_is_not_sent_again(
    client: Client, local: SandboxWorld, method: str
) -> None:
    made = client.register(spec())
    local.fault(faults.reset(processed=True, method=method))
    with pytest.raises(Doubtful):
        client.update(made, spec()) if method == "PUT" else client.delete(made)
    assert len(local.requests(method)) == 1


@pytest.mark.parametrize("status", [200, 204])
def test_an_update_needs_no_body_in_the_answer(
    make_world: MakeWorld, make_client: MakeClient, status: int
) -> None:
    role = RoleSpec(via=Via.EXISTING)
    world = make_world([Account(name="A", account_id=ID, role=role)], updated_status=status)
    client = make_client(world.cloudcraft_url, world.api_key)
    made = client.register(spec())
    client.update(made, spec(name="B"))
    assert client.listed()[0].name == "B"


def test_a_page_in_place_of_an_answer_does_not_count_as_deleted(
    client: Client, local: SandboxWorld
) -> None:
    made = client.register(spec())
    local.fault(faults.html(200, processed=False, method="DELETE"))
    with pytest.raises(Doubtful):
        client.delete(made)
    assert client.listed() == (made,)


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_is_told_in_the_servers_words(
    client: Client, local: SandboxWorld, status: int
) -> None:
    local.fault(
        faults.error(status, "Unable to verify <b>AWS</b>\n\x1b[31maccount", processed=False)
    )
    with pytest.raises(Refused) as refused:
        client.register(spec())
    assert refused.value.status == status
    assert refused.value.message == "Unable to verify AWS [31maccount"
    assert len(local.requests()) == 1


def test_a_wrong_key_is_refused(local: SandboxWorld, make_client: MakeClient) -> None:
    client = make_client(local.cloudcraft_url, "not-the-key-of-this-world")
    with pytest.raises(Refused) as refused:
        client.parameters()
    assert refused.value.status == 401
    assert "CLOUDCRAFT_API_KEY" in refused.value.hint


def test_a_key_that_only_reads_is_refused_at_the_first_write(
    local: SandboxWorld, make_client: MakeClient
) -> None:
    client = make_client(local.cloudcraft_url, local.read_only_key)
    assert client.listed() == ()
    with pytest.raises(Refused) as refused:
        client.register(spec())
    assert refused.value.status == 403
    assert "read-write" in refused.value.hint


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["read", "write"])
def test_a_redirect_is_refused_and_the_key_goes_nowhere(
    client: Client, local: SandboxWorld, status: int, call: str
) -> None:
    local.fault(faults.redirect(f"{local.cloudcraft_url}/elsewhere", status))
    with pytest.raises(Refused) as refused:
        client.listed() if call == "read" else client.register(spec())
    assert refused.value.status == status
    assert "CLOUDCRAFT_BASE_URL" in refused.value.hint
    assert len(local.requests()) == 1


# --- the limit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [(), ("retry-after",), ("retry-after-date",)], ids=str)
def test_a_429_pauses_everything_and_costs_no_account(
    make_world: MakeWorld, make_client: MakeClient, headers: tuple[str, ...]
) -> None:
    world = make_world(rate_limit="3/1", headers=headers)
    client = make_client(world.cloudcraft_url, world.api_key, limit=3, window=1.0, retries=0)
    world.consume(3)
    assert client.listed() == ()
    assert client.usage.throttled == world.throttled >= 1
    assert client.usage.retried == 0
    assert any(isinstance(event, Throttled) for event in client.events)


def test_a_list_is_as_old_as_the_attempt_that_was_answered(
    make_world: MakeWorld, make_client: MakeClient
) -> None:
    world = make_world(rate_limit="3/1")
    client = make_client(world.cloudcraft_url, world.api_key, limit=3, window=1.0)
    world.consume(3)
    began = time.monotonic()
    reading = client.registrations()
    assert client.usage.throttled >= 1
    assert began + 0.5 < reading.asked_at < time.monotonic(), "half a window of slack"


def test_a_burst_of_another_client_costs_a_pause_and_no_registration(
    make_world: MakeWorld, make_client: MakeClient
) -> None:
    role = RoleSpec(via=Via.EXISTING)
    world = make_world([Account(name="A", account_id=ID, role=role)], rate_limit="5/1")
    client = make_client(world.cloudcraft_url, world.api_key, limit=5, window=1.0, retries=0)
    world.fault(faults.burst(5, **faults.REGISTERING))
    made = client.register(spec())
    assert client.listed() == (made,)
    assert client.usage.throttled == world.throttled == 1


def test_a_429_wave_is_one_pause_and_everyone_gets_through(
    local: SandboxWorld, make_client: MakeClient
) -> None:
    client = make_client(local.cloudcraft_url, local.api_key, limit=5, window=1.0, retries=0)
    # The answers come late enough for all five to be under way.
    local.fault(faults.too_many(times=5, delay=0.5))
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(lambda _: client.listed(), range(5))) == [()] * 5
    assert client.usage.throttled == 5
    assert client.usage.requests == 10
    assert len([event for event in client.events if isinstance(event, Throttled)]) == 1


def test_a_429_without_end_is_an_outage(local: SandboxWorld, make_client: MakeClient) -> None:
    client = make_client(local.cloudcraft_url, local.api_key, window=0.1, retries=2)
    local.fault(faults.too_many(times=-1))
    with pytest.raises(Unavailable, match="3 pauses"):
        client.register(spec())
    assert len(local.requests()) == 4
    assert local.registered == []


def test_a_pinned_pace_is_kept(make_world: MakeWorld, make_client: MakeClient) -> None:
    world = make_world(rate_limit="50/10")
    client = make_client(world.cloudcraft_url, world.api_key, limit=3, window=1.0)
    for _ in range(7):
        client.listed()
    assert client.pace.limit == 3
    assert world.kept_to(3, 1.0)


def test_an_update_whose_turn_comes_too_late_is_not_sent_and_its_slot_is_free_again(
    local: SandboxWorld, make_client: MakeClient
) -> None:
    client = make_client(local.cloudcraft_url, local.api_key)
    registration = client.register(spec())
    free = client.pace.free_by(time.monotonic())
    slot = client.pace.acquire()
    with pytest.raises(Outdated):
        client.update(registration, spec(), slot, until=time.monotonic() - 1.0)
    assert client.pace.free_by(time.monotonic()) == free
    assert not local.requests("PUT")


def test_a_slot_given_by_the_caller_is_used_and_given_back(
    local: SandboxWorld, make_client: MakeClient
) -> None:
    client = make_client(local.cloudcraft_url, local.api_key, limit=1, window=60.0)
    slot = client.pace.acquire()
    assert client.register(spec(), slot).account_id == ID
    assert 59 < client.pace.next_in() < 61


# --- what is said --------------------------------------------------------------------------------


def test_the_log_names_requests_and_never_the_key(
    client: Client, local: SandboxWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.register(spec())
    lines = [r.getMessage() for r in caplog.records if r.name == "cloudcraft_onboard.http"]
    assert len(lines) == 1
    assert lines[0].startswith("POST /aws/account 201 ")
    assert local.api_key not in caplog.text
    assert local.api_key not in repr(client)


def test_the_client_is_what_the_engine_asks_for(client: CloudcraftClient) -> None:
    from cloudcraft_onboard.engine import ports  # noqa: PLC0415 - for this check of types only

    cloudcraft: ports.Cloudcraft = client
    assert cloudcraft.usage == CloudcraftUsage(rate_limit="1000/0.5")
