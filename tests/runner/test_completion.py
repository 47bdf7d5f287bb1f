"""How an execution ended, read off its log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.models import DagRun

from dag_factory.compile import compile_workflow
from dag_factory.definition import Workflow
from dag_factory.plan import Plan
from oneo.store import executions, log
from oneo.store.log import NodeKey
from oneo.store.models import ExecutionLog
from oneo_operators.catalogue import catalogue
from oneo_operators.completion import complete, completion_of
from oneo_operators.execution import ExecutionState
from tests.nodes.bench import START, Bench, workflow


def plan(*pairs: str) -> Plan:
    """A plan of notes: `plan("a>b", "a>c")`."""
    ends = [pair.split(">") for pair in pairs]
    names = list(dict.fromkeys(name for pair in ends for name in pair))
    config = {"recipients": ["x"], "title": "x", "message": "x"}
    document = {
        "name": "w",
        "nodes": [START, *({"id": name, "type": "task_notify", "config": config} for name in names)],
        "edges": [
            {"source": "start", "target": names[0]},
            *({"source": source, "target": target} for source, target in ends),
        ],
    }
    return compile_workflow(Workflow.model_validate(document), catalogue(), "hash")


def row(node_id: str, status: str = "success", **more: Any) -> ExecutionLog:
    return ExecutionLog(**{"node_id": node_id, "status": status, "loop_index": "", "attempt": 1, **more})


def test_nothing_ran() -> None:
    end = completion_of(plan("a>b"), [])
    assert end.skipped["start"] == "another trigger started this execution"
    assert end.skipped["b"] == "node 'a' did not run"
    assert (end.output, end.error) == (None, None)


def test_the_last_attempt_counts() -> None:
    rows = [
        row("start"),
        row("a", "failed", error={"message": "1"}),
        row("a", output={"ok": 1}, attempt=2),
        row("b"),
    ]
    end = completion_of(plan("a>b"), rows)
    assert (end.error, end.skipped) == (None, {})


def test_a_success_stays_one_whatever_was_tried_beside_it() -> None:
    rows = [
        row("start"),
        row("a", output=1),
        row("a", "failed", attempt=2, error={"message": "late"}),
        row("b"),
    ]
    assert completion_of(plan("a>b"), rows).error is None


def test_the_first_failure_in_the_workflows_order_is_the_executions() -> None:
    rows = [
        row("start"),
        row("b", "failed", error={"message": "second"}),
        row("a", "failed", error={"message": "first"}),
    ]
    assert completion_of(plan("a>b"), rows).error == {"message": "first"}


def test_a_handled_failure_is_none() -> None:
    rows = [row("start"), row("a", "failed", routes=["success"], output={"error": {}}), row("b", output=2)]
    end = completion_of(plan("a>b"), rows)
    assert (end.error, end.output) == (None, 2)


def test_outputs_of_the_ends_that_were_reached() -> None:
    two = plan("a>b", "a>c")
    assert completion_of(two, [row("start"), row("a"), row("b", output=1), row("c", output=2)]).output == {
        "b": 1,
        "c": 2,
    }
    assert completion_of(two, [row("start"), row("a"), row("b", output=1)]).output == 1
    assert completion_of(two, [row("start", output=0), row("a", output=9)]).output == 9


def test_rows_of_iterations_do_not_decide() -> None:
    rows = [row("start"), row("a", output=1), row("a", "failed", loop_index="[1]"), row("b", output=2)]
    assert completion_of(plan("a>b"), rows).error is None


def test_an_attempt_whose_process_died_is_closed_and_named(bench: Bench) -> None:
    config = {"recipients": ["x"], "title": "x", "message": "x"}
    nodes = [{"id": name, "type": "task_notify", "config": config} for name in ("a", "b")]
    state = bench.begin(workflow(*nodes))
    with bench.database.tenant(bench.tenant) as session:
        log.start_attempt(session, NodeKey(bench.tenant, state.id, "a"), "task_notify")
    with bench.database.system() as session:
        execution = executions.get_for_update(session, bench.tenant, state.id)
        complete(session, execution, state.plan, "failed")
        assert execution.status == "failed"
        assert execution.error is not None
        assert execution.error["node"] == "a"
        assert "ended before the node did" in execution.error["message"]
    rows = {one.node_id: one for one in bench.rows(state.id)}
    assert (rows["a"].status, rows["a"].error["type"]) == ("failed", "Interrupted")
    assert rows["a"].ended_at is not None
    assert (rows["b"].status, rows["b"].error["message"]) == ("skipped", "node 'a' failed")


def test_a_run_that_failed_without_a_node_saying_why(bench: Bench) -> None:
    state = bench.begin(workflow())
    with bench.database.system() as session:
        execution = executions.get_for_update(session, bench.tenant, state.id)
        complete(session, execution, state.plan, "failed")
        assert execution.error is not None
        assert "without a node saying why" in execution.error["message"]


def ended(bench: Bench, state: ExecutionState, run_state: str, *, minutes_ago: int = 0) -> dict[str, Any]:
    """The error of an execution that ends as failed, some time after it began."""
    with bench.database.system() as session:
        execution = executions.get_for_update(session, bench.tenant, state.id)
        assert execution.started_at is not None
        execution.started_at -= timedelta(minutes=minutes_ago)
        complete(session, execution, state.plan, run_state)
        assert execution.error is not None
        return execution.error


def at_work(bench: Bench) -> ExecutionState:
    """An execution with 5 minutes time, whose nodes `a` and `b` are at work."""
    config = {"recipients": ["x"], "title": "x", "message": "x"}
    nodes = [{"id": name, "type": "task_notify", "config": config} for name in ("a", "b")]
    edges = [{"source": "start", "target": name} for name in ("a", "b")]
    state = bench.begin(workflow(*nodes, edges=edges, settings={"timeout_minutes": 5}))
    with bench.database.tenant(bench.tenant) as session:
        for name in ("a", "b"):
            log.start_attempt(session, NodeKey(bench.tenant, state.id, name), "task_notify")
    return state


@pytest.mark.parametrize(("run_state", "minutes_ago"), [("timed_out", 0), ("failed", 5)])
def test_a_run_that_took_too_long_says_so_and_what_was_at_work(
    bench: Bench, run_state: str, minutes_ago: int
) -> None:
    error = ended(bench, at_work(bench), run_state, minutes_ago=minutes_ago)
    assert error["type"] == "Timeout"
    assert error["message"] == "the workflow was not done after 5 minutes: still running: 'a', 'b'"
    assert "settings.timeout_minutes" in error["hint"]


def test_a_run_that_was_broken_off_before_its_time_was_interrupted(bench: Bench) -> None:
    assert ended(bench, at_work(bench), "failed", minutes_ago=4)["type"] == "Interrupted"


def test_a_node_that_failed_by_itself_is_the_reason_whatever_was_stopped_beside_it(bench: Bench) -> None:
    state = at_work(bench)
    with bench.database.tenant(bench.tenant) as session:
        key = NodeKey(bench.tenant, state.id, "b")
        log.end_attempt(session, key, 1, "failed", error={"type": "ConfigError", "message": "boom"})
    assert ended(bench, state, "timed_out")["message"] == "boom"


def test_airflow_tells_which_runs_took_too_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from oneo_app import listener

    monkeypatch.setattr(listener, "database", lambda: bench.database)
    for message, expected in (("timed_out", "timed_out"), ("task_failure", "failed")):
        state = bench.begin(workflow())
        with bench.database.tenant(bench.tenant) as session:
            row = executions.get(session, state.id)
        listener.on_dag_run_failed(DagRun(dag_id=row.dag_id, run_id=row.run_id), message)
        with bench.database.tenant(bench.tenant) as session:
            assert executions.get(session, state.id).run_state == expected
