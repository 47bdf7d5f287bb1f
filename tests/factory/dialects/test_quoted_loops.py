"""Loops, controllers, breakers and patterns as the node catalogue quotes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dag_factory.examine import examine, plan_of
from oneo_operators.catalogue import catalogue
from tests.factory.dialects.written import START, edge, loops, node, notify, show
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

FIXTURES = Path(__file__).parents[2] / "fixtures/workflows"
# Options as the node catalogue shows them.
FOR_EACH = {
    "items_source": "{{context.records}}", "item_variable": "current_record", "max_iterations": 1000, "batch_size": 10,
    "parallel_processing": True, "continue_on_error": True,
    "accumulator": {"enabled": True, "initial_value": [], "operation": "append"},
}  # fmt: skip
CONTROLLER = {
    "loop_key": "main_loop", "loop_type": "conditional", "max_iterations": 10,
    "exit_conditions": [{"type": "context_value", "path": "success", "expected_value": True}],
    "loop_back_to": "loop_start", "exit_to": "loop_complete",
}  # fmt: skip
BREAKER = {
    "loop_key": "main_loop",
    "break_conditions": [{"condition": "{{context.attempts}} > 3", "reason": "max_attempts_exceeded"}],
    "cleanup_on_break": True,
}


def test_loop_of_the_catalogue_runs_over_the_records_before_it(bench: Bench):
    for name in ("Ann", "Ben"):
        bench.record("leads", name=name)
    work = show("work", name="{{ current_record.name }}")
    nodes = [
        START,
        node("find", "find_records", pipeline_id="leads"),
        node("each", "for_each", **FOR_EACH),
        work,
    ]
    edges = [
        edge("start", "find"), edge("find", "each"), {**edge("each", "work"), "loop": True},
        {**edge("work", "each"), "loop_back": True},
    ]  # fmt: skip
    report = bench.run({"id": "w", "name": "W", "nodes": nodes, "edges": edges})

    assert report["status"] == "success", report["error"]
    assert sorted(one["name"] for one in report["nodes"]["each"]["output"]["accumulated"]) == ["Ann", "Ben"]


def controlled(controller: dict[str, Any], edges: list[Any]) -> dict[str, Any]:
    body = [notify("work"), node("stop", "workflow_loop_breaker", **BREAKER)]
    nodes = [START, node("again", "workflow_loop_controller", **controller), *body, notify("end")]
    return {
        "id": "w",
        "name": "W",
        "nodes": nodes,
        "edges": [edge("start", "again"), edge("work", "stop"), *edges],
    }


def test_controller_and_breaker_of_the_catalogue_belong_together():
    document = controlled(
        CONTROLLER,
        [edge("again", "work", "loop_start"), edge("stop", "again"), edge("again", "end", "loop_complete")],
    )
    assert examine(document, catalogue()).problems == []
    plan = plan_of(document, catalogue())
    assert plan.by_id["again"].body.by_id["stop"].breaks == "again"


def test_loop_of_the_catalogue_may_name_nodes_instead():
    document = controlled({**CONTROLLER, "loop_back_to": "work", "exit_to": "end"}, [edge("stop", "again")])
    assert examine(document, catalogue()).problems == []
    assert loops(document) == {"again": ["work", "stop"]}


def quoted(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def test_pattern_of_the_loop_is_one_once_its_stand_ins_are_replaced(bench: Bench):
    document = quoted("catalogue-loop-implementation")
    find, each, work, end = document["nodes"]
    nodes = [
        {**find, "config": {"pipeline_id": "leads"}},
        {**each, "config": {"items_source": "{{ nodes['1'].records }}"}},
        {**work, **{key: show("x", name="{{ item.name }}")[key] for key in ("type", "config")}},
        {
            **end,
            **{
                key: show("x", all="{{ nodes['2'].results | map('name') }}")[key]
                for key in ("type", "config")
            },
        },
    ]
    bench.record("leads", name="Ann")
    report = bench.run({**document, "id": "w", "name": "W", "nodes": nodes})

    assert report["status"] == "success", report["error"]
    assert report["nodes"]["4"]["output"] == {"all": ["Ann"]}
