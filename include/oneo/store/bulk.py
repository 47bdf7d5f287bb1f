"""Many records at once: one statement per batch, row-level security, events and history in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.database import to_json
from oneo.store import storage, unique
from oneo.store.record_data import SYSTEM_FIELDS

Events = Literal["now", "held", "silent"]

_WRITE = """
    INSERT INTO records (tenant_id, id, pipeline_id, data, stage, owner, external_id)
    SELECT :tenant_id, id, :pipeline_id, data, stage, owner, external_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS rows (id uuid, data jsonb, stage text, owner text, external_id text)
    ON CONFLICT (tenant_id, id)
"""
_INSERT = text(_WRITE + "DO NOTHING")
_UPDATE = text(
    _WRITE
    + """DO UPDATE SET
        data = excluded.data, stage = excluded.stage, owner = excluded.owner, external_id = excluded.external_id
    """
)

_BY_EXTERNAL_ID = text("""
    SELECT known.* FROM unnest(CAST(:values AS text[])) AS given (value) CROSS JOIN LATERAL (
        SELECT id, data, stage, owner, external_id, created_at FROM records
        WHERE pipeline_id = :pipeline_id AND external_id = given.value AND deleted_at IS NULL
        LIMIT 1 FOR UPDATE
    ) AS known
    ORDER BY created_at, id
""")
# Row-level security lets no index of the data be used; IS TRUE makes it one pass with a table of the values at hand.
_BY_FIELD = text("""
    SELECT id, data, stage, owner, external_id, created_at FROM records
    WHERE pipeline_id = :pipeline_id AND deleted_at IS NULL
        AND (data -> :field IN (SELECT value FROM jsonb_array_elements(CAST(:values AS jsonb)))) IS TRUE
    ORDER BY created_at, id FOR UPDATE
""")
_BY_UNIQUE = text("""
    SELECT DISTINCT known.* FROM jsonb_array_elements(CAST(:values AS jsonb)) AS given (value) CROSS JOIN LATERAL (
        SELECT record_id FROM record_unique_values
        WHERE pipeline_id = :pipeline_id AND field = :field
            AND value_hash = unique_value_hash(:field, :kind, given.value)
        LIMIT 1
    ) AS held CROSS JOIN LATERAL (
        SELECT id, data, stage, owner, external_id, created_at FROM records
        WHERE pipeline_id = :pipeline_id AND id = held.record_id LIMIT 1 FOR UPDATE
    ) AS known
    ORDER BY created_at, id
""")
_BY_ID = text("""
    SELECT known.* FROM unnest(CAST(:ids AS uuid[])) AS given (value) CROSS JOIN LATERAL (
        SELECT id, deleted_at IS NOT NULL AS is_deleted FROM records WHERE id = given.value LIMIT 1
    ) AS known
""")


@dataclass(frozen=True)
class BulkRecord:
    """A record with what it holds; `stage`, `owner` and `external_id` stand in `data` where they are set."""

    id: UUID
    data: Mapping[str, Any]


def insert(session: Session, tenant_id: str, pipeline_id: str, rows: Iterable[BulkRecord]) -> None:
    """Insert records in their order; one whose id is taken is left out. Whether they may be, `quotas` says before.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        pipeline_id: Their pipeline.
        rows: The records, their data checked.
    """
    created = list(rows)
    _write(session, _INSERT, tenant_id, pipeline_id, created)
    storage.note_records(session, tenant_id, (row.data for row in created))


def update(session: Session, tenant_id: str, pipeline_id: str, rows: Iterable[BulkRecord]) -> None:
    """Write what records hold by now, all of it.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        pipeline_id: Their pipeline.
        rows: Records as `having` returned them, their new data checked.
    """
    _write(session, _UPDATE, tenant_id, pipeline_id, rows)


def having(session: Session, pipeline_id: str, field: str, values: Sequence[Any]) -> list[BulkRecord]:
    """Records whose field has one of the values, locked, oldest first."""
    given: dict[str, Any] = {"pipeline_id": pipeline_id}
    kind = unique.fields(session, pipeline_id).get(field)
    if field == "external_id":
        found = session.execute(_BY_EXTERNAL_ID, {**given, "values": sorted(set(values))})
    elif kind is not None:
        given |= {"field": field, "kind": kind, "values": to_json(values)}
        found = session.execute(_BY_UNIQUE, given)
    else:
        found = session.execute(_BY_FIELD, {**given, "field": field, "values": to_json(values)})
    return [BulkRecord(row.id, {**row.data, **_columns_set(row)}) for row in found]


def known_ids(session: Session, ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Which of the ids are taken, and whether by a record that was deleted since."""
    return {row.id: row.is_deleted for row in session.execute(_BY_ID, {"ids": list(ids)})}


def set_events(session: Session, events: Events) -> None:
    """What becomes of the record events of this transaction: handed on now, held until released, or not written."""
    session.execute(text("SELECT set_config('oneo.events', :events, true)"), {"events": events})


def count_anew(session: Session) -> None:
    """Let the database look how many records there are, for all of its later plans.

    By itself it does so minutes after thousands have come; until then it rather reads a whole pipeline, which it takes
    for empty, than look for a record by an index.
    """
    session.execute(text("SELECT analyze_records()"))


def _columns_set(row: Any) -> dict[str, str]:
    columns = {name: getattr(row, name) for name in SYSTEM_FIELDS}
    return {name: value for name, value in columns.items() if value is not None}


def _write(
    session: Session, statement: Any, tenant_id: str, pipeline_id: str, rows: Iterable[BulkRecord]
) -> None:
    found = [
        {
            "id": str(row.id),
            "data": {name: value for name, value in row.data.items() if name not in SYSTEM_FIELDS},
            **{name: row.data.get(name) for name in SYSTEM_FIELDS},
        }
        for row in rows
    ]
    if found:
        given = {"tenant_id": tenant_id, "pipeline_id": pipeline_id, "rows": to_json(found)}
        session.execute(statement, given)
