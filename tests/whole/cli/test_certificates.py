"""One file of certificates, whichever variable names it, for AWS and for Cloudcraft, over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cloudcraft_onboard.settings import BUNDLES
from tests.support.answering import at_work
from tests.support.process import HANG, onboard
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import MEMBER, hub, member
from tests.whole.cloudcraft.certificate import self_signed


@contextmanager
def over_tls(upstream: str, certificate: Path) -> Iterator[str]:
    """A server that passes requests on, as a proxy does that inspects TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asking = HTTPConnection(urlsplit(upstream).netloc, timeout=HANG)
            headers = {**self.headers, "Host": urlsplit(upstream).netloc}
            if "authorization" in self.headers and "AWS4" in self.headers["authorization"]:
                headers["Host"] = self.headers["host"]  # it is signed
            asking.request(self.command, self.path, body, headers)
            answer = asking.getresponse()
            content = answer.read()
            self.send_response_only(answer.status)
            self.send_header("Content-Type", answer.getheader("content-type", ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            asking.close()

        do_GET = do_POST = handle_one  # noqa: N815 - as the base class calls them

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # who trusts nobody hangs up
    with at_work(server) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "company.pem"
    file.write_bytes(self_signed("127.0.0.1"))
    return file


@pytest.fixture
def behind(
    make_world: MakeWorld, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SandboxWorld]:
    """Both sides behind TLS with a certificate of the company's own."""
    world = make_world([hub(), member()])
    with (
        over_tls(world.aws_url, certificate) as aws,
        over_tls(world.cloudcraft_url, certificate) as cloudcraft,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        monkeypatch.setenv("CLOUDCRAFT_BASE_URL", cloudcraft)
        for name in BUNDLES:
            monkeypatch.delenv(name, raising=False)
        yield world


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "org.yaml"
    file.write_text(
        "version: 1\ndefaults: {profile: hub, assume_role: OrganizationAccountAccessRole}\n"
        f'accounts: [{{name: A, account_id: "{MEMBER}"}}]\n'
    )
    return file


@pytest.mark.parametrize("variable", BUNDLES)
def test_one_variable_is_enough_for_both_sides(
    behind: SandboxWorld, certificate: Path, manifest: Path, tmp_path: Path, variable: str
) -> None:
    ended = onboard(tmp_path / "run", "plan", manifest, **{variable: str(certificate)})
    assert ended.outcomes == ["created"], ended.stderr
    assert behind.requests()


def test_without_any_the_certificate_is_not_trusted(
    behind: SandboxWorld, manifest: Path, tmp_path: Path
) -> None:
    ended = onboard(tmp_path / "run", "plan", manifest)
    assert ended.code == 3
    assert "AWS_CA_BUNDLE" in ended.stderr
    assert behind.requests() == []


@pytest.mark.parametrize("variable", BUNDLES)
def test_a_missing_file_is_wrong_usage_said_by_its_variable(
    world: SandboxWorld, manifest: Path, tmp_path: Path, variable: str
) -> None:
    missing = str(tmp_path / "missing.pem")
    for command in ("plan", "run", "status"):
        alone = {**dict.fromkeys(BUNDLES), variable: missing}
        ended = onboard(tmp_path / command, command, manifest, **alone)
        assert ended.code == 2
        assert f"{missing}, which {variable} names" in ended.stderr
    assert world.requests() == []
