"""condition: which branches are taken, and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.bench import EXAMPLES, START, Bench

EXAMPLE = EXAMPLES["condition"]


def branching(
    config: dict[str, Any], *names: str, edges: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A workflow that branches to nodes, each of which notes its name on the record."""
    notes = [
        {"id": name, "type": "update_record", "config": {"append_to_arrays": {"went": [name]}}}
        for name in names
    ]
    decide = {"id": "decide", "type": "condition", "config": config}
    return {
        "name": "w",
        "nodes": [START, decide, *notes],
        "edges": [{"source": "start", "target": "decide"}, *(edges or [])],
    }


def went(bench: Bench, document: dict[str, Any], **fields: Any) -> tuple[list[str], dict[str, Any]]:
    lead = bench.record("leads", **fields)
    report = bench.run(document, {"record_id": lead})
    kept = bench.get(lead) or {}
    return sorted(kept.get("went", [])), report


PATHS = ("high_value_path", "medium_value_path", "low_value_path")


@pytest.mark.parametrize(
    ("score", "path", "label"),
    [
        (81, "high_value_path", "High Value Lead"),
        (80, "medium_value_path", "Medium Value Lead"),
        (51, "medium_value_path", "Medium Value Lead"),
        (50, "low_value_path", "Low Value Lead"),
    ],
)
def test_the_example_takes_one_path_by_score(bench: Bench, score: int, path: str, label: str) -> None:
    notes, report = went(bench, branching(EXAMPLE, *PATHS), score=score)
    assert notes == [path]
    output = report["nodes"]["decide"]["output"]
    assert (output["branch"], output["branches"]) == (label, [label])
    assert output["conditions"][0] == {
        "branch": "High Value Lead",
        "condition": "{{record.score}} > 80",
        "result": score > 80,
    }
    others = [report["nodes"][other] for other in PATHS if other != path]
    assert [other["status"] for other in others] == ["skipped", "skipped"]
    assert f"(it took '{label}')" in others[0]["error"]["message"]


def test_conditions_after_the_first_that_holds_are_not_looked_at(bench: Bench) -> None:
    config = {
        "conditions": [{"if": "record.score > 1", "then": "a"}, {"elif": "record.none > 1", "then": "b"}]
    }
    notes, report = went(bench, branching(config, "a", "b"), score=2)
    assert notes == ["a"]
    assert len(report["nodes"]["decide"]["output"]["conditions"]) == 1


def test_all_match_takes_every_branch_that_holds(bench: Bench) -> None:
    config = {
        "evaluation_mode": "all_match",
        "conditions": [
            {"if": "record.score > 10", "then": "a"},
            {"if": "record.score > 1000", "then": "b"},
            {"elif": "record.vip", "then": "c"},
            {"else": "d"},
        ],
    }
    notes, report = went(bench, branching(config, "a", "b", "c", "d"), score=50, vip=True)
    assert notes == ["a", "c"]
    assert report["nodes"]["decide"]["output"]["branches"] == ["a", "c"]
    assert went(bench, branching(config, "a", "b", "c", "d"), score=1, vip=False)[0] == ["d"]


@pytest.mark.parametrize(
    "source",
    [
        "{{record.score}} > 80",
        "record.score > 80",
        "{{ record.score > 80 }}",
        "{{record.score}} > {{trigger.limit | default(80)}}",
        "record.score > 80 and record.name == 'Ada'",
    ],
)
def test_every_spelling_of_a_condition(bench: Bench, source: str) -> None:
    config = {"conditions": [{"if": source, "then": "a"}, {"else": "b"}]}
    assert went(bench, branching(config, "a", "b"), score=81, name="Ada")[0] == ["a"]
    assert went(bench, branching(config, "a", "b"), score=80, name="Ada")[0] == ["b"]


def test_edges_name_branches_by_label(bench: Bench) -> None:
    config = {"conditions": [{"if": "record.score > 80", "label": "hot"}, {"elif": "true", "label": "cold"}]}
    edges = [
        {"source": "decide", "target": "a", "condition": "hot"},
        {"source": "decide", "target": "b", "condition": "cold"},
        {"source": "decide", "target": "always"},
    ]
    document = branching(config, "a", "b", "always", edges=edges)
    assert went(bench, document, score=99)[0] == ["a", "always"]
    assert went(bench, document, score=1)[0] == ["always", "b"]


def test_no_branch_holds_and_there_is_no_else(bench: Bench) -> None:
    config = {"conditions": [{"if": "record.score > 80", "then": "a"}]}
    notes, report = went(bench, branching(config, "a"), score=1)
    assert (notes, report["status"]) == ([], "success")
    assert report["nodes"]["decide"]["output"]["branch"] is None
    assert "did not take 'a' (it took another way)" in report["nodes"]["a"]["error"]["message"]


def test_a_condition_that_fails_says_which_and_why(bench: Bench) -> None:
    config = {
        "conditions": [{"if": "record.score > 80", "then": "a"}, {"elif": "record.skore > 1", "then": "b"}]
    }
    _, report = went(bench, branching(config, "a", "b"), score=1)
    error = report["nodes"]["decide"]["error"]
    assert report["status"] == "failed"
    assert error["type"] == "ConfigError"
    assert error["message"].startswith("config.conditions[1].elif: ")
    assert "'skore'" in error["message"]
    assert error["message"].endswith("in 'record.skore > 1'")
    assert "score" in error["hint"]
    assert report["nodes"]["a"]["error"]["message"] == "node 'decide' failed"


def test_texts_and_numbers_are_not_confused(bench: Bench) -> None:
    config = {"conditions": [{"if": "record.score > 80", "then": "a"}]}
    _, report = went(bench, branching(config, "a"), score="ninety")
    assert report["status"] == "failed"
    assert "config.conditions[0].if: " in report["error"]["message"]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([], "at least 1 item"),
        ([{"then": "a"}], "exactly one of `if`, `elif` and `else`"),
        ([{"if": "true", "elif": "true", "then": "a"}], "exactly one of `if`, `elif` and `else`"),
        ([{"else": "a"}, {"if": "true", "then": "a"}], "there is one `else`, and it is the last branch"),
        ([{"else": "a"}, {"else": "b"}], "there is one `else`, and it is the last branch"),
        ([{"if": "record.score >", "then": "a"}], "$.nodes[1].config.conditions[0].if"),
        ([{"if": "true", "then": "nowhere"}], "branch leads to 'nowhere', which is no node of this workflow"),
        ([{"if": "true", "than": "a"}], "unknown option 'than'"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, conditions: list[Any], message: str) -> None:
    assert message in " ".join(bench.problems("condition", {"conditions": conditions}))


def test_an_unknown_mode_is_refused(bench: Bench) -> None:
    config = {"conditions": [{"if": "true", "then": "start"}], "evaluation_mode": "best_match"}
    assert "'first_match' or 'all_match'" in " ".join(bench.problems("condition", config))
