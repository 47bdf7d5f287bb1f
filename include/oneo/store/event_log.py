"""Events as people look at them: what came, what was decided, what of it lies aside; and looked at once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, cast, func, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.events import Event
from oneo.store.events import TABLES, Row, as_event
from oneo.store.models import Execution, InboxEvent, RecordEvent, WorkflowVersion

# Where the data of a copy says what it is a copy of.
REPLAYED_FROM = "replayed_from"


def recent(
    session: Session,
    *,
    kind: str | None = None,
    workflow_id: str | None = None,
    record_id: UUID | None = None,
    waiting: bool = False,
    problem: bool = False,
    limit: int = 50,
) -> list[Row]:
    """The newest events first.

    Args:
        session: A tenant's session.
        kind: Only of this kind.
        workflow_id: Only those about which something was decided for this workflow.
        record_id: Only those about this record.
        waiting: Only those that nobody has handled yet.
        problem: Only those set aside, and those with an execution that could not start.
        limit: At most that many.
    """
    found: list[Row] = []
    for table in TABLES:
        query = select(table).order_by(table.id.desc()).limit(limit)
        if kind is not None:
            query = query.where(table.kind == kind)
        if record_id is not None:
            query = query.where(table.record_id == record_id)
        if workflow_id is not None:
            query = query.where(_decided_for(table, workflow_id))
        if waiting:
            query = query.where(table.handled_at.is_(None))
        if problem:
            stuck = select(Execution.event_id).where(Execution.event_id.is_not(None), not_started())
            query = query.where(or_(table.problem.is_not(None), table.id.in_(stuck)))
        found += session.scalars(query)
    return sorted(found, key=lambda row: row.id, reverse=True)[:limit]


def _decided_for(table: type[Row], workflow_id: str) -> ColumnElement[bool]:
    # Decisions are kept by address, which is `workflow/node`.
    path = cast("$.keyvalue() ? (@.key starts with $start)", JSONPATH)
    start = cast({"start": f"{workflow_id}/"}, JSONB)
    return func.jsonb_path_exists(table.decisions, path, start, True)


def not_started() -> ColumnElement[bool]:
    """Of executions: those that could not start, for now or for good."""
    postponed = and_(Execution.status == "pending", Execution.postponed.is_not(None))
    ended = and_(Execution.status.in_(("failed", "cancelled")), Execution.started_at.is_(None))
    return or_(postponed, ended)


def get(session: Session, event_id: int) -> Row:
    """The event.

    Raises:
        NotFoundError: There is none, or it is no longer kept.
    """
    for table in TABLES:
        rows: Iterable[Row] = session.scalars(select(table).where(table.id == event_id))
        for row in rows:
            return row
    raise _unknown(event_id)


def locked(session: Session, tenant_id: str, event_id: int) -> Row:
    """The event of a tenant, locked (system session).

    Raises:
        NotFoundError: There is none, or it is no longer kept.
    """
    for table in TABLES:
        query = select(table).where(table.tenant_id == tenant_id, table.id == event_id)
        rows: Iterable[Row] = session.scalars(query.with_for_update())
        for row in rows:
            return row
    raise _unknown(event_id)


def _unknown(event_id: int) -> NotFoundError:
    return NotFoundError(
        f"there is no event {event_id}",
        hint="`oneo events list` shows the latest; handled ones are kept for event_retention_days",
    )


def newest_id(session: Session) -> int:
    """The number of the tenant's newest event; 0 where it has none."""
    newest = union_all(*(select(func.max(table.id).label("id")) for table in TABLES)).subquery()
    return session.scalar(select(func.max(newest.c.id))) or 0


def after(
    session: Session, event_id: int, kinds: Sequence[str], topics: Sequence[str], limit: int
) -> list[Event]:
    """The tenant's events of some kinds and topics (`*`: all) with greater numbers, in their order."""
    found: list[Event] = []
    for table in TABLES:
        topic = InboxEvent.topic if table is InboxEvent else RecordEvent.pipeline_id
        query = select(table).where(table.id > event_id, table.kind.in_(kinds))
        if "*" not in topics:
            query = query.where(topic.in_(topics))
        rows: Iterable[Row] = session.scalars(query.order_by(table.id).limit(limit))
        found += map(as_event, rows)
    return sorted(found, key=lambda event: event.id)[:limit]


def writers(session: Session) -> frozenset[str]:
    """The transactions of all tenants that may be writing events now, as the server names them.

    Events get their numbers before they are committed: one with a lower number may appear after one with a higher.
    Once all who wrote at some moment have ended, no number from before that moment can appear any more. Their locks
    show them even while one waits for another with the same key, and has a number but no transaction id yet.
    """
    rows = session.execute(
        text(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND relation IN (CAST('record_events' AS regclass), CAST('inbox' AS regclass))"
            " AND mode = 'RowExclusiveLock'"
        )
    )
    return frozenset(row[0] for row in rows)


def put_back(row: Row) -> None:
    """Put a locked event that was set aside back into the queue (system session)."""
    row.handled_at = None
    row.problem = None


def copy(session: Session, row: Row) -> int:
    """Bring an event about once more, as a new one that says where it comes from (system session).

    Returns:
        Its number.
    """
    new: Row
    if isinstance(row, InboxEvent):
        new = InboxEvent(
            tenant_id=row.tenant_id,
            kind=row.kind,
            topic=row.topic,
            data={**row.data, REPLAYED_FROM: row.id},
            record_id=row.record_id,
        )
    else:
        new = RecordEvent(
            tenant_id=row.tenant_id,
            pipeline_id=row.pipeline_id,
            record_id=row.record_id,
            kind=row.kind,
            before=row.before,
            after=row.after,
            changed=list(row.changed),
            replayed_from=row.id,
        )
    session.add(new)
    session.flush()
    session.execute(text("SELECT pg_notify('oneo_work', 'record_event')"))
    return new.id


def version_at(session: Session, workflow_id: str, moment: datetime) -> WorkflowVersion | None:
    """The version of a workflow that was the newest at a moment; None before the first."""
    query = select(WorkflowVersion).where(
        WorkflowVersion.workflow_id == workflow_id, WorkflowVersion.published_at <= moment
    )
    return session.scalar(query.order_by(WorkflowVersion.version.desc()).limit(1))
