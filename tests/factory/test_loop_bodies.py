"""Which nodes a loop repeats, where branches and ends make that less than plain."""

from __future__ import annotations

from typing import Any

from dag_factory.examine import examine, plan_of
from oneo_operators.catalogue import catalogue
from tests.factory.corpus_loops import EACH, END, A, B, back, done, into, looped
from tests.factory.documents import edge, graph, node, route
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]


def body(document: dict[str, Any]) -> list[str]:
    found = plan_of(document, catalogue()).by_id["each"].body
    return [one.id for one in found.nodes]


def show(name: str) -> dict[str, Any]:
    return node(name, "merge_data", merge_sources=[{"source": "static", "data": {name: "{{ item }}"}}])


def test_branches_that_only_their_condition_names_belong_to_the_body(bench: Bench):
    fork = route({"if": "item > 1", "then": "a"}, {"else": "b"})
    edges = [
        edge("start", "each"),
        into("each", "route"),
        back("a", "each"),
        back("b", "each"),
        done("each", "end"),
    ]
    document = graph([EACH, fork, show("a"), show("b"), END], edges)

    assert body(document) == ["route", "a", "b"]
    report = bench.run(document)
    assert report["status"] == "success", report["error"]
    assert report["nodes"]["each"]["output"]["results"] == [{"b": 1}, {"a": 2}]


def test_a_branch_back_to_the_loop_ends_the_round(bench: Bench):
    fork = route({"if": "item > 1", "then": "each"}, {"else": "a"})
    edges = [edge("start", "each"), into("each", "route"), back("a", "each"), done("each", "end")]
    document = graph([EACH, fork, show("a"), END], edges)

    assert body(document) == ["route", "a"]
    report = bench.run(document)
    assert report["status"] == "success", report["error"]
    assert report["nodes"]["each"]["output"]["processed_count"] == 2
    assert report["nodes"]["end"]["status"] == "success"


def test_what_follows_a_loop_is_never_part_of_it():
    problems = examine(looped(A, B, more=[edge("a", "end")]), catalogue()).problems
    assert [(one.path, one.node) for one in problems] == [("$.edges[5]", "a")]
