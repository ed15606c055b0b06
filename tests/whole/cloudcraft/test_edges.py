"""What a server, a proxy or a manifest may do to a request: nothing gets in, no slot gets lost."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Callable

import pytest

from cloudcraft_onboard.cloudcraft import exchange
from cloudcraft_onboard.errors import Refused, Unavailable
from cloudcraft_onboard.model import CloudcraftUsage, Registration, RegistrationSpec
from tests.whole.cloudcraft.conftest import Client, MakeClient
from tests.whole.cloudcraft.raw import RawServer, answer

ROLE = "arn:aws:iam::111122223333:role/cloudcraft"
NO_IDS = [
    "", ".", "..", "../team", "a/b", "/", "a\\b", "%2e%2e", "a?b", "a#b", "a b", "a\n", "\x00",
    "\x1b[2J", "\ud800", "é", "x" * 201,
]  # fmt: skip


def spec(name: str = "Prod") -> RegistrationSpec:
    return RegistrationSpec(account_id="111122223333", name=name, role_arn=ROLE, region="eu-west-1")


def registered(identity: str) -> Registration:
    return Registration(id=identity, name="Prod", role_arn=ROLE)


@pytest.fixture
def client(raw: RawServer, make_client: MakeClient) -> Client:
    return make_client(raw.url, limit=1, window=60.0)


@pytest.mark.parametrize("identity", NO_IDS, ids=ascii)
@pytest.mark.parametrize("call", ["update", "delete"])
def test_an_id_that_is_no_plain_path_segment_is_refused_before_anything_is_sent(
    raw: RawServer, client: Client, identity: str, call: str
) -> None:
    slot = client.pace.acquire()
    calls: dict[str, Callable[[], object]] = {
        "update": lambda: client.update(registered(identity), spec(), slot),
        "delete": lambda: client.delete(registered(identity), slot),
    }
    with pytest.raises(Refused, match="not a valid ID") as refused:
        calls[call]()
    assert refused.value.message.isascii()
    assert refused.value.message.isprintable()
    assert refused.value.status == exchange.NEVER_SENT
    assert raw.requests == []
    assert client.pace.next_in() == 0


@pytest.mark.parametrize("identity", ["fe3e5b29-a0e8-41ca-91e2-02a0441b1d33", "1", "a.b~c_d-e"])
def test_other_ids_are_sent_as_they_are(raw: RawServer, client: Client, identity: str) -> None:
    raw.script = [answer(204)]
    client.delete(registered(identity))
    assert raw.requests[0].path == f"/aws/account/{identity}"


@pytest.mark.parametrize("call", ["register", "update"])
def test_what_cannot_be_written_as_utf_8_is_refused_and_its_slot_given_back(
    raw: RawServer, client: Client, call: str
) -> None:
    slot = client.pace.acquire()
    calls: dict[str, Callable[[], object]] = {
        "register": lambda: client.register(spec("\ud800"), slot),
        "update": lambda: client.update(registered("1"), spec("\udfff"), slot),
    }
    with pytest.raises(Refused, match="Cannot send the request") as refused:
        calls[call]()
    assert refused.value.message.isascii()
    assert raw.requests == []
    assert client.counts == CloudcraftUsage()
    assert client.pace.next_in() == 0


def test_two_encodings_are_refused_before_they_are_inflated(
    raw: RawServer, make_client: MakeClient
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(256 << 20)))
    raw.script = [answer(200, bomb, Content_Encoding="gzip, gzip")]
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable, match="encoding that was not requested"):
            make_client(raw.url, retries=0).registrations()
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_is_inflated_up_to_the_limit_only(
    raw: RawServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LARGEST_BODY", 2 << 20)
    raw.script = [answer(200, gzip.compress(bytes(256 << 20)), Content_Encoding="gzip")]
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable, match="larger than 2 MiB"):
            make_client(raw.url, retries=0).registrations()
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_compressed_answer_is_read(raw: RawServer, client: Client, encoding: str) -> None:
    raw.script = [answer(200, gzip.compress(b'{"accounts": []}'), Content_Encoding=encoding)]
    assert client.registrations() == ()
    assert raw.requests[0].headers["accept-encoding"] == "gzip"


def test_a_compressed_answer_that_is_cut_off_is_no_answer(
    raw: RawServer, make_client: MakeClient
) -> None:
    raw.script = [answer(200, gzip.compress(b'{"accounts": []}')[:-9], Content_Encoding="gzip")]
    with pytest.raises(Unavailable, match="cut off"):
        make_client(raw.url, retries=0).registrations()


def test_a_proxy_that_is_away_is_named(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@127.0.0.1:{port}")
    with pytest.raises(
        Unavailable, match=f"Cannot reach the proxy 127.0.0.1:{port}: connection refused"
    ) as told:
        make_client("https://api.cloudcraft.co", retries=0).registrations()
    assert "HTTPS_PROXY" in told.value.hint
    assert "s3cret" not in told.value.message


def test_a_proxy_that_says_no_is_named_and_not_asked_again(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with RawServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        proxy.script = [answer(407, b"who are you")] * 3
        client = make_client("https://api.cloudcraft.co", retries=2)
        with pytest.raises(Unavailable, match=r"The proxy 127\.0\.0\.1:.*407"):
            client.registrations()
        assert len(proxy.requests) == 1
        assert client.counts == CloudcraftUsage()
