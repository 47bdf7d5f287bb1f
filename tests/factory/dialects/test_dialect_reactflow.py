# ruff: noqa: E501 - tables
"""Drawn documents run as drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.dialects.flow_conditions import OPERATORS
from dag_factory.examine import examine, plan_of
from oneo.expressions import Scope, compile_condition
from oneo_operators.catalogue import catalogue


def drawn(name: str, kind: str, /, **data: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "position": {"x": 10, "y": 20}, "data": data}


def line(source: str, target: str, handle: str | None = None, **rest: Any) -> dict[str, Any]:
    return {"id": f"{source}-{target}", "source": source, "target": target, "sourceHandle": handle, **rest}


def document(*nodes: dict[str, Any], edges: list[Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"id": "w", "name": "W", "nodes": list(nodes), "edges": edges or [], **rest}


def config(kind: str, /, **data: Any) -> dict[str, Any]:
    return to_canonical(document(drawn("a", kind, **data))).document["nodes"][0]["config"]


def test_drawing_is_planned_and_keeps_names_and_positions():
    task = drawn("t", "task_notify", label="Tell", recipients=["a@example.com"], title="T", message="M")
    written = document(drawn("s", "trigger_manual", label="Start"), task, edges=[line("s", "t")])
    examination = examine(written, catalogue())

    assert examination.dialect == "reactflow"
    assert examination.ok, examination.problems
    assert examination.workflow.nodes[1].name == "Tell"
    assert examination.workflow.nodes[1].position == {"x": 10, "y": 20}
    assert [edge.target for edge in plan_of(written, catalogue()).edges] == ["t"]


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("record_create", {"pipeline_id": "leads", "record_data": {"name": "{name}"}},
         {"pipeline_id": "leads", "record_data": {"name": "{{ name }}"}}),
        ("http_request", {"url": "https://x/{node_2.id}", "timeout": 30, "headers": {"X": "{lead[key]}"}},
         {"url": 'https://x/{{ nodes["2"].id }}', "timeout_seconds": 30, "headers": {"X": "{{ lead.key }}"}}),
        ("approval", {"title": "Ok, {name}?", "description": "d", "assigned_to_id": 7},
         {"approval_title": "Ok, {{ name }}?", "approval_description": "d", "assigned_to": 7}),
        ("wait_delay", {"delay_type": "hours", "delay_value": 2}, {"hours": 2}),
        ("wait_delay", {"delay_type": "minutes", "delay_value": "{pause}"}, {"minutes": "{{ pause }}"}),
        ("wait_delay", {"delay_value": 90}, {"delay_seconds": 90}),
        ("ai_prompt", {"prompt": "Sum up {text}", "ai_config": {"model": "m", "temperature": 0.2, "allowed_tools": ["web"]}},
         {"prompt": "Sum up {{ text }}", "model": "m", "temperature": 0.2, "tools_enabled": ["web"]}),
        ("ai_classification", {"text": "{{ record.text }}", "categories": ["a"]},
         {"text": "{{ record.text }}", "categories": ["a"]}),
        ("record_update", {"record_id": {"context_path": "node_new.record_id"}, "update_fields": {"n": 1}},
         {"record_id": "{{ nodes.new.record_id }}", "update_fields": {"n": 1}}),
        ("task_notify", {"config": {"title": "T"}, "label": "x"}, {"title": "T"}),
        ("task_notify", {"message": '{"json": 1} a{b: c} {{ kept }}'}, {"message": '{"json": 1} a{b: c} {{ kept }}'}),
        ("ai_prompt", {"prompt": "{text}", "input_mapping": {"text": "node_1.output.body"}},
         {"prompt": '{{ nodes["1"].output.body }}'}),
        ("merge", {}, {"mode": "merge"}),
    ],
)  # fmt: skip
def test_options(kind: str, data: dict[str, Any], expected: dict[str, Any]):
    assert config(kind, **data) == expected


def test_type_may_stand_in_the_data():
    written = {"id": "a", "type": "custom", "data": {"type": "record_find", "pipeline_id": "leads"}}
    node = to_canonical(document(written)).document["nodes"][0]
    assert (node["type"], node["config"]) == ("find_records", {"pipeline_id": "leads"})


def test_input_that_nothing_names_is_reported():
    converted = to_canonical(
        document(drawn("a", "ai_prompt", prompt="x", input_mapping={"text": "node_1.y"}))
    )
    assert any("'text' of its input_mapping" in text for text in converted.approximations)


def test_format_without_counterpart_is_a_problem():
    problems = examine(document(drawn("a", "task_notify", title="{score:.1f}")), catalogue()).problems
    assert any(
        "{score:.1f}" in p.message and "round" in p.hint and p.path == "$.nodes[0].data" for p in problems
    )


NAMES = {"context": {"lead": {"score": 72, "city": "Bonn", "none": None}}}
HOLDS = [
    ("==", "lead.score", 72, True), ("==", "lead.score", 71, False), ("==", "lead.missing", None, True),
    ("!=", "lead.city", "Ulm", True), (">", "lead.score", 72, False), (">", "lead.missing", 1, False),
    (">=", "lead.score", 72, True), ("<", "lead.score", 80, True), ("<=", "lead.score", 71, False),
    ("contains", "lead.city", "ON", True), ("not_contains", "lead.city", "on", False),
    ("starts_with", "lead.city", "Bo", True), ("starts_with", "lead.city", "bo", False), ("ends_with", "lead.city", "nn", True),
    ("ends_with", "lead.score", "2", True),
]  # fmt: skip


@pytest.mark.parametrize(("sign", "path", "right", "holds"), HOLDS)
def test_operator_decides_as_there(sign: str, path: str, right: Any, holds: bool):
    conditions = [{"left": {"context_path": path}, "operator": sign, "right": right, "output": "yes"}]
    source = config("condition", conditions=conditions)["conditions"][0]["if"]
    scope = Scope(NAMES, now=datetime(2026, 3, 10, tzinfo=UTC), seed="x")
    assert compile_condition(source).evaluate(scope) is holds


def test_every_operator_is_tested():
    assert {sign for sign, *_ in HOLDS} == set(OPERATORS)
    assert len(OPERATORS) == 10


def decide(conditions: list[dict[str, Any]], value: int, default: str = "none") -> str:
    edges = [line("a", out, out) for out in ("x", "y", "none")]
    branches = to_canonical(
        document(drawn("a", "condition", conditions=conditions, default_output=default), edges=edges)
    )
    scope = Scope({"context": {"v": value}}, now=datetime(2026, 3, 10, tzinfo=UTC), seed="x")
    for branch in branches.document["nodes"][0]["config"]["conditions"]:
        source = branch.get("if") or branch.get("elif")
        if source is None or compile_condition(source).evaluate(scope):
            return branch["label"]
    return default


def test_outputs_that_several_conditions_share():
    def equals(value: int, output: str) -> dict[str, Any]:
        return {"left": {"context_path": "v"}, "operator": "<=", "right": value, "output": output}

    shared = [equals(1, "x"), equals(2, "y"), equals(3, "x")]
    assert [decide(shared, value) for value in (1, 2, 3, 4)] == ["x", "y", "x", "none"]
    with_default = [equals(1, "none"), equals(2, "y")]
    assert [decide(with_default, value) for value in (1, 2, 3)] == ["none", "y", "none"]


def test_handles_name_branches_error_paths_and_loops():
    nodes = [
        drawn("c", "condition", conditions=[{"left": 1, "operator": "==", "right": 1, "output": "hot"}], default_output="cold"),
        drawn("h", "http_request"), drawn("e", "for_each"), drawn("z", "task_notify"),
    ]  # fmt: skip
    edges = [
        line("c", "h", "hot"), line("c", "z", "cold"), line("h", "z", "error"), line("e", "h", "loop"),
        line("e", "z", "done"), line("h", "e", None, targetHandle="loop_back"), line("h", "z", "blue"),
    ]  # fmt: skip
    converted = to_canonical(document(*nodes, edges=edges))

    assert converted.document["edges"] == [
        {"source": "c", "target": "h", "condition": "hot"},
        {"source": "c", "target": "z", "condition": "cold"},
        {"source": "h", "target": "z", "condition": "error"},
        {"source": "e", "target": "h", "loop": True},
        {"source": "e", "target": "z", "loop_complete": True},
        {"source": "h", "target": "e", "loop_back": True},
        {"source": "h", "target": "z"},
    ]
    assert converted.document["nodes"][0]["config"]["conditions"] == [
        {"if": "1 == 1", "then": "h", "label": "hot"},
        {"else": "z", "label": "cold"},
    ]
    assert any("'blue'" in text for text in converted.approximations)


def test_row_brings_trigger_and_limits():
    row = {
        "id": "w", "name": "W", "status": "active", "version": 3, "trigger_type": "record_created",
        "trigger_config": {"pipeline_ids": ["leads"]}, "timeout_minutes": 60, "retry_count": 3,
        "max_executions_per_hour": 100,
        "workflow_definition": {
            "nodes": [drawn("t", "task_notify", recipients=["a@example.com"], title="T", message="M")], "edges": [],
        },
    }  # fmt: skip
    examination = examine(row, catalogue())

    assert examination.ok, examination.problems
    assert [one.type for one in examination.plan.triggers] == ["trigger_record_created"]
    assert examination.workflow.settings.timeout_minutes == 60
    assert examination.workflow.settings.start.max_executions_per_hour == 100
    assert examination.workflow.error_handling.retry_count == 3
    assert {text.split("`")[1] for text in examination.approximations} == {"status", "version"}


def row_with(nodes: list[Any], **rest: Any) -> dict[str, Any]:
    return {"id": "w", "name": "W", "workflow_definition": {"nodes": nodes, "edges": []}, **rest}


FULL = {"recipients": ["a@example.com"], "title": "T", "message": "M"}
ONE = {"field": "city", "operator": "==", "value": "Bonn"}


@pytest.mark.parametrize(
    ("conditions", "filters"),
    [
        ([ONE], {"city": {"$eq": "Bonn"}}),
        ([{"field": "city", "value": "Bonn"}], {"city": {"$eq": "Bonn"}}),
        (
            [ONE, {"field": "score", "operator": ">=", "value": 5}],
            {"city": {"$eq": "Bonn"}, "score": {"$gte": 5}},
        ),
        (
            [{"field": "a", "operator": ">", "value": 1}, {"field": "a", "operator": "<", "value": 9}],
            {"$and": [{"a": {"$gt": 1}}, {"a": {"$lt": 9}}]},
        ),
        ([{"field": "a", "operator": "!=", "value": 1}], {"a": {"$exists": True, "$ne": 1}}),
        (
            [{"field": "a", "operator": "not_contains", "value": "x"}],
            {"a": {"$exists": True, "$not": {"$contains": "x"}}},
        ),
    ],
)
def test_conditions_of_a_row_are_filters_of_its_trigger(conditions: list[Any], filters: dict[str, Any]):
    trigger_config = {"pipeline_ids": ["leads"], "conditions": conditions, "field_conditions": ["a"]}
    row = row_with(
        [drawn("t", "task_notify", **FULL)], trigger_type="record_updated", trigger_config=trigger_config
    )
    examination = examine(row, catalogue())

    assert examination.ok, examination.problems
    (trigger,) = examination.plan.triggers
    assert trigger.config == {"pipeline_ids": ["leads"], "field_filters": filters}
    assert any("field_conditions" in text for text in examination.approximations)


@pytest.mark.parametrize(
    ("conditions", "path"),
    [
        ([ONE, {**ONE, "operator": "~"}], "$.trigger_config.conditions[1]"),
        ([{"value": 1}], "$.trigger_config.conditions[0]"),
        ([5], "$.trigger_config.conditions[0]"),
        ({"a": 1}, "$.trigger_config.conditions"),
        ([{**ONE, "field": "a b.$x"}], "$.trigger_config.conditions"),
    ],
)
def test_conditions_of_a_row_that_cannot_be_read(conditions: Any, path: str):
    trigger_config = {"pipeline_ids": ["leads"], "conditions": conditions}
    row = row_with(
        [drawn("t", "task_notify", **FULL)], trigger_type="record_created", trigger_config=trigger_config
    )
    assert [problem.path for problem in examine(row, catalogue()).problems] == [path]


def test_a_drawing_without_edges_runs_in_the_listed_order():
    nodes = [drawn("a", "task_notify", **FULL), drawn("b", "task_notify", **FULL)]
    plain = examine({"id": "w", "name": "W", "nodes": [drawn("m", "trigger_manual"), *nodes]}, catalogue())
    row = {"id": "w", "name": "W", "trigger_type": "manual", "workflow_definition": {"nodes": nodes}}
    assert plain.ok, plain.problems
    assert [[edge.source for edge in plain.plan.edges_to(one)] for one in "ab"] == [["m"], ["a"]]
    of_row = examine(row, catalogue())
    assert of_row.ok, of_row.problems
    assert [[edge.source for edge in of_row.plan.edges_to(one)] for one in "ab"] == [["trigger"], ["a"]]


def test_an_operator_that_is_none_is_one_problem_whatever_leads_on():
    test = {"left": 1, "operator": "===", "right": 1, "output": "x"}
    written = document(
        drawn("a", "condition", conditions=[test]),
        drawn("b", "task_notify", **FULL),
        edges=[line("a", "b", "x")],
    )
    assert [problem.path for problem in examine(written, catalogue()).problems] == [
        "$.nodes[0].data.conditions[0]"
    ]


MISTAKES = [
    (document(drawn("a", "task_notify", **FULL, colour="red")), "$.nodes[0].data.colour"),
    (document(drawn("a", "task_notify", config={**FULL, "titel": "x"})), "$.nodes[0].data.config.titel"),
    (document(drawn("a", "http_request", url="https://x", timeout=-1)), "$.nodes[0].data.timeout"),
    (document(drawn("a", "reccord_create")), "$.nodes[0].type"),
    (document(drawn("a", "task_notify", **FULL), edges=[line("a", "b")]), "$.edges[0].target"),
    (document(drawn("a", "condition", conditions=[{"left": 1, "operator": "~", "right": 2}])), "$.nodes[0].data.conditions[0]"),
    (document(drawn("a", "condition", conditions=[{"left": 1, "operator": "==", "right": 1, "output": "x"}]),
              drawn("b", "task_notify", **FULL), edges=[line("a", "b", "z")]), "$.edges[0].sourceHandle"),
    (document(drawn("a", "condition", conditions=[{"left": "{{ 1 + }}", "operator": "==", "right": 1}])), "$.nodes[0].data.conditions[0]"),
    (row_with([drawn("a", "task_notify", **FULL, colour="x")]), "$.workflow_definition.nodes[0].data.colour"),
    (row_with([drawn("a", "task_notify", **FULL)], trigger_type="magic"), "$.trigger_type"),
    (row_with([drawn("a", "task_notify", **FULL)], trigger_type="scheduled", trigger_config={"cron": "x"}), "$.trigger_config.cron"),
    (row_with([drawn("a", "task_notify", **FULL)], retry_count=99), "$.retry_count"),
    (row_with([drawn("a", "task_notify", **FULL)], colour="red"), "$.colour"),
    ({**document({"id": "a", "type": "task_notify", "data": 5}), "edges": [line("x", "a", "y")]}, "$.nodes[0].data"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "path"), MISTAKES, ids=[f"{at}-{i}" for i, (_, at) in enumerate(MISTAKES)]
)
def test_mistake_is_shown_where_the_author_made_it(written: dict[str, Any], path: str):
    problems = examine(written, catalogue()).problems
    assert path in [problem.path for problem in problems if problem.severity == "error"], problems


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [None], {"a": 1}])
@pytest.mark.parametrize(
    "key", ["nodes", "edges", "id", "type", "data", "position", "conditions", "trigger_type"]
)
def test_junk_is_answered_with_problems(key: str, junk: Any):
    written = document(
        drawn("a", "condition", conditions=[]), drawn("b", "task_notify", **FULL), edges=[line("a", "b", "x")]
    )
    node = written["nodes"][0]
    target = (
        written
        if key in ("nodes", "edges", "trigger_type")
        else node["data"]
        if key == "conditions"
        else node
    )
    target[key] = junk
    assert examine(written, catalogue()).problems
