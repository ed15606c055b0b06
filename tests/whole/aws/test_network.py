"""What no retry heals is told at once: proxies that ask for a password, certificates of nobody."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from cloudcraft_onboard.aws import organizations
from cloudcraft_onboard.aws.sdk import Sdk
from cloudcraft_onboard.aws.signing import signed_by
from cloudcraft_onboard.errors import AccountError, AccountPending, CannotStart
from cloudcraft_onboard.model import Account
from tests.support.answering import answering, at_work
from tests.whole.aws.support import opened
from tests.whole.cloudcraft.certificate import self_signed


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIEXAMPLE")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("https_proxy", "http_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def refusal() -> AccountError:
    with opened(retries=5) as aws, pytest.raises(AccountError) as caught:
        aws.reach(Account(name="a"))
    return caught.value


@pytest.mark.parametrize(
    ("variable", "endpoint"),
    [("HTTPS_PROXY", ""), ("HTTP_PROXY", "http://sts.example")],
    ids=["tunnel", "plain"],
)
def test_a_proxy_that_asks_for_a_password_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, variable: str, endpoint: str
) -> None:
    asked: list[str] = []

    def who_are_you(method: str, _path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(method)
        return 407, {"Proxy-Authenticate": "Basic"}, b"<html>Who are you?</html>"

    with answering(who_are_you) as url:
        monkeypatch.setenv(variable, url)
        if endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        error = refusal()
        assert len(asked) == 1
        assert not isinstance(error, AccountPending)  # it lasts until somebody mends it
        assert f"The proxy in {variable} asks for a user name and password." in error.hint
        assert "network" not in error.hint
        with pytest.raises(CannotStart, match="AWS Organizations") as caught:
            organizations.members(organizations.connect(None))
    assert len(asked) == 2
    assert variable in caught.value.hint


@contextmanager
def with_tls(folder: Path) -> Iterator[str]:
    """A server whose certificate nobody has signed; its URL."""
    pem = folder / "certificate.pem"
    pem.write_bytes(self_signed("127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with at_work(server) as port:
        yield f"https://127.0.0.1:{port}"


def test_a_certificate_of_nobody_is_told_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with with_tls(tmp_path) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = refusal()
    assert error.code == "SSLError"
    assert "set AWS_CA_BUNDLE to its certificates" in error.hint
    assert "sso" not in error.hint


@pytest.mark.parametrize("content", [None, "no certificate\n"], ids=["missing", "text"])
def test_a_bundle_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with with_tls(tmp_path) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = refusal()
    assert f"AWS_CA_BUNDLE names {bundle}, which is not a file of certificates" in error.hint
    assert "proxy" not in error.hint


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy that takes one CONNECT to where it is asked to."""

    def handle(self) -> None:
        host, _, port = self.rfile.readline().split()[1].decode().partition(":")
        while self.rfile.readline().strip():
            pass
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pass_on, args=(there, self.connection))
            back.start()
            pass_on(self.connection, there)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tunnel() -> Iterator[str]:
    with at_work(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("proxied", [False, True], ids=["straight", "proxied"])
def test_certificates_are_read_once_however_many_connections(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    proxied: bool,  # noqa: FBT001 - the table's column
) -> None:
    read: list[object] = []
    reads = ssl.SSLContext.load_verify_locations

    def counted(this: ssl.SSLContext, *bundle: Any) -> None:
        read.append(bundle)
        reads(this, *bundle)

    sdk = Sdk(concurrency=1, retries=0)
    with with_tls(tmp_path) as url, tunnel() as proxy, closing(sdk):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
        if proxied:
            monkeypatch.delenv("NO_PROXY")
            monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
        session = sdk.session(None)
        wire, keys = sdk.wire(session, "us-east-1"), sdk.credentials(session, "us-east-1")
        for _ in range(3):  # the server ends each connection
            with signed_by(keys), pytest.raises(ResponseParserError, match="501"):
                wire.client("sts").get_caller_identity()
    assert len(read) == 1


def test_what_ended_on_this_machine_is_tried_once_more_and_no_oftener(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[object] = []
    connect = socket.socket.connect

    def counted(this: socket.socket, address: object) -> None:
        tried.append(address)
        connect(this, address)  # type: ignore[arg-type]

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setattr(socket.socket, "connect", counted)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    assert isinstance(refusal(), AccountPending)
    assert len(tried) == 2
    with pytest.raises(CannotStart) as caught:
        organizations.members(organizations.connect(None))
    assert len(tried) == 4
    assert "AWS_ENDPOINT_URL points to" in caught.value.hint
