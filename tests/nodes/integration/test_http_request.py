"""http_request: what is sent, what comes back, what a failure means."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from oneo_operators import flow_runner
from tests.http.server import Answer, Recorded, RecordingServer
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["http_request"]
SECRET = 'k3y/with "quotes"+signs'


def call(bench: Bench, server: RecordingServer, path: str = "/a", **config: Any) -> Any:
    retries = config.pop("retries", {})
    data = config.pop("data", None)
    config = {"url": server.url(path), **config}
    return bench.node("http_request", config, data, error_handling={"retry_delay": 0, **retries})


def mirror(request: Recorded) -> Answer:
    """Everything the server got, in body and headers."""
    text = request.body.decode()
    seen = {"headers": request.headers, "text": text, "target": request.target}
    return Answer(body=seen, headers={"X-Echo": request.headers.get("authorization", "")})


def everything(ran: Any, bench: Bench) -> str:
    return repr([vars(row) for row in bench.rows(ran.execution)]) + repr(ran.report)


def test_the_example_posts_the_payload_with_the_secret(bench: Bench, server: RecordingServer) -> None:
    server.on("POST", "/endpoint", Answer(status=201, body={"id": 7}))
    bench.vault.keep("api_key", "s3cr3t-key")
    config = {**EXAMPLE, "url": server.url("/endpoint")}
    config["body"] = {"data": "{{trigger.payload}}"}
    ran = bench.node("http_request", config, {"payload": {"n": [1, 2.5, None]}}, error_handling={})
    [request] = server.requests
    assert request.headers["authorization"] == "Bearer s3cr3t-key"
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {"data": {"n": [1, 2.5, None]}}
    assert (ran.output["status"], ran.output["body"]) == (201, {"id": 7})
    assert ran.output["headers"]["content-type"] == "application/json"
    assert ran.output["url"] == server.url("/endpoint")
    assert ran.output["elapsed_ms"] > 0
    assert ran.node["input"]["headers"]["Authorization"] == "Bearer ***"
    assert "s3cr3t-key" not in everything(ran, bench)


def test_the_examples_error_handling_goes_on_after_three_retries(
    bench: Bench, server: RecordingServer
) -> None:
    server.on("POST", "/endpoint", Answer(status=503, body="busy"))
    bench.vault.keep("api_key", "s3cr3t-key")
    config = {**EXAMPLE, "url": server.url("/endpoint"), "body": None}
    note = {"recipients": ["eva"], "title": "x", "message": "{{nodes.call.error.message}}"}
    nodes = [
        {"id": "call", "type": "http_request", "config": config, "error_handling": {"retry_delay": 0}},
        {"id": "tell", "type": "task_notify", "config": note},
    ]
    report = bench.run(workflow(*nodes))
    assert report["status"] == "success"
    assert (report["nodes"]["call"]["status"], report["nodes"]["call"]["attempts"]) == ("failed", 4)
    assert len(server.requests) == 4
    [told] = bench.notifications_of(report["execution"])
    assert "answered 503: busy" in told.message


def test_by_default_it_gets(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(body="hello"))
    ran = call(
        bench, server, query={"q": "a b", "day": "{{trigger.day}}", "none": None}, data={"day": "2031-01-02"}
    )
    assert ran.output["body"] == "hello"
    assert server.requests[0].query == {"q": ["a b"], "day": ["2031-01-02"]}
    assert server.requests[0].body == b""


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_methods(bench: Bench, server: RecordingServer, method: str) -> None:
    server.on(method, "/a", Answer(status=204))
    assert call(bench, server, method=method).output["body"] is None
    assert server.requests[0].method == method


def test_bodies_go_out_as_json_text_or_form(bench: Bench, server: RecordingServer) -> None:
    server.on("POST", "/a", Answer())
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    call(bench, server, method="POST", body=["{{ today }}", 1])
    call(bench, server, method="POST", body="Hello {{trigger.name}}", data={"name": "Ada"})
    call(bench, server, method="POST", body={"a": "b c"}, headers=form)
    json_body, text, form_body = server.requests
    assert len(json_body.json()[0]) == 10
    assert (text.body, text.headers["content-type"]) == (b"Hello Ada", "text/plain; charset=utf-8")
    assert form_body.body == b"a=b+c"


def test_numbers_may_be_header_values(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer())
    call(bench, server, headers={"X-Id": "{{trigger.id}}"}, data={"id": 7})
    assert server.requests[0].headers["x-id"] == "7"


def test_503_then_200_is_a_success(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(status=503), Answer(body="ok"))
    ran = call(bench, server)
    assert (ran.output["body"], ran.node["attempts"]) == ("ok", 2)
    assert [row.status for row in bench.rows(ran.execution) if row.node_id == "node"] == ["failed", "success"]


def test_429_waits_as_long_as_it_is_told(
    bench: Bench, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", "/a", Answer(status=429, headers={"Retry-After": "7"}), Answer(body="ok"))
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(flow_runner.asyncio, "sleep", note)
    assert call(bench, server).output["body"] == "ok"
    assert waits == [7.0]


def test_404_is_not_repeated(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(status=404, body={"error": "no such contact"}))
    ran = call(bench, server, retry_count=5)
    assert (ran.error["type"], ran.node["attempts"]) == ("PermanentNodeError", 1)
    assert 'answered 404: {"error": "no such contact"} (check the URL)' in ran.message


def test_a_post_is_not_repeated_unless_its_author_says_so(bench: Bench, server: RecordingServer) -> None:
    server.on("POST", "/a", Answer(status=500))
    assert call(bench, server, method="POST").node["attempts"] == 1
    assert call(bench, server, method="POST", retry_count=1).node["attempts"] == 2
    assert call(bench, server, method="POST", retries={"retry_count": 2}).node["attempts"] == 3


def test_accept_status_makes_an_error_an_answer(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(status=404, body={"found": False}))
    output = call(bench, server, accept_status=[404]).output
    assert (output["status"], output["body"]) == (404, {"found": False})


def test_a_late_answer_is_a_failure(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(delay=2))
    ran = call(bench, server, timeout_seconds=0.1, retry_count=0)
    assert "no complete answer within 0.1 seconds" in ran.message


def test_a_large_answer_is_a_failure(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(body="x" * 1001))
    ran = call(bench, server, max_response_bytes=1000)
    assert ran.error["type"] == "PermanentNodeError"
    assert "1000" in ran.message


def test_redirects_are_followed_or_given_back(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(status=302, headers={"Location": "/b"})).on(
        "GET", "/b", Answer(body="there")
    )
    assert call(bench, server).output["body"] == "there"
    output = call(bench, server, follow_redirects=False).output
    assert (output["status"], output["headers"]["location"]) == (302, "/b")


def test_binary_answers_come_as_base64(bench: Bench, server: RecordingServer) -> None:
    picture = bytes(range(256))
    server.on("GET", "/a", Answer(body=picture, headers={"Content-Type": "image/png"}))
    body = call(bench, server).output["body"]
    assert base64.b64decode(body["base64"]) == picture


def test_characters_no_database_holds_do_not_break_the_row(bench: Bench, server: RecordingServer) -> None:
    server.on(
        "GET",
        "/a",
        Answer(body=b'{"a": "x\\u0000y", "b": "\\ud800"}', headers={"Content-Type": "application/json"}),
    )
    assert call(bench, server).output["body"] == {"a": "x\ufffdy", "b": "\ufffd"}


def test_cookies_stay_out_of_the_output(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/a", Answer(headers={"Set-Cookie": "session=abc123", "X-Other": "1"}))
    ran = call(bench, server)
    assert ran.output["headers"]["x-other"] == "1"
    assert "abc123" not in everything(ran, bench)


def test_a_server_that_echoes_the_secret_meets_a_mask(bench: Bench, server: RecordingServer) -> None:
    server.on("POST", "/a", mirror)
    bench.vault.keep("key", SECRET)
    ran = call(
        bench,
        server,
        method="POST",
        headers={"Authorization": "Bearer {{secrets.key}}", "X-Plain": "visible"},
        query={"t": "{{secrets.key}}"},
        body={"inner": ["{{secrets.key}}"]},
    )
    assert ran.output["body"]["headers"]["authorization"] == "Bearer ***"
    assert ran.output["body"]["headers"]["x-plain"] == "visible"
    assert ran.node["input"]["body"] == {"inner": ["***"]}
    kept = everything(ran, bench)
    for spelling in ("k3y", "quotes", "signs"):
        assert spelling not in kept


def test_secrets_stay_out_of_messages(bench: Bench, server: RecordingServer, caplog: Any) -> None:
    server.on("GET", "/a", lambda request: Answer(status=400, body=f"bad {request.headers['x-any']}"))
    bench.vault.keep("key", "s3cr3t-key")
    ran = call(bench, server, headers={"X-Any": "{{secrets.key}}"})
    assert "answered 400: bad ***" in ran.message
    assert "s3cr3t-key" not in everything(ran, bench) + caplog.text


def test_half_a_long_secret_stays_out_of_messages_too(bench: Bench) -> None:
    bench.vault.keep("key", "s3cr3t" * 50)
    ran = bench.node("http_request", {"url": "https://x.example", "method": "{{secrets.key}}"})
    assert "got '***'" in ran.message
    assert "s3cr3t" not in everything(ran, bench)


def test_a_missing_secret_says_how_to_set_it(bench: Bench, server: RecordingServer) -> None:
    ran = call(bench, server, headers={"Authorization": "Bearer {{secrets.none}}"})
    assert "config.headers.Authorization: there is no secret 'none'" in ran.message
    assert f"set the Airflow variable 'oneo__{bench.tenant}__none'" in ran.message
    assert server.requests == []


def test_the_shared_secret_stands_in_and_another_tenants_does_not(
    bench: Bench, server: RecordingServer
) -> None:
    server.on("GET", "/a", Answer())
    bench.vault.keep("common", "shared-value", owner="shared")
    bench.vault.keep("theirs", "their-value", owner="another")
    call(bench, server, headers={"X-Key": "{{secrets.common}}"})
    assert server.requests[0].headers["x-key"] == "shared-value"
    assert (
        "there is no secret 'theirs'" in call(bench, server, headers={"X-Key": "{{secrets.theirs}}"}).message
    )


def test_loopback_is_refused_unless_an_operator_allows_it(bench: Bench) -> None:
    with RecordingServer() as private:
        ran = call(bench, private)
        assert private.requests == []
    assert ran.error["type"] == "ConfigError"
    assert "127.0.0.1 was not called" in ran.message
    assert f"an operator adds {private.authority} to ONEO_HTTP_ALLOW" in ran.message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"url": ""}, "url is missing (give an absolute URL, or a connection_id)"),
        ({"url": "{{trigger.none | default('')}}"}, "url is missing"),
        ({"url": "ftp://example.com"}, "ftp"),
        ({"method": "{{trigger.method}}"}, "config.method: Input should be 'GET', 'POST'"),
        ({"headers": {"X-A": "{{trigger.broken}}"}}, "the value of the header 'X-A' contains a line break"),
        (
            {"headers": {"X-A": "{{trigger.nothing}}"}},
            "config.headers['X-A']: Input should be a valid string, got null",
        ),
    ],
)
def test_failures_say_where_and_what(
    bench: Bench, server: RecordingServer, config: dict[str, Any], message: str
) -> None:
    ran = call(bench, server, data={"method": "FETCH", "broken": "a\r\nb", "nothing": None}, **config)
    assert message in ran.message
    assert (ran.error["type"], server.requests) == ("ConfigError", [])


@pytest.mark.parametrize("option", ["retry_count", "retry_backoff", "error_handling"])
def test_error_handling_cannot_be_an_expression(bench: Bench, option: str) -> None:
    [found] = bench.problems("http_request", {"url": "https://x.example", option: "{{trigger.x}}"})
    assert f"{option} cannot be an expression" in found


def test_saving_checks_the_options(bench: Bench) -> None:
    assert bench.problems("http_request", EXAMPLE) == []
    for change in (
        {"method": "FETCH"},
        {"timeout_seconds": 0},
        {"retry_count": 21},
        {"max_response_bytes": 0},
    ):
        [found] = bench.problems("http_request", {**EXAMPLE, **change})
        assert f"$.nodes[1].config.{next(iter(change))}" in found
