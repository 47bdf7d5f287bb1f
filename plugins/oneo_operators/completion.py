"""The end of an execution: which nodes were skipped and why, what came out, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dag_factory.plan import SUCCESS, Plan, taken
from oneo.store import executions, log
from oneo.store.log import NodeKey
from oneo_operators.final_output import succeed
from oneo_operators.orphans import close_inside

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.store.models import Execution, ExecutionLog


@dataclass(frozen=True)
class Completion:
    """What follows from a plan and its log rows once nothing runs any more.

    Attributes:
        skipped: Node id to the reason why it did not run.
        output: The output of the last node; by node id where several ends were reached.
        error: The first failure that nothing handled.
    """

    skipped: Mapping[str, str]
    output: Any
    error: Mapping[str, Any] | None


def completion_of(plan: Plan, rows: Sequence[ExecutionLog]) -> Completion:
    """Read the end of an execution off its log: a pure function."""
    last: dict[str, ExecutionLog] = {}
    for row in rows:
        known = last.get(row.node_id)
        # A success stays one, whatever was tried at the same time.
        if row.loop_index == "" and (known is None or known.status != "success"):
            last[row.node_id] = row
    ran = {node_id for node_id, row in last.items() if row.status in ("success", "failed")}
    routes = {node_id: tuple(last[node_id].routes or ()) for node_id in ran}
    for node_id in ran:
        if last[node_id].status == "success" and not routes[node_id]:
            routes[node_id] = (SUCCESS,)
    failures = [last[node.id] for node in plan.nodes if node.id in ran and not routes[node.id]]
    skipped = {node.id: _reason(plan, node.id, routes) for node in plan.nodes if node.id not in ran}
    ends = {
        node.id: last[node.id].output
        for node in plan.ends
        if node.id in ran and last[node.id].output is not None
    }
    if not ends:
        reached = [node.id for node in plan.nodes if node.id in ran]
        ends = {node_id: last[node_id].output for node_id in reached[-1:]}
    output = next(iter(ends.values()), None) if len(ends) <= 1 else ends
    return Completion(skipped, output, failures[0].error if failures else None)


def _reason(plan: Plan, node_id: str, routes: Mapping[str, tuple[str, ...]]) -> str:
    incoming = plan.edges_to(node_id)
    if not incoming:
        return (
            "another trigger started this execution"
            if plan.by_id[node_id].is_trigger
            else "it was not started"
        )
    for edge in incoming:
        if edge.source in routes and not routes[edge.source]:
            return f"node {edge.source!r} failed"
    for edge in incoming:
        if edge.source in routes and not taken(edge, routes[edge.source]):
            way = ", ".join(repr(route) for route in edge.routes)
            took = (
                ", ".join(repr(route) for route in routes[edge.source] if route != SUCCESS) or "another way"
            )
            return f"node {edge.source!r} did not take {way} (it took {took})"
    return "node " + ", ".join(repr(edge.source) for edge in incoming) + " did not run"


def complete(session: Session, execution: Execution, plan: Plan, run_state: str) -> None:
    """Write rows for the skipped nodes and end the execution.

    Args:
        session: A session that may write this tenant's executions.
        execution: The execution, locked.
        plan: The plan of the version that ran.
        run_state: `success` or `failed`, as the runner of the tasks saw it.
    """
    rows = log.of_execution(session, execution.id)
    for row in rows:
        if row.status == "running":
            _interrupted(session, row)
    end = completion_of(plan, rows)
    for node_id, reason in end.skipped.items():
        key = NodeKey(execution.tenant_id, execution.id, node_id)
        log.write_row(
            session, key, plan.by_id[node_id].type, "skipped", error={"type": "Skipped", "message": reason}
        )
    close_inside(session, execution)
    if run_state == "success":
        succeed(session, execution, plan, rows, end.output)
        return
    error = end.error or {
        "type": "RunFailed",
        "message": "the DAG run ended as failed without a node saying why: a task was killed or ran out of time",
        "hint": "the task logs of the DAG run in the Airflow UI tell more",
    }
    executions.finish(session, execution, "failed", output=end.output, error=error)


def _interrupted(session: Session, row: ExecutionLog) -> None:
    """Close the row of an attempt whose process is gone: nothing of it was kept."""
    key = NodeKey(row.tenant_id, row.execution_id, row.node_id, row.loop_index)
    error = {
        "type": "Interrupted",
        "message": "the process that ran this node ended before the node did; its changes were taken back",
        "hint": "the task logs of the DAG run in the Airflow UI tell more",
        "node": row.node_id,
        "attempt": row.attempt,
    }
    log.end_attempt(session, key, row.attempt, "failed", input=row.input, error=error)
    session.refresh(row)
