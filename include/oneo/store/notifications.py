"""Notifications: one row per recipient and channel, taken up by the channel's sender or shown in the app."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.store.models import Notification


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
) -> Notification:
    """Insert a notification: unread in the app, queued on every other channel."""
    row = Notification(
        tenant_id=tenant_id,
        id=notification_id,
        channel=channel,
        recipient=recipient,
        title=title,
        message=message,
        priority=priority,
        link_url=link_url,
        status="unread" if channel == "in_app" else "queued",
        execution_id=execution_id,
        node_id=node_id,
    )
    session.add(row)
    session.flush()
    return row


def of_execution(session: Session, execution_id: UUID) -> list[Notification]:
    """An execution's notifications."""
    query = select(Notification).where(Notification.execution_id == execution_id)
    return list(session.scalars(query.order_by(Notification.channel, Notification.recipient)))
