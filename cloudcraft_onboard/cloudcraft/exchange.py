"""One request and its whole answer over HTTP: sent, not sent, or in doubt."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import ssl
import threading
import time
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from cloudcraft_onboard import __version__
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.cloudcraft.access import is_loopback
from cloudcraft_onboard.cloudcraft.answers import Answer
from cloudcraft_onboard.console.harmless import sentence
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.defaults import REQUESTS
from cloudcraft_onboard.errors import CannotStart, Doubtful, Refused, Unavailable

MOST_ENTRIES = 100_000
"""More accounts are in no list of Cloudcraft's; AWS Organizations has 10,000 by default."""

LARGEST_BODY = MOST_ENTRIES * 640
"""Bytes; an entry takes 450 and 42 for each team that it is shared with."""

_MOST_OF = {b"{": 3 * MOST_ENTRIES, b"[": 4 * MOST_ENTRIES, b",": 30 * MOST_ENTRIES}
"""What makes values of JSON: parsed, an empty one of three bytes takes twenty times as many."""

LONGEST_CONNECT = 15.0
NEVER_SENT = 0
"""The status of requests that are refused here, before anything is sent."""

_E = TypeVar("_E", bound=BaseException)

_log = logging.getLogger(REQUESTS)

_NOT_SENT = (
    httpx.ConnectError,  # refused, DNS, TLS handshake
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


_NO_SUCH_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNSUPPORTED_PROTOCOL"}
"""Reasons for which a handshake fails for good: a plain port, or only old versions of TLS."""
_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")


class Sending(Protocol):
    """Is told how far a request has come."""

    def sent(self) -> None:
        """From here on the server may get it."""

    def arrived(self, at: float) -> None:
        """The server has it `at` this time at the latest, by `time.monotonic`."""


class Unreachable(Unavailable):
    """It was not sent, and a retry would not help soon."""


class Unusable(Doubtful):
    """An answer that no other try would better: too large, or not what was asked for."""


def _trusting(scheme: str, certificates: str | None) -> ssl.SSLContext:
    """Whom to trust; plain http, which is loopback, does without the 30 ms to read a bundle."""
    if scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificates:
        return ssl.create_default_context(cafile=certificates)
    return httpx.create_ssl_context()


class HttpsClient:
    """The HTTP client; safe to share among threads.

    No connection is used twice: the requests of two windows are further apart than servers keep
    idle connections (Node.js 5 s, AWS's load balancers 60 s), and a request on one that is just
    being closed has to count as doubtful.
    """

    def __init__(
        self, *, base_url: str, api_key: str, timeout: float, certificates: str | None = None
    ) -> None:
        self._timeout = timeout
        self._host = urlsplit(base_url).netloc
        self._name = urlsplit(base_url).hostname
        try:
            context = _trusting(urlsplit(base_url).scheme, certificates)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._http = httpx.Client(
                base_url=base_url,
                headers={
                    "Authorization": f"Bearer {api_key}",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
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
                excerpt(f"The HTTPS settings cannot be used: {error}"),
                hint="Check SSL_CERT_FILE, SSL_CERT_DIR and the proxy variables.",
            ) from error

    def exchange(self, method: str, path: str, body: Any, sending: Sending) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises `Unavailable` where nothing was processed, `Doubtful` where it may have been,
        `Refused` for what cannot be sent at all.
        """
        started = time.monotonic()
        journey = _Journey(sending, _Deadline(self._timeout))
        outcome: object = "stopped"
        try:
            request = self._http.build_request(
                method, path, json=body, extensions={"trace": journey.trace}
            )
            with journey.deadline:
                response = self._http.send(request, stream=True)
                with contextlib.closing(response):
                    answer = Answer(
                        status=response.status_code,
                        headers=response.headers,
                        body=_body(response),
                    )
            outcome = answer.status
            return answer
        except UnicodeEncodeError as error:
            outcome = "not sent"
            raise Refused(
                NEVER_SENT,
                f"Cannot send the request: UTF-8 cannot encode one of its characters"
                f" ({error.reason}).",
                cause=Cause(row=ours.UNSENDABLE_NAME, facts=Facts()),
            ) from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            outcome = type(error).__name__
            raise self._failure(f"{method} {path}", error, journey) from error
        finally:
            _log.info("%s %s %s %.2fs", method, path, outcome, time.monotonic() - started)

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()

    def _failure(self, request: str, error: Exception, journey: _Journey) -> Unavailable | Doubtful:
        reason = excerpt(str(error)) or type(error).__name__
        if certificate := _cause(error, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of {self._host} is not trusted: {certificate.verify_message}.",
                hint="If a proxy inspects TLS, set AWS_CA_BUNDLE (or REQUESTS_CA_BUNDLE, or"
                " SSL_CERT_FILE) to its certificates; it counts for AWS and for Cloudcraft.",
            )
        if isinstance(error, _NOT_SENT):
            return self._not_sent(error, reason, journey)
        if journey.deadline.passed or isinstance(error, httpx.TimeoutException):
            return Doubtful(
                f"Cloudcraft did not answer {request} within {self._timeout:g} s.",
                hint="Allow more with --timeout.",
            )
        return Doubtful(f"The connection failed before {request} was answered: {sentence(reason)}")

    def _not_sent(self, error: Exception, reason: str, journey: _Journey) -> Unavailable:
        """Explain why a request was not sent; `Unreachable` if that will not heal."""
        if isinstance(error, httpx.ProxyError):
            # 407 and 403 stay as they are; a gateway's troubles heal.
            final = reason.startswith("4")
            return (Unreachable if final else Unavailable)(
                f"The proxy {journey.peer} refused a request to {self._host}: {sentence(reason)}",
                hint="Check HTTPS_PROXY (user and password) and NO_PROXY.",
            )
        reason = _ERRNO.sub("", reason)
        reason = reason[:1].lower() + reason[1:]
        if journey.connecting and journey.host != self._name:
            message = f"Cannot reach the proxy {journey.peer}: {sentence(reason)}"
            hint = "Check HTTPS_PROXY and NO_PROXY."
        else:
            message = f"Cannot reach Cloudcraft at {self._host}: {sentence(reason)}"
            hint = "Check the network, the proxy variables and CLOUDCRAFT_BASE_URL."
        kind = Unavailable
        unknown = _cause(error, socket.gaierror)
        if (unknown is not None and unknown.errno in _NO_SUCH_HOST) or (
            (handshake := _cause(error, ssl.SSLError)) and handshake.reason in _NO_TLS
        ):
            kind = Unreachable
        return kind(message, hint=hint)


def _body(response: httpx.Response) -> bytes:
    """The whole body. Raises `Unusable` for more than a list of accounts can need."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Unusable("Cloudcraft's answer has an encoding that was not requested.")
    body = bytearray()
    chunks = response.iter_raw()
    while max(len(body), _announced(response)) <= LARGEST_BODY:
        chunk = next(chunks, None)
        if chunk is None:
            break
        body += chunk
    else:
        raise Unusable(f"Cloudcraft's answer is larger than {LARGEST_BODY // 10**6} MB.")
    if any(body.count(sign) > most for sign, most in _MOST_OF.items()):
        raise Unusable(f"Cloudcraft's answer has more than {MOST_ENTRIES:,} accounts can need.")
    return bytes(body)


def _announced(response: httpx.Response) -> int:
    """The length that the headers announce; 0 without one."""
    length = response.headers.get("Content-Length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else 0


class _Journey:
    """Reads httpcore's trace of one request: where it goes, and when it has arrived.

    It has arrived one round trip after its last byte was written. The handshakes of its own
    connection show how long that is: TCP's and, with a proxy or TLS in between, TLS's too.
    """

    def __init__(self, sending: Sending, deadline: _Deadline) -> None:
        self.host = self.peer = ""
        self.deadline = deadline
        self.connecting = False
        self._sending = sending
        self._began = self._round_trip = 0.0
        self._tunnel = False

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """The `trace` extension of httpcore."""
        now = time.monotonic()
        match event.partition(".")[2]:
            case "connect_tcp.started":
                self.host = str(info["host"])
                self.peer = f"{self.host}:{info['port']}"
                self.connecting, self._began = True, now
            case "start_tls.started":
                self._began = now
            case "connect_tcp.complete" | "start_tls.complete":
                self.connecting = False
                self._round_trip = max(self._round_trip, now - self._began)
                self.deadline.begin(info["return_value"].get_extra_info("socket"))
            case "send_request_headers.started":
                self._tunnel = info["request"].method == b"CONNECT"
                if not self._tunnel:
                    self._sending.sent()
            case "send_request_body.complete" if not self._tunnel:
                self._sending.arrived(now + self._round_trip)


class _Deadline:
    """Ends an exchange that takes longer than `seconds` from its newest stream (TCP, then TLS) on.

    The HTTP client's own time-outs bound each read only, so a server that sends a byte now and then
    could hold a thread for ever. Shutting its socket down makes the read under way fail. If the
    system has no thread left, only each read is bounded.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._seconds = min(seconds, threading.TIMEOUT_MAX)
        self._timer: threading.Timer | None = None

    def begin(self, connection: socket.socket) -> None:
        """Restart the time."""
        self._stop()
        self._timer = threading.Timer(self._seconds, self._end, [connection])
        self._timer.daemon = True
        with contextlib.suppress(RuntimeError):
            self._timer.start()

    def _end(self, connection: socket.socket) -> None:
        self.passed = True
        with contextlib.suppress(OSError):  # closed just now
            connection.shutdown(socket.SHUT_RDWR)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()


def _cause(error: BaseException, kind: type[_E]) -> _E | None:
    """The error of this kind behind `error`, at any depth."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found
