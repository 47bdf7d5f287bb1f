"""Notifications on their way out: claimed by a sender, each at most once unless it is known not to have been sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, OverError, UserError
from oneo.store.models import Notification
from oneo.suggest import did_you_mean

STATUSES = ("unread", "scheduled", "queued", "sending", "sent", "failed", "unknown", "cancelled")
# What may be sent (once more) because a person says so.
_AGAIN = ("failed", "unknown")


def tenants_waiting(session: Session, channel: str) -> list[str]:
    """The tenants with something to send now, whose oldest waits longest first (system session)."""
    query = select(Notification.tenant_id).where(_due(channel)).group_by(Notification.tenant_id)
    return list(session.scalars(query.order_by(func.min(Notification.created_at))))


def claim(session: Session, tenant_id: str, channel: str) -> Notification | None:
    """Take the tenant's next message for an attempt to send it; None where there is none (system session).

    Once this is committed nobody else takes it.
    """
    query = select(Notification).where(_due(channel), Notification.tenant_id == tenant_id)
    row = session.scalar(
        query.order_by(Notification.created_at, Notification.id).limit(1).with_for_update(skip_locked=True)
    )
    if row is not None:
        row.status, row.attempts = "sending", row.attempts + 1
        row.tried_at, row.due_at, row.problem = session.scalar(select(func.clock_timestamp())), None, None
        session.flush()
    return row


def settle(
    session: Session,
    row: Notification,
    status: str,
    *,
    problem: str | None = None,
    reference: str | None = None,
    again_after: timedelta | None = None,
) -> None:
    """Note what became of an attempt, also where it has been given up as unknown meanwhile (system session).

    Args:
        session: A system session.
        row: The message as it was claimed; where another attempt has begun since, that one counts.
        status: `sent`, `failed`, `unknown`, or `queued` for another attempt.
        problem: Why it was not sent, or may not have been.
        reference: What its channel calls it.
        again_after: How long the next attempt waits.
    """
    due = func.clock_timestamp() + again_after if again_after is not None else None
    session.execute(
        update(Notification)
        .where(
            Notification.tenant_id == row.tenant_id,
            Notification.id == row.id,
            Notification.status.in_(("sending", "unknown")),
            Notification.tried_at == row.tried_at,
        )
        .values(status=status, problem=problem, reference=reference, due_at=due)
    )


def explain(session: Session, tenant_id: str, channel: str, problem: str) -> None:
    """Say why the tenant's messages of a channel wait (system session)."""
    session.execute(
        update(Notification)
        .where(
            _due(channel), Notification.tenant_id == tenant_id, Notification.problem.is_distinct_from(problem)
        )
        .values(problem=problem)
    )


def give_up(session: Session, channel: str, silent_for: timedelta, problem: str) -> int:
    """Call those unknown whose sender has said nothing for so long; returns how many (system session)."""
    lost = update(Notification).where(
        Notification.channel == channel,
        Notification.status == "sending",
        Notification.tried_at < func.clock_timestamp() - silent_for,
    )
    done = session.execute(lost.values(status="unknown", problem=problem).returning(Notification.id))
    return len(done.all())


def expire(session: Session, tenant_id: str, channel: str, older_than: timedelta, problem: str) -> int:
    """Let what is too old to be of use fail instead; returns how many (system session)."""
    old = update(Notification).where(
        _due(channel),
        Notification.tenant_id == tenant_id,
        func.coalesce(Notification.due_at, Notification.created_at) < func.clock_timestamp() - older_than,
    )
    return len(session.execute(old.values(status="failed", problem=problem).returning(Notification.id)).all())


def recent(
    session: Session, channel: str | None = None, status: str | None = None, limit: int = 50
) -> list[Notification]:
    """The tenant's newest notifications first.

    Raises:
        UserError: There is no such state.
    """
    if status is not None and status not in STATUSES:
        raise UserError(f"there is no status {status!r}", hint=did_you_mean(status, STATUSES))
    query = select(Notification).order_by(Notification.created_at.desc(), Notification.id).limit(limit)
    if channel is not None:
        query = query.where(Notification.channel == channel)
    if status is not None:
        query = query.where(Notification.status == status)
    return list(session.scalars(query))


def send_again(session: Session, tenant_id: str, notification_id: UUID) -> Notification:
    """Queue a message once more that failed, or of which it is not known whether it was sent.

    Raises:
        NotFoundError: There is none.
        OverError: It is in another state.
    """
    query = select(Notification).where(
        Notification.tenant_id == tenant_id, Notification.id == notification_id
    )
    row = session.scalar(query.with_for_update())
    if row is None:
        raise NotFoundError(
            f"there is no notification {notification_id}", hint="`oneo notifications list` shows the newest"
        )
    if row.status not in _AGAIN:
        raise OverError(
            f"notification {notification_id} is {row.status}",
            hint=f"only {' or '.join(_AGAIN)} ones go out again",
        )
    row.status, row.problem, row.attempts = "queued", None, 0
    # What has been queued for too long is not sent any more: this begins now.
    row.due_at = session.scalar(select(func.clock_timestamp()))
    session.flush()
    return row


def troubled(session: Session) -> Sequence[tuple[str, str, str, int]]:
    """(tenant, status, problem, count) of messages that wait or may not have been sent (system session)."""
    query = (
        select(Notification.tenant_id, Notification.status, Notification.problem, func.count())
        .where(Notification.status.in_(("queued", "unknown")), Notification.problem.is_not(None))
        .group_by(Notification.tenant_id, Notification.status, Notification.problem)
        .order_by(Notification.tenant_id, Notification.status)
    )
    return [(row[0], row[1], row[2] or "", row[3]) for row in session.execute(query)]


def view(row: Notification) -> dict[str, Any]:
    """A notification as commands show it."""
    return {
        "notification": str(row.id),
        "channel": row.channel,
        "recipient": row.recipient,
        "title": row.title,
        "message": row.message,
        "status": row.status,
        "problem": row.problem,
        "attempts": row.attempts,
        "tried_at": row.tried_at,
        "reference": row.reference,
        "execution": str(row.execution_id) if row.execution_id else None,
        "created_at": row.created_at,
    }


def _due(channel: str) -> ColumnElement[bool]:
    due = or_(Notification.due_at.is_(None), Notification.due_at <= func.clock_timestamp())
    return (Notification.channel == channel) & (Notification.status == "queued") & due
