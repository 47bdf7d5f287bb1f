"""Notifications: one row per recipient and channel, taken up by the channel's sender or shown in the app."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import Notification, Task

_SCHEDULED = "scheduled"


def create(
    session: Session,
    tenant_id: str,
    *,
    notification_id: UUID,
    channel: str,
    recipient: str,
    title: str,
    message: str,
    priority: str,
    link_url: str | None,
    execution_id: UUID | None,
    node_id: str | None,
    due_at: datetime | None = None,
    task_id: UUID | None = None,
) -> Notification:
    """Insert a notification: unread in the app, queued on every other channel, or scheduled until it is due.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        notification_id: Its id.
        channel: `in_app`, or the channel of a sender.
        recipient: Whom to tell.
        title: Headline.
        message: Text.
        priority: How urgent it is.
        link_url: Where it leads.
        execution_id: The execution that tells.
        node_id: Its node.
        due_at: Before this time nobody sees it. Default: now.
        task_id: The task it reminds of; once that is no longer open, nobody is reminded.
    """
    row = Notification(
        tenant_id=tenant_id,
        id=notification_id,
        channel=channel,
        recipient=recipient,
        title=title,
        message=message,
        priority=priority,
        link_url=link_url,
        status=_SCHEDULED if due_at is not None else "unread" if channel == "in_app" else "queued",
        execution_id=execution_id,
        node_id=node_id,
        due_at=due_at,
        task_id=task_id,
    )
    session.add(row)
    session.flush()
    return row


def create_once(
    session: Session,
    tenant_id: str,
    *,
    notification_id: UUID,
    channel: str,
    recipient: str,
    message: str,
    execution_id: UUID | None,
    node_id: str | None,
) -> None:
    """Queue a message for a channel's sender, unless there is one of this id, whatever its state (system session)."""
    new = insert(Notification).values(
        tenant_id=tenant_id,
        id=notification_id,
        channel=channel,
        recipient=recipient,
        title="",
        message=message,
        priority="normal",
        status="queued",
        execution_id=execution_id,
        node_id=node_id,
    )
    session.execute(new.on_conflict_do_nothing())


def of_execution(session: Session, execution_id: UUID) -> list[Notification]:
    """An execution's notifications."""
    query = select(Notification).where(Notification.execution_id == execution_id)
    return list(session.scalars(query.order_by(Notification.channel, Notification.recipient)))


def release_due(session: Session, limit: int) -> int:
    """Hand over the scheduled notifications that are due; returns how many there were (system session).

    Those about a task that is done or cancelled are cancelled. Dispatchers that run side by side share them.
    """
    due = select(Notification).where(
        Notification.status == _SCHEDULED, Notification.due_at <= func.clock_timestamp()
    )
    rows = session.scalars(
        due.order_by(Notification.due_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        over = row.task_id is not None and not _is_open(session, row)
        row.status = "cancelled" if over else "unread" if row.channel == "in_app" else "queued"
    session.flush()
    return len(rows)


def _is_open(session: Session, row: Notification) -> bool:
    query = select(Task.status).where(Task.tenant_id == row.tenant_id, Task.id == row.task_id)
    return session.scalar(query) == "open"
