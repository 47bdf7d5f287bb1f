"""Follow-up tasks of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from oneo.store.locks import lock_values
from oneo.store.models import Task


def create(
    session: Session,
    tenant_id: str,
    *,
    task_id: UUID,
    record_id: UUID | None,
    type: str,  # noqa: A002 - the column's name
    title: str,
    description: str | None,
    priority: str,
    assigned_to: str | None,
    due_at: datetime | None,
    remind_at: datetime | None,
    execution_id: UUID | None,
    node_id: str | None,
) -> Task:
    """Insert a task."""
    task = Task(
        tenant_id=tenant_id,
        id=task_id,
        record_id=record_id,
        type=type,
        title=title,
        description=description,
        status="open",
        priority=priority,
        assigned_to=assigned_to,
        due_at=due_at,
        remind_at=remind_at,
        execution_id=execution_id,
        node_id=node_id,
    )
    session.add(task)
    session.flush()
    return task


def view(task: Task) -> dict[str, Any]:
    """A task as nodes and commands show it."""
    return {
        "task_id": str(task.id),
        "record_id": str(task.record_id) if task.record_id else None,
        "type": task.type,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "assigned_to": task.assigned_to,
        "due_at": task.due_at,
        "remind_at": task.remind_at,
    }


def of_record(session: Session, record_id: UUID) -> list[Task]:
    """A record's tasks, oldest first."""
    return list(
        session.scalars(select(Task).where(Task.record_id == record_id).order_by(Task.created_at, Task.id))
    )


def least_busy(session: Session, tenant_id: str, people: Sequence[str]) -> str:
    """Who of them has the fewest open tasks, the first of several.

    Until the transaction ends nobody else asks for one of them: two never give a task to the same idle person.
    """
    lock_values(session, tenant_id, "", [("open tasks of", person) for person in people])
    query = select(Task.assigned_to, func.count()).where(Task.status == "open", Task.assigned_to.in_(people))
    busy: dict[str | None, int] = {
        row[0]: row[1] for row in session.execute(query.group_by(Task.assigned_to))
    }
    return min(people, key=lambda person: busy.get(person, 0))


def move(session: Session, from_record: UUID, to_record: UUID) -> None:
    """Hand the tasks of a merged record to the one that stays."""
    session.execute(update(Task).where(Task.record_id == from_record).values(record_id=to_record))


def remove(session: Session, record_id: UUID) -> None:
    """Take away the tasks of a record that is removed for good."""
    session.execute(delete(Task).where(Task.record_id == record_id))
