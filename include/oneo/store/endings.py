"""The end of an execution as an event, for workflows that wait for others to end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from oneo.store import inbox, records
from oneo.store.events import RECORD
from oneo.store.models import ActiveTrigger, Execution, ExecutionLog

ENDED = "workflow"


def announce(session: Session, row: Execution) -> None:
    """Make an event of an execution's end, in the transaction that ends it, where some trigger waits for it.

    Each way that an execution ends is announced once: one that failed may succeed when it is run again.
    """
    if not _awaited(session, row):
        return
    record_id = row.record_id or row.data.get("record_id")
    record = records.find_one(session, str(record_id), tenant_id=row.tenant_id) if record_id else None
    data: dict[str, Any] = {
        "workflow_id": row.workflow_id,
        "execution_id": str(row.id),
        "status": row.status,
        "output": row.output,
        "error": row.error,
        "context": _context(session, row),
        "parent_execution_id": str(row.parent_execution_id) if row.parent_execution_id else None,
    }
    inbox.put(
        session,
        row.tenant_id,
        ENDED,
        row.workflow_id,
        data | ({RECORD: records.view(record)} if record is not None else _of_table(row)),
        key=f"{row.id}/{row.status}",
        record_id=record.id if record is not None else None,
        execution_id=row.id,
    )


def _of_table(row: Execution) -> dict[str, Any]:
    """The record of an execution that a row of a table of the tenant's own has started, as it was then."""
    key, record = row.data.get("record_id"), row.data.get("record")
    is_elsewhere = row.record_id is not None and key is not None and str(row.record_id) != str(key)
    return {RECORD: record} if is_elsewhere and isinstance(record, dict) else {}


def _awaited(session: Session, row: Execution) -> bool:
    waits = exists().where(
        ActiveTrigger.tenant_id == row.tenant_id,
        ActiveTrigger.event_kinds.contains([ENDED]),
        or_(ActiveTrigger.topics.contains([row.workflow_id]), ActiveTrigger.topics.contains(["*"])),
    )
    if row.parent_execution_id is not None:
        # A loop may call thousands of workflows: an event of each only where it is asked for.
        waits = waits.where(ActiveTrigger.config.contains({"include_sub_workflows": True}))
    return bool(session.scalar(select(waits)))


def _context(session: Session, row: Execution) -> dict[str, Any]:
    """What the nodes of an execution left in the context; of two values the later one."""
    query = select(ExecutionLog.context_updates).where(
        ExecutionLog.tenant_id == row.tenant_id,
        ExecutionLog.execution_id == row.id,
        ExecutionLog.loop_index == "",
        ExecutionLog.status.in_(("success", "failed")),
        ExecutionLog.context_updates.is_not(None),
    )
    found: dict[str, Any] = {}
    for left in session.scalars(query.order_by(ExecutionLog.ended_at, ExecutionLog.node_id)):
        # What is no entry of the context has a colon in its name.
        found |= {name: value for name, value in (left or {}).items() if ":" not in name}
    return found
