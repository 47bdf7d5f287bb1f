"""Changes that a trigger has noted in a tenant's database, read into record events: each exactly once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import UserError
from oneo.sql_table import ledger
from oneo.sql_table.capture import reader_of
from oneo.sql_table.database import TableDatabase
from oneo.sql_table.images import image_of_row
from oneo.sql_table.kinds import uuid_of
from oneo.sql_table.layout import Layout
from oneo.store import source_events, sources
from oneo.store.source_events import TableChange

BATCH = 500

_NEXT = text(
    "SELECT id, before, after, execution, at FROM oneo_capture.change"
    " WHERE reader = :reader ORDER BY number LIMIT :limit"
)
_GONE = text("DELETE FROM oneo_capture.change WHERE reader = :reader AND id = ANY(CAST(:ids AS uuid[]))")


def read(store: Database, there: TableDatabase, tenant_id: str, layout: Layout) -> int | None:
    """Read the next changes; returns how many events they made, None where there were no changes.

    A change goes from the table of changes only after it is known in our store, which remembers the last batch until
    then: whenever this ends in between, the next reader takes away what is known and reads what is not. Changes of one
    row have the order of their numbers, since each waited for the one before; a transaction that is still open is
    read when it has ended.

    Raises:
        UserError: The database is not set up for it.
        InfrastructureError: It does not answer.
    """
    pipeline_id = layout.spec.id
    who = {"reader": reader_of(tenant_id, pipeline_id)}
    with store.tenant(tenant_id) as session:
        reader = sources.reader(session, tenant_id, pipeline_id)
        with there.transaction(tenant_id) as changes:
            _check(changes, pipeline_id)
            if reader.taken:
                changes.execute(_GONE, {**who, "ids": list(reader.taken)})
        with there.transaction(tenant_id) as changes:
            rows = changes.execute(_NEXT, {**who, "limit": BATCH}).all()
        written = source_events.write(
            session,
            tenant_id,
            pipeline_id,
            [change for row in rows for change in _changes(tenant_id, layout, row)],
        )
        if rows or reader.taken:
            reader.taken = [str(row.id) for row in rows]
            session.flush()
    return written if rows else None


def _check(session: Session, pipeline_id: str) -> None:
    if not ledger.is_kept(session, "change", "SELECT", "DELETE"):
        raise UserError(
            f"nobody notes the changes of pipeline {pipeline_id!r}",
            hint=f"set up its database: oneo pipelines connect {pipeline_id}",
        )


def _changes(tenant_id: str, layout: Layout, row: Any) -> list[TableChange]:
    """What happened to which record; a row that got another key is another record."""
    before, after = image_of_row(layout, row.before), image_of_row(layout, row.after)
    tenant, _, execution = str(row.execution or "").partition("/")
    # An execution of another tenant's is nobody's here.
    cause: UUID | None = uuid_of(execution) if tenant == tenant_id else None
    pairs = [(before, after)]
    if before is not None and after is not None and before["id"] != after["id"]:
        pairs = [(before, None), (None, after)]
    return [TableChange(str((new or old or {})["id"]), old, new, row.at, cause) for old, new in pairs]
