"""Redirects: checked like the first address, with credentials kept at home."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneo.errors import ConfigError, PermanentNodeError
from oneo.http import OutcomeUnknownError
from oneo.http.compose import Hop
from oneo.http.redirects import next_hop
from oneo.http.target import Target
from tests.http.server import Answer, RecordingServer
from tests.http.support import FakeDns, allowing, send


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://127.0.0.1:1/", "loopback"),
        ("http://169.254.169.254/latest/meta-data/", "metadata service"),
        ("http://[::ffff:169.254.169.254]/", "metadata service"),
        ("http://inside.example/", "RFC 1918"),
        ("http://2130706433/", "unusual notation"),
        ("http://a:b@example.com/", "user name or password"),
        ("ftp://example.com/", "scheme"),
        ("//10.0.0.1/", "RFC 1918"),
    ],
)
def test_redirects_are_checked_again(server: RecordingServer, location: str, why: str) -> None:
    server.on("GET", "/", Answer(status=302, headers={"Location": location}))
    dns = FakeDns(inside_example=[["10.0.0.5"]])
    with pytest.raises(ConfigError, match=why) as caught:
        send(allowing(server, resolver=dns), server.url())
    assert caught.value.message.startswith(f"{server.url()} redirects to an address that is refused")


def test_redirects_are_followed_relative_and_counted(server: RecordingServer) -> None:
    server.on("GET", "/a/1", Answer(status=301, headers={"Location": "2?x=1#frag"}))
    server.on("GET", "/a/2", Answer(body="here"))
    response = send(allowing(server), server.url("/a/1"), params={"p": 1}, max_redirects=1)
    assert (response.data, response.url) == ("here", server.url("/a/2?x=1"))
    with pytest.raises(PermanentNodeError, match="more than 0 redirects"):
        send(allowing(server), server.url("/a/1"), max_redirects=0)
    server.on("GET", "/loop", Answer(status=302, headers={"Location": "/loop"}))
    seen = len(server.requests)
    with pytest.raises(PermanentNodeError, match="more than 5 redirects"):
        send(allowing(server), server.url("/loop"))
    assert len(server.requests) - seen == 6


def test_redirects_can_be_output(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(status=302, headers={"Location": "/next"}, body="moved"))
    response = send(allowing(server), server.url(), follow_redirects=False)
    assert (response.status, response.data, response.headers["location"]) == (302, "moved", "/next")
    server.on("GET", "/", Answer(status=302, body="nowhere"))
    assert send(allowing(server), server.url()).data == "nowhere"


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", False),
        (301, "PUT", "PUT", True),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
    ],
)
def test_methods_after_a_redirect(
    server: RecordingServer, status: int, method: str, then: str, keeps_body: bool
) -> None:
    server.on(method, "/", Answer(status=status, headers={"Location": "/next"})).on(then, "/next", Answer())
    send(allowing(server), server.url(), method, body=None if method == "HEAD" else {"a": 1})
    request = server.requests[1]
    assert (request.method, request.body) == (then, b'{"a":1}' if keeps_body else b"")
    assert ("content-type" in request.headers) is keeps_body


CREDENTIALS = {
    "Authorization": "Bearer s",
    "Cookie": "a=b",
    "X-Api-Key": "k",
    "Private-Token": "t",
    "X-Anything": "v",
}


def test_credentials_stay_within_the_origin(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(status=302, headers={"Location": "/same"}))
    with RecordingServer() as other:
        server.on("GET", "/same", Answer(status=302, headers={"Location": other.url("/away")}))
        other.on("GET", "/away", Answer(status=302, headers={"Location": server.url("/back")}))
        server.on("GET", "/back", Answer(body="done"))
        headers = {**CREDENTIALS, "Accept": "text/csv", "Idempotency-Key": "i"}
        assert send(allowing(server, other), server.url(), headers=headers).data == "done"
        away = other.requests[0]
    first, same, back = server.requests
    credentials = {name.lower() for name in CREDENTIALS}
    assert credentials <= set(first.headers)
    assert credentials <= set(same.headers)
    assert not credentials & set(away.headers)
    assert not credentials & set(back.headers)  # what was dropped stays dropped
    assert (away.headers["accept"], away.headers["idempotency-key"]) == ("text/csv", "i")


@pytest.mark.parametrize(
    "location", ["https://other.example/", "https://a.example:8443/", "https://sub.a.example/"]
)
def test_another_scheme_host_or_port_is_another_origin(location: str) -> None:
    hop = Hop("GET", Target.parse("https://a.example/"), {"authorization": "x", "accept": "*/*"}, None)
    assert next_hop(hop, 302, location).headers == {"accept": "*/*"}
    assert next_hop(hop, 302, "https://A.example.:443/b").headers == hop.headers
    plain = Hop("GET", Target.parse("http://a.example/"), hop.headers, None)
    assert next_hop(plain, 302, "https://a.example/").headers == {"accept": "*/*"}


def test_encryption_is_not_given_up() -> None:
    hop = Hop("GET", Target.parse("https://a.example/"), {}, None)
    with pytest.raises(ConfigError, match="redirects to plain http"):
        next_hop(hop, 302, "http://a.example/")


def test_a_failure_after_a_redirected_post_leaves_the_outcome_unknown(server: RecordingServer) -> None:
    with RecordingServer() as gone:
        pass
    server.on("POST", "/", Answer(status=303, headers={"Location": gone.url()}))
    with pytest.raises(OutcomeUnknownError, match="could not connect"):
        send(allowing(server, gone), server.url(), "POST", body={})
