# ruff: noqa: E501 - tables
"""Loops of every dialect are real loops: their bodies are nodes, their problems stand where the author wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.dialects.type_names import STAND_INS
from dag_factory.examine import examine, plan_of
from oneo_operators.catalogue import catalogue
from tests.factory.dialects.written import START, edge, loops, node, notify, show
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

FULL = {"recipients": ["ann@example.com"], "title": "T", "message": "M"}


def drawn(name: str, kind: str, /, **data: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "position": {"x": 1, "y": 2}, "data": data}


def line(source: str, target: str, handle: str | None = None, **rest: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "sourceHandle": handle, **rest}


def drawing(*nodes: dict[str, Any], edges: list[Any]) -> dict[str, Any]:
    return {"id": "w", "name": "W", "nodes": [drawn("start", "trigger_manual"), *nodes], "edges": edges}


def drawn_loop(*body: Any, **more: Any) -> dict[str, Any]:
    """A drawn loop over what the run is given, with its body in a list."""
    loop = drawn("each", "for_each", items_path="people", sub_nodes=list(body), **more)
    return drawing(
        loop, drawn("end", "task_notify", **FULL), edges=[line("start", "each"), line("each", "end")]
    )


def plain_loop(*body: Any, edges: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """A canonical loop over three items, with its body in a list."""
    loop = node("each", "for_each", items_source=["a", "b", "c"], sub_nodes=list(body), **more)
    listed = {} if edges is None else {"edges": edges}
    return {"id": "w", "name": "W", "nodes": [START, loop, notify("end")], **listed}


def test_drawn_body_runs_once_per_item(bench: Bench):
    merge = {
        "merge_sources": [
            {"source": "static", "data": {"who": "{current_item.name}", "n": "{current_index}"}}
        ]
    }
    again = {"merge_sources": [{"source": "static", "data": {"n": "{{ current_index + 1 }}"}}]}
    document = drawn_loop(
        {"id": "look", "type": "merge_data", **merge}, {"id": "count", "type": "merge_data", "data": again},
        max_concurrency=2,
    )  # fmt: skip
    report = bench.run(document, {"people": [{"name": "Ann"}, {"name": "Ben"}, {"name": "Cid"}]})

    assert report["status"] == "success", report["error"]
    assert report["nodes"]["look[1]"]["output"] == {"who": "Ben", "n": 1}
    assert [one["n"] for one in report["nodes"]["each"]["output"]["results"]] == [1, 2, 3]
    assert report["nodes"]["end"]["status"] == "success"


def test_canonical_body_runs_in_the_listed_order(bench: Bench):
    document = plain_loop(
        show("one", item="{{ item }}"), show("two", seen="{{ nodes.one.item }}{{ loop.index }}")
    )
    report = bench.run(document)

    assert report["status"] == "success", report["error"]
    assert [one["seen"] for one in report["nodes"]["each"]["output"]["results"]] == ["a0", "b1", "c2"]


def test_options_of_a_drawn_loop():
    nodes = to_canonical(
        drawn_loop(drawn("u", "record_update", update_fields={}), max_concurrency=3)
    ).document["nodes"]
    assert nodes[1]["config"] == {
        "items_source": "{{ people }}", "item_variable": "current_item", "parallel_processing": True, "batch_size": 3,
    }  # fmt: skip
    assert [(one["id"], one["type"]) for one in nodes[3:]] == [("u", "update_record")]


def test_five_rounds_run_side_by_side_where_a_drawing_says_nothing():
    assert to_canonical(drawn_loop()).document["nodes"][1]["config"]["batch_size"] == 5


def test_edges_of_a_body_follow_the_list():
    edges = to_canonical(plain_loop(notify("a"), notify("b"))).document["edges"]
    assert edges == [
        edge("start", "each"),
        edge("each", "end"),
        {**edge("each", "a"), "loop": True},
        edge("a", "b"),
        {**edge("b", "each"), "loop_back": True},
    ]


@pytest.mark.parametrize(
    "edges", [None, [edge("start", "each"), edge("each", "end")]], ids=["listed", "edges"]
)
def test_body_is_planned_as_one(edges: list[Any] | None):
    assert loops(plain_loop(notify("a"), notify("b"), edges=edges)) == {"each": ["a", "b"]}


def test_loops_inside_loops():
    inner = node(
        "inner", "for_each", items_source="{{ item.rows }}", item_variable="row", sub_nodes=[notify("deep")]
    )
    document = plain_loop(notify("a"), inner)
    plan = plan_of(document, catalogue())
    body = plan.by_id["each"].body
    assert [one.id for one in body.nodes] == ["a", "inner"]
    assert [one.id for one in body.by_id["inner"].body.nodes] == ["deep"]


def test_ids_are_made_unique_and_that_is_reported():
    nameless = {key: value for key, value in notify("x").items() if key != "id"}
    converted = to_canonical(plain_loop(notify("end"), nameless, notify("each_2")))

    names = [one["id"] for one in converted.document["nodes"]]
    assert names == ["start", "each", "end", "each_end", "each_2_1", "each_2"]
    assert len(converted.approximations) == 2
    assert "'end' of its sub_nodes is called 'each_end'" in converted.approximations[0]


def test_other_names_and_stand_ins_are_known_in_a_body():
    document = plain_loop(node("a", "record_update"), node("b", "process_record"))
    examination = examine(document, catalogue())

    assert "node 'a': type 'record_update' is read as 'update_record'" in examination.approximations
    said = [one for one in examination.approximations if one.startswith("node 'b'")]
    assert len(said) == 1
    assert STAND_INS["process_record"] in said[0]


AT = "$.nodes[1].config.sub_nodes"
FLOW = "$.nodes[1].data.sub_nodes"
MISTAKES = {
    "no list": (plain_loop(), {"sub_nodes": {"a": 1}}, AT, "is a list of nodes"),
    "text in the list": (plain_loop("x"), {}, f"{AT}[0]", "is an object"),
    "unknown option": (plain_loop(node("a", "task_notify", **FULL, tittle=1)), {}, f"{AT}[0].config.tittle", "'tittle'"),
    "unknown type": (plain_loop(node("a", "task_notfy")), {}, f"{AT}[0].type", "'task_notfy'"),
    "hostile id": (plain_loop({**notify("a"), "id": "a b"}), {}, f"{AT}[0].id", "cannot be an id"),
    "number as id": (plain_loop({**notify("a"), "id": 7}), {}, f"{AT}[0].id", "valid string"),
    "two of one id": (plain_loop(notify("a"), notify("a")), {}, f"{AT}[1].id", "two nodes"),
    "a trigger": (plain_loop(node("t", "trigger_manual")), {}, f"{AT}[0]", "starts the workflow"),
    "unknown node read": (plain_loop(node("a", "task_notify", **{**FULL, "title": "{{ nodes.zz.x }}"})), {},
                          f"{AT}[0].config.title", "'zz'"),
    "option beside the type": (drawn_loop({"id": "a", "type": "task_notify", **FULL, "tittle": 1}), {},
                               f"{FLOW}[0].tittle", "'tittle'"),
    "option in the data": (drawn_loop(drawn("a", "task_notify", **FULL, tittle=1)), {}, f"{FLOW}[0].data.tittle", "'tittle'"),
    "operator in a body": (drawn_loop(drawn("a", "condition", conditions=[{"left": 1, "operator": "~", "right": 1}])), {},
                           f"{FLOW}[0].data.conditions[0]", "no operator"),
    "rounds at once": (drawn_loop(drawn("a", "task_notify", **FULL), max_concurrency=0), {},
                       "$.nodes[1].data.max_concurrency", "greater than or equal to 1"),
    "path": (drawn_loop(drawn("a", "task_notify", **FULL)), {"items_path": ""}, "$.nodes[1].data.items_path", "valid list"),
    "item outside": (drawing(drawn("each", "for_each", items_path="people", sub_nodes=[drawn("a", "task_notify", **FULL)]),
                             drawn("end", "task_notify", **{**FULL, "title": "{current_item.name}"}),
                             edges=[line("start", "each"), line("each", "end")]), {}, "$.nodes[2].data.title", "'each'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_in_a_body_is_shown_where_the_author_made_it(name: str):
    document, options, path, words = MISTAKES[name]
    loop = document["nodes"][1]
    kept = "config" if "config" in loop else "data"
    loop = {**loop, kept: {**loop[kept], **options}}
    document = {**document, "nodes": [document["nodes"][0], loop, *document["nodes"][2:]]}

    errors = [one for one in examine(document, catalogue()).problems if one.severity == "error"]
    assert [one.path for one in errors] == [path], errors
    assert words in errors[0].message
    assert errors[0].hint


def test_a_body_given_twice_is_refused():
    edges = [edge("start", "each"), {**edge("each", "end"), "loop": True}]
    problems = examine(plain_loop(notify("a"), edges=edges), catalogue()).problems
    assert [(one.path, one.node) for one in problems] == [(AT, "each")]
    assert "given twice" in problems[0].message


def test_a_body_without_nodes_is_a_warning():
    examination = examine(plain_loop(), catalogue())
    assert examination.ok
    assert [(one.severity, one.path) for one in examination.problems] == [("warning", "$.nodes[1]")]
    assert '"loop": true' in (examination.problems[0].hint or "")


@pytest.mark.parametrize("kind", ["for_each", "workflow_loop_controller"])
@pytest.mark.parametrize("back", [{"targetHandle": "loop_back"}, {"handle": "loop_back"}, {}], ids=str)
@pytest.mark.parametrize(("into", "on"), [("loop", "loop_complete"), ("body", "done")])
def test_drawn_edges_make_a_loop(kind: str, back: dict[str, str], into: str, on: str):
    options = {"items_source": [1]} if kind == "for_each" else {"max_iterations": 3}
    returning = line("a", "each", back.get("handle"), targetHandle=back.get("targetHandle"))
    document = drawing(
        drawn("each", kind, **options), drawn("a", "task_notify", **FULL), drawn("end", "task_notify", **FULL),
        edges=[line("start", "each"), line("each", "a", into), returning, line("each", "end", on)],
    )  # fmt: skip
    assert examine(document, catalogue()).problems == []
    assert loops(document) == {"each": ["a"]}


def test_type_of_a_loop_may_stand_in_the_data():
    document = drawing(
        {"id": "each", "type": "custom", "data": {"type": "for_each", "items_path": "people"}},
        drawn("a", "task_notify", **{**FULL, "title": "{current_index}: {current_item}"}),
        edges=[line("start", "each"), line("each", "a", "loop"), line("a", "each")],
    )
    assert loops(document) == {"each": ["a"]}
    assert (
        to_canonical(document).document["nodes"][2]["config"]["title"]
        == "{{ loop.index }}: {{ current_item }}"
    )


def test_only_the_name_is_read_as_the_round_s_number():
    title = (
        "{{ current_index }} {{ x.current_index }} {{ 'current_index' }} {{ current_index_2 }} current_index"
    )
    document = drawn_loop(drawn("a", "task_notify", title=title))
    assert to_canonical(document).document["nodes"][3]["config"]["title"] == (
        "{{ loop.index }} {{ x.current_index }} {{ 'current_index' }} {{ current_index_2 }} current_index"
    )


def test_current_index_is_an_ordinary_name_where_there_are_no_loops():
    document = drawing(drawn("a", "task_notify", title="{current_index}"), edges=[line("start", "a")])
    assert to_canonical(document).document["nodes"][1]["config"]["title"] == "{{ current_index }}"


def test_a_step_may_be_a_loop_with_its_body_in_a_list():
    parameters = {
        "items_source": ["a"],
        "sub_nodes": [notify("x"), node("y", "task_notify", **FULL, tittle=1)],
    }
    step = {"id": "each", "type": "action", "configuration": {"action": "for_each", "parameters": parameters}}
    document = {"id": "w", "name": "W", "steps": [step]}
    problems = [one for one in examine(document, catalogue()).problems if one.severity == "error"]
    assert [one.path for one in problems] == [
        "$.steps[0].configuration.parameters.sub_nodes[1].config.tittle"
    ]

    del parameters["sub_nodes"][1]["config"]["tittle"]
    assert loops(document) == {"each": ["x", "y"]}
