"""Files that came with mail."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.store import storage
from oneo.store.models import MailFile


def keep(
    session: Session,
    tenant_id: str,
    event_id: int,
    file_id: UUID,
    *,
    name: str,
    content_type: str,
    content: bytes,
) -> None:
    """Keep a file of the mail that is an event.

    Raises:
        QuotaError: The tenant has no room for it.
    """
    storage.keep_file(session, tenant_id, name, len(content))
    row = MailFile(
        tenant_id=tenant_id,
        id=file_id,
        event_id=event_id,
        name=name,
        content_type=content_type,
        content=content,
    )
    session.add(row)
    session.flush()


def get(session: Session, file_id: UUID) -> MailFile:
    """A file of the tenant.

    Raises:
        NotFoundError: There is none.
    """
    row = session.scalar(select(MailFile).where(MailFile.id == file_id))
    if row is None:
        raise NotFoundError(f"there is no mail file {file_id}")
    return row


def of_event(session: Session, event_id: int) -> list[MailFile]:
    """The files of a mail, by name."""
    query = select(MailFile).where(MailFile.event_id == event_id).order_by(MailFile.name, MailFile.id)
    return list(session.scalars(query))
