"""The queue of events: changes of records, and what stands in the inbox, in the order they came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select, text, tuple_
from sqlalchemy.orm import Session

from oneo.events import Event
from oneo.store.models import InboxEvent, Pipeline, RecordEvent
from oneo.store.records import view_image

# What was decided about an event, by trigger (`workflow/node`).
Decisions = Mapping[str, Mapping[str, Any]]
Row = RecordEvent | InboxEvent
# Where the data of an inbox event holds the record that it is about.
RECORD = "oneo_record"
TABLES: tuple[type[Row], ...] = (RecordEvent, InboxEvent)


def claim_waiting(session: Session, limit: int) -> list[Event]:
    """Lock events nobody has handled yet, in order (system session).

    Events that another dispatcher holds are passed over; the locks go with the transaction.
    """
    found: list[Event] = []
    for table in TABLES:
        waiting = select(table).where(_is_waiting(table)).order_by(table.id).limit(limit)
        rows: Iterable[Row] = session.scalars(waiting.with_for_update(skip_locked=True))
        found += map(as_event, rows)
    # Of each kind there are the first ones, so the first of both are among them.
    return _with_stages(session, sorted(found, key=lambda event: event.id)[:limit])


def mark_handled(session: Session, events: Iterable[Event], decisions: Mapping[int, Decisions]) -> None:
    """Take events off the queue, and keep what was decided about each (system session)."""
    given = [
        {"tenant": event.tenant_id, "id": event.id, "decisions": decisions.get(event.id) or None}
        for event in events
    ]
    if not given:
        return
    for table in TABLES:
        session.execute(
            text(
                f"UPDATE {table.__tablename__} AS held"  # noqa: S608 - the table's own name
                " SET handled_at = clock_timestamp(), decisions = nullif(given.decisions, 'null')"
                " FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS given(tenant text, id bigint, decisions jsonb)"
                " WHERE held.tenant_id = given.tenant AND held.id = given.id"
            ),
            {"given": json.dumps(given)},
        )


def note_decision(
    session: Session, tenant_id: str, event_ids: Iterable[int], trigger: str, decision: Mapping[str, Any]
) -> None:
    """Keep what became of events that a trigger (`workflow/node`) has gathered (system session)."""
    for table in TABLES:
        session.execute(
            text(
                f"UPDATE {table.__tablename__}"  # noqa: S608 - the table's own name
                " SET decisions = coalesce(decisions, '{}') || CAST(:noted AS jsonb)"
                " WHERE tenant_id = :tenant AND id = ANY(:ids)"
            ),
            {"noted": json.dumps({trigger: decision}), "tenant": tenant_id, "ids": list(event_ids)},
        )


def set_next_aside(session: Session, reason: str) -> int | None:
    """Take the next event off the queue unhandled, its data unread, and keep why (system session).

    Returns:
        Its id, or None where none is waiting.
    """
    waiting = [
        found
        for table in TABLES
        if (
            found := session.execute(
                select(table.id, table.tenant_id)
                .where(_is_waiting(table))
                .order_by(table.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
        )
    ]
    if not waiting:
        return None
    event_id, tenant_id = min(waiting)
    for table in TABLES:
        session.execute(
            text(
                f"UPDATE {table.__tablename__} SET handled_at = clock_timestamp(), problem = :reason"  # noqa: S608
                " WHERE tenant_id = :tenant AND id = :id"
            ),
            {"reason": reason, "tenant": tenant_id, "id": event_id},
        )
    return int(event_id)


def with_ids(session: Session, tenant_id: str, event_ids: Iterable[int]) -> list[Event]:
    """Events of a tenant, oldest first; those that are no longer kept are left out (system session)."""
    keys = [(tenant_id, event_id) for event_id in event_ids]
    found: list[Event] = []
    for table in TABLES:
        query = select(table).where(tuple_(table.tenant_id, table.id).in_(keys))
        rows: Iterable[Row] = session.scalars(query)
        found += map(as_event, rows)
    return _with_stages(session, sorted(found, key=lambda event: event.id))


def _with_stages(session: Session, found: list[Event]) -> list[Event]:
    """Events of changed stages with the order that the pipeline has: which way a record went follows from it."""
    keys = {(event.tenant_id, event.topic) for event in found if "stage" in event.changed}
    if not keys:
        return found
    query = select(Pipeline.tenant_id, Pipeline.id, Pipeline.stages)
    rows = session.execute(query.where(tuple_(Pipeline.tenant_id, Pipeline.id).in_(keys)))
    orders = {(row[0], row[1]): tuple(stage["id"] for stage in row[2]) for row in rows}
    return [
        replace(event, stages=orders.get((event.tenant_id, event.topic), ()))
        if "stage" in event.changed
        else event
        for event in found
    ]


def as_event(row: Row) -> Event:
    """A row of either table as triggers look at it."""
    if isinstance(row, InboxEvent):
        return Event(
            id=row.id,
            tenant_id=row.tenant_id,
            kind=row.kind,
            topic=row.topic,
            at=row.created_at,
            data={name: value for name, value in row.data.items() if name != RECORD},
            record_id=row.record_id,
            record=row.data.get(RECORD) or {},
            caused_by=row.execution_id,
        )
    return Event(
        id=row.id,
        tenant_id=row.tenant_id,
        kind=row.kind,
        topic=row.pipeline_id,
        at=row.created_at,
        data=_beside(row),
        record_id=row.record_id,
        record=view_image(row.after or row.before or {}),
        before=view_image(row.before) if row.before is not None else None,
        changed=tuple(row.changed),
        caused_by=row.execution_id,
    )


def _beside(row: RecordEvent) -> dict[str, Any]:
    """What triggers hand on beside the record."""
    data: dict[str, Any] = {"soft_delete": row.after is not None} if row.kind == "deleted" else {}
    return data if row.replayed_from is None else {**data, "replayed_from": row.replayed_from}


def _is_waiting(table: type[Row]) -> ColumnElement[bool]:
    """Whether an event is in the queue: not handled, and not held back by an import."""
    waiting = table.handled_at.is_(None)
    return waiting & RecordEvent.held_at.is_(None) if table is RecordEvent else waiting
