"""workflow_loop_controller: how often the body runs, and why it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oneo_operators.result import NodeResult
from tests.control_flow.writing import add, edges, show
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["workflow_loop_controller"]
MAKE = {"type": "create_record", "config": {"pipeline_id": "deals", "record_data": {}}}
N = {"variables": {"n": 0}}


def repeated(config: dict[str, Any], work: dict[str, Any] | None = None) -> dict[str, Any]:
    """A controller called `node` before a node called `work`."""
    node = {"id": "node", "type": "workflow_loop_controller", "config": config}
    text = "start > node; node > work loop; work > node back; node > end done"
    nodes = [node, {"id": "work", **(work or add(n=1))}, {"id": "end", **show(n="{{ variables.n }}")}]
    return workflow(*nodes, edges=edges(text), **N)


def ended(bench: Bench, config: dict[str, Any]) -> tuple[int, str]:
    """How many rounds there were, and why no more."""
    output = bench.run(repeated(config))["nodes"]["node"]["output"]
    return output["iterations"], output["exit_reason"]


def example(*, behind: bool) -> dict[str, Any]:
    """The example with its two nodes; the way it has in lies before it or in its body."""
    nodes = [
        {"id": "node", "type": "workflow_loop_controller", "config": EXAMPLE},
        {"id": "loop_start", **MAKE},
        {"id": "loop_complete", **show(success="{{ context.success | default(false) }}")},
    ]
    text = "start > loop_start; loop_start > node" if behind else "start > node; loop_start > node"
    return workflow(*nodes, edges=edges(text))


@pytest.mark.parametrize("behind", [False, True])
def test_the_example_repeats_until_the_context_says_so(
    bench: Bench, behave: Callable[..., None], behind: bool
) -> None:
    behave(lambda config, context: NodeResult({}, {"success": context.loop_index == "[2]"}))
    report = bench.run(example(behind=behind))
    assert report["nodes"]["node"]["output"] == {"iterations": 3, "exit_reason": "exit_condition"}
    assert report["nodes"]["loop_complete"]["output"] == {"success": True}


def test_the_example_gives_up_after_ten_rounds(bench: Bench, behave: Callable[..., None]) -> None:
    behave(lambda config, context: NodeResult({}, {"success": "true"}))
    report = bench.run(example(behind=False))
    assert report["nodes"]["node"]["output"] == {"iterations": 10, "exit_reason": "max_iterations"}
    assert report["nodes"]["loop_complete"]["status"] == "success"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"loop_type": "count", "count": 3}, (3, "completed")),
        ({"loop_type": "count", "count": 0}, (0, "completed")),
        ({"loop_type": "count", "count": 5, "max_iterations": 5}, (5, "completed")),
        ({"loop_type": "count", "count": 6, "max_iterations": 5}, (5, "max_iterations")),
        ({"loop_type": "count", "max_iterations": 2}, (2, "completed")),
        ({"loop_type": "while", "while_condition": "variables.n < 4"}, (4, "completed")),
        ({"loop_type": "while", "while_condition": "true", "max_iterations": 1}, (1, "max_iterations")),
        ({}, (10, "max_iterations")),
        ({"exit_conditions": [{"condition": "variables.n == 2", "reason": "two"}]}, (2, "two")),
        (
            {"exit_conditions": [{"type": "variable", "path": "n", "expected_value": 0}]},
            (0, "exit_condition"),
        ),
        (
            {"exit_conditions": [{"type": "node_output", "path": "work.n", "expected_value": 4}]},
            (4, "exit_condition"),
        ),
        ({"loop_type": "count", "count": "{{ 1 + 1 }}"}, (2, "completed")),
    ],
)
def test_how_often_and_why_no_more(bench: Bench, config: dict[str, Any], expected: tuple[int, str]) -> None:
    assert ended(bench, config) == expected


def test_a_context_entry_inside_a_record(bench: Bench) -> None:
    lead = bench.record("leads", stage="new", tries=0)
    stage = "{{ 'won' if loop.index == 1 else 'new' }}"
    change = {
        "type": "update_record",
        "config": {
            "increment_fields": {"tries": 1},
            "update_fields": {"stage": stage},
        },
    }
    condition = {"type": "context_value", "path": "record.stage", "expected_value": "won"}
    report = bench.run(repeated({"exit_conditions": [condition]}, change), {"record_id": lead})
    assert report["nodes"]["node"]["output"] == {"iterations": 2, "exit_reason": "exit_condition"}


def test_too_many_rounds_may_be_a_failure(bench: Bench) -> None:
    report = bench.run(repeated({"max_iterations": 2, "on_max_iterations": "fail"}))
    assert (report["status"], report["error"]["node"]) == ("failed", "node")
    assert "not done after 2 rounds" in report["error"]["message"]
    assert report["error"]["hint"] == "raise max_iterations"


def test_a_condition_that_ends_the_last_round_is_no_failure(bench: Bench) -> None:
    config = {
        "max_iterations": 2,
        "on_max_iterations": "fail",
        "exit_conditions": [{"condition": "variables.n == 2"}],
    }
    assert ended(bench, config) == (2, "exit_condition")


def test_a_condition_that_cannot_be_evaluated_is_named(bench: Bench) -> None:
    report = bench.run(repeated({"loop_type": "while", "while_condition": "no_such_name > 1"}))
    assert report["error"]["message"].startswith("config.while_condition: ")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"loop_type": "while"}, "`while_condition`"),
        ({"loop_type": "forever"}, "loop_type"),
        ({"loop_type": "count", "count": -1}, "count"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"on_max_iterations": "stop"}, "on_max_iterations"),
        ({"exit_conditions": [{"type": "variable"}]}, "has a `path`"),
        ({"exit_conditions": [{"type": "expression", "path": "n"}]}, "has a `condition`"),
        ({"exit_conditions": [{"type": "node_output", "path": "nowhere.n"}]}, "'nowhere'"),
        ({"exit_conditions": [{"condition": "1 +"}]}, "exit_conditions[0].condition"),
        ({"while_condition": "1 +", "loop_type": "while"}, "while_condition"),
    ],
)
def test_mistakes_in_the_options_are_named(bench: Bench, config: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in bench.problems("workflow_loop_controller", config))


def test_a_controller_that_repeats_nothing_is_a_mistake(bench: Bench) -> None:
    assert any("repeats nothing" in problem for problem in bench.problems("workflow_loop_controller", {}))
