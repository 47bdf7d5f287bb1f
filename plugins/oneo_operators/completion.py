"""The end of an execution: which nodes were skipped and why, what came out, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dag_factory.plan import SUCCESS, Plan, taken
from oneo.store import dag_runs, executions, log
from oneo.store.large import output_of
from oneo.store.log import NodeKey
from oneo_operators.error_workflow import ErrorRun, follow_up
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
        error: The first failure that nothing handled; rather of a node than of a process that ended under one.
        stopped: Ids of the nodes that were still at work.
    """

    skipped: Mapping[str, str]
    output: Any
    error: Mapping[str, Any] | None
    stopped: Sequence[str] = ()


def completion_of(plan: Plan, rows: Sequence[ExecutionLog]) -> Completion:
    """Read the end of an execution off its log."""
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
    failures.sort(key=lambda row: _is_stop(row.error))
    skipped = {node.id: _reason(plan, node.id, routes) for node in plan.nodes if node.id not in ran}
    ends = {
        node.id: output_of(last[node.id])
        for node in plan.ends
        if node.id in ran and last[node.id].output is not None
    }
    if not ends:
        reached = [node.id for node in plan.nodes if node.id in ran]
        ends = {node_id: output_of(last[node_id]) for node_id in reached[-1:]}
    output = next(iter(ends.values()), None) if len(ends) <= 1 else ends
    stopped = [row.node_id for row in failures if _is_stop(row.error)]
    return Completion(skipped, output, failures[0].error if failures else None, stopped)


def _is_stop(error: Mapping[str, Any] | None) -> bool:
    """Whether a node did not fail by itself, but was stopped or lost its process."""
    return error is not None and error.get("type") in ("Interrupted", "Stopped")


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


def complete(
    session: Session,
    execution: Execution,
    plan: Plan,
    run_state: str,
    problem: Mapping[str, Any] | None = None,
) -> ErrorRun | None:
    """Write rows for the skipped nodes and end the execution; where it failed, its error workflow follows.

    Args:
        session: A session that may write this tenant's executions.
        execution: The execution, locked.
        plan: The plan of the version that ran.
        run_state: `success`, `failed` or `timed_out`, as the runner of the tasks saw it.
        problem: What the runner knows of the failure; it comes before what the log says.

    Returns:
        The error workflow's run, see `follow_up`.
    """
    rows = log.of_execution(session, execution.id)
    for row in rows:
        if row.status in ("running", "waiting"):
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
        return None if execution.status == "success" else follow_up(session, execution, plan.error_workflow)
    error = end.error or _RUN_FAILED
    timed_out = run_state == dag_runs.TIMED_OUT or _is_overdue(session, execution, plan)
    if timed_out and (end.error is None or _is_stop(end.error)):
        error = _timeout(plan, end.stopped)
    executions.finish(session, execution, "failed", output=end.output, error=problem or error)
    return follow_up(session, execution, plan.error_workflow)


_PROCESS_ENDED = {
    "type": "Interrupted",
    "message": "the process that ran this node ended before the node did; its changes were taken back",
    "hint": "the task logs of the DAG run in the Airflow UI tell more",
}
_LEFT_WAITING = {"type": "Stopped", "message": "the run ended while this node waited"}
_RUN_FAILED = {
    "type": "RunFailed",
    "message": "the DAG run ended as failed without a node saying why: a task was killed or ran out of time",
    "hint": "the task logs of the DAG run in the Airflow UI tell more",
}


def _is_overdue(session: Session, execution: Execution, plan: Plan) -> bool:
    """Whether the execution has lasted as long as it may: its runner may not have told that this was its end."""
    if plan.timeout_minutes is None:
        return False
    return executions.has_lasted(session, execution, timedelta(minutes=plan.timeout_minutes))


def _timeout(plan: Plan, stopped: Sequence[str]) -> dict[str, Any]:
    minutes = plan.timeout_minutes
    limit = f"after {minutes} minute{'s' if minutes > 1 else ''}" if minutes else "in time"
    running = f": still running: {', '.join(map(repr, stopped))}" if stopped else ""
    return {
        "type": "Timeout",
        "message": f"the workflow was not done {limit}{running}",
        "hint": "raise settings.timeout_minutes, or see which of its nodes took so long",
        **({"node": stopped[0]} if stopped else {}),
    }


def _interrupted(session: Session, row: ExecutionLog) -> None:
    """Close the row of an attempt whose process is gone: nothing of it was kept."""
    key = NodeKey(row.tenant_id, row.execution_id, row.node_id, row.loop_index)
    place = {"node": row.node_id, "attempt": row.attempt}
    error = (_LEFT_WAITING if row.status == "waiting" else _PROCESS_ENDED) | place
    log.end_attempt(session, key, row.attempt, "failed", input=row.input, error=error)
    session.refresh(row)
