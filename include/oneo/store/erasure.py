"""Erasure of a person: what is known of whoever has an e-mail address goes, in one transaction.

- A record is the person's where one of its fields is the address, or where it was merged with one that is. It goes
  with its history, tasks and executions.
- An execution is about the person where it is about such a record, where the address stands in its data or log, or
  where one that is has called it. Its row stays, for the numbers of runs; what it read and wrote is emptied.
- Anywhere else the address itself is taken out of the text it stands in, published documents included; those in
  service are for their authors to change first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from oneo import objects
from oneo.errors import UserError
from oneo.messaging.incoming import EMAIL
from oneo.store import documents, holds
from oneo.store.address import Address
from oneo.store.endings import ENDED
from oneo.store.executions import FINAL
from oneo.store.forms import FORM
from oneo.store.models import (
    Approval,
    Execution,
    ExecutionLog,
    FormFile,
    FormLink,
    InboxEvent,
    LegalHold,
    MailFile,
    Metric,
    Notification,
    Record,
    RecordEvent,
    RecordHistory,
    SourceRow,
    Suppression,
    Task,
    Timer,
    Workflow,
)

_ERROR = {"type": "Erased", "message": "what was kept of this was erased", "hint": None}


@dataclass(frozen=True)
class Erased:
    """What was known of a person, and is gone.

    Attributes:
        counts: How many rows, by what became of them.
        executions: Ids of the executions about the person: the object store keeps their large results.
        runs: (DAG id, run id) of them: Airflow keeps copies of their outputs.
        address: Who it was.
    """

    counts: dict[str, int]
    executions: list[UUID]
    runs: list[tuple[str, str]]
    address: Address


def erase(session: Session, email: str) -> Erased:
    """Erase the person of an e-mail address from the rows of a tenant (removal session).

    Raises:
        UserError: It is no address, something of it is on legal hold, an execution about the person is still open, or a
            document in service names the address.
    """
    address = Address(email)
    own, mentioning = _records(session, address)
    record_ids = [row.id for row in own]
    open_or_ended = _executions(session, address, record_ids)
    _refuse(session, address, [*own, *mentioning], open_or_ended)
    execution_ids = [row.id for row in open_or_ended]
    counts = {
        "tasks": _delete_tasks(session, address, record_ids, execution_ids),
        "notifications": _delete_notifications(session, address, execution_ids),
        "log_rows_emptied": _empty_log(session, execution_ids),
        "executions_emptied": len(execution_ids),
        "records": len(own),
        "records_mentioning": len(mentioning),
    }
    for row in open_or_ended:
        row.data, row.output, row.output_object = {}, None, None
        row.error = _ERROR if row.error else None
    for record in mentioning:
        record.data = address.taken_out(record.data)
        record.owner, record.external_id = (
            address.taken_out(record.owner),
            address.taken_out(record.external_id),
        )
    session.flush()
    # What we change here is no event for workflows to start on.
    session.execute(
        text("DELETE FROM record_events WHERE record_id = ANY(:ids) AND xmin = pg_current_xact_id()::xid"),
        {"ids": [record.id for record in mentioning]},
    )
    session.execute(delete(Record).where(Record.id.in_(record_ids)))
    counts["record_history"] = _erase_history(session, address, record_ids)
    counts["record_events"] = _events_of(session, record_ids) - sum(row.deleted_at is None for row in own)
    counts["record_events_mentioning"] = _scrub(
        session, address, RecordEvent, (RecordEvent.before, RecordEvent.after, RecordEvent.problem)
    )
    ended = (InboxEvent.kind == ENDED) & InboxEvent.execution_id.in_(execution_ids)
    about = delete(InboxEvent).where(InboxEvent.record_id.in_(record_ids) | ended)
    counts["form_files"] = _delete_form_files(session, address, record_ids)
    counts |= _erase_approvals(session, address, record_ids, execution_ids)
    counts["form_links"] = _delete_form_links(session, address, record_ids)
    counts |= _erase_mail(session, address)
    counts["inbox_events"] = _deleted(session, about)
    counts["inbox_events_mentioning"] = _scrub(
        session, address, InboxEvent, (InboxEvent.topic, InboxEvent.key, InboxEvent.data, InboxEvent.problem)
    )
    counts["metrics_mentioning"] = _scrub(session, address, Metric, (Metric.data,))
    counts["table_rows_mentioning"] = _scrub(session, address, SourceRow, (SourceRow.image,))
    listed = (Suppression.kind == "email") & (Suppression.value == address.email)
    listed |= (Suppression.kind == "record") & Suppression.value.in_([str(one) for one in record_ids])
    counts["suppressions"] = _deleted(session, delete(Suppression).where(listed))
    session.execute(delete(Timer).where(Timer.record_id.in_(record_ids)))
    counts["documents_mentioning"] = documents.take_out(session, address)
    elsewhere: list[tuple[Any, Sequence[InstrumentedAttribute[Any]]]] = [
        (Execution, (Execution.started_by, Execution.postponed)),
        (Workflow, (Workflow.name, Workflow.render_error)),
        (LegalHold, (LegalHold.reason, LegalHold.set_by)),
    ]
    counts["other_texts"] = sum(_scrub(session, address, model, columns) for model, columns in elsewhere)
    runs = sorted({(row.dag_id, row.run_id) for row in open_or_ended})
    return Erased(counts, execution_ids, runs, address)


def _erase_approvals(
    session: Session, address: Address, record_ids: list[UUID], execution_ids: list[UUID]
) -> dict[str, int]:
    """Delete what was asked about the person. What they were asked or said themselves, others count on: it stays."""
    about = Approval.record_id.in_(record_ids) | Approval.execution_id.in_(execution_ids)
    columns = (
        Approval.title,
        Approval.description,
        Approval.assignees,
        Approval.options,
        Approval.comment,
        Approval.decided_by,
    )
    gone = _deleted(session, delete(Approval).where(about))
    return {"approvals": gone, "approvals_mentioning": _scrub(session, address, Approval, columns)}


def _erase_mail(session: Session, address: Address) -> dict[str, int]:
    """Delete mails from the person, and the files of all that name them: no address can be taken out of a file."""
    columns = (InboxEvent.topic, InboxEvent.key, InboxEvent.data)
    query = select(InboxEvent).where(InboxEvent.kind == EMAIL, address.could_be_in(*columns))
    found = [row for row in session.scalars(query) if address.stands_in([row.topic, row.key, row.data])]
    own = [row.id for row in found if address.is_value_of(row.data.get("from"))]
    files = delete(MailFile).where(MailFile.event_id.in_([row.id for row in found]))
    mails = delete(InboxEvent).where(InboxEvent.id.in_(own))
    return {"mail_files": _deleted(session, files), "mails": _deleted(session, mails)}


def _erase_history(session: Session, address: Address, record_ids: list[UUID]) -> int:
    """Delete the history of the person's records, and take the address out of that of others."""
    gone = _deleted(session, delete(RecordHistory).where(RecordHistory.record_id.in_(record_ids)))
    columns = (RecordHistory.changes, RecordHistory.image, RecordHistory.actor)
    return gone + _scrub(session, address, RecordHistory, columns)


