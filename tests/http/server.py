"""A real HTTP server on loopback for tests: answers as scripted, records what it was asked.

    with RecordingServer() as server:
        server.on("POST", "/hook", Answer(status=503), Answer(body={"ok": True}))   # first call, later calls
        ... call server.url("/hook") ...
        assert server.requests[0].json() == {"name": "Ada"}

It waits for nothing but sockets; scripted delays end at once when the server stops.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Answer:
    """One scripted answer.

    Args:
        status: Status code.
        headers: Added to `Content-Length`, `Date` and, for JSON bodies, `Content-Type`.
        body: Text, bytes, or a value sent as JSON.
        delay: Seconds before the status line.
        chunks: Sent one by one instead of `body`, as long as anybody reads.
        chunk_delay: Seconds between chunks.
        drop: Close the connection instead of answering: `before` the status line, `during` the body, or
            `reset` it.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = b""
    delay: float = 0.0
    chunks: Iterable[bytes] | None = None
    chunk_delay: float = 0.0
    drop: Literal["before", "during", "reset"] | None = None


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived. Header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query by name."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Script = Answer | Callable[[Recorded], Answer]


class RecordingServer:
    """The server; a context manager. Its port is free when it starts.

    Args:
        host: Loopback address to listen on.
        ssl_context: Serve https with this certificate.
    """

    def __init__(self, host: str = "127.0.0.1", ssl_context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Recorded] = []
        self.connections = 0
        self.server_names: list[str | None] = []
        self.written = 0
        self._arrived = threading.Condition()
        self._routes: dict[tuple[str, str], deque[Script]] = {}
        self._stopping = threading.Event()
        self._scheme = "http" if ssl_context is None else "https"
        if ssl_context is not None:
            ssl_context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self._server = _Server(self, host, ssl_context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def authority(self) -> str:
        """`host:port`, as the allow-list and the `Host` header spell it."""
        host = str(self._server.server_address[0])
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def url(self, path: str = "/", host: str | None = None) -> str:
        """The URL of a path, under another host name where one is given."""
        return f"{self._scheme}://{f'{host}:{self.port}' if host else self.authority}{path}"

    def on(self, method: str, path: str, *answers: Script) -> Self:
        """Script the answers of a path, one per call; the last one repeats. Anything else is answered 404."""
        self._routes[(method, path)] = deque(answers or (Answer(),))
        return self

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Recorded]:
        """Wait until that many requests have arrived and return all of them."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, timeout):
                raise AssertionError(f"{len(self.requests)} of {count} requests arrived in {timeout} s")
            return list(self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()

    def answer_to(self, request: Recorded) -> Answer:
        """Record a request and take its answer from the script."""
        with self._arrived:
            self.requests.append(request)
            script = self._routes.get((request.method, request.path))
            answer = None if script is None else (script.popleft() if len(script) > 1 else script[0])
            self._arrived.notify_all()
        if answer is None:
            return Answer(status=404, body="not scripted")
        return answer(request) if callable(answer) else answer

    def pause(self, seconds: float) -> None:
        """Wait, unless the server stops."""
        if seconds:
            self._stopping.wait(seconds)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: RecordingServer, host: str, ssl_context: ssl.SSLContext | None) -> None:
        self.owner = owner
        self.ssl_context = ssl_context
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: set[socket.socket] = set()
        super().__init__((host, 0), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            if self.ssl_context is not None:
                request = self.ssl_context.wrap_socket(request, server_side=True)
                self._open.add(request)
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client hung up, as many tests make it do
        finally:
            self._open.discard(request)
            self.shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.owner.connections += 1
        self._number = self.server.owner.connections

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner = self.server.owner
        answer = owner.answer_to(Recorded(self.command, self.path, headers, body, self._number))
        owner.pause(answer.delay)
        if answer.drop == "reset":  # without lingering, closing sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.connection.detach())
        if answer.drop in {"before", "reset"}:
            self.close_connection = True
            return
        content, extra = _content(answer)
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        for name, value in {**extra, **answer.headers}.items():
            self.send_header(name, value)
        if answer.chunks is not None:
            self.close_connection = True
            self.send_header("Connection", "close")
        elif "content-length" not in {name.lower() for name in answer.headers}:
            self.send_header("Content-Length", str(len(content) + (answer.drop == "during")))
        self.end_headers()
        self.close_connection = self.close_connection or answer.drop == "during"
        if self.command == "HEAD":
            return
        for number, chunk in enumerate([content] if answer.chunks is None else answer.chunks):
            owner.pause(answer.chunk_delay if number else 0)
            self.wfile.write(chunk)
            owner.written += len(chunk)


def _content(answer: Answer) -> tuple[bytes, dict[str, str]]:
    if isinstance(answer.body, bytes):
        return answer.body, {}
    if isinstance(answer.body, str):
        return answer.body.encode(), {"Content-Type": "text/plain; charset=utf-8"}
    return json.dumps(answer.body).encode(), {"Content-Type": "application/json"}
