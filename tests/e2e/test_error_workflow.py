"""Error workflows on real Airflow: whatever ended an execution as failed, one of theirs follows."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.processes import caller_of
from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack

START = {"id": "start", "type": "trigger_manual"}
RESCUE = {
    "id": "rescue",
    "name": "Rescue",
    "nodes": [
        {**START, "config": {"require_confirmation": True}},
        {
            "id": "tell",
            "type": "task_notify",
            "config": {
                "recipients": ["desk@example.com"],
                "title": "{{ trigger.execution.workflow_name }}",
                "message": "{{ trigger.failed_node }}: {{ trigger.error.type }}",
            },
        },
    ],
}


def rescues(stack, tenant_id: str) -> list[dict]:
    runs = stack.json("runs", "list", "--workflow", "rescue", "--tenant", tenant_id)
    return [run for run in runs if run["status"] not in ("pending", "running")]


def told(run: dict) -> tuple[str, str, str]:
    given = run["nodes"]["tell"]["input"]
    return run["status"], given["title"], given["message"]


def test_a_node_that_fails_starts_the_tenants_error_workflow(stack, tenant_id, publish):
    publish(RESCUE)
    stack.oneo("tenants", "set", tenant_id, "error_workflow=rescue")
    lost = {"id": "find", "type": "find_records", "config": {"pipeline_id": "no_such"}}
    publish({"id": "fails", "name": "Fails", "nodes": [START, lost]})
    assert stack.oneo("run", "fails", "--wait", "--tenant", tenant_id, check=False).returncode == 1
    (run,) = wait_until(lambda: rescues(stack, tenant_id), "the error workflow")
    assert told(run) == ("success", "Fails", "find: ConfigError")
    assert run["trigger"] == "error"


@pytest.mark.timeout(300)
def test_a_task_that_is_killed_starts_the_error_workflow_of_its_workflow(stack, tenant_id, publish):
    publish(RESCUE)
    with RecordingServer() as server:
        server.on("GET", "/slow", Answer(body="late", delay=120))
        call = {
            "id": "call",
            "type": "http_request",
            "config": {"url": server.url("/slow"), "timeout_seconds": 300, "retry_count": 0},
        }
        publish(
            {
                "id": "hangs",
                "name": "Hangs",
                "nodes": [START, call],
                "settings": {"error_workflow": "rescue"},
            }
        )
        stack.oneo("run", "hangs", "--tenant", tenant_id)
        server.wait_for(1, timeout=60)
        os.kill(caller_of(server), signal.SIGKILL)
        (run,) = wait_until(lambda: rescues(stack, tenant_id), "the error workflow", timeout=240)
    assert told(run) == ("success", "Hangs", "call: Interrupted")
