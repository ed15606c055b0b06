"""Each fault of the local Cloudcraft: what the client sees, and what has happened nevertheless."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cloudcraft_onboard.model import Account, AssumeRole
from tests.support import faults
from tests.support.faults import LISTING, REGISTERING, Fault
from tests.support.process import HANG
from tests.support.world import PLAIN, MakeWorld, SandboxWorld

ONE = Account(
    name="One",
    account_id="100000000001",
    assume_role=AssumeRole(role="Admin"),
    tags={"sandbox": "role"},
)
BODY = {"name": "One", "roleArn": "arn:aws:iam::100000000001:role/cloudcraft"}


@pytest.fixture
def ready(make_world: MakeWorld) -> SandboxWorld:
    return make_world([ONE])


def register(world: SandboxWorld) -> httpx.Response:
    return world.call("POST", "/aws/account", BODY)


def eventually_registered(world: SandboxWorld, times: int) -> bool:
    deadline = time.monotonic() + HANG
    while len(world.registered) != times and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(world.registered) == times


@pytest.mark.parametrize("processed", [True, False], ids=["after", "before"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.reset, httpx.ReadError),
        (faults.close, httpx.RemoteProtocolError),
    ],
    ids=["reset", "close"],
)
def test_a_connection_that_breaks(
    ready: SandboxWorld, fault: Any, error: type[Exception], *, processed: bool
) -> None:
    ready.fault(fault(processed=processed, **REGISTERING))

    with pytest.raises(error):
        register(ready)
    assert len(ready.registered) == processed
    assert register(ready).status_code == 201


@pytest.mark.parametrize("processed", [True, False], ids=["after", "before"])
def test_an_error_before_or_after_processing(ready: SandboxWorld, *, processed: bool) -> None:
    ready.fault(faults.error(500, "Oops", processed=processed))

    answer = register(ready)

    assert (answer.status_code, answer.json()) == (500, {"error": "Oops"})
    assert len(ready.registered) == processed
    assert ready.requests()[0].processed is processed


@pytest.mark.parametrize("processed", [True, False], ids=["after", "before"])
def test_a_hang(ready: SandboxWorld, *, processed: bool) -> None:
    ready.fault(faults.hang(60, processed=processed))

    headers = {"Authorization": f"Bearer {ready.api_key}"}
    with (
        httpx.Client(
            base_url=ready.cloudcraft_url, verify=PLAIN, headers=headers, timeout=0.3
        ) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/aws/account", json=BODY)
    assert len(ready.registered) == processed


def test_a_slow_answer_is_the_true_one(ready: SandboxWorld) -> None:
    ready.fault(faults.slow(0.3))
    began = time.monotonic()

    assert register(ready).status_code == 201
    assert time.monotonic() - began >= 0.3


def test_a_body_that_breaks_off(ready: SandboxWorld) -> None:
    ready.fault(faults.cut())

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        register(ready)
    assert len(ready.registered) == 1


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (faults.empty(201), 201, ""),
        (faults.html(502, processed=True), 502, faults.HTML),
        (faults.not_json(), 201, "{'id': "),
    ],
    ids=["empty", "html", "not json"],
)
def test_an_answer_that_says_nothing(
    ready: SandboxWorld, fault: Fault, status: int, text: str
) -> None:
    ready.fault(fault)

    answer = register(ready)

    assert (answer.status_code, answer.text) == (status, text)
    assert len(ready.registered) == 1


def test_an_answer_without_an_id(ready: SandboxWorld) -> None:
    ready.fault(faults.without_id(**REGISTERING))

    answer = register(ready).json()

    assert "id" not in answer
    assert answer["name"] == "One"


def test_a_redirect(ready: SandboxWorld) -> None:
    ready.fault(faults.redirect("http://127.0.0.1:1/elsewhere"))

    answer = register(ready)

    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:1/elsewhere")
    assert ready.registered == []


def test_429_out_of_the_blue(ready: SandboxWorld) -> None:
    ready.fault(faults.too_many(3), faults.too_many(3, as_date=True), faults.too_many())

    seconds, date, neither = [register(ready) for _ in range(3)]

    assert {a.status_code for a in (seconds, date, neither)} == {429}
    assert seconds.headers["Retry-After"] == "3"
    assert date.headers["Retry-After"].endswith("GMT")
    assert "Retry-After" not in neither.headers
    assert ready.registered == []


def test_a_gateway_gives_up_and_the_request_is_processed_late(ready: SandboxWorld) -> None:
    ready.fault(faults.late(0.5, **REGISTERING))

    assert register(ready).status_code == 504
    assert (ready.registered, ready.state["late"]) == ([], 1)
    assert eventually_registered(ready, 1)


@pytest.mark.parametrize("age", ["older", "newer"])
def test_another_client_registers_the_same_account(ready: SandboxWorld, age: str) -> None:
    ready.fault(faults.twin(age))

    mine = register(ready).json()

    theirs = next(account for account in ready.accounts if account["id"] != mine["id"])
    assert theirs["roleArn"] == mine["roleArn"]
    assert theirs["CreatorId"] != mine["CreatorId"]
    assert (theirs["createdAt"] < mine["createdAt"]) is (age == "older")


def test_a_list_lags_behind(ready: SandboxWorld) -> None:
    ready.fault(faults.lag(60))
    register(ready)

    assert ready.call("GET", "/aws/account").json() == {"accounts": []}
    assert len(ready.call("GET", "/aws/account").json()["accounts"]) == 1


def test_a_fault_hits_what_it_is_meant_for(ready: SandboxWorld) -> None:
    ready.fault(faults.error(500, processed=False, account="100000000001", skip=1, times=2))
    ready.fault(faults.error(503, processed=False, times=-1, **LISTING))

    assert ready.call("GET", "/team").status_code == 200
    assert ready.call("GET", "/aws/account").status_code == 503
    assert [register(ready).status_code for _ in range(4)] == [201, 500, 500, 201]
    assert ready.call("GET", "/aws/account").status_code == 503
    assert ready.state["faults_left"] == 0


def test_a_request_in_trouble_counts_all_the_same(make_world: MakeWorld) -> None:
    world = make_world(rate_limit="2/60")
    world.fault(faults.error(500, processed=False, times=2))

    assert [world.call("GET", "/team").status_code for _ in range(3)] == [500, 500, 429]


def test_a_fault_that_nobody_knows_is_refused(ready: SandboxWorld) -> None:
    with pytest.raises(ValueError, match="lightning"):
        ready.fault(lightning=True)


def test_a_new_beginning_ends_what_is_in_flight(make_world: MakeWorld) -> None:
    world = make_world([ONE], latency=30)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(register, world)
        while not world.log:
            time.sleep(0.01)
        make_world([ONE])
        with pytest.raises(httpx.ReadError):
            hanging.result()
    assert world.registered == []
