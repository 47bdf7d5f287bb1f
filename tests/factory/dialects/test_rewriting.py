"""Definitions written in another dialect and read again: the same workflow, or a word on what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dag_factory.compile import compile_workflow
from dag_factory.definition import Workflow
from dag_factory.dialects.rewriting import rewrite
from dag_factory.plan import Plan
from dag_factory.reading import read, read_or_raise
from oneo_operators.catalogue import catalogue
from tests.control_flow.cases import CASES

ROOT = Path(__file__).parent.parent.parent.parent
WRITTEN = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "tests/fixtures/workflows").glob("*.json"))
}
SAMPLES = [*(ROOT / "include/workflows").glob("*.json"), *(ROOT / "docs/examples").glob("*.json")]
DEFINITIONS = {
    **{case.name: case.document for case in CASES},
    **{path.stem: json.loads(path.read_text()) for path in sorted(SAMPLES)},
}


def plan_of(workflow: Workflow) -> Plan:
    return replace(compile_workflow(workflow, catalogue(), "hash"), definition_hash="")


def in_steps(workflow: Workflow) -> list[str]:
    """The nodes as steps can say them: conditions may come back in parentheses, which mean nothing."""
    nodes = without_positions(workflow)
    for node in nodes:
        for branch in node["config"].get("conditions", ()):
            condition = branch.get("if", "")
            branch["if"] = condition[1:-1] if condition.startswith("(") else condition
    return sorted(map(repr, nodes))


def without_positions(workflow: Workflow) -> list[dict[str, Any]]:
    return [node.model_dump(exclude={"position"}) for node in workflow.nodes]


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("dialect", ["catalogue", "reactflow"])
def test_what_is_written_is_read_as_the_same_workflow(name: str, dialect: Any):
    workflow = read_or_raise(DEFINITIONS[name])
    done = rewrite(workflow, dialect)
    assert done.problems == []
    reading = read(done.document)
    assert reading.converted.dialect == dialect
    assert reading.workflow is not None, reading.problems
    assert without_positions(reading.workflow) == without_positions(workflow)
    assert plan_of(reading.workflow) == plan_of(workflow)


@pytest.mark.parametrize("name", [name for name in WRITTEN if read(WRITTEN[name]).workflow is not None])
def test_the_seeds_survive_the_way_through_react_flow(name: str):
    workflow = read(WRITTEN[name]).workflow
    assert workflow is not None
    again = read(rewrite(workflow, "reactflow").document).workflow
    assert again is not None
    assert without_positions(again) == without_positions(workflow)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith("steps-")])
def test_steps_are_read_written_and_read_as_the_same(name: str):
    workflow = read_or_raise(WRITTEN[name])
    done = rewrite(workflow, "steps")
    assert done.problems == []
    again = read_or_raise(done.document)
    assert in_steps(again) == in_steps(workflow)
    assert {(edge.source, edge.target) for edge in again.edges or []} == {
        (edge.source, edge.target) for edge in workflow.edges or []
    }


def test_positions_survive():
    place = {"x": 12.0, "y": -3.5}
    nodes = [{"id": "start", "type": "trigger_manual", "position": place}]
    workflow = read_or_raise({"id": "w", "name": "W", "nodes": nodes})
    for dialect in ("catalogue", "reactflow"):
        assert read_or_raise(rewrite(workflow, dialect).document).nodes[0].position == place


def test_nodes_without_a_position_are_drawn_apart_from_left_to_right():
    document = rewrite(read_or_raise(DEFINITIONS["loops inside loops"]), "reactflow").document
    places = {node["id"]: (node["position"]["x"], node["position"]["y"]) for node in document["nodes"]}
    assert len(set(places.values())) == len(places)
    assert places["start"][0] < places["outer"][0] < places["inner"][0] < places["work"][0]


def test_what_steps_cannot_say_is_named_with_its_place():
    done = rewrite(read_or_raise(DEFINITIONS["for each item once"]), "steps")
    found = {(problem.path, problem.message) for problem in done.problems}
    assert ("$.edges[1].loop", "steps have no loops") in found
    assert ("$.edges[2].loop_back", "steps have no loops") in found


def test_a_fallback_node_survives_in_react_flow_and_is_refused_by_steps():
    set_x = {"type": "set_variable", "config": {"variables": {"x": 1}}}
    nodes = [
        {"id": "start", "type": "trigger_manual"},
        {"id": "a", **set_x, "error_handling": {"fallback_node": "b"}},
        {"id": "b", **set_x},
        {"id": "c", **set_x},
    ]
    workflow = read_or_raise({"id": "w", "name": "W", "nodes": nodes})
    assert plan_of(read_or_raise(rewrite(workflow, "reactflow").document)) == plan_of(workflow)
    problems = rewrite(workflow, "steps").problems
    assert [problem.path for problem in problems] == ["$.nodes[1].error_handling"]


@pytest.mark.parametrize(
    ("condition", "read_as"),
    [
        ("{{ record.score }} > 80", "record.score > 80"),
        ("record.tags | length > 2", "(record.tags | length > 2)"),
        ("a and not b", "(a and not b)"),
    ],
)
def test_conditions_survive_the_way_through_steps(condition: str, read_as: str):
    branches = [{"if": condition, "then": "b", "label": "true"}, {"else": "c", "label": "false"}]
    nodes = [
        {"id": "start", "type": "trigger_manual"},
        {"id": "choose", "type": "condition", "config": {"conditions": branches}},
        *({"id": name, "type": "set_variable", "config": {"variables": {"x": 1}}} for name in "bc"),
    ]
    edges = [{"source": "start", "target": "choose"}]
    done = rewrite(read_or_raise({"id": "w", "name": "W", "nodes": nodes, "edges": edges}), "steps")
    assert done.problems == []
    again = read_or_raise(done.document)
    found = next(node.config["conditions"] for node in again.nodes if node.id == "choose")
    assert found == [{**branches[0], "if": read_as}, branches[1]]


def test_outputs_survive_the_way_through_steps():
    workflow = read_or_raise(json.loads((ROOT / "docs/examples/score_company.json").read_text()))
    again = read(rewrite(workflow, "steps").document).workflow
    assert again is not None
    assert again.outputs == workflow.outputs


def ways(workflow: Workflow) -> set[tuple[str, str, int]]:
    """What leads where in how many cases, the trigger left aside, which steps do not name."""
    plan = plan_of(workflow)
    triggers = {node.id for node in plan.triggers}
    forks = {node.id for node in plan.nodes if node.type == "condition"}
    return {
        # What follows a condition whichever way it takes stands in both lists of a step.
        (
            edge.source,
            edge.target,
            2 if edge.routes == ("success",) and edge.source in forks else len(edge.routes),
        )
        for edge in plan.edges
        if edge.source not in triggers
    }


@pytest.mark.parametrize("name", DEFINITIONS)
def test_what_steps_can_say_leads_to_the_same_nodes(name: str):
    workflow = read_or_raise(DEFINITIONS[name])
    done = rewrite(workflow, "steps")
    if not done.problems:
        assert ways(read_or_raise(done.document)) == ways(workflow)


SET = {"type": "set_variable", "config": {"variables": {"x": 1}}}


def forked(branches: list[dict[str, Any]], *edges: tuple[str, str | None]) -> Workflow:
    nodes = [
        {"id": "start", "type": "trigger_manual"},
        {"id": "choose", "type": "condition", "config": {"conditions": branches}},
        *({"id": name, **SET} for name in "abc"),
    ]
    listed: list[dict[str, Any]] = [{"source": "start", "target": "choose"}]
    for target, condition in edges:
        listed.append(
            {"source": "choose", "target": target, **({"condition": condition} if condition else {})}
        )
    return read_or_raise({"id": "w", "name": "W", "nodes": nodes, "edges": listed})


@pytest.mark.parametrize(
    ("workflow", "yes", "no"),
    [
        (forked([{"if": "x", "then": "a"}, {"else": "b"}], ("a", None), ("b", None)), ["a"], ["b"]),
        (forked([{"if": "x", "then": "a"}, {"else": "b"}]), ["a"], ["b"]),
        (
            forked([{"if": "x", "label": "y"}, {"else": "b"}], ("a", "y"), ("c", "y"), ("b", None)),
            ["a", "c"],
            ["b"],
        ),
        (forked([{"if": "x", "then": "a"}, {"else": "b"}], ("c", None)), ["a", "c"], ["b", "c"]),
        (forked([{"if": "x", "then": "a"}], ("a", None), ("c", None)), ["a", "c"], ["c"]),
        (forked([{"if": "x", "then": "a"}], ("c", "success")), ["a", "c"], ["c"]),
    ],
)
def test_each_way_of_a_condition_is_written_with_what_follows_it(
    workflow: Workflow, yes: list[str], no: list[str]
):
    done = rewrite(workflow, "steps")
    assert done.problems == []
    (choose,) = (step for step in done.document["steps"] if step["id"] == "choose")
    assert choose["configuration"]["trueSteps"] == yes
    assert choose["configuration"].get("falseSteps", []) == no


def test_a_text_that_looks_like_a_date_from_now_stays_one_in_steps():
    value = {"id": "a", "type": "set_variable", "config": {"name": "when", "value": "+1 day"}}
    workflow = read_or_raise(
        {"id": "w", "name": "W", "nodes": [{"id": "start", "type": "trigger_manual"}, value]}
    )
    again = read_or_raise(rewrite(workflow, "steps").document)
    assert next(node.config for node in again.nodes if node.id == "a") == {
        "name": "when",
        "value": "{{ '+1 day' }}",
    }


def test_a_delay_that_would_grow_is_reported_by_steps():
    handling = {"retry_count": 2, "retry_delay": 500}
    nodes = [{"id": "start", "type": "trigger_manual"}, {"id": "a", **SET, "error_handling": handling}]
    done = rewrite(read_or_raise({"id": "w", "name": "W", "nodes": nodes}), "steps")
    assert any("equally long" in text for text in done.approximations)
