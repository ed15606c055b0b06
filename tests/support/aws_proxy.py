"""A proxy in front of the local AWS that answers for it what it cannot answer itself."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from tests.support.process import HANG

NEVER = 10**9


@dataclass(kw_only=True, slots=True)
class Trouble:
    """What happens to calls of one action: to `times` of them, after `skip`.

    `kind` is "error" (with `status`, `code`, `message`), "raw" (`status` and `body`), "drop"
    (connection closed, not passed on), "lost" (passed on, then closed without the answer) or
    "slow" (`delay` seconds, then passed on). `where` must occur in the call's parameters, such as
    a role's ARN.
    """

    action: str
    kind: str = "error"
    status: int = 400
    code: str = ""
    message: str = ""
    body: bytes = b""
    delay: float = 0.0
    times: int = NEVER
    skip: int = 0
    where: str = ""

    def takes(self, action: str, body: str) -> bool:
        """Whether it happens to this call."""
        if action != self.action or self.where not in body or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class AwsProxy:
    """Passes calls on unchanged (signatures hold, since `Host` stays) unless one is in trouble."""

    def __init__(self, aws_url: str) -> None:
        self.calls: Counter[str] = Counter()
        self.most_slow = 0
        """How many calls in the trouble "slow" there were at a time."""
        self._slow = 0
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        self._server = _Server(self, str(urlsplit(aws_url).netloc))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def trouble(self, action: str, **fields: Any) -> None:
        """Make calls of an action go wrong; the fields are `Trouble`'s."""
        with self._lock:
            self._troubles.append(Trouble(action=action, **fields))

    def deny(self, action: str, reason: str, *, service: str = "iam", **fields: Any) -> None:
        """AccessDenied as AWS words it; `reason` is the end of the sentence (see below)."""
        text = (
            "User: arn:aws:sts::111122223333:assumed-role/OrganizationAccountAccessRole/onboard is "
            f"not authorized to perform: {service}:{action} on resource: "
            f"arn:aws:iam::111122223333:role/cloudcraft {reason}"
        )
        self.trouble(action, status=403, code="AccessDenied", message=text, **fields)

    def calm(self) -> None:
        """Let nothing more go wrong, and count from zero."""
        with self._lock:
            self._troubles.clear()
            self.calls.clear()

    def count(self, action: str, body: str) -> Trouble | None:
        """Note a call; what happens to it."""
        with self._lock:
            self.calls[action] += 1
            return next((t for t in self._troubles if t.takes(action, body)), None)

    def wait(self, seconds: float) -> None:
        """Be slow."""
        with self._lock:
            self._slow += 1
            self.most_slow = max(self.most_slow, self._slow)
        time.sleep(seconds)
        with self._lock:
            self._slow -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


SCP = "with an explicit deny in a service control policy"
BOUNDARY = "because no permissions boundary allows the iam:CreateRole action"
NO_IDENTITY_POLICY = "because no identity-based policy allows the iam:CreateRole action"
THROTTLING = {"status": 400, "code": "Throttling", "message": "Rate exceeded"}
EXPIRED = {
    "status": 403,
    "code": "ExpiredToken",
    "message": "The security token included in the request is expired",
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: AwsProxy, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.upstream = upstream

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _upstream: HTTPConnection | None = None

    def do_GET(self) -> None:
        """The portal of IAM Identity Center: its actions are the paths."""
        self._take(urlsplit(self.path).path, b"", self.path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        text = body.decode(errors="replace")
        target = self.headers.get("x-amz-target", "")
        action = target.partition(".")[2] or parse_qs(text).get("Action", [""])[0]
        self._take(action, body, text)

    def _take(self, action: str, body: bytes, text: str) -> None:
        trouble = self.server.proxy.count(action, text)
        if trouble is None:
            self._pass_on(body)
        elif trouble.kind == "error":
            self._refuse(trouble, json_too="x-amz-target" in self.headers)
        elif trouble.kind == "raw":
            self.send_response_only(trouble.status)
            self.send_header("Content-Type", "text/xml")
            self._send(trouble.body)
        elif trouble.kind == "slow":
            self.server.proxy.wait(trouble.delay)
            self._pass_on(body)
        else:
            if trouble.kind == "lost":
                self._ask(body)
            self.close_connection = True

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._upstream is None:
            self._upstream = HTTPConnection(self.server.upstream, timeout=HANG)
        self._upstream.putrequest(
            self.command, self.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in self.headers.items():
            self._upstream.putheader(name, value)
        self._upstream.endheaders(body)
        answer = self._upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def _pass_on(self, body: bytes) -> None:
        status, headers, answer = self._ask(body)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self._send(answer)

    def _refuse(self, trouble: Trouble, *, json_too: bool) -> None:
        self.send_response_only(trouble.status)
        if json_too:  # services with the JSON protocol, such as Organizations
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            told = {"__type": trouble.code, "Message": trouble.message}
            self._send(json.dumps(told).encode())
            return
        self.send_header("Content-Type", "text/xml")
        self._send(
            (
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{trouble.code}</Code><Message>{escape(trouble.message)}</Message></Error>"
                "<RequestId>proxy</RequestId></ErrorResponse>"
            ).encode()
        )

    def _send(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        if self._upstream is not None:
            self._upstream.close()
