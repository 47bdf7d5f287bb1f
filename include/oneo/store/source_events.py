"""Changes of tables of tenants' own as record events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import Session

from oneo.store.models import RecordEvent, SourceRow
from oneo.store.record_data import SYSTEM_FIELDS, same
from oneo.store.table_source import record_id


@dataclass(frozen=True)
class TableChange:
    """A row before and after a change, as record events keep records.

    Attributes:
        key: The row's key.
        before: None where there was none.
        after: None where there is none any more.
        at: When it changed; None for now.
        execution_id: The execution that changed it.
    """

    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    at: datetime | None = None
    execution_id: UUID | None = None

    def kind(self) -> str | None:
        """What happened to the record; None where nothing did that anybody could tell."""
        was, is_there = _is_there(self.before), _is_there(self.after)
        if is_there and not was:
            return "created" if self.before is None else "restored"
        if not is_there:
            return "deleted" if was else None
        return "updated" if self.changed() else None

    def changed(self) -> list[str]:
        """Names of the fields that changed, where there was a record before and after."""
        if not (_is_there(self.before) and _is_there(self.after)):
            return []
        before, after = _values(self.before), _values(self.after)
        return [name for name in after if not same(after[name], before.get(name))]


def _is_there(image: Mapping[str, Any] | None) -> bool:
    return image is not None and image.get("deleted_at") is None


def _values(image: Mapping[str, Any] | None) -> dict[str, Any]:
    image = image or {}
    return {**dict(sorted(image["data"].items())), **{name: image.get(name) for name in SYSTEM_FIELDS}}


def write(session: Session, tenant_id: str, pipeline_id: str, changes: Iterable[TableChange]) -> int:
    """Make events of changes, in their order; returns how many."""
    rows = [
        {
            "tenant_id": tenant_id,
            "pipeline_id": pipeline_id,
            "record_id": record_id(tenant_id, pipeline_id, one.key),
            "kind": kind,
            "before": one.before,
            "after": one.after,
            "changed": one.changed(),
            "execution_id": one.execution_id,
            **({"created_at": one.at} if one.at is not None else {}),
        }
        for one in changes
        if (kind := one.kind()) is not None
    ]
    for row in rows:
        # One by one: their numbers have the order of the changes.
        session.execute(insert(RecordEvent).values(row))
    if rows:
        session.execute(text("SELECT pg_notify('oneo_work', 'record_event')"))
    return len(rows)


def known_rows(
    session: Session, tenant_id: str, pipeline_id: str, keys: Iterable[str]
) -> dict[str, SourceRow]:
    """Rows of a polled table as they were seen last, by key."""
    query = select(SourceRow).where(*_mine(tenant_id, pipeline_id), SourceRow.key.in_(list(keys)))
    return {row.key: row for row in session.scalars(query)}


def known_keys(session: Session, tenant_id: str, pipeline_id: str) -> set[str]:
    """Keys of all rows that were seen."""
    query = select(SourceRow.key).where(*_mine(tenant_id, pipeline_id), SourceRow.image.is_not(None))
    return set(session.scalars(query))


def keep_rows(
    session: Session, tenant_id: str, pipeline_id: str, images: Mapping[str, Mapping[str, Any]]
) -> None:
    """Keep rows as they were seen; who has written them is told by then."""
    if not images:
        return
    rows = [
        {"tenant_id": tenant_id, "pipeline_id": pipeline_id, "key": key, "image": image, "execution_id": None}
        for key, image in images.items()
    ]
    new = insert_or_update(SourceRow)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "pipeline_id", "key"],
            set_={"image": new.excluded.image, "execution_id": new.excluded.execution_id},
        ),
        rows,
    )


def drop_rows(session: Session, tenant_id: str, pipeline_id: str, keys: Iterable[str]) -> None:
    """Forget rows."""
    session.execute(delete(SourceRow).where(*_mine(tenant_id, pipeline_id), SourceRow.key.in_(list(keys))))


def _mine(tenant_id: str, pipeline_id: str) -> tuple[Any, Any]:
    return SourceRow.tenant_id == tenant_id, SourceRow.pipeline_id == pipeline_id
