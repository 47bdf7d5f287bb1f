"""Stand-ins of patterns: read as nodes that do no harm, each with the types that may take its place."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.dialects.type_names import STAND_INS
from dag_factory.examine import examine, plan_of
from oneo_operators.catalogue import catalogue
from tests.factory.dialects.written import START, chain, edge, graph, node, notify
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

HANDLER, RETRY, FALLBACK = (
    node("handle", "error_handler"),
    node("again", "retry_logic"),
    node("instead", "fallback_action"),
)
CALL = node("call", "http_request", url="https://example.com")
WISH = {"error_handling": {"fallback_on_failure": True}}


def types(document: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["type"] for one in to_canonical(document).document["nodes"]}


def failures(document: dict[str, Any]) -> set[tuple[str, str]]:
    """(node, node that its failure leads to) of a document that is valid."""
    examination = examine(document, catalogue())
    assert [str(one) for one in examination.problems] == []
    edges = plan_of(document, catalogue()).edges
    return {(one.source, one.target) for one in edges if one.routes == ("error",)}


def about(document: dict[str, Any], start: str) -> list[str]:
    return [one for one in to_canonical(document).approximations if one.startswith(start)]


@pytest.mark.parametrize("name", sorted(STAND_INS))
def test_it_does_nothing_and_names_the_types_to_use(name: str):
    document = chain(notify("first"), node("a", name, colour="red"), notify("last"))
    examination = examine(document, catalogue())

    assert examination.problems == []
    (said,) = examination.approximations
    assert f"node 'a': {name!r} stands for nodes of your own" in said
    assert "nothing happens here, and its options are left out" in said
    assert said.endswith(STAND_INS[name])
    (read,) = [one for one in plan_of(document, catalogue()).nodes if one.id == "a"]
    assert (read.type, read.name, read.config) == ("parallel", name, {})


def test_its_own_name_stays():
    document = chain({**node("a", "path_a"), "name": "Sales"})
    assert plan_of(document, catalogue()).by_id["a"].name == "Sales"


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"id": "a", "type": "path_a", "position": {"x": 1, "y": 1}, "data": {}}], "edges": []},
        {"steps": [{"id": "a", "type": "action", "configuration": {"action": "path_a"}}]},
    ],
    ids=["drawn", "step"],
)
def test_it_is_known_in_every_dialect(document: dict[str, Any]):
    examination = examine({"id": "w", "name": "W", **document}, catalogue())
    assert examination.ok, examination.problems
    assert any("'path_a' stands for nodes of your own" in one for one in examination.approximations)


def test_record_and_results_of_a_loop_are_passed_on(bench: Bench):
    each = node("each", "for_each", items_source=[{"n": 1}, {"n": 2}], item_variable="row")
    edges = [
        edge("start", "each"),
        {**edge("each", "work"), "loop": True},
        {**edge("work", "each"), "loop_back": True},
        edge("each", "sum"),
    ]
    document = graph([each, node("work", "process_record"), node("sum", "aggregate_results")], edges)
    report = bench.run(document)

    assert report["status"] == "success", report["error"]
    assert report["nodes"]["sum"]["output"] == {"results": [{"record": {"n": 1}}, {"record": {"n": 2}}]}


def test_record_of_a_body_as_a_list_is_passed_on():
    each = node("each", "for_each", items_source=[1], sub_nodes=[{"id": "work", "type": "process_record"}])
    assert types(chain(each))["work"] == "merge_data"


@pytest.mark.parametrize("first", [HANDLER, RETRY, FALLBACK], ids=lambda one: one["type"])
def test_failure_leads_to_what_stands_behind_and_handles_it(first: dict[str, Any]):
    document = chain(CALL, first)
    assert failures(document) == {("call", first["id"])}
    assert types(document)[first["id"]] == "task_notify"


def test_failure_leads_to_the_first_of_them_and_on_from_there():
    document = chain(CALL, HANDLER, RETRY, FALLBACK)
    assert failures(document) == {("call", "handle")}
    assert [types(document)[one] for one in ("handle", "again", "instead")] == [
        "task_notify", "parallel", "parallel",
    ]  # fmt: skip
    assert about(document, "node 'handle': what handles failures") != []


def test_it_works_where_edges_are_drawn():
    edges = [edge("start", "call"), edge("call", "handle"), edge("call", "tell")]
    assert failures(graph([CALL, HANDLER, notify()], edges)) == {("call", "handle")}


def test_what_goes_on_behind_it_is_not_for_failures_alone():
    document = chain(CALL, HANDLER, notify())
    assert failures(document) == set()
    assert types(document)["handle"] == "parallel"


def test_drawn_way_of_failures_counts():
    edges = [edge("start", "call"), edge("call", "handle", "error"), edge("handle", "tell")]
    document = graph([CALL, HANDLER, notify()], edges)
    assert failures(document) == {("call", "handle")}
    assert types(document)["handle"] == "task_notify"


def test_named_fallback_node_counts():
    document = chain({**CALL, "error_handling": {"fallback_node": "instead"}}, FALLBACK)
    assert failures(document) == {("call", "instead")}
    assert types(document)["instead"] == "task_notify"


def test_trigger_does_not_fail():
    assert failures(chain(HANDLER)) == set()


def test_fallback_on_failure_is_for_every_node_on_the_way():
    document = chain(CALL, notify(), FALLBACK, **WISH)
    assert failures(document) == {("call", "instead"), ("tell", "instead")}
    assert about(document, "error_handling") == [
        "error_handling: fallback_on_failure is read as the ways of failures there are, to 'instead'"
    ]
    assert failures(chain(CALL, notify(), FALLBACK)) == {("tell", "instead")}


@pytest.mark.parametrize("url", ["", "https://127.0.0.1:9"], ids=["no address", "private address"])
def test_each_failure_on_the_way_is_told_once(bench: Bench, url: str):
    call = node("call", "http_request", **({"url": url} if url else {}))
    report = bench.run(
        chain(call, notify(), FALLBACK, error_handling={"fallback_on_failure": True, "retry_count": 0})
    )

    assert report["status"] == "success", report["error"]
    assert {name: one["status"] for name, one in report["nodes"].items()}["tell"] == "skipped"
    told = bench.notifications_of(report["execution"])
    assert [(one.recipient, one.title) for one in told] == [("admin", "fallback_action: call failed")]


def test_fallback_on_failure_without_a_fallback_says_what_to_draw():
    document = chain(notify(), **WISH)
    assert failures(document) == set()
    (said,) = about(document, "error_handling")
    assert '"condition": "error"' in said


def test_no_fallback_on_failure_leads_failures_nowhere():
    assert failures(chain(CALL, FALLBACK, error_handling={"fallback_on_failure": False})) == set()


def test_failure_behind_a_loop_does_not_reach_into_it():
    each = node("each", "for_each", items_source=[1], sub_nodes=[notify("inner")])
    assert failures(chain(each, notify(), FALLBACK, **WISH)) == {("tell", "instead")}


def test_problem_of_a_read_edge_is_shown_where_its_node_stands():
    trigger = {"id": "late", "type": "trigger_manual"}
    problems = examine(
        {"id": "w", "name": "W", "nodes": [START, trigger, CALL, HANDLER]}, catalogue()
    ).problems
    assert [one.path for one in problems] == ["$.nodes[1]"]


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [None], [{"source": 1, "target": []}]])
@pytest.mark.parametrize("key", ["nodes", "edges", "error_handling", "an edge"])
def test_junk_is_answered_with_problems(key: str, junk: Any):
    document = chain(CALL, HANDLER, RETRY, **WISH)
    if key == "an edge":
        document["edges"] = [edge("call", "handle"), {"source": junk, "target": "again"}, junk]
    else:
        document[key] = junk
    for problem in examine(document, catalogue()).problems:
        assert problem.path.startswith("$")


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        (("high", "low"), "low"),
        (("no", "yes"), "no"),
        (("Standard", "high", "low"), "Standard"),
        (("only",), "only"),
    ],
)
def test_condition_without_a_comparison_takes_the_way_for_all_else(
    bench: Bench, labels: tuple[str, ...], taken: str
):
    edges = [edge("start", "route"), *(edge("route", name, name) for name in labels)]
    document = graph([{"id": "route", "type": "condition"}, *map(notify, labels)], edges)
    examination = examine(document, catalogue())

    assert examination.problems == []
    assert "write what it compares" in examination.approximations[0]
    report = bench.run(document)
    assert report["nodes"]["route"]["output"]["branch"] == taken
    assert {one.node_id for one in bench.notifications_of(report["execution"])} == {taken}


def test_condition_without_names_on_its_ways_stays_a_mistake():
    problems = examine(chain({"id": "route", "type": "condition"}, notify()), catalogue()).problems
    assert [one.message for one in problems] == ["option 'conditions' of condition is missing"]
