"""Which records and executions are about the person of an e-mail address.

- A record is the person's where one of its fields is the address, or where it was merged with one that is.
- An execution is about the person where it is about such a record, where the address stands in its data, log or large
  results, or where one that is has called it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from oneo import objects
from oneo.store.address import Address
from oneo.store.models import Execution, ExecutionLog, Record


def records_about(session: Session, address: Address) -> tuple[list[Record], list[Record]]:
    """The person's records, and others that mention the address; all locked (removal session)."""
    columns = (Record.data, Record.owner, Record.external_id)
    query = select(Record).where(address.could_be_in(*columns)).order_by(Record.id).with_for_update()
    found = session.scalars(query).all()
    own = [row for row in found if address.is_value_of([row.data, row.external_id])]
    own += _merged_with(session, own)
    return own, [
        row for row in found if row not in own and address.stands_in([row.data, row.owner, row.external_id])
    ]


def executions_about(session: Session, address: Address, record_ids: Sequence[UUID]) -> list[Execution]:
    """The executions about the person, whose records are given; all locked (removal session)."""
    columns = (Execution.data, Execution.output, Execution.error)
    log = (ExecutionLog.input, ExecutionLog.output, ExecutionLog.context_updates, ExecutionLog.error)
    rows = session.scalars(select(ExecutionLog).where(address.could_be_in(*log)))
    logged = {
        row.execution_id
        for row in rows
        if address.stands_in([row.input, row.output, row.context_updates, row.error])
    }
    logged |= _in_objects(session, address, logged)
    about = Execution.record_id.in_(record_ids) | Execution.record_ids.overlap(record_ids)
    known = about | Execution.id.in_(logged)
    query = select(Execution).order_by(Execution.id).with_for_update()
    found = {
        row.id: row
        for row in session.scalars(query.where(known | address.could_be_in(*columns)))
        if {row.record_id, *(row.record_ids or ())}.intersection(record_ids)
        or row.id in logged
        or address.stands_in([row.data, row.output, row.error])
    }
    callers = list(found)
    while callers:
        called = session.scalars(query.where(Execution.parent_execution_id.in_(callers)))
        new = {row.id: row for row in called if row.id not in found}
        found.update(new)
        callers = list(new)
    return list(found.values())


def _merged_with(session: Session, own: list[Record]) -> list[Record]:
    """The further records that are one with these."""
    kept = {row.merged_into or row.id for row in own}
    query = select(Record).where(or_(Record.id.in_(kept), Record.merged_into.in_(kept)))
    rows = session.scalars(query.order_by(Record.id).with_for_update())
    return [row for row in rows if row not in own]


def _in_objects(session: Session, address: Address, known: set[UUID]) -> set[UUID]:
    """The executions in whose large results the address stands, but those known already."""
    log = select(
        ExecutionLog.tenant_id,
        ExecutionLog.execution_id,
        ExecutionLog.output_object,
        ExecutionLog.context_object,
    ).where(or_(ExecutionLog.output_object.is_not(None), ExecutionLog.context_object.is_not(None)))
    final = select(Execution.tenant_id, Execution.id, Execution.output_object, Execution.output_object)
    final = final.where(Execution.output_object.is_not(None))
    found = set(known)
    for query in (log, final):
        for tenant_id, execution_id, *references in session.execute(query):
            held = (one for one in references if one is not None and execution_id not in found)
            if any(address.stands_in(objects.found(tenant_id, execution_id, one)) for one in held):
                found.add(execution_id)
    return found
