"""A server below HTTP, for what a web framework cannot be made to do."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

TLS_HANDSHAKE = b"\x16"

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What is done with a connection after its request was read; the event is the server's end."""


@dataclass(frozen=True)
class RawRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: object = b"", **headers: str) -> Behaviour:
    """A whole answer; `body` as bytes or as what JSON can say."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def send(content: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""
    return lambda connection, _: connection.sendall(content)


def reset(connection: socket.socket, _: threading.Event) -> None:
    """RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection: socket.socket, _: threading.Event) -> None:
    """FIN instead of an answer."""


def drip(content: bytes, forever: bytes, pause: float = 0.05) -> Behaviour:
    """`content`, then `forever` again and again, byte by byte."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(content)
        while not over.wait(pause):
            connection.sendall(forever)

    return behave


def hang(_: socket.socket, over: threading.Event) -> None:
    """Silence."""
    over.wait()


class RawServer:
    """Takes one behaviour a connection, in order; then hangs up on everybody."""

    def __init__(self) -> None:
        self.requests: list[RawRequest] = []
        self.script: list[Behaviour] = []
        self.tls: ssl.SSLContext | None = None
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if not self.tls and connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_read(connection))
                behave = self.script.pop(0) if self.script else close
                behave(connection, self._over)


def _read(connection: socket.socket) -> RawRequest:
    stream = connection.makefile("rb")
    method, path, _ = stream.readline().decode().split(" ")
    headers: dict[str, str] = {}
    while line := stream.readline().strip().decode():
        name, value = line.split(": ", 1)
        headers[name.lower()] = value
    body = stream.read(int(headers.get("content-length", 0)))
    return RawRequest(method, path, headers, body)


def sent_json(request: RawRequest) -> Any:
    return json.loads(request.body)
