"""How far mailboxes were read."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import MailState


def find(session: Session, mailbox: str, folder: str) -> MailState | None:
    """How far the tenant's folder was read; None where it never was."""
    return session.scalar(select(MailState).where(MailState.mailbox == mailbox, MailState.folder == folder))


def advance(
    session: Session, tenant_id: str, mailbox: str, folder: str, uid_validity: int, last_uid: int
) -> None:
    """Note that a folder was read up to a mail; of two readers, the one that is behind changes nothing."""
    new = insert(MailState).values(
        tenant_id=tenant_id, mailbox=mailbox, folder=folder, uid_validity=uid_validity, last_uid=last_uid
    )
    is_behind = (MailState.uid_validity == new.excluded.uid_validity) & (
        MailState.last_uid >= new.excluded.last_uid
    )
    moved = {
        "uid_validity": new.excluded.uid_validity,
        "last_uid": new.excluded.last_uid,
        "read_at": func.clock_timestamp(),
    }
    keys = [MailState.tenant_id, MailState.mailbox, MailState.folder]
    session.execute(new.on_conflict_do_update(index_elements=keys, set_=moved, where=~is_behind))
