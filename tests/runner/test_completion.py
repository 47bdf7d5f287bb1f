"""How an execution ended, read off its log."""

from __future__ import annotations

from typing import Any

from dag_factory.compile import compile_workflow
from dag_factory.definition import Workflow
from dag_factory.plan import Plan
from oneo.store import executions, log
from oneo.store.log import NodeKey
from oneo.store.models import ExecutionLog
from oneo_operators.catalogue import catalogue
from oneo_operators.completion import complete, completion_of
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
