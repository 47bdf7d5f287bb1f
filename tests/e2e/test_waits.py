"""Nodes that wait on the running stack: no worker is kept, and what was done stays done."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from oneo.store import executions, records
from oneo.store.models import Execution
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack


def document(seconds: int, granularity: str) -> dict[str, object]:
    """Makes a contact, waits, and makes another."""

    def make(node_id: str) -> dict[str, object]:
        data = {"name": node_id, "email": f"{node_id}@example.com"}
        return {
            "id": node_id,
            "type": "create_record",
            "config": {"pipeline_id": "contacts", "record_data": data},
        }

    return {
        "id": "patient",
        "name": "Patient",
        "settings": {"granularity": granularity},
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            make("before"),
            {"id": "pause", "type": "wait_delay", "config": {"delay_seconds": seconds}},
            make("after"),
        ],
    }


def shown(stack, tenant_id, execution):
    return stack.json("runs", "show", execution, "--tenant", tenant_id)


def names(stack, tenant_id):
    with stack.database.tenant(tenant_id) as session:
        return sorted(row.data["name"] for row in records.find(session, "contacts", {}))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("granularity", ["node", "fused"])
def test_a_wait_keeps_no_worker_and_repeats_nothing(stack, tenant_id, publish, pipelines, granularity):
    publish(document(15, granularity))
    begun = stack.json("run", "patient", "--tenant", tenant_id)["execution"]

    def waits():
        run = shown(stack, tenant_id, begun)
        return run if run["status"] == "waiting" else None

    run = wait_until(waits, "the execution to wait")
    assert (run["nodes"]["before"]["status"], run["nodes"]["pause"]["status"]) == ("success", "waiting")
    until = datetime.fromisoformat(run["nodes"]["pause"]["output"]["until"])
    started = datetime.fromisoformat(run["nodes"]["pause"]["started_at"])
    assert until - started == timedelta(seconds=15)
    assert names(stack, tenant_id) == ["before"]
    task = "pause" if granularity == "node" else "workflow.run"
    place = f"/api/v2/dags/{tenant_id}--patient/dagRuns/{run['run_id']}/taskInstances/{task}"
    with stack.airflow() as airflow:
        assert wait_until(lambda: airflow.get(place).json()["state"] == "deferred", "the task to be deferred")

    def ended():
        run = shown(stack, tenant_id, begun)
        return run if run["status"] in executions.FINAL else None

    run = wait_until(ended, "the execution to end", timeout=120)
    assert run["status"] == "success", run["error"]
    assert {name: node["attempts"] for name, node in run["nodes"].items()} == dict.fromkeys(run["nodes"], 1)
    assert datetime.fromisoformat(run["nodes"]["after"]["started_at"]) >= until
    assert names(stack, tenant_id) == ["after", "before"]


@pytest.mark.timeout(300)
def test_executions_that_share_a_run_wait_and_fail_each_for_itself(stack, tenant_id, publish, pipelines):
    fused = document(0, "fused")
    fused["nodes"][2]["config"] = {"delay_seconds": "{{ variables.seconds }}"}
    fused["nodes"][1]["config"]["record_data"] = {"name": "{{ execution.id }}"}
    fused["nodes"][3]["config"]["record_data"] = {"name": "{{ execution.id }}"}
    fused |= {"variables": {"seconds": {"type": "number"}}}
    fused["settings"] = {"granularity": "fused", "max_active_runs": 1}
    publish(fused)
    from oneo_app import runs

    ids = [
        runs.enqueue(
            stack.database, tenant_id, "patient", {"seconds": number % 3 if number != 1 else -1}
        ).execution_id
        for number in range(9)
    ]

    def ended():
        with stack.database.tenant(tenant_id) as session:
            rows = {row.id: row for row in session.scalars(select(Execution))}
        found = [rows[one] for one in ids]
        return found if all(row.status in executions.FINAL for row in found) else None

    found = wait_until(ended, "all executions to end", timeout=200)
    assert [row.status for row in found] == ["success", "failed", *["success"] * 7]
    made = [str(one) for number, one in enumerate(ids) for _ in range(1 if number == 1 else 2)]
    assert names(stack, tenant_id) == sorted(made)
    place = f"/api/v2/dags/{tenant_id}--patient/dagRuns/{found[1].run_id}"
    with stack.airflow() as airflow:
        # It failed before the others of its run had waited.
        assert wait_until(lambda: airflow.get(place).json()["state"] == "failed", "the run to fail")
