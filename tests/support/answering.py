"""A real HTTP server on loopback that answers what it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Answerer = Callable[[str, str, bytes], Answer | None]
"""From method, path and body to status, headers and body; None closes the connection."""


@contextmanager
def answering(answer: Answerer) -> Iterator[str]:
    """Serve; the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            told = answer(self.command, self.path, body)
            if told is None:
                self.close_connection = True
                return
            status, headers, content = told
            self.send_response_only(status)
            given = {name.lower() for name in headers}
            for name, value in headers.items():
                self.send_header(name, value)
            if "content-length" not in given and "transfer-encoding" not in given:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            if given & {"content-length", "transfer-encoding"}:
                self.close_connection = True  # what was said may not be true

        do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = handle_one  # noqa: N815 - as the class wants it

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that hung up is no news."""

    with at_work(Server(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def at_work(server: TCPServer) -> Iterator[int]:
    """Serve in a thread of its own; the port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