def _records(session: Session, address: Address) -> tuple[list[Record], list[Record]]:
    """The person's records, and others that mention the address; all locked."""
    columns = (Record.data, Record.owner, Record.external_id)
    query = select(Record).where(address.could_be_in(*columns)).order_by(Record.id).with_for_update()
    found = session.scalars(query).all()
    own = [row for row in found if address.is_value_of([row.data, row.external_id])]
    own += _merged_with(session, own)
    return own, [
        row for row in found if row not in own and address.stands_in([row.data, row.owner, row.external_id])
    ]


def _merged_with(session: Session, own: list[Record]) -> list[Record]:
    """The further records that are one with these."""
    kept = {row.merged_into or row.id for row in own}
    query = select(Record).where(or_(Record.id.in_(kept), Record.merged_into.in_(kept)))
    rows = session.scalars(query.order_by(Record.id).with_for_update())
    return [row for row in rows if row not in own]


def _executions(session: Session, address: Address, record_ids: list[UUID]) -> list[Execution]:
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


def _refuse(session: Session, address: Address, concerned: list[Record], executions: list[Execution]) -> None:
    """Say everything that keeps the person from being erased.

    Raises:
        UserError: There is something.
    """
    reasons = [f"{reason}" for reason in holds.reasons(session, concerned, address.email)]
    hints = [holds.HINT] if reasons else []
    still = [str(row.id) for row in executions if row.status not in FINAL]
    if still:
        reasons.append(f"execution {', '.join(still)} about the person has not ended")
        hints.append("wait for its end, and erase again")
    serving = documents.in_service(session, address)
    if serving:
        reasons.append(f"the address stands in {', '.join(serving)}, in service")
        hints.append("publish a version without it once its executions have ended, or withdraw it")
    if reasons:
        raise UserError(f"nothing was erased: {'; '.join(reasons)}", hint="; ".join(hints))


