"""Failures inside loops that time or another attempt decides."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from oneo.errors import TransientNodeError
from oneo_operators.result import NodeResult
from oneo_operators.runner import PlanRunner
from tests.control_flow.writing import Case, again, each, show
from tests.nodes.bench import MAKE, Bench

Behave = Callable[[Callable[[Any, Any], Any]], None]
LOOPS = {"each": each([1, 2]), "again": again(loop_type="count", count=2)}


def case(loop: str, retries: int) -> dict[str, Any]:
    """A loop of two rounds around a node that is tried again."""
    work = {**MAKE, "id": "work", "error_handling": {"retry_count": retries, "retry_delay": 0}}
    nodes = {"loop": LOOPS[loop], "work": work, "handler": show(says="{{ error.message }}")}
    edges = "start > loop; loop > work loop; work > loop back; loop > handler : error"
    return Case(loop, nodes, edges, {}).document


def failing(times: int) -> Callable[[Any, Any], NodeResult]:
    """Work that fails so often in every round, and then succeeds."""
    attempts: Counter[str] = Counter()

    def work(config: Any, context: Any) -> NodeResult:
        attempts[context.loop_index] += 1
        if attempts[context.loop_index] <= times:
            raise TransientNodeError("busy")
        return NodeResult({"attempts": attempts[context.loop_index]})

    return work


@pytest.mark.parametrize("loop", LOOPS)
def test_every_round_has_all_its_attempts(bench: Bench, behave: Behave, loop: str) -> None:
    behave(failing(2))
    report = bench.run(case(loop, retries=2))
    assert report["status"] == "success", report["error"]
    assert [report["nodes"][place]["attempts"] for place in ("work[0]", "work[1]")] == [3, 3]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_round_that_has_no_attempt_left_fails_the_loop_which_is_not_repeated(
    bench: Bench, behave: Behave, loop: str
) -> None:
    behave(failing(3))
    report = bench.run(case(loop, retries=2))
    failed = report["nodes"]["loop"]
    assert (failed["attempts"], failed["routes"]) == (1, ["error"])
    assert report["nodes"]["handler"]["output"] == {"says": "round 0, node 'work': busy"}
    assert failed["error"] == {
        "type": "TransientNodeError",
        "message": "round 0, node 'work': busy",
        "hint": None,
        "loop": "loop",
        "round": 0,
        "node": "work",
        "attempt": 1,
    }


def test_failed_rounds_side_by_side_are_told_apart(bench: Bench, behave: Behave) -> None:
    def work(config: Any, context: Any) -> NodeResult:
        if context.loop_index == "[1]":
            raise TransientNodeError("busy")
        return NodeResult({})

    behave(work)
    loop = each([1, 2, 3], parallel_processing=True, continue_on_error=True)
    node = {**MAKE, "id": "work", "error_handling": {"retry_count": 0}}
    edges = "start > loop; loop > work loop; work > loop back"
    report = bench.run(Case("side by side", {"loop": loop, "work": node}, edges, {}).document)
    output = report["nodes"]["loop"]["output"]
    assert (output["success_count"], output["failed_count"]) == (2, 1)
    (error,) = output["errors"]
    assert (error["index"], error["error"]["node"], error["error"]["message"]) == (1, "work", "busy")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_takes_too_long_is_stopped_with_the_node_at_work(
    bench: Bench, behave: Behave, loop: str
) -> None:
    async def hang(config: Any, context: Any) -> NodeResult:
        return await asyncio.get_running_loop().create_future()

    behave(hang)
    document = {**case(loop, retries=2), "settings": {"timeout_minutes": 2}}
    state = bench.begin(document)
    runner = PlanRunner(state.plan, state, bench.catalogue, bench.database, bench.vault, timeout_seconds=0.2)
    report = bench.complete(state, asyncio.run(runner.run()).status)
    assert report["error"]["message"] == "the workflow was not done after 2 minutes: still running: 'loop'"
    nodes = {name: node["status"] for name, node in report["nodes"].items()}
    assert nodes == {"start": "success", "loop": "failed", "work[0]": "failed", "handler": "skipped"}
