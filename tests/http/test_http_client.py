"""Requests and answers of the client, against a real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from oneo.errors import ConfigError
from oneo.http import AllowList, Guard, HttpClient, Request, Response
from tests.http import support
from tests.http.server import Answer, RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def send(server: RecordingServer, path: str = "/", method: str = "GET", **fields: Any) -> Response:
    """Send one request to the server, which is on the allow-list."""
    return support.send(support.allowing(server), server.url(path), method, **fields)


def test_a_request_arrives_as_given(server: RecordingServer) -> None:
    server.on("POST", "/a", Answer(status=201, body={"id": 7}, headers={"X-Two": "2"}))
    response = send(
        server,
        "/a?z=0",
        "post",
        headers={"X-One": " 1 ", "X-Name": "Zoë"},
        params={"q": "a b&c", "ids": [1, 2], "on": True, "none": None, "day": "2026-01-02"},
        body={"name": "Ada", "day": date(2026, 1, 2), "price": Decimal("12.50"), "count": Decimal(3)},
    )
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/a")
    assert request.query == {
        "z": ["0"],
        "q": ["a b&c"],
        "ids": ["1", "2"],
        "on": ["true"],
        "day": ["2026-01-02"],
    }
    assert request.json() == {"name": "Ada", "day": "2026-01-02", "price": 12.5, "count": 3}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-one"] == "1"
    assert request.headers["x-name"].encode("latin-1").decode() == "Zoë"
    assert request.headers["host"] == server.authority
    assert request.headers["user-agent"].startswith("Oneo-Workflows/0.")
    assert response.status == 201
    assert response.headers["x-two"] == "2"
    assert response.data == {"id": 7}
    assert response.body_bytes == b'{"id": 7}'
    assert response.url == server.url("/a?z=0&q=a+b%26c&ids=1&ids=2&on=true&day=2026-01-02")
    assert 0 < response.elapsed_ms < 5000


@pytest.mark.parametrize(
    ("body", "headers", "sent", "content_type"),
    [
        (None, {}, b"", None),
        (b"\x00\x01", {}, b"\x00\x01", "application/octet-stream"),
        ("Zoë", {}, "Zoë".encode(), "text/plain; charset=utf-8"),
        ("<a/>", {"Content-Type": "application/xml"}, b"<a/>", "application/xml"),
        ([1, "ö"], {}, '[1,"ö"]'.encode(), "application/json"),
        ({}, {"content-type": "application/vnd.api+json"}, b"{}", "application/vnd.api+json"),
        (
            {"a": "1 2", "b": [True, None]},
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a=1+2&b=true",
            "application/x-www-form-urlencoded",
        ),
    ],
)
def test_bodies(
    server: RecordingServer, body: Any, headers: dict[str, str], sent: bytes, content_type: str | None
) -> None:
    server.on("POST", "/", Answer())
    send(server, method="POST", body=body, headers=headers)
    assert server.requests[0].body == sent
    assert server.requests[0].headers.get("content-type") == content_type
    assert server.requests[0].headers["content-length"] == str(len(sent))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"headers": {"X": "a\r\nEvil: 1"}}, "line break"),
        ({"headers": {"X": "a\nb"}}, "line break"),
        ({"headers": {"X": "a\x00b"}}, "control character"),
        ({"headers": {"X": "a\x85b"}}, "control character"),
        ({"headers": {"X": "\ud800"}}, "control character"),
        ({"headers": {"X": 1}}, "must be text"),
        ({"headers": {"X\r\nEvil": "1"}}, "header name"),
        ({"headers": {"X Y": "1"}}, "header name"),
        ({"headers": {"": "1"}}, "header name"),
        ({"headers": {"X": "1", "x": "2"}}, "given twice"),
        ({"headers": {"Host": "internal"}}, "set by the client"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "set by the client"),
        ({"headers": {"content-length": "1"}}, "set by the client"),
        ({"method": "GET / HTTP/1.1\r\nX: "}, "HTTP method"),
        ({"method": "CONNECT"}, "HTTP method"),
        ({"method": ""}, "HTTP method"),
        ({"body": float("nan")}, "JSON"),
        ({"body": {"a": object()}}, "object is not a JSON value"),
        ({"body": "a", "timeout_seconds": 0}, "timeout_seconds"),
        ({"body": [], "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, "form body"),
    ],
)
def test_what_cannot_be_sent_is_the_authors_to_mend(
    server: RecordingServer, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        send(server, **fields)
    assert server.connections == 0


def test_header_values_do_not_appear_in_messages(server: RecordingServer) -> None:
    with pytest.raises(ConfigError) as caught:
        send(server, headers={"Authorization": "Bearer hunter2\r\n"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (Answer(body={"a": [1]}), {"a": [1]}),
        (Answer(body=b"[1]", headers={"Content-Type": "application/hal+json; charset=utf-8"}), [1]),
        (Answer(body=b'{"a": 1}'), {"a": 1}),
        (Answer(body=b"plain"), "plain"),
        (Answer(body=b""), None),
        (Answer(status=204), None),
        (Answer(body="Zoë"), "Zoë"),
        (
            Answer(body="Zoë".encode("latin-1"), headers={"Content-Type": "text/csv; charset=ISO-8859-1"}),
            "Zoë",
        ),
        (Answer(body=b"x", headers={"Content-Type": "text/plain; charset=nonsense"}), "x"),
        (Answer(body=b"[1]", headers={"Content-Type": "text/plain"}), "[1]"),
        (Answer(body=b"\x89PNG\xff", headers={"Content-Type": "image/png"}), None),
        (Answer(body=b"\xff\xfe\x00"), None),
    ],
)
def test_data_is_json_else_text_else_nothing(server: RecordingServer, answer: Answer, data: Any) -> None:
    server.on("GET", "/", answer)
    response = send(server)
    assert response.data == data
    assert response.json_error is None


@pytest.mark.parametrize("body", ["{", '{"a": NaN}', "[" * 70 + "]" * 70, "[" * 100_000])
def test_a_body_falsely_announced_as_json_is_left_as_text(server: RecordingServer, body: str) -> None:
    server.on("GET", "/", Answer(body=body.encode(), headers={"Content-Type": "application/json"}))
    response = send(server)
    assert response.data == body
    assert (response.json_error or "").startswith("not valid JSON")


def test_connections_are_reused_and_cookies_are_not(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(headers={"Set-Cookie": "session=1"}))

    async def run() -> None:
        async with HttpClient(Guard(AllowList.parse(server.authority))) as client:
            for _ in range(3):
                await client.send(Request(method="GET", url=server.url()))

    asyncio.run(run())
    assert server.connections == 1
    assert all("cookie" not in request.headers for request in server.requests)


def test_proxies_of_the_environment_are_not_used(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("GET", "/", Answer())
    assert send(server).status == 200


def test_importing_the_package_loads_no_network_library() -> None:
    code = (
        "import sys, oneo.http; "
        "print([name for name in ('httpx', 'httpcore', 'anyio', 'idna', 'pydantic') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
