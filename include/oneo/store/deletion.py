"""Records that go: marked deleted and brought back, or removed for good, alone or with what belongs to them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.store import holds, records, relations, tasks, unique
from oneo.store.models import Record


def locate(session: Session, record_id: str | UUID) -> Record:
    """The locked record, be it deleted or not.

    Raises:
        NotFoundError: There is none, or no longer.
    """
    row = records.find_one(session, record_id, lock=True, deleted=True)
    if row is None:
        raise NotFoundError(
            f"there is no record {record_id!s}, not even a deleted one",
            hint="give the id of an existing record",
        )
    return row


def delete(session: Session, row: Record, *, archive: bool = False, cascade: bool = False) -> list[Record]:
    """Mark a locked record deleted, so that `restore` can bring it back.

    Args:
        session: A tenant's session.
        row: The record.
        archive: Whether to keep it as it was in its history, until it is removed for good without being archived again.
        cascade: Whether what belongs to it goes with it.

    Returns:
        The children that went with it; those deleted before are not among them.

    Raises:
        UserError: It is deleted already.
    """
    if row.deleted_at is not None:
        raise UserError(
            f"record {row.id} was deleted already, on {row.deleted_at:%Y-%m-%d %H:%M}",
            hint="nothing is left to do, unless it shall be removed for good: soft_delete false",
        )
    children = [child for child in _children(session, row, cascade) if child.deleted_at is None]
    for one in (row, *children):
        one.archived_at = datetime.now(UTC) if archive else None
        one.deleted_with = row.id if one is not row else None
        records.delete(session, one)
    return children


def archive_deleted(session: Session, tenant_id: str, record_id: UUID) -> bool:
    """Keep a record that was deleted softly as it is, in its history (system session).

    Returns:
        Whether it is kept now and was not before; false where it came back meanwhile, or was removed.
    """
    kept = update(Record).where(
        Record.tenant_id == tenant_id,
        Record.id == record_id,
        Record.deleted_at.is_not(None),
        Record.archived_at.is_(None),
    )
    done = session.execute(kept.values(archived_at=func.clock_timestamp()).returning(Record.id))
    return done.scalar() is not None


def remove(session: Session, row: Record, *, archive: bool = False, cascade: bool = False) -> list[Record]:
    """Remove a locked record for good, with its tasks and what its history holds of it.

    Args:
        session: A tenant's session.
        row: The record.
        archive: Whether its history keeps it as it was.
        cascade: Whether what belongs to it goes with it, what was deleted before included.

    Returns:
        The children that went with it.

    Raises:
        UserError: One of them is on legal hold.
    """
    children = _children(session, row, cascade)
    for one in (row, *children):
        holds.refuse_removal(session, one)
        # The database empties the history by this mark.
        one.archived_at = datetime.now(UTC) if archive else None
        session.flush()
        tasks.remove(session, one.id)
        session.delete(one)
        session.flush()
    return children


def restore(session: Session, row: Record) -> list[Record]:
    """Bring back a locked record and what its deletion took along.

    Returns:
        The children that came back with it; those deleted on their own stay deleted.

    Raises:
        UserError: It is not deleted, or another record has taken its external id or a unique value.
    """
    if row.deleted_at is None:
        raise UserError(f"record {row.id} is not deleted", hint="give the id of a deleted record")
    children = _locked(session, Record.deleted_with == row.id)
    for one in (row, *children):
        _check_external_id(session, one)
        with unique.refusing(session, one.pipeline_id):
            one.deleted_at = one.archived_at = one.deleted_with = one.merged_into = None
            one.version += 1
            one.updated_at = datetime.now(UTC)
            session.flush()
    return children


def _children(session: Session, row: Record, cascade: bool) -> list[Record]:
    return _locked(session, Record.id.in_(relations.descendants(session, row.id))) if cascade else []


def _locked(session: Session, which: ColumnElement[bool]) -> list[Record]:
    # In order of their ids: of two deletions that share children, one waits for the other.
    query = select(Record).where(which).order_by(Record.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def _check_external_id(session: Session, row: Record) -> None:
    if row.external_id is None:
        return
    other = records.by_external_id(session, row.pipeline_id, row.external_id)
    if other is not None:
        raise UserError(
            f"record {row.id} cannot come back: record {other.id} has its external_id {row.external_id!r} now",
            hint="delete that one first, or give it another external_id",
        )
