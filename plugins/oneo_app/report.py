"""An execution as commands and the API show it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from oneo.store import families, log
from oneo.store.large import final_output_of, output_of
from oneo.store.models import Execution, ExecutionLog
from oneo_operators.links import run_url


def execution_report(session: Session, row: Execution, *, whole: bool = True) -> dict[str, Any]:
    """The execution with its nodes; nodes inside loops are called `id[0]`, `id[1]` and so on.

    Args:
        session: A tenant's session.
        row: The execution.
        whole: Whether large outputs are fetched; else they are shown by their beginning.
    """
    return {
        **summary(row),
        "nodes": _nodes(log.of_execution(session, row.id), whole=whole),
        "output": final_output_of(row) if whole else row.output,
        "children": [_child(child) for child in families.children(session, row.id)],
    }


def _child(row: Execution) -> dict[str, Any]:
    return {
        "execution": str(row.id),
        "workflow": row.workflow_id,
        "version": row.version,
        "status": row.status,
        "node": row.parent_node,
    }


def summary(row: Execution) -> dict[str, Any]:
    """The execution without its nodes."""
    took = (row.ended_at - row.started_at) if row.ended_at and row.started_at else None
    status = row.status
    return {
        "execution": str(row.id),
        "workflow": row.workflow_id,
        "version": row.version,
        "status": status,
        "duration_ms": round(took.total_seconds() * 1000) if took is not None else None,
        "error": row.error,
        "tenant": row.tenant_id,
        "trigger": row.trigger_type,
        "parent": str(row.parent_execution_id) if row.parent_execution_id else None,
        "parent_node": row.parent_node,
        "depth": row.depth,
        "started_by": row.started_by,
        "postponed": row.postponed if status == "pending" else None,
        # A row of a table of the tenant's own is known by its key, which the data has.
        "record_id": row.data.get("record_id") or (str(row.record_id) if row.record_id else None),
        "created_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "url": run_url(row),
    }


def _nodes(rows: list[ExecutionLog], *, whole: bool) -> dict[str, Any]:
    nodes: dict[str, dict[str, Any]] = {}
    for row in rows:
        took = (row.ended_at - row.started_at) if row.ended_at else None
        nodes[f"{row.node_id}{row.loop_index}"] = {
            "type": row.node_type,
            "status": row.status,
            "attempts": row.attempt if row.status != "skipped" else 0,
            "input": row.input,
            "output": output_of(row) if whole else row.output,
            "error": row.error,
            "routes": row.routes,
            "started_at": row.started_at,
            "duration_ms": round(took.total_seconds() * 1000) if took is not None else None,
        }
    return nodes
