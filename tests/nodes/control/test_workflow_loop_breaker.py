"""workflow_loop_breaker: when a loop is left, and what stays of its last round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oneo_operators.result import NodeResult
from tests.control_flow.writing import again, each, edges, leave, show
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["workflow_loop_breaker"]
MAKE = {"type": "create_record", "config": {"pipeline_id": "deals", "record_data": {}}}
TEXT = "start > loop; loop > work loop; work > node; node > late; late > loop back; loop > end done"


def broken(
    loop: dict[str, Any], breaker: dict[str, Any], work: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A loop called `loop` around a breaker called `node`."""
    nodes = [
        {"id": "loop", **loop},
        {"id": "work", **(work or show(p=1))},
        {"id": "node", **breaker},
        {"id": "late", **show(p=2)},
        {"id": "end", **show(attempts="{{ context.attempts | default(none) }}")},
    ]
    return workflow(*nodes, edges=edges(TEXT))


@pytest.mark.parametrize(("cleanup", "left"), [(True, 3), (False, 4)])
def test_the_example_ends_the_loop_it_names(
    bench: Bench, behave: Callable[..., None], cleanup: bool, left: int
) -> None:
    behave(lambda config, context: NodeResult({}, {"attempts": context.scope.find("loop")["number"]}))
    config = {**EXAMPLE, "cleanup_on_break": cleanup}
    breaker = {"type": "workflow_loop_breaker", "config": config}
    report = bench.run(broken(again(loop_key="main_loop", loop_type="count", count=9), breaker, MAKE))
    assert report["nodes"]["loop"]["output"] == {"iterations": 4, "exit_reason": "max_attempts_exceeded"}
    assert report["nodes"]["node[3]"]["output"] == {
        "broke": True,
        "breaks": "loop",
        "reason": "max_attempts_exceeded",
        "cleanup": cleanup,
    }
    assert report["nodes"]["node[0]"]["output"] == {"broke": False}
    assert "late[3]" not in report["nodes"]
    assert report["nodes"]["end"]["output"] == {"attempts": left}


def test_a_reason_that_is_not_given(bench: Bench) -> None:
    breaker = {"type": "workflow_loop_breaker", "config": {"break_conditions": [{"condition": "true"}]}}
    report = bench.run(broken(each([1, 2]), breaker))
    assert report["nodes"]["loop"]["output"]["exit_reason"] == "condition_met"


def test_a_condition_that_cannot_be_evaluated_is_named(bench: Bench) -> None:
    report = bench.run(broken(each([1]), leave("no_such_name > 1")))
    assert report["status"] == "failed"
    assert "round 0, node 'node': config.break_conditions[0].condition" in report["error"]["message"]


def test_a_condition_behind_the_one_that_holds_is_not_looked_at(bench: Bench) -> None:
    conditions = [{"condition": "true", "reason": "first"}, {"condition": "no_such_name > 1"}]
    breaker = {"type": "workflow_loop_breaker", "config": {"break_conditions": conditions}}
    report = bench.run(broken(each([1]), breaker))
    assert report["nodes"]["loop"]["output"]["exit_reason"] == "first"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (EXAMPLE, "stands in none"),
        ({"break_conditions": [{"reason": "x"}]}, "condition"),
        ({"break_conditions": [{"condition": "1 +"}]}, "break_conditions[0].condition"),
        ({"cleanup_on_break": "perhaps"}, "cleanup_on_break"),
        ({"loop": "x"}, "loop"),
    ],
)
def test_mistakes_are_named(bench: Bench, config: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in bench.problems("workflow_loop_breaker", config))


def test_a_loop_that_is_not_around_it_is_a_mistake(bench: Bench) -> None:
    from dag_factory.examine import examine

    document = broken(again(loop_key="main_loop", loop_type="count", count=2), leave(loop_key="man_loop"))
    problems = [str(problem) for problem in examine(document, bench.catalogue).problems]
    assert len(problems) == 1
    assert "no loop around this node is called 'man_loop'" in problems[0]
    assert "did you mean 'main_loop'" in problems[0]
