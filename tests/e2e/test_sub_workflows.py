"""Workflows in workflows on real Airflow."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack

START = {"id": "start", "type": "trigger_manual"}
TELL = {
    "id": "tell",
    "type": "task_notify",
    "config": {"recipients": ["desk@example.com"], "title": "{{ variables.who }}", "message": ""},
}
GREET = {
    "id": "greet",
    "name": "Greet",
    "variables": {"who": {"type": "string", "required": True}},
    "nodes": [START, TELL],
    "outputs": {"text": {"value": "Hello {{ variables.who }}", "type": "string"}},
}


def test_a_block_runs_in_the_task_of_its_node(stack, tenant_id, publish):
    publish(GREET)
    use = {
        "id": "use",
        "type": "reusable_workflow",
        "config": {"workflow_id": "greet", "inputs": {"who": "Ann"}},
    }
    publish({"id": "caller", "name": "Caller", "nodes": [START, use]})
    run = stack.json("run", "caller", "--wait", "--tenant", tenant_id)
    assert run["status"] == "success", run["error"]
    assert run["nodes"]["use"]["output"]["outputs"] == {"text": "Hello Ann"}
    [child] = run["children"]
    inner = stack.json("runs", "show", child["execution"], "--tenant", tenant_id)
    assert (inner["status"], inner["parent"], inner["url"]) == ("success", run["execution"], None)
    assert inner["started_by"] == run["started_by"] == "admin"


def test_one_that_is_not_waited_for_is_a_dag_run_of_its_own(stack, tenant_id, publish):
    publish(GREET)
    call = {
        "id": "call",
        "type": "sub_workflow",
        "config": {
            "workflow_id": "greet",
            "context_mapping": {"who": "Bob"},
            "wait_for_completion": False,
        },
    }
    publish({"id": "caller", "name": "Caller", "nodes": [START, call]})
    run = stack.json("run", "caller", "--wait", "--tenant", tenant_id)
    started = run["nodes"]["call"]["output"]["execution_id"]

    def ended():
        found = stack.json("runs", "show", started, "--tenant", tenant_id)
        return found if found["status"] in ("success", "failed") else None

    child = wait_until(ended, "the sub-workflow to end")
    assert (child["status"], child["output"]) == ("success", {"text": "Hello Bob"})
    assert child["parent"] == run["execution"]
    with stack.airflow() as airflow:
        found = airflow.get(f"/api/v2/dags/{child['dag_id']}/dagRuns/{child['run_id']}")
        assert found.json()["state"] == "success"


def test_a_failure_inside_takes_the_callers_error_edge(stack, tenant_id, publish):
    bad = {"id": "bad", "type": "find_records", "config": {"pipeline_id": "no_such"}}
    publish({"id": "breaks", "name": "Breaks", "nodes": [START, bad]})
    definition = {
        "id": "caller",
        "name": "Caller",
        "variables": {"who": "desk"},
        "nodes": [START, {"id": "call", "type": "sub_workflow", "config": {"workflow_id": "breaks"}}, TELL],
        "edges": [
            {"source": "start", "target": "call"},
            {"source": "call", "target": "tell", "condition": "error"},
        ],
    }
    publish(definition)
    run = stack.json("run", "caller", "--wait", "--tenant", tenant_id)
    assert run["status"] == "success", run["error"]
    assert run["nodes"]["call"]["error"]["message"].startswith("sub-workflow 'breaks' failed: node 'bad': ")
    assert run["nodes"]["tell"]["status"] == "success"
