"""The storage of a tenant: how much it keeps, of what, and whether there is room for more.

How much is counted from time to time, which reads all of the tenant's rows. In between, what a tenant with a quota
adds is added to that: records that are created or imported, and files. Whatever else is written in between (events,
log rows, large results) shows with the next count, and so does what was removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from oneo import objects
from oneo.database import to_json
from oneo.errors import QuotaError
from oneo.store.limits import STORAGE, limit_of
from oneo.store.locks import lock_values
from oneo.store.models import (
    Base,
    Execution,
    ExecutionLog,
    FormFile,
    InboxEvent,
    MailFile,
    Record,
    RecordEvent,
    RecordHistory,
    RecordIndex,
    RecordKey,
    RecordRelation,
    RecordUniqueValue,
    SourceRow,
    StorageWritten,
    Tenant,
)

RECORDS, FILES, LARGE_RESULTS = "records", "files", "large_results"
_TABLES: Final[Mapping[str, tuple[type[Base], ...]]] = {
    RECORDS: (Record, RecordHistory, RecordIndex, RecordKey, RecordUniqueValue, RecordRelation, SourceRow),
    "events": (RecordEvent, InboxEvent),
    "executions": (Execution, ExecutionLog),
    FILES: (FormFile, MailFile),
}
# What a new record holds stands in its row, in its history and in the event of its creation.
_COPIES = 3
KB, MB = 1000, 1_000_000


@dataclass(frozen=True)
class Kept:
    """What a tenant keeps.

    Attributes:
        by_kind: Bytes by kind: `records` with history and index, `events`, `executions` with log rows,
            `large_results`, `files`. As the database and the object store keep them: compressed.
        measured_at: When all of it was counted; None where that has yet to come.
    """

    by_kind: Mapping[str, int]
    measured_at: datetime | None

    @property
    def total(self) -> int:
        """Bytes of all kinds."""
        return sum(self.by_kind.values())


def said(size: int) -> str:
    """A number of bytes, for people."""
    return f"{size / MB:,.1f} MB" if size >= MB else f"{size / KB:,.1f} kB"


def kept(session: Session, tenant_id: str) -> Kept:
    """What the tenant keeps: as last counted, and what was added since."""
    row = session.execute(
        select(Tenant.storage, Tenant.storage_measured_at).where(Tenant.id == tenant_id)
    ).one_or_none()
    found = dict(row.storage) if row else {}
    since = select(StorageWritten.kind, func.sum(StorageWritten.bytes).label("size"))
    for kind, size in session.execute(
        since.where(StorageWritten.tenant_id == tenant_id).group_by(StorageWritten.kind)
    ):
        found[kind] = found.get(kind, 0) + int(size)
    return Kept(found, row.storage_measured_at if row else None)


def measure(session: Session, tenant_id: str) -> None:
    """Count what the tenant keeps, and keep the figure (removal session)."""
    # Who counted before somebody else must not be the last to note it.
    lock_values(session, tenant_id, "", [(STORAGE, None)])
    # One statement sees one moment: what has been added until then is part of the figure, and goes.
    written = delete(StorageWritten).where(StorageWritten.tenant_id == tenant_id)
    sizes: list[Any] = [LARGE_RESULTS, objects.size(tenant_id)]
    for kind, tables in _TABLES.items():
        sizes += [kind, reduce(add, (_size(one, tenant_id) for one in tables))]
    counted = update(Tenant).where(Tenant.id == tenant_id)
    session.execute(
        counted.values(
            storage=func.jsonb_build_object(*sizes), storage_measured_at=func.clock_timestamp()
        ).add_cte(written.returning(StorageWritten.id).cte("written")),
        execution_options={"synchronize_session": False},
    )


def due(session: Session, older_than: timedelta) -> str | None:
    """The tenant with a quota whose figure is the oldest, and older than that (system session)."""
    old = or_(
        Tenant.storage_measured_at.is_(None),
        Tenant.storage_measured_at < func.clock_timestamp() - older_than,
    )
    query = select(Tenant.id).where(Tenant.settings.has_key(STORAGE), old)
    return session.scalar(query.order_by(Tenant.storage_measured_at.nulls_first(), Tenant.id).limit(1))


def keep_file(session: Session, tenant_id: str, name: str, size: int) -> None:
    """Take the room that a file of so many bytes needs.

    Raises:
        QuotaError: There is none.
    """
    check(session, tenant_id, size, f"file {name!r}")
    _note(session, tenant_id, FILES, size)


def check_record(session: Session, tenant_id: str, data: Mapping[str, Any]) -> None:
    """Nothing where there is room for a new record, or no limit.

    Raises:
        QuotaError: There is none.
    """
    if limit_of(session, tenant_id, STORAGE) is not None:
        check(session, tenant_id, _record_size(data), "a record")


def note_records(session: Session, tenant_id: str, created: Iterable[Mapping[str, Any]]) -> None:
    """Add what records that were created hold to what the tenant keeps."""
    if limit_of(session, tenant_id, STORAGE) is not None:
        _note(session, tenant_id, RECORDS, sum(map(_record_size, created)))


def check(session: Session, tenant_id: str, size: int, what: str) -> None:
    """Nothing where there is room for so many bytes, or no limit.

    What others take at the same moment is not seen: a tenant may have a little more than its quota, never for long.

    Args:
        session: A session; what was asked for in it before counts as taken.
        tenant_id: Whose.
        size: Bytes.
        what: What they are, for the message.

    Raises:
        QuotaError: There is none; the message says what is kept.
    """
    most = limit_of(session, tenant_id, STORAGE)
    if most is None:
        return
    known: dict[str, tuple[Kept, int]] = session.info.setdefault(STORAGE, {})
    held, taken = known.get(tenant_id) or (kept(session, tenant_id), 0)
    if held.total + taken + size > most * MB:
        parts = [f"{kind.replace('_', ' ')} {said(one)}" for kind, one in held.by_kind.items() if one]
        raise QuotaError(
            f"{STORAGE} of tenant {tenant_id!r} is {most}, and it keeps {said(held.total + taken)} "
            f"({', '.join(parts) or 'nothing yet'}): no room for {what} of {said(size)}",
            hint="remove records for good (soft_delete: false), keep events for fewer days (event_retention_days), "
            f"or raise it with `oneo tenants set {tenant_id} {STORAGE}=…`; `oneo tenants show {tenant_id}` counts anew",
        )
    known[tenant_id] = (held, taken + size)


def _record_size(data: Mapping[str, Any]) -> int:
    return _COPIES * len(to_json(data).encode())


def _note(session: Session, tenant_id: str, kind: str, size: int) -> None:
    if size and limit_of(session, tenant_id, STORAGE) is not None:
        session.execute(insert(StorageWritten).values(tenant_id=tenant_id, kind=kind, bytes=size))


def _size(model: type[Base], tenant_id: str) -> ScalarSelect[int]:
    """Bytes of the rows of a tenant; what PostgreSQL keeps aside of a row is not read for it."""
    columns: ColumnElement[int] = reduce(
        add, (func.coalesce(func.pg_column_size(one), 0) for one in model.__table__.c)
    )
    whole = func.coalesce(func.sum(columns), 0)
    of_tenant = model.__table__.c.tenant_id == tenant_id
    return select(whole).select_from(model.__table__).where(of_tenant).scalar_subquery()
