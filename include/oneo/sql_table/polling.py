"""Changes of a table that nobody notes, found by looking: what has changed since it was looked at last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.filters.values import moment
from oneo.sql_table.database import TableDatabase
from oneo.sql_table.images import image_of_record
from oneo.sql_table.layout import Layout, TableRecord
from oneo.store import source_events, sources
from oneo.store.record_data import same
from oneo.store.source_events import TableChange

# A row's time is of when it was written, and it shows when its transaction commits: that much later at most.
OVERLAP = timedelta(minutes=5)
BATCH = 1000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def poll(store: Database, there: TableDatabase, tenant_id: str, layout: Layout) -> int:
    """Look at the rows that have changed, and at which are gone; returns how many events that made.

    Events, the rows as they are now and the time up to which they were seen are kept in one transaction. The first look
    makes no events: what was there before is nothing new.

    Raises:
        InfrastructureError: The table's database does not answer.
    """
    pipeline_id = layout.spec.id
    written = 0
    with store.tenant(tenant_id) as session:
        reader = sources.reader(session, tenant_id, pipeline_id)
        is_first = reader.seen_until is None
        latest = reader.seen_until or _NEVER
        # As of one moment: a row must not be missed by one question and seen by the other.
        with there.transaction(tenant_id, snapshot=True) as table:
            for records in _changed(table, layout, reader.seen_until):
                changes = _compared(session, tenant_id, layout, records)
                if not is_first:
                    written += source_events.write(session, tenant_id, pipeline_id, changes)
                images = {one.key: one.after for one in changes if one.after is not None}
                source_events.keep_rows(session, tenant_id, pipeline_id, images)
                times = [moment(one.view["updated_at"]) for one in records]
                latest = max([latest, *(one for one in times if one is not None)])
            keys = set(table.scalars(select(cast(layout.key, Text))))
        gone = sorted(source_events.known_keys(session, tenant_id, pipeline_id) - keys)
        written += _delete(session, tenant_id, pipeline_id, gone)
        reader.seen_until = latest
        session.flush()
    return written


def _changed(table: Session, layout: Layout, since: datetime | None) -> Iterator[Sequence[TableRecord]]:
    """The rows that may have changed, oldest change first."""
    updated = layout.time(str(layout.source.updated_at))
    query = select(*layout.selected).order_by(updated.nulls_first(), layout.key)
    if since is not None:
        # Of a row without a time nobody knows when it changed.
        query = query.where((updated >= since - OVERLAP) | updated.is_(None))
    rows = table.execute(query.execution_options(yield_per=BATCH))
    for part in rows.partitions():
        yield [layout.record(row) for row in part]


def _compared(
    session: Session, tenant_id: str, layout: Layout, records: Sequence[TableRecord]
) -> list[TableChange]:
    """The rows that are not as they were seen last, and those whose writer is told by what was seen before."""
    known = source_events.known_rows(session, tenant_id, layout.spec.id, [one.id for one in records])
    changes = []
    for record in records:
        image, held = image_of_record(layout, record), known.get(record.id)
        before = held.image if held is not None else None
        if before is None or not same(before, image) or (held and held.execution_id):
            changes.append(
                TableChange(record.id, before, image, execution_id=held.execution_id if held else None)
            )
    return changes


def _delete(session: Session, tenant_id: str, pipeline_id: str, keys: Sequence[str]) -> int:
    """Make events of rows that are gone."""
    written = 0
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        known = source_events.known_rows(session, tenant_id, pipeline_id, part)
        changes = [
            TableChange(key, known[key].image, None, execution_id=known[key].execution_id)
            for key in part
            if key in known
        ]
        written += source_events.write(session, tenant_id, pipeline_id, changes)
        source_events.drop_rows(session, tenant_id, pipeline_id, part)
    return written
