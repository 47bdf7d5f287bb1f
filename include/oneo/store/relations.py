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


def descendants(session: Session, parent: UUID) -> set[UUID]:
    """Ids of the children that are deleted with a record, of theirs, and so on; circles are no problem."""
    step = select(RecordRelation.child_id).where(RecordRelation.cascades)
    found = step.where(RecordRelation.parent_id == parent).cte("found", recursive=True)
    found = found.union(step.join(found, RecordRelation.parent_id == found.c.child_id))
    return set(session.scalars(select(found.c.child_id))) - {parent}
