"""An event as commands show it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.store import event_log
from oneo.store.events import Row, as_event
from oneo.store.models import Execution, InboxEvent
from oneo_operators.links import run_url


def summary(row: Row) -> dict[str, Any]:
    """The event without what came in with it."""
    event = as_event(row)
    state = "waiting" if row.handled_at is None else "set aside" if row.problem else "handled"
    return {
        "event": event.id,
        "kind": event.kind,
        "topic": event.topic,
        "key": row.key if isinstance(row, InboxEvent) else None,
        "record_id": str(event.record_id) if event.record_id else None,
        "at": event.at,
        "state": state,
        "handled_at": row.handled_at,
        "problem": row.problem,
        "decisions": row.decisions or {},
    }


def event_report(session: Session, row: Row) -> dict[str, Any]:
    """The event with what triggers see of it, and what became of the executions it started."""
    event = as_event(row)
    return {
        **summary(row),
        "changed": list(event.changed),
        "data": event.trigger_data(),
        "caused_by": str(event.caused_by) if event.caused_by else None,
        "decisions": [
            {"trigger": address, **decision, "became": became(session, row.tenant_id, decision)}
            for address, decision in (row.decisions or {}).items()
        ],
    }


def became(session: Session, tenant_id: str, decision: dict[str, str]) -> dict[str, Any] | None:
    """What became of the execution that a decision names; None where it names none."""
    if "execution" not in decision:
        return None
    key = UUID(decision["execution"])
    row = session.get(Execution, (tenant_id, key))
    if row is not None:
        return execution_state(row)
    if decision["outcome"] != "gathered":
        return {"execution": str(key), "status": "unknown", "note": "the execution is no longer kept"}
    return {
        "execution": str(key),
        "status": "gathering",
        "note": "it has not started: it waits for more events",
    }


def execution_state(row: Execution) -> dict[str, Any]:
    """An execution in a line: its state, and why it is in it."""
    note = row.postponed if row.status == "pending" else (row.error or {}).get("message")
    return {"execution": str(row.id), "status": row.status, "note": note, "url": run_url(row)}


def stuck(session: Session, rows: list[Row]) -> dict[int, list[dict[str, Any]]]:
    """By event, the executions it started that could not start."""
    query = select(Execution).where(Execution.event_id.in_([row.id for row in rows]), event_log.not_started())
    found: dict[int, list[dict[str, Any]]] = {}
    for one in session.scalars(query):
        if one.event_id is not None:
            found.setdefault(one.event_id, []).append({"workflow": one.workflow_id, **execution_state(one)})
    return found
