"""merge_data: from where, in which order, and what happens where sources differ."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.examine import examine, plan_of
from tests.http.server import Answer, RecordingServer
from tests.nodes.bench import EXAMPLES, START, Bench, workflow

EXAMPLE = EXAMPLES["merge_data"]


def put(node_id: str, **values: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "set_variable", "config": {"variables": values}}


def static(data: Any) -> dict[str, Any]:
    return {"source": "static", "data": data}


def merged(bench: Bench, *data: dict[str, Any], **options: Any) -> Any:
    return bench.node("merge_data", {"merge_sources": [static(one) for one in data], **options}).output


def test_the_example_merges_what_is_there(bench: Bench, server: RecordingServer) -> None:
    server.on("GET", "/", Answer(body={"enrichment": {"size": 3, "url": None, "processed": "no"}}))
    ask = {"id": "ask", "type": "http_request", "config": {"url": server.url("/")}}
    document = workflow(ask, {"id": "merge", "type": "merge_data", "config": EXAMPLE})
    assert plan_of(document, bench.catalogue).by_id["merge"].reads == ("ask",)
    report = bench.run(document)
    assert report["nodes"]["merge"]["output"] == {"size": 3, "processed": True}
    [row] = [row for row in bench.rows(report["execution"]) if row.node_id == "merge"]
    assert row.context_updates["merged_data"] == {"size": 3, "processed": True}
    [missing] = row.context_updates["missing_sources"]
    assert (missing["source"], missing["path"]) == ("context", "record_data")


def test_every_kind_of_source(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada", company={"name": "Oneo"})
    sources = [
        {"source": "record", "path": "company"},
        {"source": "trigger", "path": "items.1"},
        {"source": "variables"},
        {"source": "context", "path": "record.company"},
        {"source": "one", "path": "a"},
        {"source": "nodes.two"},
        static({"said": "{{ trigger.said }}"}),
    ]
    nodes = [put("one", a={"b": 1}), put("two", c=[2])]
    data = {"record_id": lead, "said": 9, "items": [0, {"t": 1}]}
    output = bench.node("merge_data", {"merge_sources": sources}, data, nodes=nodes).output
    assert output == {"name": "Oneo", "t": 1, "a": {"b": 1}, "c": [2], "b": 1, "said": 9}


def test_the_whole_context_holds_the_record(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada")
    output = bench.node("merge_data", {"merge_sources": [{"source": "context"}]}, {"record_id": lead}).output
    assert (output["record_id"], output["record"]["name"]) == (lead, "Ada")


FIRST = {"a": {"x": 1, "y": [1]}, "k": 1}
SECOND = {"a": {"x": 2, "y": [1, 2], "z": 3}, "k": 1}


@pytest.mark.parametrize(
    ("strategy", "resolution", "a"),
    [
        ("deep", "latest_wins", {"x": 2, "y": [1, 2], "z": 3}),
        ("deep", "first_wins", {"x": 1, "y": [1], "z": 3}),
        ("deep", "keep_both", {"x": [1, 2], "y": [1, 2], "z": 3}),
        ("shallow", "latest_wins", SECOND["a"]),
        ("shallow", "first_wins", FIRST["a"]),
        ("shallow", "keep_both", [FIRST["a"], SECOND["a"]]),
    ],
)
def test_strategies_and_resolutions(bench: Bench, strategy: str, resolution: str, a: Any) -> None:
    options = {"merge_strategy": strategy, "conflict_resolution": resolution}
    assert merged(bench, FIRST, SECOND, **options) == {"a": a, "k": 1}


def test_deep_and_latest_are_the_defaults(bench: Bench) -> None:
    assert merged(bench, {"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 3}}) == {"a": {"x": 3, "y": 2}}


def test_keep_both_keeps_each_value_once_and_knows_true_from_one(bench: Bench) -> None:
    values = [{"v": one} for one in (1, True, "1", 1, {"b": 1}, True)]
    assert merged(bench, *values, conflict_resolution="keep_both") == {"v": [1, True, "1", {"b": 1}]}


def test_an_object_and_a_value_differ(bench: Bench) -> None:
    assert merged(bench, {"a": {"x": 1}}, {"a": 2}) == {"a": 2}
    assert merged(bench, {"a": 2}, {"a": {"x": 1}}, conflict_resolution="first_wins") == {"a": 2}


def test_nulls_replace_values_unless_they_are_removed(bench: Bench) -> None:
    data = ({"a": 1, "b": {"c": 1}}, {"a": None, "b": {"c": None, "d": None}, "l": [None, {"e": None}]})
    assert merged(bench, *data) == {"a": None, "b": {"c": None, "d": None}, "l": [None, {"e": None}]}
    assert merged(bench, *data, remove_nulls=True) == {"a": 1, "b": {"c": 1}, "l": [None, {}]}


def test_a_conflict_that_is_an_error_names_every_field(bench: Bench) -> None:
    sources = [static(FIRST), static(SECOND)]
    config = {"merge_sources": sources, "conflict_resolution": "error"}
    ran = bench.node("merge_data", config)
    assert "config.merge_sources[1] (static) differs from the sources before it in: a.x, a.y" in ran.message
    assert ran.error["type"] == "PermanentNodeError"
    same = bench.node("merge_data", {**config, "merge_sources": [static(FIRST), static(FIRST)]})
    assert same.output == FIRST


def test_a_missing_source_can_be_an_error(bench: Bench) -> None:
    config = {"merge_sources": [{"source": "trigger", "path": "user.address"}], "on_missing": "error"}
    ran = bench.node("merge_data", config, {"user": {"adress": {}}})
    assert "config.merge_sources[0]: 'trigger' has no 'user.address'" in ran.message
    assert bench.node("merge_data", {**config, "on_missing": "skip"}).output == {}
    assert "is null" in bench.node("merge_data", config, {"user": {"address": None}}).message


def test_a_skipped_node_is_a_missing_source(bench: Bench) -> None:
    never = {"id": "if", "type": "condition", "config": {"conditions": [{"if": "false", "then": "one"}]}}
    merge = {
        "id": "merge",
        "type": "merge_data",
        "config": {"merge_sources": [{"source": "one"}, {"source": "two"}]},
    }
    edges = [
        {"source": source, "target": target}
        for source, target in (("start", "if"), ("start", "two"), ("one", "merge"), ("two", "merge"))
    ]
    report = bench.run(workflow(never, put("one", a=1), put("two", b=2), merge, edges=edges))
    assert report["nodes"]["merge"]["output"] == {"b": 2}


@pytest.mark.parametrize("value", [[1], "text", 3])
def test_what_is_no_object_cannot_be_merged(bench: Bench, value: Any) -> None:
    config = {"merge_sources": [{"source": "trigger", "path": "v"}]}
    assert "trigger.v is no object" in bench.node("merge_data", config, {"v": value}).message


def test_a_path_opens_no_door(bench: Bench) -> None:
    config = {"merge_sources": [{"source": "trigger", "path": "a.__class__"}]}
    assert "'__class__' is not available" in bench.node("merge_data", config, {"a": {}}).message


def test_a_node_called_api_response_is_meant_before_others(bench: Bench) -> None:
    nodes = [put("api_response", a=1)]
    config = {"merge_sources": [{"source": "api_response"}]}
    assert bench.node("merge_data", config, nodes=nodes).output == {"a": 1}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "at least 1 item"),
        ([{"source": "strat"}], "this reads node 'strat', which does not exist"),
        ([{"source": "nodes.node"}], "this reads node 'node', which does not run before this one"),
        ([{"source": "static"}], "`data` is given with the source `static`"),
        ([{"source": "trigger", "data": {}}], "`data` is given with the source `static`"),
        ([{"source": "static", "data": [1]}], "an object"),
        ([{"path": "a"}], "'source' of merge_data is missing"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, sources: list[Any], message: str) -> None:
    assert message in " ".join(bench.problems("merge_data", {"merge_sources": sources}))


def test_a_problem_of_a_source_says_where_and_what_was_meant(bench: Bench) -> None:
    merge = {"id": "m", "type": "merge_data", "config": {"merge_sources": [{"source": "enrch"}]}}
    document = {"name": "w", "nodes": [START, put("enrich", a=1), merge]}
    [problem] = examine(document, bench.catalogue).problems
    assert problem.path == "$.nodes[2].config.merge_sources[0].source"
    assert problem.hint == "did you mean 'enrich'?"
