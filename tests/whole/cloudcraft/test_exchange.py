"""Faults below HTTP: connections, TLS, answers that never end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tenacity import wait_fixed

from cloudcraft_onboard import __version__
from cloudcraft_onboard.cloudcraft import client as client_module
from cloudcraft_onboard.console.redact import protect
from cloudcraft_onboard.errors import CannotStart, Doubtful, PaceClosed, Unavailable
from cloudcraft_onboard.model import CloudcraftUsage, RegistrationSpec
from tests.whole.cloudcraft.certificate import self_signed
from tests.whole.cloudcraft.conftest import KEY, MakeClient
from tests.whole.cloudcraft.raw import (
    Behaviour,
    RawServer,
    answer,
    close,
    drip,
    hang,
    reset,
    send,
    sent_json,
)

SPEC = RegistrationSpec(
    account_id="111122223333",
    name="Prod",
    role_arn="arn:aws:iam::111122223333:role/cloudcraft",
    region="eu-west-1",
)
PARAMETERS = {"accountId": "912185983511", "externalId": "ex"}
ACCEPTED = answer(201, {"id": "new"})


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A socket that has its port and does not listen: connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_what_is_sent(raw: RawServer, make_client: MakeClient) -> None:
    raw.script = [ACCEPTED]
    assert make_client(f"{raw.url}/prefix/").register(SPEC).id == "new"
    (request,) = raw.requests
    assert (request.method, request.path) == ("POST", "/prefix/aws/account")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == f"cloudcraft-onboard/{__version__}"
    assert request.headers["connection"] == "close"  # or the next one could be doubtful
    assert request.headers["content-type"] == "application/json"
    assert sent_json(request) == {
        "name": "Prod",
        "roleArn": "arn:aws:iam::111122223333:role/cloudcraft",
        "region": "eu-west-1",
    }


def test_a_refused_connection_is_tried_again_and_uses_no_slot(
    make_client: MakeClient, silent: socket.socket
) -> None:
    client = make_client(url_of(silent), limit=1, window=60.0, retries=3)
    with pytest.raises(Unavailable, match="Cannot reach"):
        client.register(SPEC)
    assert client.counts == CloudcraftUsage(requests=0, retried=3)
    assert client.pace.next_in() == 0


def test_a_server_that_comes_up_late_is_reached(
    make_client: MakeClient, silent: socket.socket
) -> None:
    client = make_client(url_of(silent), retries=1)

    def come_up(_: object) -> float:
        server = RawServer()
        server._listener.close()
        server._listener = silent
        silent.listen()
        server.script = [ACCEPTED]
        server.__enter__()
        started.append(server)
        return 0.0

    started: list[RawServer] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "BACKOFF", come_up)
        assert client.register(SPEC).id == "new"
    started[0].__exit__()


def test_an_unknown_host_is_surely_not_processed_and_does_not_heal(make_client: MakeClient) -> None:
    client = make_client("https://cloudcraft.invalid", retries=1)
    with pytest.raises(Unavailable, match=r"cloudcraft\.invalid.*not known"):
        client.register(SPEC)
    assert client.counts == CloudcraftUsage()


def test_a_host_that_does_not_answer_is_surely_not_processed(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with contextlib.ExitStack() as stack:
            for _ in range(3):  # nobody accepts them: the next one is not even greeted
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            client = make_client(f"http://127.0.0.1:{address[1]}", timeout=0.5, retries=0)
            with pytest.raises(Unavailable, match="Cannot reach"):
                client.register(SPEC)
    assert client.counts == CloudcraftUsage()


def test_a_tls_handshake_that_hangs_is_surely_not_processed(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = make_client(f"https://127.0.0.1:{port}", timeout=0.5, retries=0)
        with pytest.raises(Unavailable, match="Cannot reach"):
            client.register(SPEC)
    assert client.counts == CloudcraftUsage()


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(reset, id="reset"),
        pytest.param(close, id="close"),
        pytest.param(hang, id="hang"),
        pytest.param(send(b"HTTP/1.1 201 Cre"), id="cut status"),
        pytest.param(send(b"HTTP/1.1 201 Created\r\nContent-Len"), id="cut headers"),
        pytest.param(
            send(b'HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{"id": "x"}'), id="cut body"
        ),
        pytest.param(
            send(b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"i'),
            id="cut chunk",
        ),
        pytest.param(send(b'HTTP/1.1 201 Created\r\n\r\n{"id": "x"'), id="cut JSON"),
        pytest.param(send(b"SSH-2.0-OpenSSH_9.6\r\n"), id="not HTTP"),
        pytest.param(answer(201, b"{}", Content_Encoding="gzip"), id="not gzip"),
        pytest.param(answer(201, b"[" * 100_000), id="deep nesting"),
        pytest.param(answer(201, b'{"id": "\xff"}'), id="not UTF-8"),
        pytest.param(answer(204), id="no body"),
        pytest.param(drip(b"HTTP/1.1 201 Created\r\nX: ", b"x"), id="dripping headers"),
        pytest.param(
            drip(b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n", b" "),
            id="dripping body",
        ),
    ],
)
def test_a_write_whose_answer_is_lost_is_doubtful_and_not_sent_again(
    raw: RawServer, make_client: MakeClient, behaviour: Behaviour
) -> None:
    raw.script = [behaviour, ACCEPTED]
    client = make_client(raw.url, timeout=0.5, limit=1, window=60.0)
    with pytest.raises(Doubtful):
        client.register(SPEC)
    assert len(raw.requests) == 1
    assert client.counts == CloudcraftUsage(requests=1)
    assert client.pace.next_in() > 50  # the server may have counted it


def test_an_answer_that_drips_does_not_hold_the_program(
    raw: RawServer, make_client: MakeClient
) -> None:
    raw.script = [drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"), answer(200, PARAMETERS)]
    client = make_client(raw.url, timeout=0.5)
    assert client.parameters().external_id == "ex"
    assert "within 0.5 s" in str(client.events[0])


def test_an_answer_of_another_shape_is_not_taken_for_an_empty_list(
    raw: RawServer, make_client: MakeClient
) -> None:
    raw.script = [answer(200, {"message": "maintenance"}), answer(200, {})]
    with pytest.raises(Unavailable, match="documented"):
        make_client(raw.url).listed()
    assert len(raw.requests) == 1


def test_a_page_is_told_as_one_line_of_text(raw: RawServer, make_client: MakeClient) -> None:
    page = (
        "<!doctype html><html><head><title>x</title><style>p {}</style></head>\r\n"
        "<body><script>alert(1)</script><p>Gateway &amp; proxy\n" + "words " * 100 + "</p></body>"
    )
    raw.script = [answer(502, page.encode())]
    with pytest.raises(Doubtful) as doubtful:
        make_client(raw.url).register(SPEC)
    assert "Gateway & proxy words" in doubtful.value.message
    assert "\n" not in doubtful.value.message
    assert "alert" not in doubtful.value.message
    assert len(doubtful.value.message) < 300


def test_a_key_that_the_server_repeats_is_not_passed_on(
    raw: RawServer, make_client: MakeClient
) -> None:
    protect(KEY)
    raw.script = [answer(403, {"error": f"the key {KEY} is not allowed to " + "x" * 300})]
    with pytest.raises(Exception, match="not allowed") as refused:
        make_client(raw.url).register(SPEC)
    assert KEY[:12] not in repr(refused.value)


def test_a_stop_ends_the_wait_before_a_retry(
    make_client: MakeClient, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(url_of(silent), retries=5)
    monkeypatch.setattr(client_module, "BACKOFF", wait_fixed(1000))
    threading.Timer(0.2, client.stop.set).start()
    with pytest.raises(PaceClosed, match="stopping"):
        client.register(SPEC)


def test_a_stop_ends_the_pause_after_a_429(raw: RawServer, make_client: MakeClient) -> None:
    raw.script = [answer(429, {"error": "slow down"}, Retry_After="1000"), ACCEPTED]
    client = make_client(raw.url)

    def stop() -> None:
        while not client.events:
            time.sleep(0.01)
        client.stop.set()
        client.pace.wake()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(PaceClosed, match="stopping"):
        client.register(SPEC)
    thread.join()
    assert len(raw.requests) == 1


# --- TLS and the way there -----------------------------------------------------------------------


def test_a_server_without_tls_is_surely_not_processed_and_does_not_heal(
    raw: RawServer, make_client: MakeClient
) -> None:
    client = make_client(raw.url.replace("http:", "https:"), retries=1)
    with pytest.raises(Unavailable, match="Cannot reach"):
        client.register(SPEC)
    assert client.counts == CloudcraftUsage()


def test_an_untrusted_certificate_ends_it_at_once(
    raw: RawServer, make_client: MakeClient, certificate: Path
) -> None:
    raw.tls = server_side(certificate)
    raw.script = [ACCEPTED]
    client = make_client(raw.url)
    with pytest.raises(Unavailable, match="not trusted") as unavailable:
        client.register(SPEC)
    assert "SSL_CERT_FILE" in unavailable.value.hint
    assert raw.requests == []
    assert client.counts == CloudcraftUsage()


def test_a_company_certificate_is_trusted_by_ssl_cert_file(
    raw: RawServer,
    make_client: MakeClient,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw.tls = server_side(certificate)
    raw.script = [drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"), answer(200, PARAMETERS)]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client = make_client(raw.url, timeout=0.5)
    assert client.parameters().external_id == "ex"  # and a dripping answer ends over TLS, too


def test_tls_older_than_1_2_is_not_spoken_and_certificates_are_checked(
    make_client: MakeClient,
) -> None:
    transport: Any = make_client("https://127.0.0.1")._wire._http._transport
    context = transport._pool._ssl_context
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("SSL_CERT_FILE", "/does/not/exist", "SSL_CERT_FILE"),
        ("HTTPS_PROXY", "gopher://127.0.0.1:1", "proxy"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart) as told:
        make_client("https://api.cloudcraft.co")
    assert word in told.value.hint


def test_a_proxy_of_the_environment_is_used_but_never_for_loopback(
    raw: RawServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with RawServer() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        raw.script = [answer(200, PARAMETERS)]
        make_client(raw.url).parameters()
        assert proxy.requests == []
        proxy.script = [answer(407, b"who are you")]
        with pytest.raises(Unavailable, match="407"):
            make_client("https://api.cloudcraft.co", retries=0).register(SPEC)
        (connect,) = proxy.requests
        assert (connect.method, connect.path) == ("CONNECT", "api.cloudcraft.co:443")
        assert "authorization" not in connect.headers


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    path = tmp_path / "certificate.pem"
    path.write_bytes(self_signed("127.0.0.1"))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize(
    "page",
    [
        "<script>" * 100_000,
        "<!--" * 100_000,
        "<p>sorry &#" + "9" * 5000 + ";</p>",
        "[" * 900 + '"x"' + "]" * 900,
        '{"error": ' * 800 + '"x"' + "}" * 800,
        '{"error": "' + "a." * 100_000 + '"}',
    ],
)
def test_any_error_text_can_be_told(raw: RawServer, make_client: MakeClient, page: str) -> None:
    raw.script = [answer(502, page.encode())]
    with pytest.raises(Doubtful) as doubtful:
        make_client(raw.url).register(SPEC)
    assert len(doubtful.value.message) < 300
