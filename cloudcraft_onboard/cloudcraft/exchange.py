"""One request and its whole answer over HTTP: sent surely, surely not, or doubtful."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from cloudcraft_onboard import __version__
from cloudcraft_onboard.cloudcraft.access import is_loopback
from cloudcraft_onboard.cloudcraft.answers import Answer
from cloudcraft_onboard.errors import CannotStart, Doubtful, Unavailable
from cloudcraft_onboard.redact import redact

LARGEST_BODY = 64 * 1024 * 1024
LONGEST_CONNECT = 15.0

_log = logging.getLogger("cloudcraft_onboard.http")

_NOT_SENT = (
    httpx.ConnectError,  # refused, DNS, TLS handshake
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class Unreachable(Unavailable):
    """It was not sent, and sending it again soon would not help."""


class Wire:
    """The HTTP client; safe to share among threads.

    No connection is used twice: the requests of two windows are further apart than servers keep
    idle connections (Node.js 5 s, AWS's load balancers 60 s), and a request on one that is just
    being closed has to count as doubtful.
    """

    def __init__(self, *, base_url: str, api_key: str, timeout: float) -> None:
        self._timeout = timeout
        self._host = urlsplit(base_url).netloc
        try:
            context = httpx.create_ssl_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._http = httpx.Client(
                base_url=base_url,
                headers={
                    "Authorization": f"Bearer {api_key}",
                    "Accept": "application/json",
                    "Connection": "close",
                    "User-Agent": f"cloudcraft-onboard/{__version__}",
                },
                verify=context,
                follow_redirects=False,
                timeout=httpx.Timeout(timeout, connect=min(timeout, LONGEST_CONNECT)),
                limits=httpx.Limits(max_connections=None),  # the pace bounds them
                trust_env=not is_loopback(base_url),  # no proxy between here and here
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
            raise CannotStart(
                redact(f"the settings for HTTPS cannot be used: {error}"),
                hint="check SSL_CERT_FILE, SSL_CERT_DIR and the proxy variables",
            ) from error

    def exchange(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises `Unavailable` where surely nothing was processed, `Doubtful` where it may have been.
        """
        started = time.monotonic()
        watchdog = _Watchdog(self._timeout)
        request = self._http.build_request(
            method, path, json=body, extensions={"trace": watchdog.trace}
        )
        outcome: object = "stopped"
        try:
            with watchdog:
                response = self._http.send(request, stream=True)
                with contextlib.closing(response):
                    answer = Answer(
                        status=response.status_code,
                        headers=response.headers,
                        body=self._body(response),
                    )
            outcome = answer.status
            return answer
        except (httpx.HTTPError, httpx.StreamError) as error:
            outcome = type(error).__name__
            raise self._failure(f"{method} {path}", error, late=watchdog.fired) from error
        finally:
            _log.info("%s %s %s %.2fs", method, path, outcome, time.monotonic() - started)

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise Doubtful(f"Cloudcraft's answer is larger than {LARGEST_BODY >> 20} MiB")
        return bytes(body)

    def _failure(self, request: str, error: Exception, *, late: bool) -> Unavailable | Doubtful:
        reason = redact(str(error)) or type(error).__name__
        certificate = _cause(error, ssl.SSLCertVerificationError)
        if isinstance(certificate, ssl.SSLCertVerificationError):
            return Unreachable(
                f"the certificate of {self._host} is not trusted: {certificate.verify_message}",
                hint="behind a proxy that inspects TLS, set SSL_CERT_FILE to its certificates",
            )
        if isinstance(error, _NOT_SENT):
            return Unavailable(
                f"Cloudcraft cannot be reached at {self._host}: {reason}",
                hint="check the network, the proxy variables and CLOUDCRAFT_BASE_URL",
            )
        if late or isinstance(error, httpx.TimeoutException):
            return Doubtful(
                f"Cloudcraft did not answer {request} within {self._timeout:g} s",
                hint="--timeout allows more",
            )
        return Doubtful(f"the connection failed before {request} was answered: {reason}")


class _Watchdog:
    """Ends an exchange whose answer takes longer than `timeout` seconds in all.

    The HTTP client's own time-outs bound each read only, so a server that sends a byte now and then
    could hold a thread for ever. httpcore's trace hook tells the socket; shutting that down
    makes the read under way fail. A new stream (TCP, then TLS) starts the time anew.
    """

    def __init__(self, timeout: float) -> None:
        self.fired = False
        self._timeout = timeout
        self._timer: threading.Timer | None = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """The `trace` extension of httpcore."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stop()
            connection = info["return_value"].get_extra_info("socket")
            self._timer = threading.Timer(self._timeout, self._bite, [connection])
            self._timer.daemon = True
            self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _bite(self, connection: socket.socket) -> None:
        self.fired = True
        with contextlib.suppress(OSError):  # closed just now
            connection.shutdown(socket.SHUT_RDWR)


def _cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The error of this kind that is behind `error`, however deep."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found
