"""parallel: every branch runs, and merging waits for those that can still arrive."""

from __future__ import annotations

from typing import Any

from dag_factory.examine import plan_of
from tests.nodes.bench import EXAMPLES, START, Bench

SPLIT = {"id": "split", "type": "parallel", "config": {}}
MERGE = {"id": "merge", "type": "parallel", "config": EXAMPLES["parallel"]}


def note(name: str) -> dict[str, Any]:
    return {"id": name, "type": "set_variable", "config": {"variables": {name: 1}}}


def lead(*pairs: str) -> list[dict[str, Any]]:
    return [dict(zip(("source", "target", "condition"), pair.split(), strict=False)) for pair in pairs]


def test_every_branch_runs_and_the_merge_has_what_each_gave(bench: Bench) -> None:
    edges = lead("start split", "split a", "split b", "a merge", "b late", "late merge")
    document = {
        "name": "w",
        "nodes": [START, SPLIT, note("a"), note("b"), note("late"), MERGE],
        "edges": edges,
    }
    plan = plan_of(document, bench.catalogue)
    assert plan.by_id["merge"].reads == ("a", "late")
    assert plan.by_id["split"].reads == ()
    report = bench.run(plan)
    assert report["nodes"]["merge"]["output"] == {"branches": {"a": {"a": 1}, "late": {"late": 1}}}
    assert report["nodes"]["split"]["output"] == {}


def test_a_branch_that_cannot_arrive_is_not_waited_for(bench: Bench) -> None:
    decide = {
        "id": "decide",
        "type": "condition",
        "config": {"conditions": [{"if": "trigger.n > 1", "then": "a"}, {"else": "b"}]},
    }
    document = {
        "name": "w",
        "nodes": [START, decide, note("a"), note("b"), note("c"), MERGE],
        "edges": lead("start decide", "start c", "a merge", "b merge", "c merge"),
    }
    for n, taken in ((2, "a"), (1, "b")):
        report = bench.run(document, {"n": n})
        assert sorted(report["nodes"]["merge"]["output"]["branches"]) == [taken, "c"]


def test_a_failure_that_was_handled_arrives_as_one(bench: Bench) -> None:
    broken = {
        "id": "broken",
        "type": "set_variable",
        "config": {"increment": {"n": "{{ trigger.n }}"}},
        "error_handling": {"on_error": "continue", "retry_count": 0},
    }
    document = {
        "name": "w",
        "nodes": [START, SPLIT, broken, note("a"), MERGE],
        "edges": lead("start split", "split broken", "split a", "broken merge", "a merge"),
    }
    branches = bench.run(document, {"n": "x"})["nodes"]["merge"]["output"]["branches"]
    assert branches["a"] == {"a": 1}
    assert "config.increment.n" in branches["broken"]["error"]["message"]


def test_expressions_read_branches_by_node_id(bench: Bench) -> None:
    show = {
        "id": "show",
        "type": "set_variable",
        "config": {"variables": {"n": "{{ nodes.merge.branches.a.a }}"}},
    }
    document = {"name": "w", "nodes": [START, SPLIT, note("a"), MERGE, show]}
    assert bench.run(document)["nodes"]["show"]["output"] == {"n": 1}


def test_a_mode_that_an_expression_gives_reads_the_sources_too(bench: Bench) -> None:
    merge = {**MERGE, "config": {"mode": "{{ trigger.mode }}"}}
    document = {"name": "w", "nodes": [START, note("a"), merge]}
    assert bench.run(document, {"mode": "merge"})["nodes"]["merge"]["output"] == {"branches": {"a": {"a": 1}}}


def test_an_unknown_mode_is_refused(bench: Bench) -> None:
    assert "'split' or 'merge'" in " ".join(bench.problems("parallel", {"mode": "both"}))
