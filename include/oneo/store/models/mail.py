"""Mailboxes that are read, and the files that came with mails."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class MailState(Base):
    """How far a folder of a mailbox was read; `uid_validity` says for how long its numbers count."""

    __tablename__ = "mail_state"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(primary_key=True)
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class MailFile(Base):
    """A file that came with a mail."""

    __tablename__ = "mail_files"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    content_type: Mapped[str]
    content: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
