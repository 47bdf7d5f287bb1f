"""Failures on real Airflow: retries, error edges, branches that join."""

from __future__ import annotations

import pytest

from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack


def tell(node_id: str, title: str) -> dict:
    config = {"recipients": ["desk@example.com"], "title": title, "message": ""}
    return {"id": node_id, "type": "task_notify", "config": config}


def statuses(run: dict) -> dict[str, str]:
    return {name: node["status"] for name, node in run["nodes"].items()}


def test_a_service_that_recovers_is_tried_again(stack, tenant_id, publish):
    with RecordingServer() as server:
        server.on("POST", "/deals", Answer(status=503), Answer(status=200, body='{"id": 7}'))
        call = {
            "id": "call",
            "type": "http_request",
            "config": {"method": "POST", "url": server.url("/deals"), "body": {"a": 1}, "retry_count": 3},
            "error_handling": {"retry_delay": 100},
        }
        publish({"id": "calls", "name": "Calls", "nodes": [{"id": "start", "type": "trigger_manual"}, call]})
        run = stack.json("run", "calls", "--wait", "--tenant", tenant_id)
        assert (run["status"], run["nodes"]["call"]["attempts"]) == ("success", 2)
        assert len(server.requests) == 2


def test_a_refused_call_fails_at_once_and_takes_its_error_edge(stack, tenant_id, publish):
    with RecordingServer() as server:
        server.on("GET", "/gone", Answer(status=404, body="no such deal"))
        definition = {
            "id": "handled",
            "name": "Handled",
            "nodes": [
                {"id": "start", "type": "trigger_manual"},
                {
                    "id": "call",
                    "type": "http_request",
                    "config": {"url": server.url("/gone"), "retry_count": 3},
                },
                tell("good", "good"),
                tell("handler", "{{ nodes.call.error.message }}"),
                tell("after", "after"),
            ],
            "edges": [
                {"source": "start", "target": "call"},
                {"source": "call", "target": "good"},
                {"source": "call", "target": "handler", "condition": "error"},
                {"source": "good", "target": "after"},
                {"source": "handler", "target": "after"},
            ],
        }
        publish(definition)
        run = stack.json("run", "handled", "--wait", "--tenant", tenant_id)
        assert run["status"] == "success"
        assert statuses(run) == {
            "start": "success",
            "call": "failed",
            "good": "skipped",
            "handler": "success",
            "after": "success",
        }
        assert "404" in run["nodes"]["handler"]["input"]["title"]
        assert len(server.requests) == 1


def test_branches_that_join_run_what_follows_once_as_they_do_without_airflow(
    stack, tenant_id, publish, tmp_path
):
    definition = {
        "id": "joins",
        "name": "Joins",
        "variables": {"amount": {"type": "number", "default": 1}},
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {
                "id": "size",
                "type": "condition",
                "config": {
                    "conditions": [
                        {"if": "{{ variables.amount }} > 100", "then": "big", "label": "big"},
                        {"else": "join", "label": "small"},
                    ]
                },
            },
            tell("big", "big deal"),
            tell("join", "joined, big was {{ nodes.big.channels | default('not there') }}"),
            tell("end", "end"),
        ],
        "edges": [
            {"source": "start", "target": "size"},
            {"source": "size", "target": "big", "condition": "big"},
            {"source": "size", "target": "join", "condition": "small"},
            {"source": "big", "target": "join"},
            {"source": "join", "target": "end"},
        ],
    }
    publish(definition)
    for amount, big in ((5, "skipped"), (500, "success")):
        data = f'{{"amount": {amount}}}'
        run = stack.json("run", "joins", "--data", data, "--wait", "--tenant", tenant_id)
        local = stack.json("run", "joins", "--data", data, "--local", "--tenant", tenant_id)
        assert statuses(run) == {
            "start": "success",
            "size": "success",
            "big": big,
            "join": "success",
            "end": "success",
        }
        assert statuses(local) == statuses(run)
        for name in run["nodes"]:
            assert local["nodes"][name]["input"] == run["nodes"][name]["input"]


def test_a_failure_that_nothing_handles_fails_the_execution_with_its_reason(stack, tenant_id, publish):
    definition = {
        "id": "fails",
        "name": "Fails",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "update", "type": "update_record", "config": {"update_fields": {"a": 1}}},
            tell("never", "never"),
        ],
    }
    publish(definition)
    done = stack.oneo("run", "fails", "--wait", "--tenant", tenant_id, check=False)
    assert done.returncode == 1
    assert "the execution is about no record" in done.stdout
    (run,) = stack.json("runs", "list", "--tenant", tenant_id)
    assert (run["status"], run["error"]["node"], run["nodes"]["update"]["attempts"]) == (
        "failed",
        "update",
        1,
    )
    assert statuses(run)["never"] == "skipped"
