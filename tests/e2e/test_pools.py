"""Each tenant has a pool of Airflow: one with a burst of work leaves workers to the others."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack

START = {"id": "start", "type": "trigger_manual"}


def pool(stack, tenant: str) -> dict | None:
    with stack.airflow() as airflow:
        found = airflow.get(f"/api/v2/pools/oneo-{tenant}")
    return found.json() if found.status_code == 200 else None


def slots(stack, tenant: str) -> int | None:
    found = pool(stack, tenant)
    return found["slots"] if found else None


def ended(stack, tenant: str) -> bool:
    return {run["status"] for run in stack.json("runs", "list", "--tenant", tenant)} == {"success"}


def test_a_burst_of_one_tenant_does_not_starve_another(stack, tenant_id, publish):
    other = f"e{uuid4().hex[:10]}"
    # Only so many of the first tenant's calls may hang at a time.
    stack.oneo("tenants", "create", tenant_id)
    stack.oneo("tenants", "create", other)
    stack.oneo("tenants", "set", tenant_id, "pool_slots=2")
    wait_until(lambda: slots(stack, tenant_id) == 2 and pool(stack, other), "the pools", timeout=30)
    with RecordingServer() as server:
        server.on("GET", "/slow", Answer(body="{}", delay=3))
        calls = [
            {"id": f"call{number}", "type": "http_request", "config": {"url": server.url("/slow")}}
            for number in range(12)
        ]
        fan = [{"source": "start", "target": call["id"]} for call in calls]
        publish({"id": "burst", "name": "Burst", "nodes": [START, *calls], "edges": fan})
        quick = {"id": "set", "type": "set_variable", "config": {"variables": {"a": 1}}}
        document = {"id": "quick", "name": "Quick", "nodes": [START, quick]}
        published = _publish_for(stack, other, document)
        with stack.airflow() as airflow:
            for dag_id, name in ((f"{tenant_id}--burst", tenant_id), (published["dag_id"], other)):
                tasks = airflow.get(f"/api/v2/dags/{dag_id}/tasks").json()["tasks"]
                assert {task["pool"] for task in tasks} == {f"oneo-{name}"}
        stack.oneo("run", "burst", "--tenant", tenant_id)
        wait_until(lambda: len(server.requests) >= 2, "the burst to begin")

        run = stack.json("run", "quick", "--wait", "--tenant", other)

        assert run["status"] == "success"
        assert not ended(stack, tenant_id), "the burst was over before the other tenant had its turn"
        wait_until(lambda: ended(stack, tenant_id), "the burst to end", timeout=180)


def test_a_pool_that_somebody_has_deleted_comes_back_and_its_tasks_run(stack, tenant_id, publish):
    quick = {"id": "set", "type": "set_variable", "config": {"variables": {"a": 1}}}
    publish({"id": "quick", "name": "Quick", "nodes": [START, quick]})
    assert slots(stack, tenant_id) == 6
    with stack.airflow() as airflow:
        assert airflow.delete(f"/api/v2/pools/oneo-{tenant_id}").status_code == 204
    assert stack.json("run", "quick", "--wait", "--tenant", tenant_id)["status"] == "success"
    stack.oneo("tenants", "remove", tenant_id, "--yes")
    wait_until(lambda: pool(stack, tenant_id) is None, "the pool to go", timeout=40)


def _publish_for(stack, tenant: str, document: dict) -> dict:
    import json

    path = stack.home / f"{uuid4().hex}.json"
    path.write_text(json.dumps(document))
    return stack.json("publish", str(path), "--tenant", tenant)
