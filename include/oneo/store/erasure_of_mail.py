"""Erasure of a person's mail: what they wrote goes, and so do the files of mails that name them.

Nobody can take an address out of a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from oneo.messaging.incoming import EMAIL
from oneo.store.models import InboxEvent, MailFile

if TYPE_CHECKING:
    from oneo.store.erasure import Address


def erase_mail(session: Session, address: Address) -> dict[str, int]:
    """Delete mails from an address, and the files of all mails in which it stands (removal session).

    Returns:
        How many of each.
    """
    columns = (InboxEvent.topic, InboxEvent.key, InboxEvent.data)
    query = select(InboxEvent).where(InboxEvent.kind == EMAIL, address.could_be_in(*columns))
    found = [row for row in session.scalars(query) if address.stands_in([row.topic, row.key, row.data])]
    own = [row.id for row in found if address.is_value_of(row.data.get("from"))]
    return {
        "mail_files": _deleted(
            session, delete(MailFile).where(MailFile.event_id.in_([row.id for row in found]))
        ),
        "mails": _deleted(session, delete(InboxEvent).where(InboxEvent.id.in_(own))),
    }


def _deleted(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)
