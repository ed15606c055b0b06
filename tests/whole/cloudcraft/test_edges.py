"""What a server, a proxy or a manifest may do to a request: nothing gets in, no slot gets lost."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cloudcraft_onboard.cloudcraft import exchange
from cloudcraft_onboard.errors import Doubtful, Refused, Unavailable, Unreadable
from cloudcraft_onboard.model import CloudcraftUsage, Registration, RegistrationSpec
from tests.whole.cloudcraft.conftest import Client, MakeClient
from tests.whole.cloudcraft.raw import RawServer, answer, send

ROLE = "arn:aws:iam::111122223333:role/cloudcraft"
NO_IDS = [
    "", ".", "..", "../team", "a/b", "/", "a\\b", "%2e%2e", "a?b", "a#b", "a b", "a\n", "\x00",
    "\x1b[2J", "\ud800", "é", "x" * 201,
]  # fmt: skip


def spec(name: str = "Prod") -> RegistrationSpec:
    return RegistrationSpec(account_id="111122223333", name=name, role_arn=ROLE, region="eu-west-1")


def registered(identity: str) -> Registration:
    return Registration(id=identity, name="Prod", role_arn=ROLE)


@contextmanager
def traced(most: int = 16 << 20) -> Iterator[None]:
    """No more memory than that is taken inside."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


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


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "gzip, gzip", "br", "deflate"])
def test_an_encoding_is_refused_at_once_and_not_inflated(
    raw: RawServer, make_client: MakeClient, encoding: str
) -> None:
    bomb = gzip.compress(b'{"accounts": [' + b"{}," * (8 << 20) + b"{}]}")
    raw.script = [answer(200, bomb, Content_Encoding=encoding)] * 6
    with traced(), pytest.raises(Unreadable, match="encoding that was not requested"):
        make_client(raw.url, retries=5).listed()
    assert len(raw.requests) == 1
    assert raw.requests[0].headers["accept-encoding"] == "identity"


def test_an_answer_as_it_was_asked_for_is_read(raw: RawServer, client: Client) -> None:
    raw.script = [answer(200, {"accounts": []}, Content_Encoding="identity")]
    assert client.listed() == ()


HEAD = b"HTTP/1.1 200 X\r\n\r\n"
LIST = HEAD + b'{"accounts":['
TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "announced": lambda: b"HTTP/1.1 200 X\r\nContent-Length: 64000001\r\n\r\n",
    "unannounced": lambda: HEAD + b" " * 64_000_001,
    "objects": lambda: LIST + b"{}," * 300_000 + b"{}]}",
    "lists": lambda: LIST + b"[]," * 400_000 + b"[]]}",
    "numbers": lambda: LIST + b"1," * 3_000_001 + b"1]}",
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_more_than_a_list_of_accounts_can_need_is_refused_at_once(
    raw: RawServer, make_client: MakeClient, kind: str
) -> None:
    raw.script = [send(TOO_LARGE[kind]())] * 6
    with (
        traced(200 << 20),
        pytest.raises(Unreadable, match=r"larger than 64 MB|more than 100,000 accounts can need"),
    ):
        make_client(raw.url, retries=5).listed()
    assert len(raw.requests) == 1


def test_a_write_whose_answer_is_too_large_is_in_doubt(
    raw: RawServer, make_client: MakeClient
) -> None:
    raw.script = [send(TOO_LARGE["announced"]())]
    with pytest.raises(Doubtful, match="larger"):
        make_client(raw.url).register(spec())


def test_a_list_of_100_000_accounts_is_read(raw: RawServer, client: Client) -> None:
    entry = {
        "id": "fe3e5b29-a0e8-41ca-91e2-02a0441b1d33",
        "name": "Production, or {what} [we] call it",
        "roleArn": ROLE,
        "externalId": "4414aef4-1f35-4bbc-9b7a-5d5a1b7c0e2f",
        "readAccess": [f"team/{'0' * 36}", f"team/{'1' * 36}"],
        "writeAccess": [],
        "createdAt": "2026-11-23T10:00:00.000Z",
        "updatedAt": "2026-11-23T10:00:00.000Z",
        "CreatorId": "5c9b1a4e-2f0d-4b7e-9a53-0d1e8f7c6b11",
        "source": "aws",
    }
    raw.script = [answer(200, {"accounts": [entry] * 100_000})]
    assert len(client.listed()) == 100_000


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
        make_client("https://api.cloudcraft.co", retries=0).listed()
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
            client.listed()
        assert len(proxy.requests) == 1
        assert client.counts == CloudcraftUsage()
