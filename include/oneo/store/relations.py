"""Which record belongs to which."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.store.models import Record, RecordRelation


def relate(session: Session, parent: Record, child: Record, kind: str, *, cascades: bool = True) -> None:
    """Note that a record belongs to another; noting it again changes at most `cascades`.

    Args:
        session: A tenant's session.
        parent: The record the other belongs to.
        child: The one that belongs to it.
        kind: As what, such as `contact` or `invoice`.
        cascades: Whether the child can be deleted with its parent.

    Raises:
        UserError: They are the same record.
    """
    if parent.id == child.id:
        raise UserError(f"record {parent.id} cannot belong to itself", hint="relate it to another record")
    row = {"tenant_id": parent.tenant_id, "parent_id": parent.id, "child_id": child.id, "kind": kind}
    statement = insert(RecordRelation).values(**row, cascades=cascades)
    key = ["tenant_id", "parent_id", "child_id", "kind"]
    session.execute(statement.on_conflict_do_update(index_elements=key, set_={"cascades": cascades}))


def of_record(session: Session, record_id: UUID, kind: str | None = None) -> set[UUID]:
    """Ids of the records that belong to a record, or to which it belongs; those of one kind only where it is given."""
    pairs = (
        (RecordRelation.parent_id, RecordRelation.child_id),
        (RecordRelation.child_id, RecordRelation.parent_id),
    )
    found: set[UUID] = set()
    for own, other in pairs:
        query = select(other).where(own == record_id)
        found |= set(session.scalars(query if kind is None else query.where(RecordRelation.kind == kind)))
    return found


def move(session: Session, from_record: UUID, to_record: UUID) -> None:
    """Hand the relations of a merged record to the one that stays; those between the two end."""
    related = (RecordRelation.parent_id == from_record) | (RecordRelation.child_id == from_record)
    for row in session.scalars(select(RecordRelation).where(related)).all():
        ends = [to_record if one == from_record else one for one in (row.parent_id, row.child_id)]
        if ends[0] != ends[1]:
            moved = {"tenant_id": row.tenant_id, "parent_id": ends[0], "child_id": ends[1], "kind": row.kind}
            new = insert(RecordRelation).values(**moved, cascades=row.cascades, created_at=row.created_at)
            session.execute(new.on_conflict_do_nothing())
        session.delete(row)
    session.flush()


def descendants(session: Session, parent: UUID) -> set[UUID]:
    """Ids of the children that are deleted with a record, of theirs, and so on; circles are no problem."""
    step = select(RecordRelation.child_id).where(RecordRelation.cascades)
    found = step.where(RecordRelation.parent_id == parent).cte("found", recursive=True)
    found = found.union(step.join(found, RecordRelation.parent_id == found.c.child_id))
    return set(session.scalars(select(found.c.child_id))) - {parent}
