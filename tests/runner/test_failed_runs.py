"""Runs in this process that take too long, and what follows those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dag_factory.publish import publish
from oneo.store import executions
from oneo_app.runs import run_here
from oneo_operators.result import NodeResult
from oneo_operators.runner import PlanRunner
from tests.nodes.bench import MAKE, TELL, Bench, workflow

LOST = {"id": "find", "type": "find_records", "config": {"pipeline_id": "no_such"}}


@pytest.fixture
def rescue(bench: Bench) -> None:
    """A published error workflow that tells what failed."""
    message = "{{ trigger.execution.workflow_id }}: {{ trigger.error.message }}"
    tell = {**TELL, "config": {**TELL["config"], "message": message}}
    publish(bench.database, bench.tenant, {"id": "rescue", **workflow(tell)}, bench.catalogue)


def work(*nodes: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A workflow whose failures are told."""
    return {"id": "work", **workflow(*nodes, settings={"error_workflow": "rescue", **settings})}


def test_a_run_that_takes_too_long_is_stopped(
    bench: Bench, behave: Callable[[Callable[[Any, Any], Any]], None]
) -> None:
    stopped: list[str] = []

    async def hang(config: Any, context: Any) -> NodeResult:
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            stopped.append(context.node_id)

    behave(hang)
    state = bench.begin(work(TELL, MAKE, {**TELL, "id": "never"}, timeout_minutes=1))
    runner = PlanRunner(state.plan, state, bench.catalogue, bench.database, bench.vault, timeout_seconds=0.2)
    report = bench.complete(state, asyncio.run(runner.run()).status)
    assert (stopped, report["status"], report["error"]["type"]) == (["make"], "failed", "Timeout")
    assert report["error"]["message"] == "the workflow was not done after 1 minute: still running: 'make'"
    assert {name: node["status"] for name, node in report["nodes"].items()} == {
        "start": "success",
        "tell": "success",
        "make": "failed",
        "never": "skipped",
    }


@pytest.mark.usefixtures("rescue")
def test_the_error_workflow_runs_right_afterwards(bench: Bench) -> None:
    report = run_here(bench.database, bench.tenant, work(LOST), {})
    follows = report["error_workflow"]
    assert (report["status"], follows["status"], follows["trigger"]) == ("failed", "success", "error")
    (told,) = bench.notifications_of(follows["execution"])
    assert told.message == "work: there is no pipeline 'no_such'"
    with bench.database.tenant(bench.tenant) as session:
        assert executions.recent(session, status="pending") == []


@pytest.mark.usefixtures("rescue")
def test_no_error_workflow_follows_a_success(bench: Bench) -> None:
    assert "error_workflow" not in run_here(bench.database, bench.tenant, work(TELL), {})


def test_an_error_workflow_that_is_not_there_is_noted(bench: Bench) -> None:
    report = run_here(bench.database, bench.tenant, work(LOST), {})
    assert "'rescue' was never published" in report["error"]["error_workflow"]
    assert "error_workflow" not in report