def _delete_tasks(
    session: Session, address: Address, record_ids: list[UUID], execution_ids: list[UUID]
) -> int:
    columns = (Task.title, Task.description, Task.assigned_to)
    # A task of such an execution about another record is that one's.
    own = Task.execution_id.in_(execution_ids) & Task.record_id.is_(None)
    rows = session.scalars(select(Task).where(or_(Task.record_id.in_(record_ids), own)))
    ids = {row.id for row in rows}
    for row in session.scalars(select(Task).where(address.could_be_in(*columns))):
        if address.stands_in([row.title, row.description, row.assigned_to]):
            ids.add(row.id)
    return _deleted(session, delete(Task).where(Task.id.in_(ids)))


def _delete_notifications(session: Session, address: Address, execution_ids: list[UUID]) -> int:
    columns = (
        Notification.recipient,
        Notification.title,
        Notification.message,
        Notification.link_url,
        Notification.problem,
    )
    ids = set(session.scalars(select(Notification.id).where(Notification.execution_id.in_(execution_ids))))
    for row in session.scalars(select(Notification).where(address.could_be_in(*columns))):
        if address.stands_in([row.recipient, row.title, row.message, row.link_url, row.problem]):
            ids.add(row.id)
    return _deleted(session, delete(Notification).where(Notification.id.in_(ids)))


def _delete_form_files(session: Session, address: Address, record_ids: list[UUID]) -> int:
    """Delete the files of submissions that the person sent or stands in: what is in a file, nobody can search."""
    columns = (InboxEvent.topic, InboxEvent.key, InboxEvent.data)
    sent = InboxEvent.kind == FORM
    about = InboxEvent.record_id.in_(record_ids)
    keys = set(session.scalars(select(InboxEvent.key).where(sent, about)))
    for row in session.scalars(select(InboxEvent).where(sent, address.could_be_in(*columns))):
        if address.stands_in([row.topic, row.key, row.data]):
            keys.add(row.key)
    submissions = [UUID(key) for key in keys if key]
    files = or_(FormFile.record_id.in_(record_ids), FormFile.submission_id.in_(submissions))
    return _deleted(session, delete(FormFile).where(files))


def _delete_form_links(session: Session, address: Address, record_ids: list[UUID]) -> int:
    ids = set(session.scalars(select(FormLink.id).where(FormLink.record_id.in_(record_ids))))
    for row in session.scalars(select(FormLink).where(address.could_be_in(FormLink.prefill))):
        if address.stands_in([row.prefill]):
            ids.add(row.id)
    return _deleted(session, delete(FormLink).where(FormLink.id.in_(ids)))


def _empty_log(session: Session, execution_ids: list[UUID]) -> int:
    rows = update(ExecutionLog).where(ExecutionLog.execution_id.in_(execution_ids))
    failed = rows.where(ExecutionLog.error.is_not(None)).values(error=_ERROR)
    session.execute(failed)
    return _deleted(
        session,
        rows.values(input=None, output=None, context_updates=None, output_object=None, context_object=None),
    )


def _events_of(session: Session, record_ids: list[UUID]) -> int:
    return _deleted(session, delete(RecordEvent).where(RecordEvent.record_id.in_(record_ids)))


def _scrub(
    session: Session,
    address: Address,
    model: Any,
    columns: Sequence[InstrumentedAttribute[Any]],
) -> int:
    """Take the address out of columns of a table; returns in how many rows it stood."""
    count = 0
    for row in session.scalars(select(model).where(address.could_be_in(*columns))):
        held = {column.key: getattr(row, column.key) for column in columns}
        if address.stands_in(list(held.values())):
            for name, value in held.items():
                setattr(row, name, address.taken_out(value))
            count += 1
    session.flush()
    return count


def _deleted(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)
