"""Publishing while executions run: what began on a version ends on it."""

from __future__ import annotations

import threading

import pytest

from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack


def document(title: str, url: str) -> dict:
    return {
        "id": "slow",
        "name": "Slow",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "call", "type": "http_request", "config": {"method": "GET", "url": url}},
            {
                "id": "tell",
                "type": "task_notify",
                "config": {
                    "recipients": ["desk@example.com"],
                    "title": title,
                    "message": "{{ nodes.call.body }}",
                },
            },
        ],
    }


def test_a_running_execution_keeps_its_version_and_the_next_one_has_the_new(stack, tenant_id, publish):
    release = threading.Event()

    def held(_request) -> Answer:
        release.wait(60)
        return Answer(body="answered")

    with RecordingServer() as server:
        server.on("GET", "/slow", held)
        publish(document("first", server.url("/slow")))
        started = stack.json("run", "slow", "--tenant", tenant_id)
        wait_until(lambda: server.requests, "the first version to call")
        assert publish(document("second", server.url("/slow")))["version"] == 2
        release.set()

        def ended():
            run = stack.json("runs", "show", started["execution"], "--tenant", tenant_id)
            return run if run["status"] in ("success", "failed") else None

        first = wait_until(ended, "the first execution")
        second = stack.json("run", "slow", "--wait", "--tenant", tenant_id)
    assert (first["status"], first["version"], first["nodes"]["tell"]["input"]["title"]) == (
        "success",
        1,
        "first",
    )
    assert (second["status"], second["version"], second["nodes"]["tell"]["input"]["title"]) == (
        "success",
        2,
        "second",
    )


def test_a_withdrawn_workflow_is_gone_and_comes_back_with_the_next_publish(stack, tenant_id, publish):
    with RecordingServer() as server:
        server.on("GET", "/", Answer(body="ok"))
        definition = document("only", server.url("/"))
        publish(definition)
        stack.oneo("withdraw", "slow", "--tenant", tenant_id)
        refused = stack.oneo("run", "slow", "--tenant", tenant_id, check=False)
        assert refused.returncode == 1
        assert "not active" in refused.stderr
        assert publish(definition)["version"] == 3
        assert stack.json("run", "slow", "--wait", "--tenant", tenant_id)["status"] == "success"
