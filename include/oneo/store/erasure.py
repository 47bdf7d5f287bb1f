"""Erasure of a person: what is known of whoever has an e-mail address goes, in one transaction.

- A record is the person's where one of its fields is the address. It goes with its history, tasks and executions.
- An execution is about the person where it is about such a record, where the address stands in its data or log, or
  where one that is has called it. Its row stays, for the numbers of runs; what it read and wrote is emptied.
- Anywhere else the address itself is taken out of the text it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from oneo.errors import UserError
from oneo.messaging.incoming import EMAIL
from oneo.store.executions import FINAL
from oneo.store.models import (
    Execution,
    ExecutionLog,
    InboxEvent,
    MailFile,
    Notification,
    Record,
    RecordEvent,
    RecordHistory,
    Task,
    Timer,
)

LEGAL_HOLD = "legal_hold"
ERASED = "[erased]"
_ERROR = {"type": "Erased", "message": "what was kept of this was erased", "hint": None}
# What may stand in an address: where one of these is next to it, it is part of a longer one.
_BEFORE, _AFTER = r"(?<![\w.%+-])", r"(?![\w-])(?!\.\w)"


@dataclass(frozen=True)
class Erased:
    """What was known of a person, and is gone.

    Attributes:
        counts: How many rows, by what became of them.
        runs: (DAG id, run id) of the executions about the person: Airflow keeps copies of their outputs.
    """

    counts: dict[str, int]
    runs: list[tuple[str, str]]


class Address:
    """An e-mail address to look for, in whatever case.

    Raises:
        UserError: It is none.
    """

    def __init__(self, email: str) -> None:
        self.email = email.strip().lower()
        if not re.fullmatch(r'[^@\s"\\]+@[^@\s"\\]+', self.email):
            raise UserError(f"{email!r} is no e-mail address", hint="write e.g. ann@example.com")
        self._pattern = re.compile(f"{_BEFORE}{re.escape(self.email)}{_AFTER}", re.IGNORECASE)

    def is_value_of(self, value: Any) -> bool:
        """Whether the address is the value, or one inside it."""
        return any(text.strip().lower() == self.email for text in _texts(value))

    def stands_in(self, value: Any) -> bool:
        """Whether the address stands anywhere in the value."""
        return any(self._pattern.search(text) for text in _texts(value))

    def taken_out(self, value: Any) -> Any:
        """The value without the address."""
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, dict):
            return {self.taken_out(name): self.taken_out(held) for name, held in value.items()}
        if isinstance(value, list):
            return [self.taken_out(held) for held in value]
        return value

    def could_be_in(self, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Whether the address may stand in one of the columns, for the database to look before we do."""
        return or_(*(func.lower(cast(one, Text)).contains(self.email, autoescape=True) for one in columns))


def erase(session: Session, email: str) -> Erased:
    """Erase the person of an e-mail address from the rows of a tenant (removal session).

    Raises:
        UserError: It is no address, a record is held for legal reasons, or an execution about the person is still open.
    """
    address = Address(email)
    own, mentioning = _records(session, address)
    record_ids = [row.id for row in own]
    open_or_ended = _executions(session, address, record_ids)
    _refuse(own, mentioning, open_or_ended)
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
        row.data, row.output = {}, None
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
    counts |= _erase_mail(session, address)
    about = delete(InboxEvent).where(InboxEvent.record_id.in_(record_ids))
    counts["inbox_events"] = _deleted(session, about)
    counts["inbox_events_mentioning"] = _scrub(
        session, address, InboxEvent, (InboxEvent.topic, InboxEvent.key, InboxEvent.data, InboxEvent.problem)
    )
    session.execute(delete(Timer).where(Timer.record_id.in_(record_ids)))
    return Erased(counts, sorted({(row.dag_id, row.run_id) for row in open_or_ended}))


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
    return own, [
        row for row in found if row not in own and address.stands_in([row.data, row.owner, row.external_id])
    ]


def _executions(session: Session, address: Address, record_ids: list[UUID]) -> list[Execution]:
    columns = (Execution.data, Execution.output, Execution.error)
    log = (ExecutionLog.input, ExecutionLog.output, ExecutionLog.context_updates, ExecutionLog.error)
    rows = session.scalars(select(ExecutionLog).where(address.could_be_in(*log)))
    logged = {
        row.execution_id
        for row in rows
        if address.stands_in([row.input, row.output, row.context_updates, row.error])
    }
    known = Execution.record_id.in_(record_ids) | Execution.id.in_(logged)
    query = select(Execution).order_by(Execution.id).with_for_update()
    found = {
        row.id: row
        for row in session.scalars(query.where(known | address.could_be_in(*columns)))
        if row.record_id in record_ids
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


def _refuse(own: list[Record], mentioning: list[Record], concerned: list[Execution]) -> None:
    held = [str(row.id) for row in (*own, *mentioning) if row.data.get(LEGAL_HOLD) is True]
    if held:
        raise UserError(
            f"nothing was erased: {LEGAL_HOLD} is true on record {', '.join(held)}",
            hint="set it to false once the record may go",
        )
    still = [str(row.id) for row in concerned if row.status not in FINAL]
    if still:
        raise UserError(
            f"nothing was erased: execution {', '.join(still)} about the person has not ended",
            hint="wait for its end, and erase again",
        )


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
    columns = (Notification.recipient, Notification.title, Notification.message, Notification.link_url)
    ids = set(session.scalars(select(Notification.id).where(Notification.execution_id.in_(execution_ids))))
    for row in session.scalars(select(Notification).where(address.could_be_in(*columns))):
        if address.stands_in([row.recipient, row.title, row.message, row.link_url]):
            ids.add(row.id)
    return _deleted(session, delete(Notification).where(Notification.id.in_(ids)))


def _empty_log(session: Session, execution_ids: list[UUID]) -> int:
    rows = update(ExecutionLog).where(ExecutionLog.execution_id.in_(execution_ids))
    failed = rows.where(ExecutionLog.error.is_not(None)).values(error=_ERROR)
    session.execute(failed)
    return _deleted(session, rows.values(input=None, output=None, context_updates=None))


def _events_of(session: Session, record_ids: list[UUID]) -> int:
    return _deleted(session, delete(RecordEvent).where(RecordEvent.record_id.in_(record_ids)))


def _scrub(
    session: Session,
    address: Address,
    model: type[RecordEvent | RecordHistory | InboxEvent],
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


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
