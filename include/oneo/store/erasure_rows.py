"""Rows of a person that go, and rows of others that the person's address is taken out of.

Each function returns how many rows there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Update, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from oneo.messaging.incoming import EMAIL
from oneo.store.address import Address
from oneo.store.forms import FORM
from oneo.store.models import (
    Approval,
    FormFile,
    FormLink,
    InboxEvent,
    MailFile,
    Notification,
    Suppression,
    Task,
)


def delete_tasks(
    session: Session, address: Address, record_ids: Sequence[UUID], execution_ids: Sequence[UUID]
) -> int:
    """Delete the tasks of the person's records and executions, and those that name the address (removal session)."""
    columns = (Task.title, Task.description, Task.assigned_to)
    # A task of such an execution about another record is that one's.
    own = Task.execution_id.in_(execution_ids) & Task.record_id.is_(None)
    rows = session.scalars(select(Task).where(or_(Task.record_id.in_(record_ids), own)))
    ids = {row.id for row in rows}
    for row in session.scalars(select(Task).where(address.could_be_in(*columns))):
        if address.stands_in([row.title, row.description, row.assigned_to]):
            ids.add(row.id)
    return count_of(session, delete(Task).where(Task.id.in_(ids)))


def delete_notifications(session: Session, address: Address, execution_ids: Sequence[UUID]) -> int:
    """Delete the notifications of executions about the person, and that name the address (removal session)."""
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
    return count_of(session, delete(Notification).where(Notification.id.in_(ids)))


def erase_approvals(
    session: Session, address: Address, record_ids: Sequence[UUID], execution_ids: Sequence[UUID]
) -> dict[str, int]:
    """Delete what was asked about the person (removal session).

    What they were asked or said themselves, others count on: it stays, without the address.
    """
    about = Approval.record_id.in_(record_ids) | Approval.execution_id.in_(execution_ids)
    columns = (
        Approval.title,
        Approval.description,
        Approval.assignees,
        Approval.options,
        Approval.comment,
        Approval.decided_by,
    )
    gone = count_of(session, delete(Approval).where(about))
    return {"approvals": gone, "approvals_mentioning": take_out(session, address, Approval, columns)}


def delete_form_files(session: Session, address: Address, record_ids: Sequence[UUID]) -> int:
    """Delete the files of submissions that the person sent or stands in (removal session).

    What is in a file, nobody can search.
    """
    columns = (InboxEvent.topic, InboxEvent.key, InboxEvent.data)
    sent = InboxEvent.kind == FORM
    about = InboxEvent.record_id.in_(record_ids)
    keys = set(session.scalars(select(InboxEvent.key).where(sent, about)))
    for row in session.scalars(select(InboxEvent).where(sent, address.could_be_in(*columns))):
        if address.stands_in([row.topic, row.key, row.data]):
            keys.add(row.key)
    submissions = [UUID(key) for key in keys if key]
    files = or_(FormFile.record_id.in_(record_ids), FormFile.submission_id.in_(submissions))
    return count_of(session, delete(FormFile).where(files))


def delete_form_links(session: Session, address: Address, record_ids: Sequence[UUID]) -> int:
    """Delete the links about the person's records, and those prefilled with the address (removal session)."""
    ids = set(session.scalars(select(FormLink.id).where(FormLink.record_id.in_(record_ids))))
    for row in session.scalars(select(FormLink).where(address.could_be_in(FormLink.prefill))):
        if address.stands_in([row.prefill]):
            ids.add(row.id)
    return count_of(session, delete(FormLink).where(FormLink.id.in_(ids)))


def delete_mails(session: Session, address: Address) -> dict[str, int]:
    """Delete mails from the person, and the files of all that name them (removal session).

    No address can be taken out of a file.
    """
    columns = (InboxEvent.topic, InboxEvent.key, InboxEvent.data)
    query = select(InboxEvent).where(InboxEvent.kind == EMAIL, address.could_be_in(*columns))
    found = [row for row in session.scalars(query) if address.stands_in([row.topic, row.key, row.data])]
    own = [row.id for row in found if address.is_value_of(row.data.get("from"))]
    files = delete(MailFile).where(MailFile.event_id.in_([row.id for row in found]))
    mails = delete(InboxEvent).where(InboxEvent.id.in_(own))
    return {"mail_files": count_of(session, files), "mails": count_of(session, mails)}


def delete_suppressions(session: Session, address: Address, record_ids: Sequence[UUID]) -> int:
    """Take the person and their records off all lists (removal session)."""
    listed = (Suppression.kind == "email") & (Suppression.value == address.email)
    listed |= (Suppression.kind == "record") & Suppression.value.in_([str(one) for one in record_ids])
    return count_of(session, delete(Suppression).where(listed))


def take_out(
    session: Session, address: Address, model: Any, columns: Sequence[InstrumentedAttribute[Any]]
) -> int:
    """Take the address out of columns of a table (removal session)."""
    count = 0
    for row in session.scalars(select(model).where(address.could_be_in(*columns))):
        held = {column.key: getattr(row, column.key) for column in columns}
        if address.stands_in(list(held.values())):
            for name, value in held.items():
                setattr(row, name, address.taken_out(value))
            count += 1
    session.flush()
    return count


def count_of(session: Session, statement: Delete | Update) -> int:
    """Execute a statement; how many rows it met."""
    result: Any = session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)
