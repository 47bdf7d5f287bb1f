"""Hooks from the outside: addresses, senders, schemas, ids, answers, and what their owners see."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from oneo import settings as oneo_settings
from oneo.errors import UserError
from oneo.store import api_tokens, executions, suppressions
from oneo.store.models import Execution
from oneo_app.http.waiting import outcome
from tests.dispatcher.crm import Crm
from tests.http_api.senders import Sender
from tests.nodes.bench import EXAMPLES

OPEN: dict[str, Any] = {"path": "orders", "signature": "none"}
BODY = b'{"a": 1}'


@pytest.fixture
def trust() -> Iterator[Callable[[str], None]]:
    """Names the proxies that stand before the server."""
    with pytest.MonkeyPatch.context() as environment:

        def proxies(text: str) -> None:
            environment.setenv("ONEO_TRUSTED_PROXIES", text)
            oneo_settings.settings.cache_clear()

        yield proxies
    oneo_settings.settings.cache_clear()


@pytest.mark.parametrize(
    "address",
    [
        "{tenant}/unknown", "unknown/orders", "{tenant}/ORDERS", "{tenant}/orders/", "{tenant}/",
        "{tenant}/orders%2F..", "..%2F{tenant}/orders", "{tenant}/..%2Forders", "{tenant}/x%2F..%2Forders",
        "{tenant}/%2E%2E/orders", "{tenant}/orders%00", "{tenant}/*",
    ],
)  # fmt: skip
def test_what_is_no_hook_is_the_same_404(crm: Crm, sender: Sender, address: str) -> None:
    crm.watch("trigger_webhook", **OPEN)
    found = sender.http.post(f"/hooks/{address.format(tenant=crm.tenant)}", content=BODY)
    assert (found.status_code, found.json()["error"]["message"]) == (404, "there is no such hook")
    assert crm.decisions == []


def test_a_hook_is_there_from_publish_to_withdrawal(crm: Crm, sender: Sender) -> None:
    assert sender.post(BODY).status_code == 404
    crm.watch("trigger_webhook", **OPEN)
    assert sender.post(BODY).status_code == 202
    crm.watch("trigger_webhook", **{**OPEN, "path": "moved"})
    assert sender.post(BODY).status_code == 404
    crm.watch("trigger_webhook", **OPEN)
    crm.withdraw()
    assert sender.post(BODY).status_code == 404


def test_methods(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN, methods=["PUT", "GET"])
    url = f"/hooks/{crm.tenant}/orders"
    assert [sender.http.request(method, url).status_code for method in ("PUT", "GET")] == [202, 202]
    found = sender.http.post(url)
    assert (found.status_code, found.headers["allow"]) == (405, "PUT, GET")
    assert sender.http.delete(url).status_code == 405


def test_a_get_gives_its_query(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN, methods=["GET"])
    sender.http.get(f"/hooks/{crm.tenant}/orders", params={"challenge": "{{secrets.x}}"})
    crm.round()
    assert crm.started[0].data["challenge"] == "{{secrets.x}}"


def test_the_catalogue_s_example(crm: Crm, sender: Sender, trust: Callable[[str], None]) -> None:
    trust("127.0.0.0/8")
    crm.watch("trigger_webhook", **EXAMPLES["trigger_webhook"])
    hook = Sender(sender.http, crm.tenant, "webhook_secret", "abc123")
    inside, outside = {"x-forwarded-for": "192.168.1.9"}, {"x-forwarded-for": "192.168.2.9"}
    assert hook.send({"n": 1}, inside).status_code == 202
    assert hook.send({"n": 1}, outside).status_code == 403
    assert hook.send([1], inside).status_code == 422
    crm.round()
    assert [row.data["n"] for row in crm.started] == [1]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "status"),
    [
        ("", None, 403),
        ("", "10.1.2.3", 403),
        ("127.0.0.1", "10.1.2.3", 202),
        ("127.0.0.1", "10.1.2.3, 8.8.8.8", 403),
        ("127.0.0.1,8.8.8.8", "10.1.2.3, 8.8.8.8", 202),
        ("127.0.0.1", "::ffff:10.1.2.3", 202),
        ("127.0.0.1", "10.1.2.3, nonsense", 403),
        ("127.0.0.1", "10.1.2.3,", 403),
        ("127.0.0.1", None, 403),
    ],
)
def test_senders_behind_proxies(
    crm: Crm,
    sender: Sender,
    trust: Callable[[str], None],
    trusted: str,
    forwarded: str | None,
    status: int,
) -> None:
    trust(trusted)
    crm.watch("trigger_webhook", **OPEN, allowed_ips=["10.1.0.0/16"])
    assert sender.post(BODY, {"x-forwarded-for": forwarded} if forwarded else {}).status_code == status


def test_proxies_that_are_none_are_said_at_once(trust: Callable[[str], None]) -> None:
    trust("10.0.0.0/8, proxy.internal")
    with pytest.raises(UserError, match=r"ONEO_TRUSTED_PROXIES.*proxy\.internal"):
        oneo_settings.settings()


def test_all_problems_of_a_payload_at_once(crm: Crm, sender: Sender) -> None:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"amount": {"type": "number"}, "mail": {"type": "string", "format": "email"}},
    }
    crm.watch("trigger_webhook", **OPEN, payload_schema=schema)
    found = sender.post(b'{"amount": "x", "mail": "nobody"}')
    assert found.status_code == 422
    assert [one["path"] for one in found.json()["error"]["problems"]] == ["$", "$.amount", "$.mail"]
    assert sender.post(b'{"id": 1, "amount": 2, "mail": "a@b.c"}').status_code == 202


@pytest.mark.timeout(30)
def test_a_pattern_takes_no_longer_than_its_text(crm: Crm, sender: Sender) -> None:
    schema = {"properties": {"name": {"type": "string", "pattern": "^(a+)+$"}}}
    crm.watch("trigger_webhook", **OPEN, payload_schema=schema)
    assert sender.post(b'{"name": "' + b"a" * 50_000 + b'!"}').status_code == 422
    assert sender.post(b'{"name": "' + b"a" * 50_000 + b'"}').status_code == 202


@pytest.mark.parametrize(
    ("dedupe", "body", "headers", "statuses"),
    [
        (None, b"{}", {}, [202, 202]),
        (None, b"{}", {"idempotency-key": "7"}, [202, 200]),
        (None, b"{}", {"x-github-delivery": "7"}, [202, 200]),
        ("none", b"{}", {"idempotency-key": "7"}, [202, 202]),
        ("X-Shop-Event", b"{}", {"x-shop-event": "7"}, [202, 200]),
        ("X-Shop-Event", b"{}", {}, [400, 400]),
        ("$.data.0.id", b'{"data": [{"id": 7}]}', {}, [202, 200]),
        ("$.id", b'{"id": {"n": 1}}', {}, [400, 400]),
        ("$.id", b'{"id": "' + b"x" * 5000 + b'"}', {}, [202, 200]),
    ],
)
def test_the_sender_s_id(
    crm: Crm, sender: Sender, dedupe: str | None, body: bytes, headers: dict[str, str], statuses: list[int]
) -> None:
    crm.watch("trigger_webhook", **OPEN, **({"dedupe": dedupe} if dedupe else {}))
    assert [sender.post(body, headers).status_code for _ in range(2)] == statuses
    crm.round()
    assert len(crm.started) == statuses.count(202)


def finish(crm: Crm, status: str, output: Any) -> None:
    """Do what the dispatcher and Airflow would do with the next event."""
    while not crm.started:
        crm.round()
    with crm.database.system() as session:
        row = session.get_one(Execution, (crm.tenant, crm.started[0].id))
        row.status, row.output = status, output


@pytest.mark.parametrize(("ended", "status"), [("success", 200), ("failed", 500)])
def test_an_answer_with_the_workflow_s_output(crm: Crm, sender: Sender, ended: str, status: int) -> None:
    crm.watch("trigger_webhook", **OPEN, respond="output", wait_seconds=60)
    worker = threading.Thread(target=finish, args=(crm, ended, {"total": 7}))
    worker.start()
    found = sender.post(BODY)
    worker.join()
    assert (found.status_code, found.json()["status"]) == (status, ended)
    assert found.json().get("output") == ({"total": 7} if ended == "success" else None)


def test_a_workflow_that_takes_longer(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN, respond="output", wait_seconds=0.01)
    found = sender.post(BODY)
    expected = executions.id_for_event(crm.tenant, "watch", found.json()["event"])
    assert (found.status_code, found.json()["execution"]) == (202, str(expected))


def handle(crm: Crm) -> None:
    """Do what the dispatcher does with the next event."""
    while not any(crm.decisions):
        crm.round()


def test_an_event_that_starts_nothing_says_so(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN, respond="output", wait_seconds=60, filters={"a": 2})
    worker = threading.Thread(target=handle, args=(crm,))
    worker.start()
    found = sender.post(BODY)
    worker.join()
    assert (found.status_code, found.json()["status"]) == (200, "refused")
    assert "filter" in found.json()["reason"]


def test_somebody_who_is_kept_out_is_not_waited_for(crm: Crm, sender: Sender) -> None:
    start = {"start": {"suppression_lists": ["stop"]}}
    crm.watch("trigger_webhook", **OPEN, respond="output", wait_seconds=60, settings=start)
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [("email", "ann@example.com")])
    worker = threading.Thread(target=handle, args=(crm,))
    worker.start()
    found = sender.post(b'{"email": "ann@example.com"}')
    worker.join()
    assert (found.status_code, found.json()["status"]) == (200, "refused")
    assert "suppression list" in found.json()["reason"]


def test_what_becomes_one_execution_gets_the_answer_of_that(crm: Crm, sender: Sender) -> None:
    start = {"start": {"max_executions_per_hour": 1, "on_limit": "coalesce"}}
    crm.watch("trigger_webhook", **OPEN, settings=start)
    accepted = []
    for number in range(3):
        accepted.append(sender.post(json.dumps({"a": number}).encode()).json()["event"])
        crm.round()
    with crm.database.system() as session:
        session.connection().exec_driver_sql(
            "UPDATE executions SET created_at = created_at - interval '61 min' WHERE tenant_id = %s",
            (crm.tenant,),
        )
    crm.make_due()
    crm.round()
    _, together = crm.started
    told = asyncio.run(outcome(crm.tenant, "watch", "start", accepted[2], 0))
    assert told == {"execution": str(together.id), "status": "pending"}


def bearer(crm: Crm, *scopes: str) -> dict[str, str]:
    with crm.database.tenant(crm.tenant) as session:
        _, key = api_tokens.create(session, crm.tenant, "test", scopes)
    return {"authorization": f"Bearer {key}"}


def test_the_last_events_with_what_was_refused(crm: Crm, sender: Sender, http: httpx.Client) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="{{ secrets.shop }}", filters={"a": 1})
    sender.send({"a": 1})
    sender.send({"a": 2})
    for _ in range(3):
        sender.post(b'{"secret": "do not keep"}')
    sender.send({}, secret="wrong")
    crm.round()
    found = http.get("/api/v1/hooks/orders/events", headers=bearer(crm, "hooks"))
    assert found.status_code == 200
    outcomes = [one["decisions"]["watch/start"]["outcome"] for one in found.json()["events"]]
    assert outcomes == ["refused", "started"]
    assert {one["code"] for one in found.json()["refused"]} == {"unsigned", "signature"}
    assert "do not keep" not in found.text


def test_a_flood_of_refused_requests_fills_no_table(crm: Crm, sender: Sender, http: httpx.Client) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="{{ secrets.shop }}")
    for number in range(100):
        sender.post(b"%d" % number)
    found = http.get("/api/v1/hooks/orders/events", headers=bearer(crm, "hooks")).json()
    assert (found["events"], len(found["refused"])) == ([], 1)


def test_only_its_owner_sees_a_hook_s_events(
    crm: Crm, sender: Sender, http: httpx.Client, database: Any
) -> None:
    crm.watch("trigger_webhook", **OPEN)
    sender.post(BODY)
    url = "/api/v1/hooks/orders/events"
    assert http.get(url).status_code == 401
    assert http.get(url, headers={"authorization": "Bearer oneo_x"}).status_code == 401
    assert http.get(url, headers=bearer(crm, "events")).status_code == 403
    other = Crm(database, f"{crm.tenant}b")
    from oneo.store import tenants

    with database.system() as session:
        tenants.ensure(session, other.tenant)
    found = http.get(url, headers=bearer(other, "hooks"))
    assert found.status_code == 404


def test_a_body_is_tried_without_a_signature_and_leaves_nothing_behind(
    crm: Crm, sender: Sender, http: httpx.Client
) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"a": {"type": "integer"}}}
    hook = {"path": "orders", "secret_key": "{{ secrets.shop }}", "payload_schema": schema, "dedupe": "$.id"}
    crm.watch("trigger_webhook", "first", **hook)
    crm.watch("trigger_webhook", "second", **hook, filters={"a": {"$gt": 5}})
    url, key = "/api/v1/hooks/orders/test", bearer(crm, "hooks")
    tried = http.post(url, json={"id": "o-1", "a": 1}, headers=key)
    assert tried.status_code == 200
    assert tried.json()["triggers"] == [
        {"trigger": "first/start", "outcome": "starts", "reason": ""},
        {
            "trigger": "second/start",
            "outcome": "refuses",
            "reason": "the payload does not fit the filter a $gt 5",
        },
    ]
    assert (tried.json()["key"], tried.json()["known"]) == ("o-1", None)
    wrong = http.post(url, json={"a": "x"}, headers=key)
    assert (wrong.status_code, len(wrong.json()["error"]["problems"])) == (422, 2)
    assert http.post("/api/v1/hooks/nothing/test", json={}, headers=key).status_code == 404
    assert http.post(url, json={}, headers=bearer(crm, "events")).status_code == 403
    assert http.post(url, json={}).status_code == 401
    assert crm.match() == 0
    report = http.get("/api/v1/hooks/orders/events", headers=key).json()
    assert (report["events"], report["refused"]) == ([], [])
    event = sender.send({"id": "o-1", "a": 1}).json()["event"]
    assert http.post(url, json={"id": "o-1", "a": 1}, headers=key).json()["known"] == event
