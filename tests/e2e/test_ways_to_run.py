"""By hand from the UI's form, over Airflow's REST API and from the command line; by the clock."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack

GREETING = {
    "id": "greeting",
    "name": "Greeting",
    "variables": {
        "who": {"type": "string", "required": True, "title": "Whom to greet"},
        "times": {"type": "integer", "default": 1, "minimum": 1, "maximum": 3},
    },
    "nodes": [
        {"id": "start", "type": "trigger_manual"},
        {
            "id": "greet",
            "type": "task_notify",
            "config": {
                "recipients": ["desk@example.com"],
                "title": "Hello {{ variables.who }}",
                "message": "{{ variables.times }} time(s)",
            },
        },
    ],
}


def greeting_of(run: dict) -> tuple[str, str]:
    given = run["nodes"]["greet"]["input"]
    return given["title"], given["message"]


def finished(stack, tenant_id, run_id: str):
    for run in stack.json("runs", "list", "--tenant", tenant_id):
        if run["run_id"] == run_id and run["status"] in ("success", "failed"):
            return run
    return None


def test_the_ui_offers_a_form_made_from_the_variables_and_refuses_what_does_not_fit(
    stack, tenant_id, publish
):
    dag_id = publish(GREETING)["dag_id"]
    with stack.airflow() as airflow:
        params = airflow.get(f"/api/v2/dags/{dag_id}/details").json()["params"]
        assert params["who"]["schema"]["type"] == "string"
        assert params["who"]["schema"]["title"] == "Whom to greet"
        assert params["times"]["value"] == 1
        assert params["times"]["schema"]["maximum"] == 3
        # What the form sends when its button is pressed.
        for conf in ({"who": "Ann", "times": 9}, {"times": 1}):
            refused = airflow.post(
                f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf}
            )
            assert refused.status_code == 400, refused.text
    assert stack.json("runs", "list", "--tenant", tenant_id) == []


def test_a_run_started_over_rest_is_an_execution_like_any_other(stack, tenant_id, publish):
    dag_id = publish(GREETING)["dag_id"]
    run_id = f"from-crm-{uuid4().hex}"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": {"who": "Ann", "times": 2}}
    with stack.airflow() as airflow:
        assert airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 200
        # The caller did not hear the answer and asks again.
        assert airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 409
    run = wait_until(lambda: finished(stack, tenant_id, run_id), "the run to end")
    assert (run["status"], run["trigger"], greeting_of(run)) == (
        "success",
        "trigger_manual",
        ("Hello Ann", "2 time(s)"),
    )
    assert len(stack.json("runs", "list", "--tenant", tenant_id)) == 1


def test_a_run_started_from_the_command_line(stack, tenant_id, publish):
    publish(GREETING)
    run = stack.json("run", "greeting", "--data", '{"who": "Bo"}', "--wait", "--tenant", tenant_id)
    assert (run["status"], run["version"], greeting_of(run)) == ("success", 1, ("Hello Bo", "1 time(s)"))
    assert stack.json("runs", "show", run["execution"], "--tenant", tenant_id)["nodes"] == run["nodes"]
    refused = stack.oneo("run", "greeting", "--tenant", tenant_id, check=False)
    assert refused.returncode == 1
    assert "variable 'who' is required" in refused.stderr


def test_a_run_in_the_commands_own_process_finds_the_secrets_that_airflow_keeps(stack, tenant_id, tmp_path):
    with stack.airflow() as airflow:
        secret = {"key": f"oneo__{tenant_id}__crm_key", "value": "not for everybody"}
        assert airflow.post("/api/v2/variables", json=secret).is_success
    keep = {"length": "{{ secrets.crm_key | length }}"}
    nodes = [
        {"id": "start", "type": "trigger_manual"},
        {"id": "keep", "type": "set_variable", "config": {"variables": keep}},
    ]
    file = tmp_path / "keeping.json"
    file.write_text(json.dumps({"id": "keeping", "name": "Keeping", "nodes": nodes}))
    run = stack.json("run", str(file), "--local", "--tenant", tenant_id)
    assert (run["status"], run["error"]) == ("success", None)


def test_a_cron_workflow_fires_on_time_in_its_zone(stack, tenant_id, publish):
    zone = ZoneInfo("Asia/Kolkata")  # half an hour beside the full hour: a mistaken zone cannot pass by luck
    moment = (datetime.now(zone) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    document = {
        "id": "daily",
        "name": "Daily",
        "nodes": [
            {
                "id": "clock",
                "type": "trigger_scheduled",
                "config": {
                    "cron_expression": f"{moment.minute} {moment.hour} * * *",
                    "timezone": "Asia/Kolkata",
                    "max_concurrent": 1,
                    "catch_up_on_failure": False,
                },
            },
            {
                "id": "report",
                "type": "task_notify",
                "config": {
                    "recipients": ["desk@example.com"],
                    "title": "{{ trigger.scheduled_for }}",
                    "message": "",
                },
            },
        ],
    }
    publish(document)

    def done():
        runs = stack.json("runs", "list", "--tenant", tenant_id)
        return [run for run in runs if run["status"] == "success"]

    (run,) = wait_until(done, "the clock", timeout=180)
    assert run["trigger"] == "trigger_scheduled"
    assert datetime.fromisoformat(run["nodes"]["report"]["input"]["title"]) == moment
    assert timedelta(0) <= datetime.fromisoformat(run["created_at"]) - moment < timedelta(seconds=10)


def asking(*user_types: str) -> dict:
    options = {"require_confirmation": True, "allowed_user_types": list(user_types)}
    first, *others = GREETING["nodes"]
    return {**GREETING, "id": "asking", "nodes": [{**first, "config": options}, *others]}


def test_a_start_that_has_to_be_confirmed_is_refused_until_it_is(stack, tenant_id, publish):
    dag_id = publish(asking("admin"))["dag_id"]
    run_id = f"confirmed-{uuid4().hex}"
    with stack.airflow() as airflow:
        for conf in ({"who": "Ann"}, {"who": "Ann", "oneo_confirmed": False}):
            body = {"logical_date": None, "conf": conf}
            assert airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 400
        body = {"dag_run_id": run_id, "logical_date": None, "conf": {"who": "Ann", "oneo_confirmed": True}}
        assert airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 200
    run = wait_until(lambda: finished(stack, tenant_id, run_id), "the run to end")
    assert (run["status"], greeting_of(run)) == ("success", ("Hello Ann", "1 time(s)"))


def test_a_start_by_somebody_of_no_allowed_type_ends_as_failed_and_says_why(stack, tenant_id, publish):
    dag_id = publish(asking("manager"))["dag_id"]
    run_id = f"refused-{uuid4().hex}"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": {"who": "Ann", "oneo_confirmed": True}}
    with stack.airflow() as airflow:
        assert airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 200
    run = wait_until(lambda: finished(stack, tenant_id, run_id), "the run to end")
    assert run["status"] == "failed"
    assert run["error"]["message"] == "user 'admin' may not start this workflow: only manager may"
    assert run["nodes"]["greet"]["status"] == "skipped"
    refused = stack.oneo(
        "run", "asking", "--yes", "--data", '{"who": "Ann"}', "--tenant", tenant_id, check=False
    )
    assert refused.returncode == 1
    assert "only manager may" in refused.stderr


def test_a_file_of_any_dialect_runs_in_one_task(stack, tenant_id, publish, tmp_path):
    steps = {
        "name": "Steps to go",
        "trigger": {"type": "manual"},
        "steps": [
            {
                "id": "wait",
                "name": "Wait",
                "type": "delay",
                "configuration": {"duration": 1},
                "nextSteps": ["tell"],
            },
            {
                "id": "tell",
                "name": "Tell",
                "type": "action",
                "configuration": {
                    "action": "create_task",
                    "parameters": {"title": "Call", "dueDate": "+2 days"},
                },
            },
        ],
    }
    path = tmp_path / "steps.json"
    path.write_text(json.dumps(steps))
    run = stack.json("run", str(path), "--fused", "--wait", "--tenant", tenant_id)
    assert (run["status"], {name: node["status"] for name, node in run["nodes"].items()}) == (
        "success",
        {"trigger": "success", "wait": "success", "tell": "success"},
    )
    with stack.airflow() as airflow:
        tasks = airflow.get(f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['run_id']}/taskInstances").json()
    assert {task["task_id"] for task in tasks["task_instances"]} == {"trigger", "workflow.run"}
    again = stack.json("run", run["workflow"], "--fused", "--wait", "--tenant", tenant_id)
    assert again["status"] == "success"


def test_a_workflow_with_a_task_for_each_node_is_not_fused_behind_its_authors_back(stack, tenant_id, publish):
    publish(GREETING)
    done = stack.oneo("run", "greeting", "--fused", "--tenant", tenant_id, check=False)
    assert done.returncode == 1
    assert "published with a task for each node" in " ".join(done.stderr.split())
