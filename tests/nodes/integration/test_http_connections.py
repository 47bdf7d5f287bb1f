"""http_request through a connection: its address, its credentials, and that they stay there."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.http.server import Answer, Recorded, RecordingServer
from tests.nodes.bench import Bench


def call(bench: Bench, url: str = "", **config: Any) -> Any:
    return bench.node("http_request", {"connection_id": "crm", "url": url, **config})


def echo(request: Recorded) -> Answer:
    return Answer(body={"headers": request.headers, "target": request.target})


@pytest.fixture
def crm(bench: Bench, server: RecordingServer) -> RecordingServer:
    """A connection to `/v2` of the server, with login, password and a header."""
    bench.vault.connect(
        "crm",
        host=f"{server.authority}/v2",
        login="ada",
        password="pa55word",
        extra={
            "X-Api-Key": "extra-key",
            "Accept": "application/json",
            "X-Version": 2,
            "timeout": 5,
            "verify": "/x",
        },
    )
    return server


def test_address_login_and_headers_come_from_the_connection(bench: Bench, crm: RecordingServer) -> None:
    crm.on("GET", "/v2/contacts", echo)
    ran = call(bench, "/contacts", query={"a": 1})
    [request] = crm.requests
    assert request.target == "/v2/contacts?a=1"
    pair = base64.b64encode(b"ada:pa55word").decode()
    assert request.headers["authorization"] == f"Basic {pair}"
    assert (request.headers["x-api-key"], request.headers["x-version"]) == ("extra-key", "2")
    assert not {"timeout", "verify"} & set(request.headers)
    assert ran.output["headers"]["content-type"] == "application/json"
    kept = repr([vars(row) for row in bench.rows(ran.execution)]) + repr(ran.report)
    for hidden in ("pa55word", pair, "extra-key"):
        assert hidden not in kept


def test_the_nodes_own_headers_weigh_more(bench: Bench, crm: RecordingServer) -> None:
    crm.on("GET", "/v2/x", Answer())
    call(bench, "x", headers={"authorization": "Bearer own", "X-API-KEY": "other"})
    assert crm.requests[0].headers["authorization"] == "Bearer own"
    assert crm.requests[0].headers["x-api-key"] == "other"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("", "/v2"),
        ("contacts", "/v2/contacts"),
        ("//contacts", "/v2/contacts"),
        ("/search?next=https://x.example/", "/v2/search?next=https://x.example/"),
        ("people:search", "/v2/people:search"),
        ("/a/b/?c=..", "/v2/a/b/?c=.."),
    ],
)
def test_paths_stand_below_the_address(bench: Bench, crm: RecordingServer, url: str, target: str) -> None:
    call(bench, url)
    assert crm.requests[0].target == target


def test_an_absolute_url_below_the_address_is_fine(bench: Bench, crm: RecordingServer) -> None:
    call(bench, crm.url("/v2/contacts"))
    assert crm.requests[0].target == "/v2/contacts"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v2/x",
        "http://127.0.0.1:1/v2/x",
        "../v1/contacts",
        "/a/../../v1",
        "/%2e%2e/v1",
        "/a/..%2fv1",
        "..\\v1",
        "http://[::1",
        "http://127.0.0.1:99999/",
    ],
)
def test_a_url_that_leads_away_is_refused(bench: Bench, crm: RecordingServer, url: str) -> None:
    ran = call(bench, url)
    assert ran.error["type"] == "ConfigError"
    assert f"url {url!r} leads away from connection 'crm'" in ran.message
    assert "give a path below the connection's address" in ran.message
    assert crm.requests == []


def test_an_absolute_url_beside_the_address_is_refused(bench: Bench, crm: RecordingServer) -> None:
    assert "leads away" in call(bench, crm.url("/v1/contacts")).message
    assert "leads away" in call(bench, crm.url("/v22")).message


@pytest.mark.parametrize("scheme_in_host", [True, False])
def test_scheme_and_port_may_stand_in_the_host_or_beside_it(
    bench: Bench, server: RecordingServer, scheme_in_host: bool
) -> None:
    server.on("GET", "/v2/x", Answer(body="ok"))
    host = "http://127.0.0.1/v2" if scheme_in_host else "127.0.0.1"
    bench.vault.connect("crm", host=host, port=server.port, scheme=None if scheme_in_host else "http")
    assert call(bench, "x" if scheme_in_host else "/v2/x").output["body"] == "ok"


def test_the_shared_connection_stands_in(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/x", Answer(body="ok"))
    bench.vault.connect("crm", owner="shared", host=server.authority)
    assert call(bench, "x").output["body"] == "ok"
    assert "authorization" not in server.requests[0].headers


def test_a_missing_connection_says_how_to_create_it(bench: Bench) -> None:
    bench.vault.connect("crm", owner="another", host="x")
    ran = call(bench, "x")
    assert "there is no connection 'crm'" in ran.message
    assert f"'oneo__{bench.tenant}__crm' (or 'oneo__shared__crm' for all tenants)" in ran.message


def test_a_connection_of_another_type_is_refused(bench: Bench) -> None:
    bench.vault.connect("crm", kind="postgres", host="db")
    assert "connection 'crm' is of type 'postgres' (create it with type http)" in call(bench, "x").message


def test_a_short_extra_does_not_spoil_the_output(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/x", Answer(body={"id": "12-1", "n": 2}))
    bench.vault.connect("crm", host=server.authority, extra={"X-Version": "1"})
    assert call(bench, "x").output["body"] == {"id": "12-1", "n": 2}
