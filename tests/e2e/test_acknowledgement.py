"""A message that comes in is acknowledged through UniPile, by the running stack, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer
from tests.messaging.payloads import WHATSAPP

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SECRET, KEY = "nobody guesses this", "a-key-nobody-guesses"


@pytest.fixture
def unipile() -> Iterator[RecordingServer]:
    with RecordingServer() as found:
        sent = Answer(status=201, body={"object": "MessageSent", "message_id": "m-77"})
        yield found.on("POST", "/api/v1/chats/chat-2/messages", sent)


def test_a_message_is_acknowledged_through_unipile_once_it_can_be(
    stack: Any, tenant_id: str, publish: Callable[..., Any], unipile: RecordingServer
) -> None:
    config = {"auto_acknowledge": True, "acknowledgement": "We have it."}
    start = {"id": "start", "type": "trigger_whatsapp_message", "config": config}
    seen = {"id": "seen", "type": "set_variable", "config": {"variables": {"seen": True}}}
    publish({"id": "answer", "name": "Answer", "nodes": [start, seen]})

    def told() -> Any:
        (row,) = stack.json("notifications", "list", "--channel", "whatsapp", "--tenant", tenant_id)
        return row

    with stack.airflow() as airflow:
        base = str(airflow.base_url).rstrip("/")
        connection = {
            "connection_id": f"oneo__{tenant_id}__oneo_unipile",
            "conn_type": "http",
            "extra": json.dumps({"webhook_secret": SECRET}),
        }
        assert airflow.post("/api/v2/connections", json=connection).is_success
        for _ in range(2):
            url, headers = f"{base}/oneo/unipile/{tenant_id}", {"unipile-auth": SECRET}
            assert httpx.post(url, json=WHATSAPP, headers=headers, timeout=30).is_success
        wait_until(lambda: stack.json("events", "list", "--tenant", tenant_id)[0]["decisions"], "the start")
        wait_until(lambda: told()["problem"], "the sender to say what is missing")
        assert (told()["status"], unipile.requests) == ("queued", [])
        found = [one for one in stack.json("doctor") if one["check"] == "messages"]
        assert any(tenant_id in one["detail"] and "password" in one["detail"] for one in found), found
        address = {"host": "127.0.0.1", "port": unipile.port, "schema": "http", "password": KEY}
        url = f"/api/v2/connections/{connection['connection_id']}"
        changed = airflow.patch(url, json={**connection, **address})
        assert changed.is_success, changed.text
    wait_until(lambda: told()["status"] == "sent", "the answer to be sent", timeout=150)
    (request,) = unipile.requests
    assert request.headers["x-api-key"] == KEY
    assert b"We have it." in request.body
    assert told()["reference"] == "m-77"
    logs = (stack.home / "logs" / "dispatcher.log").read_text()
    assert KEY not in logs
