"""What failures mean for a node, and that messages hold no credentials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from oneo.errors import NodeError, PermanentNodeError, TransientNodeError
from oneo.http import OutcomeUnknownError, Request, Response, check, retry_after_seconds
from tests.http.server import Answer, Recorded, RecordingServer
from tests.http.support import allowing, send


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def failure(server: RecordingServer, answer: Answer, **fields: Any) -> NodeError:
    """The error one scripted answer leads to."""
    server.on("GET", "/", answer)
    with pytest.raises(NodeError) as caught:
        check(send(allowing(server), server.url(), **fields))
    return caught.value


@pytest.mark.parametrize("status", [200, 204, 304, 399])
def test_success_passes_the_check(status: int) -> None:
    response = Response(status=status, headers={}, body_bytes=b"", data=None, url="", elapsed_ms=1)
    assert check(response) is response


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507])
def test_server_errors_may_be_tried_again(server: RecordingServer, status: int) -> None:
    error = failure(server, Answer(status=status, body="busy", headers={"Retry-After": "7"}))
    assert isinstance(error, TransientNodeError)
    assert not isinstance(error, OutcomeUnknownError)
    assert error.retry_after == 7
    assert error.message == f"{server.url()} answered {status}: busy"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_client_errors_are_permanent_and_quote_the_body(server: RecordingServer, status: int) -> None:
    error = failure(server, Answer(status=status, body="no such field " * 100))
    assert isinstance(error, PermanentNodeError)
    quoted = error.message.removeprefix(f"{server.url()} answered {status}: ")
    assert quoted == ("no such field " * 100)[:500]


def test_4xx_can_be_output(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(status=404, body={"error": "gone"}))
    assert send(allowing(server), server.url()).data == {"error": "gone"}


def test_429_waits_as_told(server: RecordingServer) -> None:
    error = failure(server, Answer(status=429, headers={"Retry-After": "12"}))
    assert isinstance(error, TransientNodeError)
    assert error.retry_after == 12
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    error = failure(server, Answer(status=429, headers={"Retry-After": later}))
    assert isinstance(error, TransientNodeError)
    assert error.retry_after is not None
    assert 25 < error.retry_after <= 30


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("999999", 3600),
        ("9" * 5000, 3600),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60),
        ("Fri, 02 Jan 2026 04:05:05 +0100", 60),
        ("Fri, 02 Jan 2026 03:04:15 -0000", 10),
        ("Fri, 02 Jan 2099 03:04:05 GMT", 3600),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u00b2", None),
    ],
)
def test_retry_after_in_both_forms(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_credentials_do_not_appear_in_errors(server: RecordingServer) -> None:
    def echo(request: Recorded) -> Answer:
        return Answer(
            status=401,
            body=f"{request.headers['authorization']} {request.headers['x-api-key']} {request.target}",
        )

    server.on("GET", "/", echo)
    with pytest.raises(PermanentNodeError) as caught:
        check(
            send(
                allowing(server),
                server.url(),
                headers={"Authorization": "Basic YWRhOmh1bnRlcjI=", "X-Api-Key": "k-123456"},
                params={"access_token": "t-654321", "page": 2},
            )
        )
    message = str(caught.value)
    assert "page=2" in message
    assert not [secret for secret in ("YWRhOmh1bnRlcjI", "k-123456", "t-654321") if secret in message]


def test_a_request_does_not_show_its_credentials() -> None:
    request = Request(
        method="GET", url="https://a.example/?token=1", headers={"Authorization": "x"}, body="y"
    )
    assert repr(request) == "Request(GET https://a.example/?token=***)"


def test_a_refused_connection_may_be_tried_again() -> None:
    with RecordingServer() as gone:
        pass
    with pytest.raises(TransientNodeError, match="could not connect") as caught:
        send(allowing(gone), gone.url())
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize("drop", ["before", "during", "reset"])
def test_a_dropped_connection_leaves_the_outcome_unknown(server: RecordingServer, drop: Any) -> None:
    error = failure(server, Answer(drop=drop, body="half"))
    assert isinstance(error, OutcomeUnknownError)
    assert "connection broke" in error.message
    assert len(server.requests) == 1
